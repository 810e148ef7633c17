/// The word error rate of a transcript: the fewest words to insert, delete or replace to get from what was said to
/// what was heard, divided by the words said. 0.0 is perfect; more than 1.0 is possible.
///
/// Case, punctuation and hyphens do not count, and `Mr.` and `Mrs.` are the words they stand for.
///
/// ```
/// use zoom_recordings::local::word_error_rate;
///
/// assert_eq!(word_error_rate("Mr. Dash-wood had leisure", "mister dash wood had leisure!"), 0.0);
/// assert_eq!(word_error_rate("one two three four", "one too three"), 0.5);
/// ```
#[must_use]
pub fn word_error_rate(said: &str, heard: &str) -> f64 {
    let (said, heard) = (words(said), words(heard));
    // One row of the edit distance table: distance from the words so far to each prefix of `heard`.
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (done, word) in said.iter().enumerate() {
        let mut diagonal = done;
        let mut left = done + 1;
        let mut next = vec![left];
        for (above, other) in row.iter().skip(1).zip(&heard) {
            left = (diagonal + usize::from(word != other))
                .min(above + 1)
                .min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last()
        .map_or(0.0, |distance| *distance as f64 / said.len().max(1) as f64)
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '\''))
        .map(|word| word.trim_matches('\'').to_lowercase())
        .filter(|word| !word.is_empty())
        .map(|word| match word.as_str() {
            "mr" => "mister".to_owned(),
            "mrs" => "missus".to_owned(),
            _ => word,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_error_counts_once() {
        assert_eq!(word_error_rate("a b c d", "a b c d"), 0.0);
        assert_eq!(word_error_rate("a b c d", "a x c d"), 0.25);
        assert_eq!(word_error_rate("a b c d", "a c d"), 0.25);
        assert_eq!(word_error_rate("a b c d", "a b x c d"), 0.25);
        assert_eq!(word_error_rate("a b c d", "b c d e"), 0.5);
        assert_eq!(word_error_rate("a b", ""), 1.0);
        assert_eq!(word_error_rate("", "a b"), 2.0);
    }

    #[test]
    fn apostrophes_belong_to_words() {
        assert_eq!(word_error_rate("don't", "dont"), 1.0);
        assert_eq!(word_error_rate("'quoted'", "quoted"), 0.0);
    }
}
