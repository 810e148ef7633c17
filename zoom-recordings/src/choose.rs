//! Which files of a recording are worth downloading.

use jiff::Timestamp;
use zoom_core::model::{FileType, Recording, RecordingFile, RecordingType};

/// The files of a recording that matter, by segment.
///
/// A meeting whose recording was stopped and started again has several segments, each with files of its own. Whoever
/// wants the whole conversation goes through all of them and joins the transcripts with
/// [`Transcript::append`](crate::Transcript::append) at [`Segment::offset_ms`]; the methods give the first file of a
/// kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chosen {
    /// The segments in the order of time.
    pub segments: Vec<Segment>,
    /// Files that Zoom is still at work on, so that nobody takes "not there yet" for "never".
    pub unfinished: Vec<RecordingFile>,
}

/// One stretch of recording, from start (or restart) to stop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Segment {
    /// When it began, if Zoom says it.
    pub start: Option<Timestamp>,
    /// How long after the first segment it began; 0 where that is not known.
    pub offset_ms: u64,
    /// The smallest file that has the sound of the meeting.
    pub media: Option<RecordingFile>,
    /// Zoom's transcript.
    pub transcript: Option<RecordingFile>,
    /// Closed captions; they carry no names.
    pub captions: Option<RecordingFile>,
    /// The chat as text.
    pub chat: Option<RecordingFile>,
    /// Who spoke when.
    pub timeline: Option<RecordingFile>,
}

impl Chosen {
    /// The first segment's sound.
    #[must_use]
    pub fn media(&self) -> Option<&RecordingFile> {
        self.segments.iter().find_map(|segment| segment.media.as_ref())
    }

    /// The first transcript.
    #[must_use]
    pub fn transcript(&self) -> Option<&RecordingFile> {
        self.segments
            .iter()
            .find_map(|segment| segment.transcript.as_ref())
    }

    /// The first chat.
    #[must_use]
    pub fn chat(&self) -> Option<&RecordingFile> {
        self.segments.iter().find_map(|segment| segment.chat.as_ref())
    }

    /// The first time line.
    #[must_use]
    pub fn timeline(&self) -> Option<&RecordingFile> {
        self.segments.iter().find_map(|segment| segment.timeline.as_ref())
    }

    /// Whether nothing can be downloaded now.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }
}

/// Sorts a recording's files into segments and picks what matters: the smallest file with the meeting's sound (audio
/// before video), the transcript, captions, chat and time line. Kinds that are not known, empty ones included, are left
/// alone; what Zoom is still at work on is listed apart.
///
/// ```
/// use zoom_core::model::Recording;
/// use zoom_recordings::choose_files;
///
/// let recording: Recording = serde_json::from_str(r#"{"uuid": "SIMa==", "id": 85512345678, "recording_files": [
///     {"file_type": "MP4", "file_size": 9000, "download_url": "https://zoom.us/rec/download/SIM1"},
///     {"file_type": "M4A", "file_size": 700, "download_url": "https://zoom.us/rec/download/SIM2"}
/// ]}"#)?;
/// let chosen = choose_files(&recording);
/// assert_eq!(chosen.media().and_then(|file| file.file_size), Some(700));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn choose_files(recording: &Recording) -> Chosen {
    let (ready, unfinished): (Vec<_>, Vec<_>) = recording
        .recording_files
        .iter()
        .partition(|file| file.is_ready() && file.file_size != Some(0));
    let mut useful: Vec<(Kind, &RecordingFile)> = ready
        .into_iter()
        .filter_map(|file| Some((Kind::of(file)?, file)))
        .collect();
    useful.sort_by_key(|(kind, file)| (kind.rank(), file.file_size.unwrap_or(u64::MAX)));

    // Media say where segments start; a transcript that comes alone speaks for itself.
    let mut starts = starts_of(
        useful
            .iter()
            .filter(|(kind, _)| matches!(kind, Kind::Media { .. })),
    );
    if starts.is_empty() {
        starts = starts_of(useful.iter());
    }
    if starts.is_empty() && !useful.is_empty() {
        starts.push(None);
    }
    let first = starts.first().copied().flatten();
    let mut segments: Vec<Segment> = starts
        .iter()
        .map(|start| Segment {
            start: *start,
            offset_ms: milliseconds_between(first, *start),
            ..Segment::default()
        })
        .collect();
    for (kind, file) in useful {
        // Text may start a little later than the media it belongs to.
        let later = segments.partition_point(|segment| segment.start <= file.recording_start);
        let Some(segment) = segments.get_mut(later.saturating_sub(1)) else {
            continue;
        };
        let place = match kind {
            Kind::Media { .. } => &mut segment.media,
            Kind::Transcript { .. } => &mut segment.transcript,
            Kind::Captions => &mut segment.captions,
            Kind::Chat => &mut segment.chat,
            Kind::Timeline => &mut segment.timeline,
        };
        place.get_or_insert_with(|| file.clone());
    }
    Chosen {
        segments,
        unfinished: unfinished.into_iter().cloned().collect(),
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Media { rank: u8 },
    Transcript { rank: u8 },
    Captions,
    Chat,
    Timeline,
}

impl Kind {
    /// `None` for what does not help: interpreters' tracks are somebody else's words, pictures and polls are no speech.
    fn of(file: &RecordingFile) -> Option<Self> {
        let shows = file.recording_type.as_ref();
        match file.file_type {
            _ if matches!(
                shows,
                Some(
                    RecordingType::AudioInterpretation
                        | RecordingType::SignInterpretation
                        | RecordingType::AudioOnlyEachParticipant
                )
            ) =>
            {
                None
            }
            FileType::M4a => Some(Self::Media {
                rank: u8::from(shows != Some(&RecordingType::AudioOnly)),
            }),
            FileType::Mp4 => Some(Self::Media {
                rank: if shows == Some(&RecordingType::HostVideo) {
                    3
                } else {
                    2
                },
            }),
            FileType::Transcript => Some(Self::Transcript {
                rank: u8::from(shows == Some(&RecordingType::CcTranscript)),
            }),
            FileType::ClosedCaption => Some(Self::Captions),
            FileType::Chat => Some(Self::Chat),
            FileType::Timeline => Some(Self::Timeline),
            _ => None,
        }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Media { rank } | Self::Transcript { rank } => rank,
            Self::Captions | Self::Chat | Self::Timeline => 0,
        }
    }
}

fn starts_of<'a>(files: impl Iterator<Item = &'a (Kind, &'a RecordingFile)>) -> Vec<Option<Timestamp>> {
    let mut starts: Vec<_> = files
        .map(|(_, file)| file.recording_start)
        .filter(Option::is_some)
        .collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

fn milliseconds_between(first: Option<Timestamp>, later: Option<Timestamp>) -> u64 {
    let (Some(first), Some(later)) = (first, later) else {
        return 0;
    };
    u64::try_from(later.duration_since(first).as_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
