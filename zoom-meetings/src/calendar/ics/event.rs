//! One `VEVENT`: its times, its people, its meeting, its occurrences.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::recurrence::Rule;
use super::tree::{Line, Node};
use super::value::{Length, When};
use super::zone::Zones;
use crate::calendar::{
    Attendee, CalendarEvent, CalendarEvents, CalendarWarning, EventStatus, Response, TimeWindow,
};
use crate::join_link::{EventTexts, JoinLink, LinkSource};

/// An event as it stands in the file.
#[derive(Debug, Clone)]
pub(super) struct RawEvent {
    node: Node,
    cancelled: bool,
}

/// When an event starts and how long it is.
struct Timing {
    zone: TimeZone,
    start: DateTime,
    all_day: bool,
    length: Length,
}

impl RawEvent {
    pub(super) fn new(node: Node, cancelled: bool) -> Self {
        Self { node, cancelled }
    }

    pub(super) fn uid(&self) -> &str {
        self.node.text("UID").unwrap_or_default()
    }

    /// Whether this is one occurrence of a series, moved or changed.
    pub(super) fn is_moved(&self) -> bool {
        self.node.line("RECURRENCE-ID").is_some()
    }

    pub(super) fn key(&self) -> (String, Option<String>) {
        (
            self.uid().to_owned(),
            self.node.text("RECURRENCE-ID").map(str::to_owned),
        )
    }

    pub(super) fn version(&self) -> (i64, &str) {
        let sequence = self
            .node
            .text("SEQUENCE")
            .and_then(|value| value.parse().ok())
            .unwrap_or(0);
        (sequence, self.node.text("DTSTAMP").unwrap_or_default())
    }

    /// Adds the occurrences that touch the window. `moved` are the occurrences that have a `VEVENT` of their own.
    pub(super) fn expand(
        &self,
        moved: &[&Self],
        zones: &Zones,
        window: TimeWindow,
        answer: &mut CalendarEvents,
    ) {
        let timing = match self.timing(zones) {
            Ok(timing) => timing,
            Err(warning) => {
                answer.warnings.push(warning);
                // The occurrences that say when they are do not need the series for it.
                for event in moved {
                    event.expand(&[], zones, window, answer);
                }
                return;
            }
        };
        let mut originals = Vec::new();
        for event in moved {
            match event.original(zones) {
                Ok(original) => originals.push(original),
                Err(warning) => answer.warnings.push(warning),
            }
            event.expand(&[], zones, window, answer);
        }
        let repeats = ["RRULE", "RDATE"]
            .iter()
            .any(|name| self.node.line(name).is_some());
        let starts = self.starts(&timing, zones, window, &mut answer.warnings);
        let occurrence_of_series = if self.is_moved() {
            self.original(zones).ok()
        } else {
            None
        };
        for start in starts {
            let Ok(begins) = timing.zone.to_timestamp(start) else {
                continue;
            };
            let Some(ends) = timing.length.end(start, &timing.zone) else {
                answer.warnings.push(self.malformed("DTEND"));
                continue;
            };
            let replaced = || {
                originals
                    .iter()
                    .any(|original| original.when.names(start, &timing.zone))
            };
            if !window.touches(begins, ends) || replaced() {
                continue;
            }
            let mut event = self.event(begins, ends, timing.all_day);
            event.occurrence = match &occurrence_of_series {
                Some(original) => original.when.moment(&original.zone),
                None => repeats.then_some(begins),
            };
            answer.events.push(event);
        }
    }

    /// The wall clocks at which the event starts, up to the end of the window.
    fn starts(
        &self,
        timing: &Timing,
        zones: &Zones,
        window: TimeWindow,
        warnings: &mut Vec<CalendarWarning>,
    ) -> Vec<DateTime> {
        if self.is_moved() {
            return vec![timing.start];
        }
        let mut starts = vec![timing.start];
        let rules: Vec<&Line> = self.node.all("RRULE").collect();
        let known = match rules.as_slice() {
            [rule] if self.node.line("EXRULE").is_none() => Rule::parse(&rule.value),
            _ => None,
        };
        match known {
            Some(rule) => {
                let walk = rule.walk(timing.start, &timing.zone, window.to);
                if walk.cut_short {
                    warnings.push(CalendarWarning::TooManyOccurrences {
                        uid: self.uid().to_owned(),
                    });
                }
                starts = walk.starts;
            }
            None => {
                for rule in rules.into_iter().chain(self.node.all("EXRULE")) {
                    warnings.push(CalendarWarning::UnsupportedRecurrence {
                        uid: self.uid().to_owned(),
                        rule: format!("{}:{}", rule.name, rule.value),
                    });
                }
            }
        }
        starts.extend(
            self.dates("RDATE", timing, zones, warnings)
                .into_iter()
                .map(|when| when.wall(&timing.zone)),
        );
        starts.sort_unstable();
        starts.dedup();
        let left_out = self.dates("EXDATE", timing, zones, warnings);
        starts.retain(|start| !left_out.iter().any(|when| when.names(*start, &timing.zone)));
        starts
    }

