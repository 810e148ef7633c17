//! Days as people name them, in English and French, and the date that is meant.
//!
//! Everything is read against the day of the call in its time zone: a bare weekday is the first one after that day; "next
//! Friday" is the Friday of the following week (Monday to Sunday), "this Friday" that of the same week, "vendredi prochain"
//! the first one to come. A span ("next week", "end of the month") is due on its last working or last day.

use std::ops::Range;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use crate::text::word_spans;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Days(i32),
    Weeks(i32),
    Months(i32),
    Coming(Weekday),
    OfThisWeek(Weekday),
    OfNextWeek(Weekday),
    WeekdayThe(Weekday, i8),
    DayOfMonth(i8),
    MonthDay(i8, i8),
    EndOfMonth(i32),
    EndOfQuarter,
    EndOfYear,
}

/// The first day named in a text, in the words that name it.
pub(super) fn find(text: &str) -> Option<&str> {
    text.get(first(text)?.1)
}

/// The date that a text names, for somebody who speaks at this moment in this time zone; UTC if the zone is not known.
pub(super) fn resolve(text: &str, at: Timestamp, timezone: Option<&str>) -> Option<Date> {
    let zone = timezone
        .and_then(|name| TimeZone::get(name).ok())
        .unwrap_or(TimeZone::UTC);
    first(text)?.0.after(at.to_zoned(zone).date())
}

fn first(text: &str) -> Option<(When, Range<usize>)> {
    let spans = word_spans(text);
    let words: Vec<&str> = spans.iter().map(|(word, _)| word.as_str()).collect();
    (0..words.len()).find_map(|at| {
        let rest = words.get(at..)?;
        let (when, taken) = named(
            rest,
            at.checked_sub(1).and_then(|before| words.get(before).copied()),
        )?;
        let (start, end) = (spans.get(at)?.1.start, spans.get(at + taken - 1)?.1.end);
        Some((when, start..end))
    })
}

/// What the first words name, and how many words that takes.
fn named(words: &[&str], before: Option<&str>) -> Option<(When, usize)> {
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    match words {
        ["today" | "tonight" | "eod" | "aujourd'hui", ..] => return Some((When::Days(0), 1)),
        ["this", "afternoon" | "morning" | "evening", ..] => return Some((When::Days(0), 2)),
        ["end", "of", "day", ..] | ["end", "of", "business", ..] => return Some((When::Days(0), 3)),
        ["the", "day", "after", "tomorrow", ..] => return Some((When::Days(2), 4)),
        ["after", "demain", ..] | ["après", "demain", ..] => return Some((When::Days(2), 2)),
        ["tomorrow" | "demain", ..] => return Some((When::Days(1), 1)),
        ["before", "the", "weekend", ..] => return Some((When::OfThisWeek(Weekday::Friday), 3)),
        ["end", "of", "the" | "this", "week", ..] => return Some((When::OfThisWeek(Weekday::Friday), 4)),
        ["end", "of", "week", ..] => return Some((When::OfThisWeek(Weekday::Friday), 3)),
        ["this", "week", ..] | ["cette", "semaine", ..] => {
            return Some((When::OfThisWeek(Weekday::Friday), 2));
        }
        ["end", "of", "next", "week", ..] => return Some((When::OfNextWeek(Weekday::Friday), 4)),
        ["next", "week", ..] => return Some((When::OfNextWeek(Weekday::Friday), 2)),
        ["semaine", "prochaine", ..] => return Some((When::OfNextWeek(Weekday::Friday), 2)),
        ["end", "of", "the" | "this", "month", ..] => return Some((When::EndOfMonth(0), 4)),
        ["end", "of", "month", ..] | ["fin", "du", "mois", ..] => return Some((When::EndOfMonth(0), 3)),
        ["next", "month", ..] | ["mois", "prochain", ..] => return Some((When::EndOfMonth(1), 2)),
        ["end", "of", "the" | "this", "quarter", ..] => return Some((When::EndOfQuarter, 4)),
        ["end", "of", "the" | "this", "year", ..] => return Some((When::EndOfYear, 4)),
        ["fin", "de", "l'année", ..] => return Some((When::EndOfYear, 3)),
        _ => {}
    }
    if matches!(word(0), "in" | "within" | "dans") {
        let (count, taken) = count(words.get(1..)?)?;
        let when = match word(1 + taken) {
            "day" | "days" | "jour" | "jours" => When::Days(count),
            "week" | "weeks" | "semaine" | "semaines" => When::Weeks(count),
            "month" | "months" | "mois" => When::Months(count),
            _ => return None,
        };
        return Some((when, taken + 2));
    }
    if let Some(day) = weekday(word(0)) {
        let the = usize::from(word(1) == "the");
        return Some(match ordinal(word(1 + the)) {
            Some(date) => (When::WeekdayThe(day, date), 2 + the),
            None if word(1) == "prochain" => (When::Coming(day), 2),
            None if word(1) == "next" && word(2) == "week" => (When::OfNextWeek(day), 3),
            None => (When::Coming(day), 1),
        });
    }
    if let (Some(day), "this" | "next" | "coming" | "ce") = (weekday(word(1)), word(0)) {
        return Some(match word(0) {
            "next" => (When::OfNextWeek(day), 2),
            "coming" => (When::Coming(day), 2),
            _ => (When::OfThisWeek(day), 2),
        });
    }
    if let (Some(month), Some(day)) = (month(word(0)), ordinal(word(1)).or_else(|| number(word(1)))) {
        return Some((When::MonthDay(month, day), 2));
    }
    let day = ordinal(word(0)).or_else(|| number(word(0)))?;
    let of = usize::from(word(1) == "of");
    if let Some(month) = month(word(1 + of)) {
        return Some((When::MonthDay(month, day), 2 + of));
    }
    // "the 15th at ten", not "the 2nd van".
    let ends_here = matches!(
        word(1),
        "" | "at" | "by" | "with" | "and" | "or" | "in" | "then" | "works" | "if" | "so" | "for"
    );
    (before == Some("the") && ordinal(word(0)).is_some() && ends_here).then_some((When::DayOfMonth(day), 1))
}

