//! A recap as a Slack message: Block Kit within every limit, whatever people are called (reference §7).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Recap, RecapObjection, RecapStep};
use crate::text::truncated;
use crate::{Handled, NextStepStatus};

const HEADER: usize = 150;
/// Slack's own limit is 3,000; the whole message has one too (about 13,200, undocumented), and three sections fit.
const SECTION: usize = 2_000;
const FIELD: usize = 2_000;
const URL: usize = 1_000;
const LIST_ITEMS: usize = 5;
const QUOTE: usize = 120;

/// A message for Slack: blocks, and the text that notifications show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SlackMessage {
    /// What a notification shows, and what a screen reader reads.
    pub text: String,
    /// The blocks.
    pub blocks: Vec<Value>,
    /// Whether Slack may look up links; it may not.
    pub unfurl_links: bool,
    /// Whether Slack may show media behind links; it may not.
    pub unfurl_media: bool,
}

impl From<&Recap> for SlackMessage {
    fn from(recap: &Recap) -> Self {
        let minutes = recap
            .duration_ms
            .map(|ms| format!(" · {} min", (ms + 30_000) / 60_000))
            .unwrap_or_default();
        let title = plain(&recap.title);
        let room = HEADER.saturating_sub(minutes.chars().count());
        let title = if title.is_empty() {
            "Untitled call".to_owned()
        } else {
            truncated(&title, room)
        };
        let header = format!("{title}{minutes}");

        let mut blocks =
            vec![json!({"type": "header", "text": {"type": "plain_text", "text": header, "emoji": false}})];
        let context = context(recap);
        if !context.is_empty() {
            let elements: Vec<Value> = context.iter().map(|text| mrkdwn(text)).collect();
            blocks.push(json!({"type": "context", "elements": elements}));
        }
        let fields: Vec<Value> = fields(recap)
            .iter()
            .map(|text| mrkdwn(&truncated(text, FIELD)))
            .collect();
        blocks.push(json!({"type": "section", "fields": fields}));
        if let Some(summary) = recap
            .summary
            .as_deref()
            .map(plain)
            .filter(|summary| !summary.is_empty())
        {
            blocks.push(section(&escaped(&summary, 400)));
        }
        if !recap.next_steps.is_empty() {
            let confirmed = recap.next_steps.iter().all(|step| !step.candidate);
            let title = if confirmed {
                "*Next steps*"
            } else {
                "*Next steps* (candidates, not confirmed)"
            };
            blocks.push(section(&list(title, &recap.next_steps, step_line)));
        }
        if !recap.objections.is_empty() {
            blocks.push(section(&list("*Objections*", &recap.objections, objection_line)));
        }
        if let Some(url) = recap
            .url
            .as_ref()
            .map(url::Url::as_str)
            .filter(|url| url.len() <= URL)
        {
            let text = json!({"type": "plain_text", "text": "Open call", "emoji": false});
            blocks
                .push(json!({"type": "actions", "elements": [{"type": "button", "text": text, "url": url}]}));
        }
        Self {
            text: escaped(&header, 200),
            blocks,
            unfurl_links: false,
            unfurl_media: false,
        }
    }
}

fn context(recap: &Recap) -> Vec<String> {
    let mut parts = Vec::new();
    let mut add = |label: &str, value: &str| {
        let value = escaped(&plain(value), 100);
        if !value.is_empty() {
            parts.push(format!("{label} *{value}*"));
        }
    };
    if !recap.reps.is_empty() {
        add("Rep", &recap.reps.join(", "));
    }
    if let Some(customer) = &recap.customer {
        add("Customer", customer);
    }
    if let Some(source) = &recap.lead_source {
        add("Lead source", source);
    }
    if let Some(started_at) = recap.started_at {
        let fallback = started_at.strftime("%Y-%m-%d %H:%M UTC");
        parts.push(format!(
            "<!date^{}^{{date_short_pretty}} {{time}}|{fallback}>",
            started_at.as_second()
        ));
    }
    parts
}

