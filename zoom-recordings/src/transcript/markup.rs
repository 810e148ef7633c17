//! WebVTT's tags and character references, read and written. Everything is linear: look-ahead is bounded.

use std::borrow::Cow;

/// How far a tag or a character reference may reach, in bytes.
const TAG_REACH: usize = 600;
const REFERENCE_REACH: usize = 12;

/// The text without tags and with character references replaced. What only looks like a tag stays as it is.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '&']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, special) = rest.split_at(at);
        out.push_str(before);
        rest = if let Some(after) = after_tag(special) {
            after
        } else if let Some((decoded, after)) = reference(special) {
            out.push(decoded);
            after
        } else {
            let mut chars = special.chars();
            out.extend(chars.next());
            chars.as_str()
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The speaker and the rest of a text that starts with a voice tag: `<v Ana Sim>text`, `<v.loud Ana>text`.
pub(crate) fn voice(text: &str) -> Option<(&str, &str)> {
    let inside = text
        .strip_prefix("<v")
        .filter(|rest| rest.starts_with([' ', '\t', '.']))?;
    let (tag, after) = reach(inside, TAG_REACH)
        .find('>')
        .and_then(|end| split_around(inside, end))?;
    let name = tag.split_once([' ', '\t']).map_or("", |(_classes, name)| name);
    Some((name.trim(), after))
}

/// Where a second voice starts in a text.
pub(crate) fn next_voice(text: &str) -> Option<usize> {
    text.match_indices("<v")
        .map(|(at, _)| at)
        .find(|at| *at > 0 && text.get(*at..).is_some_and(|t| voice(t).is_some()))
}

/// Writes text so that reading gives it back: markup characters and line breaks escaped, and, on request, the colons
/// that a reader would take for the end of a speaker's name.
pub(crate) fn escape(out: &mut String, text: &str, colons: bool) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\r' => out.push(' '),
            ':' if colons
                && chars
                    .peek()
                    .is_none_or(|next| matches!(next, ' ' | '\t' | '\n' | '\r')) =>
            {
                out.push_str("&#58;");
            }
            c => out.push(c),
        }
    }
}

/// What follows a tag that WebVTT knows, closing tags and time tags included.
fn after_tag(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('<')?;
    let body = inside.strip_prefix('/').unwrap_or(inside);
    let name_end = body
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(body.len())
        .min(8);
    let name = body.get(..name_end)?;
    let known = matches!(name, "b" | "c" | "i" | "lang" | "rt" | "ruby" | "u" | "v");
    let time = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    let next = body.get(name_end..)?;
    if !(known && next.starts_with(['>', '.', ' ', '\t']) || time && next.starts_with(':')) {
        return None;
    }
    let end = reach(next, TAG_REACH).find('>')?;
    next.get(end + 1..)
}

/// A character reference and what follows it.
fn reference(text: &str) -> Option<(char, &str)> {
    let inside = text.strip_prefix('&')?;
    let end = reach(inside, REFERENCE_REACH).find(';')?;
    let (name, after) = split_around(inside, end)?;
    let decoded = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "lrm" => '\u{200e}',
        "rlm" => '\u{200f}',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code).filter(|c| !c.is_control())?
        }
    };
    Some((decoded, after))
}

fn reach(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

fn split_around(text: &str, at: usize) -> Option<(&str, &str)> {
    Some((text.get(..at)?, text.get(at + 1..)?))
}