impl When {
    fn after(self, day: Date) -> Option<Date> {
        let monday = day
            .checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days())
            .ok()?;
        let in_week = |weeks: i64, weekday: Weekday| {
            monday
                .checked_add((weeks * 7 + i64::from(weekday.to_monday_zero_offset())).days())
                .ok()
        };
        let plus = |span: Span| day.checked_add(span).ok();
        let first = |fits: &dyn Fn(Date) -> bool, from: i64, within: i64| {
            (from..=within)
                .filter_map(|days| day.checked_add(days.days()).ok())
                .find(|date| fits(*date))
        };
        match self {
            Self::Days(n) => plus(i64::from(n).days()),
            Self::Weeks(n) => plus(i64::from(n).weeks()),
            Self::Months(n) => plus(i64::from(n).months()),
            Self::Coming(weekday) => first(&|date| date.weekday() == weekday, 1, 7),
            // Said on a Saturday, "this week" is the one that is about to begin.
            Self::OfThisWeek(weekday) => in_week(0, weekday)
                .filter(|date| *date >= day)
                .or_else(|| in_week(1, weekday)),
            Self::OfNextWeek(weekday) => in_week(1, weekday),
            // A weekday and a number that never meet in the coming months contradict each other: no date, rather than a wrong one.
            Self::WeekdayThe(weekday, n) => {
                first(&|date| date.weekday() == weekday && date.day() == n, 0, 60)
            }
            Self::DayOfMonth(n) => first(&|date| date.day() == n, 0, 62),
            Self::MonthDay(month, n) => first(&|date| date.month() == month && date.day() == n, 0, 366),
            Self::EndOfMonth(months) => Some(plus(i64::from(months).months())?.last_of_month()),
            Self::EndOfQuarter => first(
                &|date| date.month() % 3 == 0 && date == date.last_of_month(),
                0,
                93,
            ),
            Self::EndOfYear => Some(day.last_of_year()),
        }
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" | "lundi" => Weekday::Monday,
        "tuesday" | "mardi" => Weekday::Tuesday,
        "wednesday" | "mercredi" => Weekday::Wednesday,
        "thursday" | "jeudi" => Weekday::Thursday,
        "friday" | "vendredi" => Weekday::Friday,
        "saturday" | "samedi" => Weekday::Saturday,
        "sunday" | "dimanche" => Weekday::Sunday,
        _ => return None,
    })
}

fn month(word: &str) -> Option<i8> {
    Some(match word {
        "january" | "jan" | "janvier" => 1,
        "february" | "feb" | "février" => 2,
        "march" | "mars" => 3,
        "april" | "avril" => 4,
        "may" | "mai" => 5,
        "june" | "juin" => 6,
        "july" | "juillet" => 7,
        "august" | "août" => 8,
        "september" | "sept" | "septembre" => 9,
        "october" | "oct" | "octobre" => 10,
        "november" | "nov" | "novembre" => 11,
        "december" | "dec" | "décembre" => 12,
        _ => return None,
    })
}

