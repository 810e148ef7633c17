//! Reading a query or a form without ever refusing one.

use url::form_urlencoded;

/// The first value of this name that is not blank.
pub(crate) fn param(pairs: Option<&str>, name: &str) -> Option<String> {
    form_urlencoded::parse(pairs?.as_bytes())
        .find(|(key, value)| key == name && !value.trim().is_empty())
        .map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_query() {
        assert_eq!(
            param(Some("q=%22next+step%22&x=1"), "q").as_deref(),
            Some("\"next step\"")
        );
        assert_eq!(param(Some("q=++&q=b"), "q").as_deref(), Some("b"));
        assert_eq!(param(Some("&&=%zz&q"), "q"), None);
        assert_eq!(param(None, "q"), None);
    }
}
