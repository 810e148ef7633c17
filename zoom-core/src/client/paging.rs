use std::{collections::HashSet, future::Future};

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tracing::warn;

use crate::{Error, Page, PageToken};

/// Reads page after page with `read`.
///
/// Only the token decides whether there is more: an empty page may have a successor. A token that was seen before ends
/// the stream, or it would never end. An error is yielded once and ends it.
pub(crate) fn pages<T, F, R>(read: F) -> impl Stream<Item = Result<Page<T>, Error>> + Send
where
    T: Send,
    F: Fn(Option<PageToken>) -> R + Send,
    R: Future<Output = Result<Page<T>, Error>> + Send,
{
    enum State {
        At(Option<PageToken>),
        Done,
    }

    stream::unfold(
        (State::At(None), HashSet::new(), read),
        |(state, mut seen, read)| async move {
            let State::At(token) = state else { return None };
            let result = read(token).await;
            let next = match &result {
                Ok(page) => page.next.clone().filter(|next| seen.insert(next.clone())),
                Err(_) => None,
            };
            let state = next.map_or(State::Done, |next| State::At(Some(next)));
            Some((result, (state, seen, read)))
        },
    )
}

/// The entries of all pages.
pub(crate) fn items<T: Send>(
    pages: impl Stream<Item = Result<Page<T>, Error>> + Send,
) -> impl Stream<Item = Result<T, Error>> + Send {
    pages
        .map_ok(|page| stream::iter(entries(page)).map(Ok))
        .try_flatten()
}

/// The entries of a page; those that could not be read are left to the log.
pub(crate) fn entries<T>(page: Page<T>) -> Vec<T> {
    for skipped in &page.skipped {
        warn!(
            position = skipped.position,
            reason = skipped.reason,
            "an entry of a list could not be read"
        );
    }
    page.items
}

#[cfg(test)]
mod tests {
    use futures_util::{TryStreamExt as _, future};
    use proptest::prelude::*;

    use super::*;

    fn page(items: &[u32], next: Option<&str>) -> Result<Page<u32>, Error> {
        Ok(Page::new(items.to_vec(), next.map(PageToken::new)))
    }

    fn wait<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn an_empty_page_is_not_the_end() {
        let stream = pages(|token: Option<PageToken>| {
            future::ready(match token.as_ref().map(PageToken::as_str) {
                None => page(&[1], Some("a")),
                Some("a") => page(&[], Some("b")),
                _ => page(&[2], None),
            })
        });
        assert_eq!(wait(items(stream).try_collect::<Vec<_>>()).unwrap(), [1, 2]);
    }

    #[test]
    fn a_page_named_twice_ends_the_stream() {
        let stream = pages(|token: Option<PageToken>| {
            future::ready(match token.as_ref().map(PageToken::as_str) {
                None => page(&[1], Some("a")),
                Some("a") => page(&[2], Some("b")),
                _ => page(&[3], Some("a")),
            })
        });
        assert_eq!(wait(items(stream).try_collect::<Vec<_>>()).unwrap(), [1, 2, 3]);
    }

    #[test]
    fn an_error_comes_once_and_last() {
        let stream = pages(|token: Option<PageToken>| {
            future::ready(match token {
                None => page(&[1], Some("a")),
                Some(_) => Err(Error::timeout("slow")),
            })
        });
        let results: Vec<_> = wait(items(stream).take(9).collect());
        assert_eq!(results.len(), 2);
        assert!(matches!(results[0], Ok(1)));
        assert!(results[1].as_ref().is_err_and(Error::is_timeout));
    }

    proptest! {
        #[test]
        fn paging_equals_the_flat_list(list in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..4), 1..6)) {
            let flat: Vec<u32> = list.iter().flatten().copied().collect();
            let last = list.len() - 1;
            let read = move |token: Option<PageToken>| {
                let at: usize = token.map_or(0, |token| token.as_str().parse().unwrap());
                let next = (at < last).then(|| (at + 1).to_string());
                future::ready(page(&list[at], next.as_deref()))
            };
            prop_assert_eq!(wait(items(pages(read)).try_collect::<Vec<_>>()).unwrap(), flat);
        }
    }
}
