//! Which of the two languages the rules know is spoken.

use std::collections::BTreeMap;

use zoom_recordings::Transcript;

use crate::text::words;

const ENGLISH: &[&str] = &[
    "the", "and", "is", "you", "that", "of", "to", "it", "we", "was", "have", "for", "with", "not",
];
const FRENCH: &[&str] = &[
    "le", "la", "les", "et", "est", "vous", "que", "de", "des", "nous", "c'est", "une", "pour", "pas",
];

/// Function words of a language that make up at least this part of a text, in hundredths.
const ENOUGH: usize = 5;

/// The language as the transcript says, else by its function words; `None` when neither tells.
pub(super) fn detect(transcript: &Transcript) -> Option<String> {
    if let Some(tag) = &transcript.language {
        return tag.split(['-', '_']).next().map(str::to_lowercase);
    }
    let mut hits: BTreeMap<&str, usize> = BTreeMap::new();
    let mut total = 0;
    for word in transcript.utterances.iter().flat_map(|u| words(&u.text)) {
        total += 1;
        *hits.entry("en").or_default() += usize::from(ENGLISH.contains(&word.as_str()));
        *hits.entry("fr").or_default() += usize::from(FRENCH.contains(&word.as_str()));
    }
    let (language, count) = hits.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 100 >= total * ENOUGH && count > 0).then(|| language.to_owned())
}

#[cfg(test)]
mod tests {
    use zoom_recordings::TranscriptSource;

    use super::*;

    #[test]
    fn the_transcript_is_believed_first_and_its_words_second() {
        let of = |text| {
            let mut transcript = Transcript::new(TranscriptSource::Zoom);
            transcript.push(0, 1_000, None, text);
            transcript
        };
        assert_eq!(detect(&of("we have the budget for that")).as_deref(), Some("en"));
        assert_eq!(
            detect(&of("nous avons le budget pour la solution et c'est bien")).as_deref(),
            Some("fr")
        );
        assert_eq!(detect(&of("Wir haben kein Budget dafür, sagt der Chef")), None);
        assert_eq!(
            detect(&of("bonjour").with_language("fr-CA")).as_deref(),
            Some("fr")
        );
    }
}
