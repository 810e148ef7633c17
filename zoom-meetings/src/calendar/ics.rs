//! Calendar files (RFC 5545), as Google, Outlook, Apple and Zoom write them.

use std::collections::HashMap;
use std::path::Path;

use async_trait::async_trait;
use jiff::tz::TimeZone;

use super::{Calendar, CalendarError, CalendarEvents, CalendarWarning, TimeWindow};

mod event;
mod recurrence;
#[cfg(test)]
mod tests;
mod tree;
mod value;
mod zone;

use event::RawEvent;
use tree::Node;
use zone::Zones;

/// The events of one calendar file.
///
/// Reads folded lines, several `VCALENDAR`s in one text, `DURATION` instead of `DTEND`, whole days, times in UTC, in
/// a zone (IANA, Windows, or defined in the file) or in none; expands series that repeat daily or weekly (`INTERVAL`,
/// `COUNT`, `UNTIL`, `BYDAY`, `EXDATE`, `RDATE`, moved occurrences). Every other repetition is a
/// [`CalendarWarning::UnsupportedRecurrence`]. One broken event never costs the others.
#[derive(Debug, Clone)]
pub struct IcsCalendar {
    events: Vec<RawEvent>,
    zones: Zones,
    warnings: Vec<CalendarWarning>,
}

impl IcsCalendar {
    /// Reads the text of a calendar file.
    ///
    /// # Errors
    ///
    /// [`CalendarError::NotICalendar`] when there is no `VCALENDAR` in it.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let (roots, unreadable) = tree::parse(text);
        let calendars: Vec<Node> = roots
            .into_iter()
            .filter(|node| node.name == "VCALENDAR")
            .collect();
        if calendars.is_empty() {
            return Err(CalendarError::NotICalendar);
        }
        let mut warnings = Vec::new();
        if unreadable > 0 {
            warnings.push(CalendarWarning::UnreadableLines { count: unreadable });
        }
        let mut zones = Zones::default();
        let mut events = Vec::new();
        for calendar in calendars {
            zones.learn(&calendar);
            let cancelled = calendar
                .text("METHOD")
                .is_some_and(|method| method.eq_ignore_ascii_case("CANCEL"));
            for node in calendar.children.into_iter().filter(|node| node.name == "VEVENT") {
                events.push(RawEvent::new(node, cancelled));
            }
        }
        Ok(Self {
            events: newest(events),
            zones,
            warnings,
        })
    }

    /// Reads a calendar file from disk. Blocks the thread for as long as that takes.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Unavailable`] when the file cannot be read, else as [`parse`](Self::parse). Bytes that are no
    /// UTF-8 are replaced.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CalendarError> {
        let bytes = std::fs::read(path).map_err(CalendarError::unavailable)?;
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    /// The zone of times that name none, and of whole days. Without it the file's `X-WR-TIMEZONE`, else UTC.
    #[must_use]
    pub fn with_default_time_zone(mut self, zone: TimeZone) -> Self {
        self.zones.set_default(zone);
        self
    }

    /// The events that touch a window, in the order of their start.
    #[must_use]
    pub fn events_in(&self, window: TimeWindow) -> CalendarEvents {
        let mut answer = CalendarEvents {
            events: Vec::new(),
            warnings: self.warnings.clone(),
        };
        let mut moved: HashMap<&str, Vec<&RawEvent>> = HashMap::new();
        for event in self.events.iter().filter(|event| event.is_moved()) {
            moved.entry(event.uid()).or_default().push(event);
        }
        for event in self.events.iter().filter(|event| !event.is_moved()) {
            let moved = moved.remove(event.uid()).unwrap_or_default();
            event.expand(&moved, &self.zones, window, &mut answer);
        }
        // Occurrences whose series is not in this file: an invitation to one date of somebody else's series.
        for event in moved.into_values().flatten() {
            event.expand(&[], &self.zones, window, &mut answer);
        }
        answer
            .events
            .sort_by(|a, b| (a.start, &a.uid, a.occurrence).cmp(&(b.start, &b.uid, b.occurrence)));
        answer.warnings.sort_by_key(|warning| format!("{warning:?}"));
        answer.warnings.dedup();
        answer
    }
}

/// Of several versions of one event the newest: highest `SEQUENCE`, then latest stamp, then last in the file.
fn newest(events: Vec<RawEvent>) -> Vec<RawEvent> {
    let mut kept: Vec<RawEvent> = Vec::with_capacity(events.len());
    let mut at: HashMap<(String, Option<String>), usize> = HashMap::new();
    for event in events {
        let known = if event.uid().is_empty() {
            None
        } else {
            at.get(&event.key()).copied()
        };
        match known.and_then(|index| kept.get_mut(index)) {
            Some(older) if event.version() >= older.version() => *older = event,
            Some(_) => {}
            None => {
                at.insert(event.key(), kept.len());
                kept.push(event);
            }
        }
    }
    kept
}

#[async_trait]
impl Calendar for IcsCalendar {
    async fn events(&self, window: TimeWindow) -> Result<CalendarEvents, CalendarError> {
        Ok(self.events_in(window))
    }
}
