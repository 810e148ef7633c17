//! Zoom's `WebVTT` transcripts, read and written.
//!
//! Zoom writes a number, a time range and `Name: text` per cue. The voice form `<v Name>text`, cues without number or
//! speaker, several lines, `MM:SS` times, CRLF and a byte order mark are read as well. Reading is linear in the size of
//! the input, bounded, and never fails for one odd cue: what had to be left out is counted in the warnings.

mod lines;
mod timing;

use std::borrow::Cow;

use lines::Lines;
use timing::Timing;
pub(super) use timing::time;

use super::{
    KnownNames, Transcript, TranscriptError, TranscriptSource, Utterance, WarningKind, Warnings, markup,
};

/// The most that is read: a transcript of 24 hours has about 3 MB and 20,000 cues.
pub(crate) const MAX_BYTES: usize = 64 << 20;
const MAX_CUES: usize = 1_000_000;

/// Reads Zoom's own transcript.
///
/// # Errors
///
/// [`TranscriptError`] for no bytes at all, for bytes that are not WebVTT (a login page) and for absurd sizes. A header
/// without cues is a transcript in which nobody spoke.
pub fn parse(vtt: impl AsRef<[u8]>) -> Result<Transcript, TranscriptError> {
    Parser::default().parse(vtt)
}

/// Writes a transcript as WebVTT in Zoom's own form. [`parse`] gives the same utterances back, provided that no speaker
/// has a name of more than 80 characters; line breaks inside of an utterance become spaces.
#[must_use]
pub fn write(transcript: &Transcript) -> String {
    let mut out = String::with_capacity(64 + transcript.utterances.len() * 96);
    out.push_str("WEBVTT\n");
    for utterance in &transcript.utterances {
        out.push_str(&format!("\n{}\n", utterance.id));
        timing::write(
            &mut out,
            Timing {
                start_ms: utterance.start_ms,
                end_ms: utterance.end_ms,
            },
        );
        out.push('\n');
        if let Some(speaker) = &utterance.speaker {
            markup::escape(&mut out, speaker, true);
            out.push_str(": ");
        }
        markup::escape(&mut out, &utterance.text, utterance.speaker.is_none());
        out.push('\n');
    }
    out
}

/// How to read: what is known beforehand about the file.
///
/// ```
/// use zoom_recordings::{KnownNames, vtt};
///
/// let file = "WEBVTT\n\n1\n00:00:04.120 --> 00:00:07.480\nRoom 4: Berlin: Good morning.\n";
/// let names: KnownNames = ["Room 4: Berlin"].into_iter().collect();
/// let transcript = vtt::Parser::default().with_known_names(names).parse(file)?;
/// assert_eq!(transcript.speakers(), ["Room 4: Berlin"]);
/// # Ok::<(), zoom_recordings::TranscriptError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Parser {
    names: KnownNames,
    source: TranscriptSource,
    speakers: bool,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            names: KnownNames::default(),
            source: TranscriptSource::Zoom,
            speakers: true,
        }
    }
}

impl Parser {
    /// The participants' names: they settle where a name ends when it contains a colon.
    #[must_use]
    pub fn with_known_names(mut self, names: KnownNames) -> Self {
        self.names = names;
        self
    }

    /// Where the file comes from, if not from Zoom.
    #[must_use]
    pub fn with_source(mut self, source: TranscriptSource) -> Self {
        self.source = source;
        self
    }

    /// Takes `Name: text` as text, for closed captions: they carry no names, and what people say contains colons.
    /// Voice tags still count.
    #[must_use]
    pub const fn without_speaker_prefix(mut self) -> Self {
        self.speakers = false;
        self
    }

