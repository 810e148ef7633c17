//! Sets of moments, in exact milliseconds.

use jiff::Timestamp;

/// Stretches of time that neither touch nor overlap, in order. Each has its first moment and not its last.
///
/// * However the same moments are put in, the set and its measure are the same.
/// * A stretch that ends where it starts, or before, holds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spans(Vec<(i64, i64)>);

impl Spans {
    /// One stretch.
    #[must_use]
    pub fn between(start: Timestamp, end: Timestamp) -> Self {
        Self::normal(vec![(start.as_millisecond(), end.as_millisecond())])
    }

    fn normal(mut spans: Vec<(i64, i64)>) -> Self {
        spans.retain(|(start, end)| start < end);
        spans.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
        for (start, end) in spans {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        Self(merged)
    }

    /// The moments in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::normal(self.0.iter().chain(&other.0).copied().collect())
    }

    /// The moments in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = Vec::new();
        while let (Some(&&(a_start, a_end)), Some(&&(b_start, b_end))) = (left.peek(), right.peek()) {
            both.push((a_start.max(b_start), a_end.min(b_end)));
            if a_end <= b_end {
                left.next()
            } else {
                right.next()
            };
        }
        Self::normal(both)
    }

    /// How long it is altogether, in milliseconds.
    #[must_use]
    pub fn measure_ms(&self) -> i64 {
        self.0.iter().map(|(start, end)| end - start).sum()
    }

    /// The first moment.
    #[must_use]
    pub fn first(&self) -> Option<Timestamp> {
        self.0
            .first()
            .and_then(|(start, _)| Timestamp::from_millisecond(*start).ok())
    }

    /// The moment after the last.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        self.0
            .last()
            .and_then(|(_, end)| Timestamp::from_millisecond(*end).ok())
    }

    /// Whether there is no moment in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Timestamp, Timestamp)> for Spans {
    fn from_iter<I: IntoIterator<Item = (Timestamp, Timestamp)>>(spans: I) -> Self {
        Self::normal(
            spans
                .into_iter()
                .map(|(start, end)| (start.as_millisecond(), end.as_millisecond()))
                .collect(),
        )
    }
}