    /// The values of a property that lists dates.
    fn dates(
        &self,
        name: &str,
        timing: &Timing,
        zones: &Zones,
        warnings: &mut Vec<CalendarWarning>,
    ) -> Vec<When> {
        let mut dates = Vec::new();
        for line in self.node.all(name) {
            // Without a zone of its own, or with a misspelt one, a list is in the zone of the event.
            let zone = line
                .param("TZID")
                .map_or_else(|| Some(timing.zone.clone()), |id| zones.find(id));
            for value in line.value.split(',') {
                // A period lists its start first; its own length is left to the event's.
                let when = value.split('/').next().and_then(When::parse);
                match (when, &zone) {
                    (Some(When::Local(local)), Some(zone)) => match zone.to_timestamp(local) {
                        Ok(moment) => dates.push(When::Utc(moment)),
                        Err(_) => warnings.push(self.malformed(name)),
                    },
                    (Some(when), Some(_)) => dates.push(when),
                    _ => warnings.push(self.malformed(name)),
                }
            }
        }
        dates
    }

    fn original(&self, zones: &Zones) -> Result<Original, CalendarWarning> {
        let line = self
            .node
            .line("RECURRENCE-ID")
            .ok_or_else(|| self.malformed("RECURRENCE-ID"))?;
        if line.param("RANGE").is_some() {
            return Err(CalendarWarning::UnsupportedRecurrence {
                uid: self.uid().to_owned(),
                rule: "RECURRENCE-ID;RANGE=THISANDFUTURE".to_owned(),
            });
        }
        let when = When::parse(&line.value).ok_or_else(|| self.malformed("RECURRENCE-ID"))?;
        let zone = self.zone_of(line, when, zones)?;
        // Compared as a moment, because the series may be kept in another zone.
        let when = match when {
            When::Local(_) => When::Utc(
                when.moment(&zone)
                    .ok_or_else(|| self.malformed("RECURRENCE-ID"))?,
            ),
            other => other,
        };
        Ok(Original { when, zone })
    }

    fn timing(&self, zones: &Zones) -> Result<Timing, CalendarWarning> {
        let line = self
            .node
            .line("DTSTART")
            .ok_or_else(|| self.malformed("DTSTART"))?;
        let start = When::parse(&line.value).ok_or_else(|| self.malformed("DTSTART"))?;
        let zone = self.zone_of(line, start, zones)?;
        let all_day = matches!(start, When::Day(_));
        let length = self.length(start, &zone, zones)?;
        Ok(Timing {
            start: start.wall(&zone),
            zone,
            all_day,
            length,
        })
    }

    fn length(&self, start: When, zone: &TimeZone, zones: &Zones) -> Result<Length, CalendarWarning> {
        if let Some(line) = self.node.line("DTEND") {
            let end = When::parse(&line.value).ok_or_else(|| self.malformed("DTEND"))?;
            if let (When::Day(first), When::Day(last)) = (start, end) {
                let days = first.until(last).map_err(|_| self.malformed("DTEND"))?.get_days();
                // Some writers end a whole day on the day itself.
                return if days < 0 {
                    Err(self.malformed("DTEND"))
                } else {
                    Ok(Length::Days(days.max(1)))
                };
            }
            let end_zone = self.zone_of(line, end, zones)?;
            let (Some(begins), Some(ends)) = (start.moment(zone), end.moment(&end_zone)) else {
                return Err(self.malformed("DTEND"));
            };
            return if ends < begins {
                Err(self.malformed("DTEND"))
            } else {
                Ok(Length::Exact(ends.duration_since(begins)))
            };
        }
        match self.node.text("DURATION") {
            Some(duration) => Length::parse(duration).ok_or_else(|| self.malformed("DURATION")),
            None if matches!(start, When::Day(_)) => Ok(Length::Days(1)),
            None => Ok(Length::Exact(jiff::SignedDuration::ZERO)),
        }
    }

