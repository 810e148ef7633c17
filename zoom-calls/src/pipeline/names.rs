//! Zoom's names for words that somebody else wrote down.

use zoom_recordings::Transcript;

/// Gives every utterance without a speaker the one who, by Zoom's transcript, spoke most of that time. Says how many.
pub(super) fn name_speakers(words: &mut Transcript, names: &Transcript) -> usize {
    let mut named = 0;
    for utterance in words
        .utterances
        .iter_mut()
        .filter(|utterance| utterance.speaker.is_none())
    {
        let (start, end) = (utterance.start_ms, utterance.end_ms.max(utterance.start_ms + 1));
        let mut spoke: Vec<(&str, u64)> = Vec::new();
        // Cues are sorted by start and at most half a minute long, so whatever starts after the end is too late.
        for cue in names.utterances.iter().take_while(|cue| cue.start_ms < end) {
            let common = cue.end_ms.min(end).saturating_sub(cue.start_ms.max(start));
            let Some(speaker) = cue.speaker.as_deref().filter(|_| common > 0) else {
                continue;
            };
            match spoke.iter_mut().find(|(name, _)| *name == speaker) {
                Some((_, ms)) => *ms += common,
                None => spoke.push((speaker, common)),
            }
        }
        let most = spoke.into_iter().max_by_key(|(_, ms)| *ms);
        utterance.speaker = most.map(|(name, _)| name.to_owned());
        named += usize::from(utterance.speaker.is_some());
    }
    named
}

#[cfg(test)]
mod tests {
    use zoom_recordings::TranscriptSource;

    use super::*;

    #[test]
    fn the_one_who_spoke_most_of_the_time_gets_the_words() {
        let mut zoom = Transcript::new(TranscriptSource::Zoom);
        zoom.push(0, 4_000, Some("Ana"), "…");
        zoom.push(4_500, 9_000, Some("Ben"), "…");
        let mut words = Transcript::new(TranscriptSource::Whisper);
        words.push(200, 4_200, None, "good morning");
        words.push(3_800, 8_000, None, "hello");
        words.push(20_000, 21_000, None, "nobody's");
        assert_eq!(name_speakers(&mut words, &zoom), 2);
        let names: Vec<Option<&str>> = words.utterances.iter().map(|u| u.speaker.as_deref()).collect();
        assert_eq!(names, [Some("Ana"), Some("Ben"), None]);
    }
}
