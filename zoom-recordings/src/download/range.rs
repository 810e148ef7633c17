//! Going on after a cut: what must be the same for the rest of a file to be the rest of *this* file.

use http::{HeaderMap, HeaderValue, header};

/// What the first answer said about the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Version {
    /// A strong `ETag`, else the time of the last change. Without either a cut file is begun anew.
    validator: Option<HeaderValue>,
    /// The whole length, if the server says it.
    pub(super) total: Option<u64>,
}

impl Version {
    /// Reads the answer to a request for the whole file.
    pub(super) fn of_whole(headers: &HeaderMap) -> Self {
        let strong = headers
            .get(header::ETAG)
            .filter(|tag| !tag.as_bytes().starts_with(b"W/"));
        let validator = strong.or_else(|| headers.get(header::LAST_MODIFIED)).cloned();
        let length = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        Self {
            validator,
            total: length,
        }
    }

    /// The headers that ask for the rest behind the first `have` bytes; `None` when that would not be safe.
    pub(super) fn ask_for_rest(&self, have: u64) -> Option<[(http::HeaderName, HeaderValue); 2]> {
        let validator = self.validator.clone().filter(|_| have > 0)?;
        let range = HeaderValue::try_from(format!("bytes={have}-")).ok()?;
        Some([(header::RANGE, range), (header::IF_RANGE, validator)])
    }

    /// Whether an answer with status 206 goes on behind the first `have` bytes of the same version.
    pub(super) fn is_rest(&self, headers: &HeaderMap, have: u64) -> bool {
        let Some((start, total)) = headers.get(header::CONTENT_RANGE).and_then(content_range) else {
            return false;
        };
        let same_tag = match (headers.get(header::ETAG), &self.validator) {
            (Some(now), Some(then)) if then.as_bytes().starts_with(b"\"") => now == then,
            _ => true,
        };
        have > 0
            && start == have
            && same_tag
            && (total.is_none() || self.total.is_none() || total == self.total)
    }
}

/// Start and total of `bytes 5-9/10` or `bytes 5-9/*`.
fn content_range(value: &HeaderValue) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.to_str().ok()?.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((
        start.trim().parse().ok()?,
        if total == "*" {
            None
        } else {
            Some(total.trim().parse().ok()?)
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers<const N: usize>(pairs: [(http::HeaderName, &'static str); N]) -> HeaderMap {
        pairs
            .into_iter()
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_rest_is_asked_for_only_when_the_version_can_be_named() {
        let strong = Version::of_whole(&headers([
            (header::ETAG, "\"a\""),
            (header::CONTENT_LENGTH, "10"),
        ]));
        let [range, if_range] = strong.ask_for_rest(4).unwrap();
        assert_eq!(
            (range.1.as_bytes(), if_range.1.as_bytes()),
            (&b"bytes=4-"[..], &b"\"a\""[..])
        );
        assert!(strong.ask_for_rest(0).is_none());
        let dated = [
            (header::ETAG, "W/\"a\""),
            (header::LAST_MODIFIED, "Sun, 22 Nov 2026 10:00:00 GMT"),
        ];
        assert_eq!(
            Version::of_whole(&headers(dated)).ask_for_rest(4).unwrap()[1]
                .1
                .as_bytes()[..3],
            b"Sun"[..]
        );
        assert!(
            Version::of_whole(&headers([(header::ETAG, "W/\"a\"")]))
                .ask_for_rest(4)
                .is_none()
        );
    }

    #[test]
    fn the_rest_of_another_version_or_from_another_place_is_refused() {
        let version = Version::of_whole(&headers([
            (header::ETAG, "\"a\""),
            (header::CONTENT_LENGTH, "10"),
        ]));
        let rest =
            |range, tag| version.is_rest(&headers([(header::CONTENT_RANGE, range), (header::ETAG, tag)]), 4);
        assert!(rest("bytes 4-9/10", "\"a\""));
        assert!(rest("bytes 4-9/*", "\"a\""));
        assert!(!rest("bytes 4-9/10", "\"b\""));
        assert!(!rest("bytes 3-9/10", "\"a\""));
        assert!(!rest("bytes 4-10/11", "\"a\""));
        assert!(!rest("pages 4-9/10", "\"a\""));
        assert!(!version.is_rest(&HeaderMap::new(), 4));
    }
}
