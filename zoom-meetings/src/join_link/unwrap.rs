//! From text to Zoom links: entities, redirects, percent signs, hosts and paths.

use percent_encoding::percent_decode_str;
use url::Url;

use zoom_core::MeetingId;

use super::text::{decode_entities, digits_id};
use super::{JoinLink, LinkKind, LinkSource};

const SCHEMES: [&str; 4] = ["https://", "http://", "zoommtg://", "zoomus://"];
const MAX_DEPTH: u8 = 3;
/// Invitations come from strangers: bounds that no real link reaches.
const MAX_LINKS_PER_WORD: usize = 16;
const MAX_LINK: usize = 4096;

/// A Zoom link before it is known where it was found.
pub(super) struct Found {
    kind: LinkKind,
    meeting_id: Option<MeetingId>,
    url: Url,
}

impl Found {
    pub(super) fn from(self, source: LinkSource) -> JoinLink {
        JoinLink {
            kind: self.kind,
            meeting_id: self.meeting_id,
            url: Some(self.url),
            source,
        }
    }
}

/// Every Zoom link in a text, in the order they stand.
pub(super) fn links(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    collect(&decode_entities(text), MAX_DEPTH, &mut found);
    found
}

fn collect(text: &str, depth: u8, found: &mut Vec<Found>) {
    let before = found.len();
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        for candidate in candidates(token) {
            read(&candidate, depth, found);
        }
    }
    if found.len() == before && depth > 0 && text.contains('%') {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        if decoded != text {
            collect(&decoded, depth - 1, found);
        }
    }
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            ',' | '<'
                | '>'
                | '"'
                | '\''
                | '`'
                | '('
                | ')'
                | '['
                | ']'
                | '{'
                | '}'
                | '|'
                | '\\'
                | '^'
                | '“'
                | '”'
                | '«'
                | '»'
        )
}

/// What may be a link in one word: from each scheme on, or the whole word when it starts like a Zoom host.
fn candidates(token: &str) -> Vec<String> {
    let token = token.trim_end_matches(['.', ';', ':', '!', '?', '*', '_', '…']);
    let lower = token.to_ascii_lowercase();
    let mut starts: Vec<usize> = SCHEMES
        .iter()
        .flat_map(|scheme| lower.match_indices(scheme))
        .map(|(at, _)| at)
        .collect();
    starts.sort_unstable();
    if starts.is_empty() {
        let bare = token.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let host = bare.split(['/', '?']).next().unwrap_or_default();
        return if zoom_host(host).is_some() {
            vec![format!("https://{bare}")]
        } else {
            Vec::new()
        };
    }
    let bounded = |at: usize| token.get(at..).map(|link| link.chars().take(MAX_LINK).collect());
    starts
        .into_iter()
        .take(MAX_LINKS_PER_WORD)
        .filter_map(bounded)
        .collect()
}

fn read(candidate: &str, depth: u8, found: &mut Vec<Found>) {
    let Ok(url) = Url::parse(candidate) else { return };
    if let Some(link) = zoom_link(&url) {
        found.push(link);
        return;
    }
    if depth == 0 {
        return;
    }
    if let Some(target) = wrapped(&url) {
        collect(&decode_entities(&target), depth - 1, found);
    }
}

/// The address inside a redirect of a known wrapper.
fn wrapped(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let query = |names: &[&str]| {
        url.query_pairs()
            .find(|(name, _)| names.contains(&name.as_ref()))
            .map(|(_, value)| value.into_owned())
    };
    let google = host == "google.com" || host.starts_with("www.google.") || host == "meet.google.com";
    if google && (url.path() == "/url" || url.path() == "/linkredirect") {
        return query(&["q", "url", "dest"]);
    }
    if host.ends_with(".safelinks.protection.outlook.com") {
        return query(&["url"]);
    }
    if host == "urldefense.com" {
        // https://urldefense.com/v3/__https://zoom.us/j/123__;!!…
        let inner = url.path().strip_prefix("/v3/__")?;
        return inner.split("__;").next().map(str::to_owned);
    }
    None
}

