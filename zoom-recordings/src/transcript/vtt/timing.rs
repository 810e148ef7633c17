//! `00:00:04.120 --> 00:00:07.480`.

use std::fmt::Write as _;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) start_ms: u64,
    pub(super) end_ms: u64,
}

impl Timing {
    /// Itself, if it does not end before it starts.
    pub(super) fn ordered(self) -> Option<Self> {
        (self.start_ms <= self.end_ms).then_some(self)
    }
}

/// Reads a time range; cue settings behind it are ignored.
pub(super) fn read(line: &str) -> Option<Timing> {
    let (start_ms, rest) = time(line.trim_start())?;
    let (end_ms, rest) = time(rest.trim_start().strip_prefix("-->")?.trim_start())?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some(Timing { start_ms, end_ms })
}

/// Writes a time range as Zoom does: two digits of hours at least, three of milliseconds.
pub(super) fn write(out: &mut String, timing: Timing) {
    write_time(out, timing.start_ms);
    out.push_str(" --> ");
    write_time(out, timing.end_ms);
}

fn write_time(out: &mut String, ms: u64) {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    // Writing to a String cannot fail.
    let _ = write!(out, "{hours:02}:{minutes:02}:{seconds:02}.{:03}", ms % 1000);
}

/// `H:MM:SS`, `MM:SS`, each with or without a fraction after `.` or `,`; in milliseconds, with what follows.
pub(crate) fn time(text: &str) -> Option<(u64, &str)> {
    let (first, rest) = digits(text)?;
    let (second, rest) = digits(rest.strip_prefix(':')?)?;
    let (hours, minutes, seconds, rest) = match rest.strip_prefix(':') {
        Some(rest) => {
            let (third, rest) = digits(rest)?;
            (first, second, third, rest)
        }
        None => (0, first, second, rest),
    };
    if seconds > 59 || (minutes > 59 && hours > 0) {
        return None;
    }
    let (millis, rest) = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => milliseconds(fraction)?,
        None => (0, rest),
    };
    let seconds = hours
        .checked_mul(60)?
        .checked_add(minutes)?
        .checked_mul(60)?
        .checked_add(seconds)?;
    Some((seconds.checked_mul(1000)?.checked_add(millis)?, rest))
}

/// One to thirteen digits: enough for any time that fits, too few to overflow.
fn digits(text: &str) -> Option<(u64, &str)> {
    let len = text.bytes().take(13).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(len).filter(|_| len > 0)?;
    Some((
        number
            .bytes()
            .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')),
        rest,
    ))
}

/// A fraction of one to nine digits, of which three count.
fn milliseconds(text: &str) -> Option<(u64, &str)> {
    let len = text.bytes().take(9).take_while(u8::is_ascii_digit).count();
    let (fraction, rest) = text.split_at_checked(len).filter(|_| len > 0)?;
    let padded = fraction
        .bytes()
        .map(|digit| digit - b'0')
        .chain(std::iter::repeat(0))
        .take(3);
    Some((padded.fold(0, |sum, digit| sum * 10 + u64::from(digit)), rest))
}
