//! Lines to components. One bad line costs that line: it is left out and counted.

use icalendar::parser::{Property, unfold};

/// Deeper than any real file nests.
const MAX_DEPTH: usize = 16;

/// `BEGIN:name … END:name`
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) lines: Vec<Line>,
    pub(super) children: Vec<Self>,
}

/// One property: `NAME;PARAM=…:value`, its text unescaped.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) params: Vec<(String, String)>,
    pub(super) value: String,
}

impl Line {
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl Node {
    pub(super) fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.name == name)
    }

    /// The value of a property, when there is one and it is not blank.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.line(name)
            .map(|line| line.value.trim())
            .filter(|value| !value.is_empty())
    }
}

/// The top components of a text and the number of lines that made no sense.
pub(super) fn parse(text: &str) -> (Vec<Node>, usize) {
    let text = unfold(text.trim_start_matches('\u{feff}'));
    let mut roots = Vec::new();
    let mut open: Vec<Node> = Vec::new();
    let mut unreadable = 0;
    for line in text.split(['\n', '\r']).filter(|line| !line.trim().is_empty()) {
        if let Some(name) = strip_keyword(line, "BEGIN:") {
            if open.len() < MAX_DEPTH {
                open.push(Node {
                    name: name.to_ascii_uppercase(),
                    ..Node::default()
                });
            } else {
                unreadable += 1;
            }
        } else if let Some(name) = strip_keyword(line, "END:") {
            // An END that fits none of the open components is a bad line; one that skips some closes those too.
            let name = name.to_ascii_uppercase();
            let Some(depth) = open.iter().rposition(|node| node.name == name) else {
                unreadable += 1;
                continue;
            };
            while open.len() > depth {
                let Some(node) = open.pop() else { break };
                match open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None => roots.push(node),
                }
            }
        } else {
            match (property(line), open.last_mut()) {
                (Some(property), Some(node)) => node.lines.push(property),
                _ => unreadable += 1,
            }
        }
    }
    // A file that was cut off: a component without END is not complete, and is not guessed at.
    if let Some(root) = (!open.is_empty()).then(|| open.swap_remove(0)) {
        unreadable += 1;
        roots.push(root);
    }
    (roots, unreadable)
}

fn strip_keyword<'a>(line: &'a str, keyword: &str) -> Option<&'a str> {
    let head = line.get(..keyword.len())?;
    if head.eq_ignore_ascii_case(keyword) {
        line.get(keyword.len()..).map(str::trim)
    } else {
        None
    }
}

fn property(line: &str) -> Option<Line> {
    let end = line.find([':', ';'])?;
    let name = line.get(..end)?.trim().to_ascii_uppercase();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    // Names are matched without case; the parser decides by the upper-case name whether a value is escaped text.
    let line = format!("{name}{}", line.get(end..)?);
    let property = Property::try_from(line.as_str()).ok()?;
    let params = property
        .params
        .iter()
        .map(|param| {
            (
                param.key.as_str().to_owned(),
                param.val.as_ref().map_or("", |val| val.as_str()).to_owned(),
            )
        })
        .collect();
    Some(Line {
        name,
        params,
        value: property.val.as_str().to_owned(),
    })
}