    /// Reads a whole file.
    ///
    /// # Errors
    ///
    /// As [`parse`].
    pub fn parse(&self, vtt: impl AsRef<[u8]>) -> Result<Transcript, TranscriptError> {
        let bytes = vtt.as_ref();
        if bytes.is_empty() {
            return Err(TranscriptError::Empty);
        }
        if bytes.len() > MAX_BYTES {
            return Err(TranscriptError::TooLarge {
                limit: MAX_BYTES,
                unit: "bytes",
            });
        }
        let text = String::from_utf8_lossy(bytes);
        let mut cues = self.cues(&text)?;
        if matches!(text, Cow::Owned(_)) {
            cues.warnings.add(WarningKind::InvalidUtf8, None);
        }
        let mut transcript = Transcript::new(self.source.clone());
        for cue in cues.by_ref() {
            if transcript.utterances.len() == MAX_CUES {
                return Err(TranscriptError::TooLarge {
                    limit: MAX_CUES,
                    unit: "cues",
                });
            }
            transcript.utterances.push(Utterance {
                id: 0,
                start_ms: cue.start_ms,
                end_ms: cue.end_ms,
                speaker: cue.speaker.map(Cow::into_owned),
                text: cue.text.into_owned(),
            });
        }
        if transcript.sort() {
            cues.warnings.add(WarningKind::OutOfOrder, None);
        }
        transcript.warnings = cues.warnings.into_vec();
        Ok(transcript)
    }

    /// The cues of a file one by one, in the file's order, borrowed from it wherever possible.
    ///
    /// # Errors
    ///
    /// [`TranscriptError::NotVtt`] unless the text starts like a WebVTT file.
    pub fn cues<'a>(&'a self, vtt: &'a str) -> Result<Cues<'a>, TranscriptError> {
        let text = vtt.strip_prefix('\u{feff}').unwrap_or(vtt);
        let header = text.strip_prefix("WEBVTT").ok_or(TranscriptError::NotVtt)?;
        if !(header.is_empty() || header.starts_with([' ', '\t', '\n', '\r'])) {
            return Err(TranscriptError::NotVtt);
        }
        let mut lines = Lines::new(text);
        lines.next();
        Ok(Cues {
            parser: self,
            lines,
            begun: None,
            warnings: Warnings::default(),
        })
    }
}

/// One cue of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cue<'a> {
    /// When it starts, in milliseconds from the start of the recorded file.
    pub start_ms: u64,
    /// When it ends; never before it starts.
    pub end_ms: u64,
    /// Who speaks, if the cue says it.
    pub speaker: Option<Cow<'a, str>>,
    /// The words, trimmed, never empty.
    pub text: Cow<'a, str>,
}

/// Iterator over a file's cues; see [`Parser::cues`].
#[derive(Debug, Clone)]
pub struct Cues<'a> {
    parser: &'a Parser,
    lines: Lines<'a>,
    /// The time range of a cue whose text comes next, when it was met while the cue before was read.
    begun: Option<Timing>,
    warnings: Warnings,
}

impl<'a> Iterator for Cues<'a> {
    type Item = Cue<'a>;

    fn next(&mut self) -> Option<Cue<'a>> {
        loop {
            let timing = match self.begun.take() {
                Some(timing) => timing,
                None => self.timing()?,
            };
            let line = self.lines.number();
            let text = self.text(timing);
            let timing = timing.ordered().unwrap_or_else(|| {
                self.warnings.add(WarningKind::EndBeforeStart, Some(line));
                Timing {
                    end_ms: timing.start_ms,
                    ..timing
                }
            });
            match self.cue(timing, text) {
                Some(cue) => return Some(cue),
                None => self.warnings.add(WarningKind::EmptyCue, Some(line)),
            }
        }
    }
}

