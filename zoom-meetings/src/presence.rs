//! From joins to people: who was there, on which side, for how long.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::directory::{Directory, Side, normal};
use crate::instance::{Attendance, Instance, Place, UnknownReason, Visit};
use crate::spans::Spans;

#[cfg(test)]
mod tests;

/// What one person is known by, best first: the first of these that any of their joins carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PersonKey {
    /// Zoom's id of a signed-in user.
    User(String),
    /// A registration.
    Registrant(String),
    /// An e-mail address in lower case.
    Email(String),
    /// A name and a device; all that is left of a guest.
    Name(String, Option<String>),
}

/// One person in one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PersonTime {
    /// Who.
    pub key: PersonKey,
    /// E-mail address, as far as it is known.
    pub email: Option<String>,
    /// Name on the screen.
    pub name: Option<String>,
    /// Which side of the table.
    pub side: Side,
    /// Measure of the union of the person's joins inside the instance, waiting room left out.
    pub attended_ms: i64,
    /// Measure of the union of the person's time in the waiting room.
    pub waited_ms: i64,
}

/// Who was in an instance, and when each side was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    people: Vec<PersonTime>,
    instance: Spans,
    internal: Spans,
    external: Spans,
}

impl Presence {
    /// Counts the joins of an instance.
    ///
    /// Joins that share an id of Zoom's, a registration or an address are one person; a join with none of these is
    /// known by its name and device.
    ///
    /// # Errors
    ///
    /// The reason, when it is not known who was there or who of them is internal.
    pub fn of(instance: &Instance, directory: &Directory) -> Result<Self, UnknownReason> {
        let visits = match &instance.attendance {
            Attendance::Unknown(reason) => return Err(*reason),
            Attendance::OnePerson => return Ok(Self::host_alone(instance)),
            Attendance::Rows(visits) => visits,
        };
        let marked = visits.iter().any(|visit| visit.internal.is_some());
        let addressed = visits.iter().any(|visit| visit.email.is_some());
        let tells_sides =
            marked || (addressed && (directory.knows_internal() || instance.host_email.is_some()));
        if !tells_sides && !visits.is_empty() {
            return Err(UnknownReason::SidesUnknown);
        }
        let whole = Spans::between(instance.start, instance.end);
        let (mut internal, mut external) = (Spans::default(), Spans::default());
        let mut people = Vec::new();
        for joins in group(visits) {
            let spans = |in_waiting_room: bool| -> Spans {
                let of_place = joins
                    .iter()
                    .filter(|visit| (visit.place == Place::WaitingRoom) == in_waiting_room);
                of_place
                    .map(|visit| (visit.joined, visit.left.unwrap_or(instance.end)))
                    .collect::<Spans>()
                    .intersection(&whole)
            };
            let (attended, waited) = (spans(false), spans(true));
            let email = joins
                .iter()
                .filter_map(|visit| visit.email.as_deref())
                .map(normal)
                .filter(|email| !email.is_empty())
                .min();
            let marked = joins.iter().any(|visit| visit.internal == Some(true));
            let side = directory.side(email.as_deref(), instance.host_email.as_deref(), marked);
            let of_side = if side == Side::Internal {
                &mut internal
            } else {
                &mut external
            };
            *of_side = of_side.union(&attended);
            people.push(PersonTime {
                key: joins
                    .iter()
                    .flat_map(|visit| keys(visit))
                    .min()
                    .unwrap_or(PersonKey::Name(String::new(), None)),
                email,
                name: joins
                    .iter()
                    .filter_map(|visit| Some((visit.joined, visit.name.clone()?)))
                    .min()
                    .map(|(_, name)| name),
                side,
                attended_ms: attended.measure_ms(),
                waited_ms: waited.measure_ms(),
            });
        }
        people.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self {
            people,
            instance: whole,
            internal,
            external,
        })
    }

    fn host_alone(instance: &Instance) -> Self {
        let whole = Spans::between(instance.start, instance.end);
        let email = instance.host_email.as_deref().map(normal);
        let host = PersonTime {
            key: email
                .clone()
                .map_or_else(|| PersonKey::Name("host".to_owned(), None), PersonKey::Email),
            email,
            name: None,
            side: Side::Internal,
            attended_ms: whole.measure_ms(),
            waited_ms: 0,
        };
        Self {
            people: vec![host],
            instance: whole.clone(),
            internal: whole,
            external: Spans::default(),
        }
    }

    /// Everybody who came, in the order of their key.
    #[must_use]
    pub fn people(&self) -> &[PersonTime] {
        &self.people
    }

    /// From the start of the instance to its end.
    #[must_use]
    pub fn instance(&self) -> &Spans {
        &self.instance
    }

    /// When somebody internal was in the meeting.
    #[must_use]
    pub fn internal(&self) -> &Spans {
        &self.internal
    }

    /// When somebody external was in the meeting.
    #[must_use]
    pub fn external(&self) -> &Spans {
        &self.external
    }

    /// When somebody of each side was in the meeting: the time that is billed.
    #[must_use]
    pub fn met(&self) -> Spans {
        self.internal.intersection(&self.external)
    }

    /// The first moment at which both sides were there.
    #[must_use]
    pub fn met_from(&self) -> Option<Timestamp> {
        self.met().first()
    }
}

/// What a join is known by: every identifier it carries, or its name when it carries none.
fn keys(visit: &Visit) -> Vec<PersonKey> {
    let given = |text: &Option<String>| {
        text.as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let strong: Vec<PersonKey> = [
        given(&visit.participant_user_id).map(PersonKey::User),
        given(&visit.registrant_id).map(PersonKey::Registrant),
        given(&visit.email).map(|email| PersonKey::Email(normal(&email))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if strong.is_empty() {
        let name = given(&visit.name).unwrap_or_default().to_lowercase();
        return vec![PersonKey::Name(name, given(&visit.device))];
    }
    strong
}

/// The joins of each person: joins that share a key are together, and so are those linked through a third.
fn group(visits: &[Visit]) -> Vec<Vec<&Visit>> {
    let mut groups: Vec<Vec<&Visit>> = Vec::new();
    let mut group_of: HashMap<PersonKey, usize> = HashMap::new();
    for visit in visits {
        let keys = keys(visit);
        let mut linked: Vec<usize> = keys.iter().filter_map(|key| group_of.get(key).copied()).collect();
        linked.sort_unstable();
        linked.dedup();
        let mut links = linked.into_iter();
        let home = links.next().unwrap_or_else(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        let mut joins = vec![visit];
        for other in links {
            joins.extend(groups.get_mut(other).map(std::mem::take).unwrap_or_default());
            for index in group_of.values_mut().filter(|index| **index == other) {
                *index = home;
            }
        }
        if let Some(group) = groups.get_mut(home) {
            group.extend(joins);
        }
        for key in keys {
            group_of.insert(key, home);
        }
    }
    groups.retain(|joins| !joins.is_empty());
    groups
}
