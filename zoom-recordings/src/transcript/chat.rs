//! Zoom's chat export (`CHAT`, a text file).
//!
//! ```
//! use zoom_recordings::chat;
//!
//! let chat = chat::parse("00:01:09\tAna Sim:\tLink to the deck: https://example.org/deck\r\n")?;
//! let message = chat.messages.first().ok_or("no message")?;
//! assert_eq!((message.at_ms, message.sender.as_str()), (69_000, "Ana Sim"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use serde::{Deserialize, Serialize};

use super::{TranscriptError, Warning, WarningKind, Warnings, vtt};

/// What was written in a meeting's chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Chat {
    /// What the times of the messages count from.
    pub clock: ChatClock,
    /// The messages in the order of the file.
    pub messages: Vec<ChatMessage>,
    /// What was odd about the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// What the times of a chat count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatClock {
    /// From the start of the recording: what the cloud delivers.
    Recording,
    /// From midnight where the chat was saved: a file saved by somebody's client.
    TimeOfDay,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatMessage {
    /// When it was sent, in milliseconds; see [`Chat::clock`].
    pub at_ms: u64,
    /// Who sent it, by display name.
    pub sender: String,
    /// Whom it was sent to, when the file says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether somebody wrote, answered or only reacted.
    pub kind: ChatKind,
    /// What was written; lines are separated by `\n`.
    pub text: String,
}

/// What a message is. In real exports, more than half are not messages of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatKind {
    /// Somebody wrote something.
    Message,
    /// `Replying to "…"`: the text starts with the quote.
    Reply,
    /// `Reacted to "…" with 👍`, or a reaction taken back.
    Reaction,
}

/// Reads a chat export; messages may go on over several lines, blank ones included.
///
/// # Errors
///
/// [`TranscriptError::Empty`] for no bytes, [`TranscriptError::TooLarge`] for absurd sizes.
pub fn parse(chat: impl AsRef<[u8]>) -> Result<Chat, TranscriptError> {
    let bytes = chat.as_ref();
    if bytes.is_empty() {
        return Err(TranscriptError::Empty);
    }
    if bytes.len() > vtt::MAX_BYTES {
        return Err(TranscriptError::TooLarge {
            limit: vtt::MAX_BYTES,
            unit: "bytes",
        });
    }
    let text = String::from_utf8_lossy(bytes);
    let mut warnings = Warnings::default();
    if matches!(text, std::borrow::Cow::Owned(_)) {
        warnings.add(WarningKind::InvalidUtf8, None);
    }
    let mut clock = ChatClock::Recording;
    let mut messages: Vec<ChatMessage> = Vec::new();
    for (line, number) in text.strip_prefix('\u{feff}').unwrap_or(&text).lines().zip(1..) {
        if let Some((message, counted_from)) = first_line(line) {
            clock = counted_from;
            messages.push(message);
        } else if let Some(message) = messages.last_mut() {
            message.text.push('\n');
            message.text.push_str(line.strip_prefix('\t').unwrap_or(line));
        } else if !line.trim().is_empty() {
            warnings.add(WarningKind::StrayText, Some(number));
        }
    }
    for message in &mut messages {
        message.text = message.text.trim().to_owned();
        message.kind = kind(&message.text);
    }
    Ok(Chat {
        clock,
        messages,
        warnings: warnings.into_vec(),
    })
}

/// `00:01:09<TAB>Ana Sim:<TAB>text`, or `10:02:41 From Ana Sim to Everyone:` with the text behind it or below.
fn first_line(line: &str) -> Option<(ChatMessage, ChatClock)> {
    let (at_ms, rest) = vtt::time(line)?;
    // Zoom always writes the hours; `10:30 works for me` is a line of somebody's message.
    let time = line.strip_suffix(rest)?;
    if time.bytes().filter(|b| *b == b':').count() != 2 {
        return None;
    }
    let message = |sender: &str, to: Option<&str>, text: &str| ChatMessage {
        at_ms,
        sender: sender.trim().to_owned(),
        to: to.map(|to| to.trim().to_owned()),
        kind: ChatKind::Message,
        text: text.to_owned(),
    };
    if let Some(rest) = rest
        .strip_prefix('\t')
        .filter(|rest| !rest.trim_start().starts_with("From "))
    {
        let (sender, text) = rest
            .split_once(":\t")
            .or_else(|| Some((rest.trim_end().strip_suffix(':')?, "")))?;
        return Some((message(sender, None, text), ChatClock::Recording));
    }
    let rest = rest.trim_start().strip_prefix("From ")?;
    let (head, text) = rest.split_once(':')?;
    let (sender, to) = head
        .rsplit_once(" to ")
        .map_or((head, None), |(sender, to)| (sender, Some(to)));
    Some((message(sender, to, text), ChatClock::TimeOfDay))
}

fn kind(text: &str) -> ChatKind {
    let quotes = |rest: &str| rest.trim_start().starts_with(['"', '\u{201c}']);
    if text.strip_prefix("Replying to").is_some_and(quotes) {
        ChatKind::Reply
    } else if text.strip_prefix("Reacted to").is_some_and(quotes)
        || text
            .strip_prefix("Removed a")
            .is_some_and(|rest| rest.contains("reaction from"))
    {
        ChatKind::Reaction
    } else {
        ChatKind::Message
    }
}

#[cfg(test)]
mod tests;
