//! Measure of a union of half-open intervals.

/// The time covered by at least one of `[start, end)`; an interval that ends before it starts covers nothing.
pub(super) fn union_ms(intervals: impl IntoIterator<Item = (u64, u64)>) -> u64 {
    let mut sorted: Vec<(u64, u64)> = intervals.into_iter().filter(|(start, end)| start < end).collect();
    sorted.sort_unstable();
    let mut covered = 0;
    let mut reached = 0;
    for (start, end) in sorted {
        covered += end.saturating_sub(start.max(reached));
        reached = reached.max(end);
    }
    covered
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_covered_twice_counts_once() {
        assert_eq!(
            union_ms([(0, 10), (5, 12), (5, 12), (20, 25), (30, 30), (9, 3)]),
            17
        );
        assert_eq!(union_ms([]), 0);
        assert_eq!(union_ms([(0, 10), (10, 20)]), 20);
    }

    proptest! {
        #[test]
        fn a_union_is_no_longer_than_its_span_and_no_shorter_than_its_longest_part(
            intervals in proptest::collection::vec((0_u64..10_000, 0_u64..10_000), 1..20)
        ) {
            let union = union_ms(intervals.clone());
            let start = intervals.iter().map(|i| i.0).min().unwrap();
            let end = intervals.iter().map(|i| i.1).max().unwrap();
            prop_assert!(union <= end.saturating_sub(start));
            prop_assert!(union >= intervals.iter().map(|(s, e)| e.saturating_sub(*s)).max().unwrap());
            let mut by_point = vec![false; 10_000];
            for (s, e) in &intervals { for p in *s..*e { by_point[usize::try_from(p).unwrap()] = true; } }
            prop_assert_eq!(union, by_point.iter().filter(|hit| **hit).count() as u64);
        }
    }
}