impl<'a> Cues<'a> {
    /// Skips to the next time range: header, notes, styles and cue numbers are passed over.
    fn timing(&mut self) -> Option<Timing> {
        // A line directly above a time range names the cue; anywhere else it is text that belongs to nothing.
        let mut name: Option<u64> = None;
        let mut in_block = self.lines.number() == 1;
        let mut skipping = in_block;
        while let Some(line) = self.lines.next() {
            if line.trim().is_empty() {
                self.stray(name.take());
                (in_block, skipping) = (false, false);
                continue;
            }
            let starts_block = !std::mem::replace(&mut in_block, true);
            if starts_block && is_note(line) {
                skipping = true;
            } else if line.contains("-->") {
                match timing::read(line) {
                    Some(timing) => return Some(timing),
                    None if skipping => {}
                    None => {
                        self.warnings
                            .add(WarningKind::BadTiming, Some(self.lines.number()));
                        skipping = true;
                        name = None;
                    }
                }
            } else if !skipping {
                self.stray(name.replace(self.lines.number()));
            }
        }
        self.stray(name);
        None
    }

    fn stray(&mut self, line: Option<u64>) {
        if line.is_some() {
            self.warnings.add(WarningKind::StrayText, line);
        }
    }

    /// The text of a cue up to the blank line, or to the next cue where the blank line is missing.
    fn text(&mut self, timing: Timing) -> Cow<'a, str> {
        let mut text = Cow::Borrowed("");
        // Where the last line starts, should it turn out to be the number of the next cue.
        let mut last = 0;
        while let Some(line) = self.lines.next() {
            if line.trim().is_empty() {
                break;
            }
            if line.starts_with(|c: char| c.is_ascii_digit() || c == ' ')
                && let Some(next) = timing::read(line)
            {
                self.begun = Some(next);
                drop_number(&mut text, last);
                break;
            }
            // A cue may hold several voices: each becomes an utterance with the times of the cue.
            if !text.is_empty() && markup::voice(line).is_some() {
                self.lines.put_back(line);
                self.begun = Some(timing);
                break;
            }
            let (piece, later_voice) = match markup::next_voice(line) {
                Some(at) => line.split_at(at),
                None => (line, ""),
            };
            if text.is_empty() {
                text = Cow::Borrowed(piece);
            } else {
                last = text.len();
                let owned = text.to_mut();
                owned.push(' ');
                owned.push_str(piece);
            }
            if !later_voice.is_empty() {
                self.lines.put_back(later_voice);
                self.begun = Some(timing);
                break;
            }
        }
        text
    }

    /// `None` when nothing is said.
    fn cue(&self, timing: Timing, text: Cow<'a, str>) -> Option<Cue<'a>> {
        let (speaker, text) = match text {
            Cow::Borrowed(text) => {
                let (name, text) = self.split(text);
                (name.map(cleaned), cleaned(text))
            }
            Cow::Owned(text) => {
                let (name, text) = self.split(&text);
                (
                    name.map(|name| cleaned(name).into_owned().into()),
                    cleaned(text).into_owned().into(),
                )
            }
        };
        let speaker = speaker.filter(|name| !name.is_empty());
        (!text.is_empty()).then_some(Cue {
            start_ms: timing.start_ms,
            end_ms: timing.end_ms,
            speaker,
            text,
        })
    }

    fn split<'t>(&self, text: &'t str) -> (Option<&'t str>, &'t str) {
        let text = text.trim();
        let split = markup::voice(text).or_else(|| {
            self.parser
                .speakers
                .then(|| self.parser.names.split(text))
                .flatten()
        });
        split.map_or((None, text), |(name, text)| (Some(name), text))
    }
}

/// Without markup and without white space around it.
fn cleaned(text: &str) -> Cow<'_, str> {
    match markup::plain(text) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

fn drop_number(text: &mut Cow<'_, str>, last: usize) {
    let is_number = |line: &str| !line.trim().is_empty() && line.trim().bytes().all(|b| b.is_ascii_digit());
    if last > 0 && text.get(last..).is_some_and(is_number) {
        text.to_mut().truncate(last);
    } else if is_number(text) {
        *text = Cow::Borrowed("");
    }
}

fn is_note(line: &str) -> bool {
    ["NOTE", "STYLE", "REGION"].iter().any(|word| {
        line.strip_prefix(word)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    })
}

#[cfg(test)]
mod tests;
