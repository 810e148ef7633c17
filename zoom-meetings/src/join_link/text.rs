//! Plain words: HTML entities and tags, and meeting ids that are written out.

use zoom_core::MeetingId;

/// 9 to 11 digits, with or without spaces and dashes.
pub(super) fn digits_id(text: &str) -> Option<MeetingId> {
    let digits: String = text.chars().filter(|c| !is_gap(*c)).collect();
    let fits = (9..=11).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits {
        digits.parse().ok().map(MeetingId::new)
    } else {
        None
    }
}

fn is_gap(c: char) -> bool {
    matches!(c, ' ' | '-' | '\u{a0}' | '\u{2009}' | '\u{2011}' | '\u{202f}')
}

const LABELS: [&str; 12] = [
    "meeting id",
    "meeting-id",
    "webinar id",
    "webinar-id",
    "id de réunion",
    "id de la réunion",
    "id de reunión",
    "id da reunião",
    "id riunione",
    "id vergadering",
    "ミーティングid",
    "会议号",
];

/// The id after a label such as “Meeting ID:”.
///
/// The whole run of digits must be an id: of a twelve-digit number of another product, the first nine are none.
pub(super) fn meeting_id(text: &str) -> Option<MeetingId> {
    let lower = text.to_lowercase();
    LABELS.iter().find_map(|label| {
        lower.match_indices(label).find_map(|(at, found)| {
            let after = lower.get(at + found.len()..)?;
            let after = after.trim_start_matches(|c: char| c == ':' || c == '：' || c == '#' || is_gap(c));
            let end = after
                .find(|c: char| !c.is_ascii_digit() && !is_gap(c))
                .unwrap_or(after.len());
            digits_id(after.get(..end)?)
        })
    })
}

/// Zoom's own files: `UID:<DTSTAMP>-<meeting id>@…`.
pub(super) fn zoom_uid(uid: &str) -> Option<MeetingId> {
    let (stamp, rest) = uid.split_once('-')?;
    let (id, _) = rest.split_once('@')?;
    let stamp = stamp.strip_suffix('Z').unwrap_or(stamp);
    let (date, time) = stamp.split_once('T')?;
    let digits = |text: &str, len: usize| text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    if digits(date, 8) && digits(time, 6) {
        digits_id(id)
    } else {
        None
    }
}

/// The text without HTML tags; a line break or a paragraph becomes a line.
pub(super) fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        // `<` in running text, such as “a < b”, opens no tag.
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!') {
            out.push('<');
            rest = tag;
            continue;
        }
        let Some((name, after)) = tag.split_once('>') else {
            out.push('<');
            rest = tag;
            break;
        };
        if is_block(name) {
            out.push('\n');
        }
        rest = after;
    }
    out.push_str(rest);
    decode_entities(&out)
}

fn is_block(tag: &str) -> bool {
    let name = tag
        .trim_start_matches('/')
        .split([' ', '/', '\n'])
        .next()
        .unwrap_or_default();
    ["br", "div", "li", "p", "tr"]
        .iter()
        .any(|block| name.eq_ignore_ascii_case(block))
}

/// Undoes `&amp;` and its relatives, also when they were applied twice.
pub(super) fn decode_entities(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..3 {
        if !text.contains('&') {
            break;
        }
        let decoded = decode_once(&text);
        if decoded == text {
            break;
        }
        text = decoded;
    }
    text
}

fn decode_once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after
            .char_indices()
            .take(10)
            .find(|(_, c)| *c == ';')
            .and_then(|(end, _)| Some((entity(after.get(..end)?)?, after.get(end + 1..)?)));
        match entity {
            Some((decoded, tail)) => {
                out.push(decoded);
                rest = tail;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => None,
    }
}
