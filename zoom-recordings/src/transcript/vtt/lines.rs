//! Lines ended by LF, CRLF or, in files without any LF, CR.

#[derive(Debug, Clone)]
pub(super) struct Lines<'a> {
    rest: Option<&'a str>,
    put_back: Option<&'a str>,
    end: char,
    number: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let end = if text.contains('\n') { '\n' } else { '\r' };
        Self {
            rest: Some(text),
            put_back: None,
            end,
            number: 0,
        }
    }

    /// The number of the line that was read last, from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Gives the end of the last line back: it is read again.
    pub(super) const fn put_back(&mut self, rest_of_line: &'a str) {
        self.put_back = Some(rest_of_line);
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if let Some(line) = self.put_back.take() {
            return Some(line);
        }
        let rest = self.rest?;
        self.number += 1;
        let (line, rest) = match rest.split_once(self.end) {
            Some((line, rest)) => (line, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}