fn zoom_link(url: &Url) -> Option<Found> {
    match url.scheme() {
        "zoommtg" | "zoomus" => app_link(url),
        "https" | "http" => web_link(url),
        _ => None,
    }
}

/// `zoommtg://zoom.us/join?action=join&confno=…&pwd=…`
fn app_link(url: &Url) -> Option<Found> {
    let host = zoom_host(url.host_str()?)?;
    let id = digits_id(&parameter(url, "confno")?)?;
    Some(Found {
        kind: LinkKind::Meeting,
        meeting_id: Some(id),
        url: rebuilt(&host, &format!("/j/{id}"), url)?,
    })
}

fn web_link(url: &Url) -> Option<Found> {
    let host = zoom_host(url.host_str()?)?;
    let segments: Vec<&str> = url
        .path_segments()?
        .filter(|segment| !segment.is_empty())
        .collect();
    let with_id = |kind: LinkKind, path: &str, id: &str| {
        let id = digits_id(id)?;
        let url = rebuilt(&host, &format!("/{path}/{id}"), url)?;
        Some(Found {
            kind,
            meeting_id: Some(id),
            url,
        })
    };
    match segments.as_slice() {
        ["j", id, ..] => with_id(LinkKind::Meeting, "j", id),
        // A start link signs its opener in as the host: only the number is kept.
        ["s", id, ..] => with_id(LinkKind::Meeting, "j", id),
        ["w", id, ..] => with_id(LinkKind::Webinar, "w", id),
        ["wc", "join" | "start", id, ..] | ["wc", id, "join" | "start", ..] => {
            with_id(LinkKind::Meeting, "j", id)
        }
        ["my", name, ..] => {
            let url = rebuilt(&host, &format!("/my/{name}"), url)?;
            let name = percent_decode_str(name).decode_utf8().ok()?.into_owned();
            Some(Found {
                kind: LinkKind::Personal(name),
                meeting_id: None,
                url,
            })
        }
        ["meeting" | "webinar", "register", ..] => {
            let mut clean = rebuilt(&host, url.path(), url)?;
            clean.set_query(None);
            Some(Found {
                kind: LinkKind::Registration,
                meeting_id: None,
                url: clean,
            })
        }
        _ => None,
    }
}

/// The host in its usual spelling, when it is one of Zoom's.
fn zoom_host(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let within =
        |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    if let Some(rest) = host.strip_suffix("zoom.com").filter(|_| within("zoom.com")) {
        return Some(format!("{rest}zoom.us"));
    }
    ["zoom.us", "zoomgov.com", "zoom.com.cn", "zoom-x.de"]
        .iter()
        .any(|domain| within(domain))
        .then_some(host)
}

/// A new link of these parts and the passcode, so that nothing else of the old one comes along.
fn rebuilt(host: &str, path: &str, old: &Url) -> Option<Url> {
    let mut url = Url::parse(&format!("https://{host}/")).ok()?;
    url.set_path(path);
    if let Some(pwd) = parameter(old, "pwd")
        .as_deref()
        .map(passcode)
        .filter(|pwd| !pwd.is_empty())
    {
        url.query_pairs_mut().append_pair("pwd", pwd);
    }
    Some(url)
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Letters and digits, then perhaps a dot and a number; what a text has glued to it is no part of it.
fn passcode(pwd: &str) -> &str {
    let run = |text: &str, of: fn(&u8) -> bool| text.bytes().take_while(of).count();
    let head = run(pwd, u8::is_ascii_alphanumeric);
    let number = pwd
        .get(head..)
        .and_then(|rest| rest.strip_prefix('.'))
        .map_or(0, |rest| run(rest, u8::is_ascii_digit));
    let end = if head > 0 && number > 0 {
        head + 1 + number
    } else {
        head
    };
    pwd.get(..end).unwrap_or_default()
}