/// `27th`, `1st`, `1er`.
fn ordinal(word: &str) -> Option<i8> {
    let digits = ["st", "nd", "rd", "th", "er"]
        .iter()
        .find_map(|suffix| word.strip_suffix(suffix))?;
    number(digits)
}

/// A day of a month in digits.
fn number(word: &str) -> Option<i8> {
    word.parse()
        .ok()
        .filter(|n| (1..=31).contains(n) && word.chars().all(|c| c.is_ascii_digit()))
}

/// A small number in digits or words, and how many words it takes.
fn count(words: &[&str]) -> Option<(i32, usize)> {
    const WORDS: &[&str] = &[
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ];
    const MOTS: &[&str] = &[
        "zéro", "une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix",
    ];
    match words {
        ["a", "couple", "of", ..] => Some((2, 3)),
        ["a" | "un", ..] => Some((1, 1)),
        [word, ..] => {
            let of = |list: &[&str]| {
                list.iter()
                    .position(|name| name == word)
                    .and_then(|n| i32::try_from(n).ok())
            };
            let n = of(WORDS)
                .or_else(|| of(MOTS))
                .or_else(|| word.parse().ok().filter(|n| (1..=365).contains(n)))?;
            Some((n, 1))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sunday, 22 November 2026, 22:30 in Toronto; in UTC it is Monday already.
    fn on_sunday_night(text: &str) -> Option<String> {
        let at = "2026-11-23T03:30:00Z".parse().unwrap();
        resolve(text, at, Some("America/Toronto")).map(|date| date.to_string())
    }

    #[test]
    fn every_way_to_name_a_day_is_read_against_the_day_of_the_call_in_its_zone() {
        for (text, date) in [
            ("today", "2026-11-22"),
            ("tomorrow morning", "2026-11-23"),
            ("Friday", "2026-11-27"),
            ("on Sunday", "2026-11-29"),
            ("by Friday the 27th, with the pilot", "2026-11-27"),
            ("Tuesday the 1st at 10", "2026-12-01"),
            ("next Friday", "2026-11-27"),
            ("Monday next week", "2026-11-23"),
            ("vendredi prochain", "2026-11-27"),
            ("la semaine prochaine", "2026-11-27"),
            ("before the weekend", "2026-11-27"),
            ("in two weeks", "2026-12-06"),
            ("dans 3 jours", "2026-11-25"),
            ("in a couple of months", "2027-01-22"),
            ("January 5th", "2027-01-05"),
            ("le 15 décembre", "2026-12-15"),
            ("the 3rd of March", "2027-03-03"),
            ("on the 15th", "2026-12-15"),
            ("end of the month", "2026-11-30"),
            ("next month", "2026-12-31"),
            ("the end of the quarter", "2026-12-31"),
        ] {
            assert_eq!(on_sunday_night(text).as_deref(), Some(date), "{text}");
        }
    }

    #[test]
    fn what_names_no_day_or_a_day_that_does_not_exist_gives_none() {
        for text in [
            "soon",
            "Friday the 26th",
            "the 2nd van",
            "in my head",
            "February 30th",
            "last quarter",
        ] {
            assert_eq!(on_sunday_night(text), None, "{text}");
        }
    }

    #[test]
    fn the_words_that_name_the_day_are_found_as_they_were_said() {
        assert_eq!(
            find("I'll send it by Friday the 27th, promised."),
            Some("Friday the 27th")
        );
        assert_eq!(find("We talk la semaine prochaine."), Some("semaine prochaine"));
        assert_eq!(find("I'll send it."), None);
    }

    #[test]
    fn next_friday_said_on_a_tuesday_is_the_one_after_this_week() {
        let tuesday = "2026-11-24T15:00:00Z".parse().unwrap();
        let date = |text| resolve(text, tuesday, None).map(|date| date.to_string());
        assert_eq!(date("Friday").as_deref(), Some("2026-11-27"));
        assert_eq!(date("this Friday").as_deref(), Some("2026-11-27"));
        assert_eq!(date("next Friday").as_deref(), Some("2026-12-04"));
        assert_eq!(date("Tuesday").as_deref(), Some("2026-12-01"));
    }
}