    fn zone_of(&self, line: &Line, when: When, zones: &Zones) -> Result<TimeZone, CalendarWarning> {
        if matches!(when, When::Utc(_)) {
            return Ok(TimeZone::UTC);
        }
        // Zoom's own files put a TZID line into the event, beside times that name no zone.
        let id = line
            .param("TZID")
            .or_else(|| self.node.text("TZID"))
            .filter(|_| matches!(when, When::Local(_)));
        match id {
            None => Ok(zones.default_zone()),
            Some(id) => zones.find(id).ok_or_else(|| CalendarWarning::UnknownTimeZone {
                uid: self.uid().to_owned(),
                zone: id.to_owned(),
            }),
        }
    }

    fn event(&self, start: Timestamp, end: Timestamp, all_day: bool) -> CalendarEvent {
        let mut event = CalendarEvent::new(self.uid(), start, end);
        event.all_day = all_day;
        event.summary = self.node.text("SUMMARY").map(str::to_owned);
        event.status = self.status();
        event.join = self.join_link();
        event.organizer = self.node.line("ORGANIZER").map(person);
        event.attendees = self
            .node
            .all("ATTENDEE")
            .filter(|line| !is_thing(line))
            .map(person)
            .collect();
        event
    }

    fn status(&self) -> EventStatus {
        let status = self.node.text("STATUS").unwrap_or_default();
        if self.cancelled || status.eq_ignore_ascii_case("CANCELLED") {
            EventStatus::Cancelled
        } else if status.eq_ignore_ascii_case("TENTATIVE") {
            EventStatus::Tentative
        } else {
            EventStatus::Confirmed
        }
    }

    fn join_link(&self) -> Option<JoinLink> {
        const PROPERTIES: [(&str, LinkSource); 8] = [
            ("CONFERENCE", LinkSource::Conference),
            ("X-GOOGLE-CONFERENCE", LinkSource::Conference),
            ("X-MICROSOFT-SKYPETEAMSMEETINGURL", LinkSource::Conference),
            ("X-MICROSOFT-ONLINEMEETINGINFORMATION", LinkSource::Conference),
            ("URL", LinkSource::Url),
            ("LOCATION", LinkSource::Location),
            ("DESCRIPTION", LinkSource::Description),
            ("X-ALT-DESC", LinkSource::Html),
        ];
        let mut texts = EventTexts::new();
        for (name, source) in PROPERTIES {
            for line in self.node.all(name) {
                texts = texts.text(source, &line.value);
            }
        }
        let link = texts.join_link();
        if link.as_ref().is_some_and(|link| link.meeting_id().is_some()) {
            return link;
        }
        JoinLink::from_uid(self.uid()).or(link)
    }

    fn malformed(&self, property: &str) -> CalendarWarning {
        CalendarWarning::Malformed {
            uid: self.uid().to_owned(),
            property: property.to_owned(),
        }
    }
}

/// Which occurrence of a series an event replaces.
struct Original {
    when: When,
    zone: TimeZone,
}

fn is_thing(line: &Line) -> bool {
    line.param("CUTYPE")
        .is_some_and(|kind| kind.eq_ignore_ascii_case("ROOM") || kind.eq_ignore_ascii_case("RESOURCE"))
}

fn person(line: &Line) -> Attendee {
    let address = line.value.trim();
    let address = match address.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => address.get(7..).unwrap_or_default(),
        _ => line.param("EMAIL").unwrap_or(address),
    };
    let response = match line
        .param("PARTSTAT")
        .unwrap_or_default()
        .to_ascii_uppercase()
        .as_str()
    {
        "ACCEPTED" => Response::Accepted,
        "DECLINED" => Response::Declined,
        "TENTATIVE" => Response::Tentative,
        _ => Response::Unknown,
    };
    Attendee {
        email: Some(address.trim().to_lowercase()).filter(|email| email.contains('@')),
        name: line
            .param("CN")
            .map(|name| name.trim_matches('"').trim().to_owned())
            .filter(|name| !name.is_empty()),
        response,
    }
}