fn fields(recap: &Recap) -> Vec<String> {
    let or_unknown = |value: Option<String>| value.unwrap_or_else(|| "not measurable".to_owned());
    let arrow = match recap.sentiment_trend {
        Some(trend) if trend >= 0.05 => " ↗",
        Some(trend) if trend <= -0.05 => " ↘",
        Some(_) => " →",
        None => "",
    };
    let mut committed = recap
        .next_steps
        .iter()
        .filter(|step| step.status == NextStepStatus::Committed);
    let next_step = match (committed.clone().any(|step| !step.candidate), committed.next()) {
        (true, _) => "yes",
        (false, Some(_)) => "likely, not confirmed",
        (false, None) => "no",
    };
    let talk = recap
        .rep_talk_share_of_known_speech
        .map(|share| format!("{} % rep", crate::metrics::percent(share)));
    vec![
        format!(
            "*Call signal*\n{}",
            or_unknown(
                recap
                    .closing_score
                    .map(|score| format!("{score} (not a win rate)"))
            )
        ),
        format!(
            "*Sentiment*\n{}",
            or_unknown(recap.sentiment_0_100.map(|score| format!("{score}{arrow}")))
        ),
        format!("*Talk*\n{}", or_unknown(talk)),
        format!("*Next step*\n{next_step}"),
    ]
}

fn step_line(step: &RecapStep) -> String {
    let due = match (&step.due_date, &step.due_text) {
        (Some(date), _) => format!(" – {date}"),
        (None, Some(text)) => format!(" – {}", escaped(&plain(text), 60)),
        (None, None) => String::new(),
    };
    let proposed = if step.status == NextStepStatus::Proposed {
        " (proposed)"
    } else {
        ""
    };
    format!(
        "• *{}* – {}{due}{proposed}",
        escaped(&plain(&step.owner), 80),
        escaped(&plain(&step.action), 200)
    )
}

fn objection_line(objection: &RecapObjection) -> String {
    let seconds = objection.start_ms / 1_000;
    let handled = match objection.handled {
        Handled::Yes => "answered",
        Handled::No => "open",
        Handled::Unclear => "unclear",
    };
    let category = objection.category.as_str().replace('_', " ");
    let quote = escaped(&plain(&objection.quote), QUOTE);
    format!(
        "• *{category}* ({handled}) at {}:{:02} – “{quote}”",
        seconds / 60,
        seconds % 60
    )
}

/// A title and a line per item, as many as fit.
fn list<T>(title: &str, items: &[T], line: impl Fn(&T) -> String) -> String {
    let mut text = title.to_owned();
    let mut shown = 0;
    for line in items.iter().take(LIST_ITEMS).map(line) {
        if text.chars().count() + line.chars().count() + 30 > SECTION {
            break;
        }
        text.push('\n');
        text.push_str(&line);
        shown += 1;
    }
    if shown < items.len() {
        text.push_str(&format!("\n… and {} more", items.len() - shown));
    }
    text
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(&truncated(text, SECTION))})
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

/// One line, without control and direction characters that could reorder what stands beside it.
fn plain(text: &str) -> String {
    let kept = |c: char| {
        let directs = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
        if directs {
            None
        } else if c.is_control() || c == '\u{2028}' || c == '\u{2029}' {
            Some(' ')
        } else {
            Some(c)
        }
    };
    let text: String = text.chars().filter_map(kept).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text that Slack shows as it is: at most `max` characters of it, with `& < >` as entities, and with the marks that make
/// formatting or a mention replaced by look-alikes that make nothing.
fn escaped(text: &str, max: usize) -> String {
    let mut out = String::new();
    for c in truncated(text, max).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '*' => out.push('∗'),
            '_' => out.push('＿'),
            '~' => out.push('∼'),
            '`' => out.push('ˋ'),
            // A word joiner: looks the same, mentions nobody.
            '@' => out.push_str("@\u{2060}"),
            other => out.push(other),
        }
    }
    out.replace("://", ":\u{2060}//")
}
