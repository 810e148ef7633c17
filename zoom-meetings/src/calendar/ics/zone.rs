//! What a file calls a time zone, and the zone that it means.

use std::collections::HashMap;

use jiff::tz::{Offset, TimeZone};

use super::tree::Node;
use super::value::When;

/// The zones that a file defines or defaults to.
#[derive(Debug, Clone, Default)]
pub(super) struct Zones {
    defined: HashMap<String, TimeZone>,
    of_file: Option<TimeZone>,
    of_host: Option<TimeZone>,
}

impl Zones {
    pub(super) fn learn(&mut self, calendar: &Node) {
        if let Some(zone) = calendar.text("X-WR-TIMEZONE").and_then(named) {
            self.of_file.get_or_insert(zone);
        }
        for definition in calendar.children.iter().filter(|node| node.name == "VTIMEZONE") {
            let Some(id) = definition.text("TZID") else {
                continue;
            };
            let zone = definition
                .text("X-LIC-LOCATION")
                .and_then(named)
                .or_else(|| named(id))
                .or_else(|| rules(definition));
            if let Some(zone) = zone {
                self.defined.insert(unquoted(id).to_owned(), zone);
            }
        }
    }

    pub(super) fn set_default(&mut self, zone: TimeZone) {
        self.of_host = Some(zone);
    }

    pub(super) fn default_zone(&self) -> TimeZone {
        self.of_host
            .as_ref()
            .or(self.of_file.as_ref())
            .cloned()
            .unwrap_or(TimeZone::UTC)
    }

    pub(super) fn find(&self, id: &str) -> Option<TimeZone> {
        let id = unquoted(id);
        self.defined.get(id).cloned().or_else(|| named(id))
    }
}

fn unquoted(id: &str) -> &str {
    id.trim().trim_matches('"')
}

/// A zone by its name: IANA, IANA behind somebody's prefix (`/citadel.org/20190914_1/Europe/Berlin`), or Windows.
fn named(id: &str) -> Option<TimeZone> {
    let id = unquoted(id);
    if let Ok(zone) = TimeZone::get(id) {
        return Some(zone);
    }
    let parts: Vec<&str> = id.split('/').collect();
    for take in [3, 2] {
        let tail = parts
            .len()
            .checked_sub(take)
            .filter(|skip| *skip > 0)
            .and_then(|skip| parts.get(skip..));
        if let Some(zone) = tail.and_then(|tail| TimeZone::get(&tail.join("/")).ok()) {
            return Some(zone);
        }
    }
    let (_, iana) = WINDOWS
        .iter()
        .find(|(windows, _)| windows.eq_ignore_ascii_case(id))?;
    TimeZone::get(iana).ok()
}

/// A zone from the rules in the file: a fixed offset, or two that change on the same weekday every year.
fn rules(definition: &Node) -> Option<TimeZone> {
    let latest = |name: &str| {
        definition
            .children
            .iter()
            .filter(|node| node.name == name)
            .max_by_key(|node| node.text("DTSTART").map(str::to_owned))
    };
    let standard = latest("STANDARD")?;
    let standard_offset = offset(standard)?;
    let Some(daylight) = latest("DAYLIGHT") else {
        return Some(TimeZone::fixed(Offset::from_seconds(standard_offset).ok()?));
    };
    let posix = format!(
        "<STD>{}<DST>{},{},{}",
        posix_offset(standard_offset),
        posix_offset(offset(daylight)?),
        posix_change(daylight)?,
        posix_change(standard)?
    );
    TimeZone::posix(&posix).ok()
}

/// `+0100`, `-033000`, in seconds.
fn offset(observance: &Node) -> Option<i32> {
    let text = observance.text("TZOFFSETTO")?;
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.trim_start_matches('+')),
    };
    let part = |from: usize| {
        digits
            .get(from..from + 2)
            .map_or(Some(0), |two| two.parse::<i32>().ok())
    };
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    Some(sign * (hours * 3600 + part(2)? * 60 + part(4)?))
}

/// POSIX counts west of Greenwich as positive.
fn posix_offset(seconds: i32) -> String {
    let sign = if seconds > 0 { "-" } else { "" };
    let seconds = seconds.abs();
    format!(
        "{sign}{}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// `FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU` at two o'clock is `M3.5.0/2:00:00`.
fn posix_change(observance: &Node) -> Option<String> {
    let rule = observance.text("RRULE")?.to_ascii_uppercase();
    let part = |name: &str| {
        rule.split(';')
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    if part("FREQ") != Some("YEARLY") {
        return None;
    }
    let month: u8 = part("BYMONTH")?.parse().ok()?;
    let by_day = part("BYDAY")?;
    let (nth, day) = by_day.split_at_checked(by_day.len().checked_sub(2)?)?;
    let week = match nth.trim_start_matches('+') {
        "-1" => 5,
        nth => nth.parse::<u8>().ok().filter(|nth| (1..=5).contains(nth))?,
    };
    let day = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"]
        .iter()
        .position(|name| *name == day)?;
    let When::Local(start) = When::parse(observance.text("DTSTART")?)? else {
        return None;
    };
    Some(format!(
        "M{month}.{week}.{day}/{}:{:02}:{:02}",
        start.hour(),
        start.minute(),
        start.second()
    ))
}

/// Windows' names, as Outlook and Exchange write them (Unicode CLDR, supplemental/windowsZones.xml).
pub(super) const WINDOWS: [(&str, &str); 64] = [
    ("AUS Central Standard Time", "Australia/Darwin"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("Arab Standard Time", "Asia/Riyadh"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Argentina Standard Time", "America/Buenos_Aires"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Bangladesh Standard Time", "Asia/Dhaka"),
    ("Belarus Standard Time", "Europe/Minsk"),
    ("Canada Central Standard Time", "America/Regina"),
    ("Cen. Australia Standard Time", "Australia/Adelaide"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Asia Standard Time", "Asia/Bishkek"),
    ("Central Brazilian Standard Time", "America/Cuiaba"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Standard Time", "America/Chicago"),
    ("Central Standard Time (Mexico)", "America/Mexico_City"),
    ("China Standard Time", "Asia/Shanghai"),
    ("E. Africa Standard Time", "Africa/Nairobi"),
    ("E. Australia Standard Time", "Australia/Brisbane"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Eastern Standard Time", "America/New_York"),
    ("Eastern Standard Time (Mexico)", "America/Cancun"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("FLE Standard Time", "Europe/Kyiv"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Georgian Standard Time", "Asia/Tbilisi"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("India Standard Time", "Asia/Kolkata"),
    ("Iran Standard Time", "Asia/Tehran"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Jordan Standard Time", "Asia/Amman"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Middle East Standard Time", "Asia/Beirut"),
    ("Morocco Standard Time", "Africa/Casablanca"),
    ("Mountain Standard Time", "America/Denver"),
    ("Nepal Standard Time", "Asia/Kathmandu"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Newfoundland Standard Time", "America/St_Johns"),
    ("Pacific SA Standard Time", "America/Santiago"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Pakistan Standard Time", "Asia/Karachi"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("SA Eastern Standard Time", "America/Cayenne"),
    ("SA Pacific Standard Time", "America/Bogota"),
    ("SA Western Standard Time", "America/La_Paz"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("Sri Lanka Standard Time", "Asia/Colombo"),
    ("Taipei Standard Time", "Asia/Taipei"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("US Eastern Standard Time", "America/Indiana/Indianapolis"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("W. Australia Standard Time", "Australia/Perth"),
    ("W. Central Africa Standard Time", "Africa/Lagos"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("West Asia Standard Time", "Asia/Tashkent"),
];
