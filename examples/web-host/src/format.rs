//! Numbers, times and names as people read them.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// A moment of a recording: `0:07`, `12:05`, `1:02:03`.
pub(crate) fn clock(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// How long something took: `48 s`, `6 min`, `1 h 5 min`.
pub(crate) fn length(ms: u64) -> String {
    let seconds = (ms + 500) / 1_000;
    let minutes = (seconds + 30) / 60;
    match (minutes / 60, minutes % 60) {
        _ if seconds < 60 => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// A moment: `22 Nov 2026, 10:05 EST`.
pub(crate) fn when(moment: Timestamp, zone: &TimeZone) -> String {
    moment
        .to_zoned(zone.clone())
        .strftime("%-d %b %Y, %H:%M %Z")
        .to_string()
}

/// A day: `Fri 27 Nov 2026`.
pub(crate) fn day(date: Date) -> String {
    date.strftime("%a %-d %b %Y").to_string()
}

/// Minutes to a tenth where there is one: `45 min`, `44.5 min`.
pub(crate) fn minutes(ms: i64) -> String {
    let (tenths, sign) = (tenths_of_minutes(ms.abs()), if ms < 0 { "−" } else { "" });
    match tenths % 10 {
        0 => format!("{sign}{} min", tenths / 10),
        rest => format!("{sign}{}.{rest} min", tenths / 10),
    }
}

/// A difference in minutes, with its sign: `+5 min`, `−15 min`, `±0`.
pub(crate) fn difference(ms: i64) -> String {
    match tenths_of_minutes(ms.abs()) {
        0 => "±0".to_owned(),
        _ if ms > 0 => format!("+{}", minutes(ms)),
        _ => minutes(ms),
    }
}

fn tenths_of_minutes(ms: i64) -> i64 {
    (ms + 3_000) / 6_000
}

/// Points with their sign: `+8`, `−6`.
pub(crate) fn points(points: i32) -> String {
    match points {
        ..0 => format!("−{}", points.unsigned_abs()),
        _ => format!("+{points}"),
    }
}

/// A share in hundredths: `43 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A name from JSON as words: `trust_risk` → `trust risk`.
pub(crate) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// `Ana`, `Ana and Ben`, `Ana, Ben and Cy`.
pub(crate) fn list<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// The value, or the dash for what is not known, which is never a zero.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_a_recording_read_like_a_player() {
        assert_eq!(
            [0, 7_999, 725_000, 3_723_000].map(clock),
            ["0:00", "0:07", "12:05", "1:02:03"]
        );
    }

    #[test]
    fn lengths_are_rounded_to_what_matters() {
        let read = [0, 48_400, 59_499, 59_500, 372_000, 3_600_000, 3_900_000].map(length);
        assert_eq!(
            read,
            ["0 s", "48 s", "59 s", "1 min", "6 min", "1 h", "1 h 5 min"]
        );
    }

    #[test]
    fn a_moment_names_its_zone() {
        let moment = "2026-11-02T05:04:00Z".parse().unwrap();
        assert_eq!(
            when(moment, &TimeZone::get("America/New_York").unwrap()),
            "2 Nov 2026, 00:04 EST"
        );
        assert_eq!(when(moment, &TimeZone::UTC), "2 Nov 2026, 05:04 UTC");
        assert_eq!(day("2026-11-27".parse().unwrap()), "Fri 27 Nov 2026");
    }

    #[test]
    fn minutes_keep_a_tenth_and_differences_their_sign() {
        assert_eq!(
            [2_700_000, 2_670_000, -900_000, 2_999].map(minutes),
            ["45 min", "44.5 min", "−15 min", "0 min"]
        );
        assert_eq!(
            [300_000, -900_000, 0, -2_999].map(difference),
            ["+5 min", "−15 min", "±0", "±0"]
        );
        assert_eq!([8, 0, -12].map(points), ["+8", "+0", "−12"]);
    }

    #[test]
    fn names_are_listed_as_one_says_them() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["Ana"]), "Ana");
        assert_eq!(list(&["Ana", "Ben"]), "Ana and Ben");
        assert_eq!(list(&["Ana", "Ben", "Cy"]), "Ana, Ben and Cy");
    }
}
