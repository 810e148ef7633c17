//! The sample recordings this crate carries; `samples/README.md` tells where each file comes from.

/// A recorded meeting as Zoom's cloud delivers it: audio, transcript, chat, and who took part.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Sample {
    /// Short name to select it by: `sales-call`, `librivox`.
    pub key: &'static str,
    /// The meeting's topic.
    pub topic: &'static str,
    /// Whether a speech synthesiser spoke; `false` means that a human did.
    pub synthetic: bool,
    /// Zoom's transcript; its times are those of the audio.
    pub vtt: &'static str,
    /// The audio: mono AAC-LC in M4A.
    pub m4a: &'static [u8],
    /// The chat as Zoom exports it (tab separated, CRLF).
    pub chat: Option<&'static str>,
    /// What was really said, one sentence per line, lower case without punctuation: to measure transcribers against.
    pub reference: Option<&'static str>,
    /// Everybody who spoke.
    pub participants: &'static [SampleParticipant],
    /// Length of the audio.
    pub duration_ms: u64,
}

/// Somebody in a [`Sample`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SampleParticipant {
    /// Display name, as in the transcript.
    pub name: &'static str,
    /// Address, in a domain that cannot exist.
    pub email: &'static str,
    /// Whether they belong to the account that recorded.
    pub internal: bool,
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sample")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// A rep and a prospect, from discovery to a dated next step; voices are synthetic.
#[must_use]
pub fn sales_call() -> Sample {
    Sample {
        key: "sales-call",
        topic: "Brightwave intro with Tidewater Couriers",
        synthetic: true,
        vtt: include_str!("../samples/sales-call/transcript.vtt"),
        m4a: include_bytes!("../samples/sales-call/audio.m4a"),
        chat: Some(include_str!("../samples/sales-call/chat.txt")),
        reference: None,
        participants: &[
            SampleParticipant {
                name: "Maya Chen",
                email: "maya.chen@brightwave.example",
                internal: true,
            },
            SampleParticipant {
                name: "Daniel Ortiz",
                email: "daniel.ortiz@tidewater-couriers.example",
                internal: false,
            },
        ],
        duration_ms: 408_168,
    }
}

/// Real human speech with its words: five sentences of *Sense and Sensibility*, read by one person.
#[must_use]
pub fn librivox() -> Sample {
    Sample {
        key: "librivox",
        topic: "Reading: Sense and Sensibility",
        synthetic: false,
        vtt: include_str!("../samples/librivox/transcript.vtt"),
        m4a: include_bytes!("../samples/librivox/audio.m4a"),
        chat: None,
        reference: Some(include_str!("../samples/librivox/reference.txt")),
        participants: &[SampleParticipant {
            name: "Eleanor Hart",
            email: "eleanor.hart@brightwave.example",
            internal: true,
        }],
        duration_ms: 31_930,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    struct Cue {
        start_ms: u64,
        end_ms: u64,
        speaker: String,
        text: String,
    }

    fn ms(clock: &str) -> u64 {
        let (hms, millis) = clock.split_once('.').unwrap();
        let seconds = hms
            .split(':')
            .fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap());
        seconds * 1000 + millis.parse::<u64>().unwrap()
    }

    fn cues(vtt: &str) -> Vec<Cue> {
        let mut blocks = vtt.trim_end().split("\n\n");
        assert_eq!(blocks.next(), Some("WEBVTT"));
        blocks
            .enumerate()
            .map(|(index, block)| {
                let lines: Vec<&str> = block.lines().collect();
                assert_eq!(lines.len(), 3, "{block}");
                assert_eq!(lines[0].parse::<usize>().unwrap(), index + 1, "cue ids count up");
                let (start, end) = lines[1].split_once(" --> ").unwrap();
                let (speaker, text) = lines[2].split_once(": ").unwrap();
                Cue {
                    start_ms: ms(start),
                    end_ms: ms(end),
                    speaker: speaker.into(),
                    text: text.into(),
                }
            })
            .collect()
    }

    /// Time scale and duration of version 0 of the movie header box.
    fn mvhd_ms(m4a: &[u8]) -> u64 {
        let at = m4a.windows(4).position(|w| w == b"mvhd").unwrap() + 4;
        let word = |offset: usize| {
            u64::from(u32::from_be_bytes(
                m4a[at + offset..at + offset + 4].try_into().unwrap(),
            ))
        };
        assert_eq!(word(0), 0, "version 0");
        word(16) * 1000 / word(12)
    }

    #[test]
    fn transcripts_parse_in_order_and_end_with_the_audio() {
        for sample in [sales_call(), librivox()] {
            let cues = cues(sample.vtt);
            let mut last_end = 0;
            for cue in &cues {
                assert!(
                    last_end <= cue.start_ms && cue.start_ms < cue.end_ms,
                    "{}",
                    cue.text
                );
                assert!(cue.end_ms - cue.start_ms <= 30_000, "Zoom's cap: {}", cue.text);
                assert!(!cue.text.is_empty());
                last_end = cue.end_ms;
            }
            assert!(last_end <= sample.duration_ms, "{}", sample.key);
            assert!(sample.duration_ms - last_end < 3_000, "{}", sample.key);
        }
    }

    #[test]
    fn durations_are_those_of_the_audio() {
        for sample in [sales_call(), librivox()] {
            assert_eq!(mvhd_ms(sample.m4a), sample.duration_ms, "{}", sample.key);
        }
    }

    #[test]
    fn participants_are_the_speakers() {
        for sample in [sales_call(), librivox()] {
            let spoke: BTreeSet<String> = cues(sample.vtt).into_iter().map(|cue| cue.speaker).collect();
            let listed: BTreeSet<String> = sample.participants.iter().map(|p| p.name.to_owned()).collect();
            assert_eq!(spoke, listed, "{}", sample.key);
        }
        assert_eq!(sales_call().participants.iter().filter(|p| p.internal).count(), 1);
    }

    #[test]
    fn chat_has_a_reaction_and_a_reply_in_zooms_form() {
        let chat = sales_call().chat.unwrap();
        assert_eq!(
            chat.matches('\n').count(),
            chat.matches("\r\n").count(),
            "CRLF only"
        );
        let messages: Vec<Vec<&str>> = chat
            .split("\r\n")
            .filter(|l| l.contains('\t'))
            .map(|l| l.split('\t').collect())
            .collect();
        assert!(messages.iter().all(|m| m.len() == 3 && m[1].ends_with(':')));
        assert!(messages.iter().any(|m| m[2].starts_with("Reacted to \"")));
        assert!(messages.iter().any(|m| m[2].starts_with("Replying to \"")));
    }

    #[test]
    fn reference_holds_the_words_of_the_transcript() {
        let sample = librivox();
        let sentences = sample.reference.unwrap().lines().count();
        assert_eq!(sentences, cues(sample.vtt).len());
    }
}
