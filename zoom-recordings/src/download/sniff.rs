//! Is it the file? Zoom answers 200 with a page where it should say 401, so neither status nor type is enough.

use crate::{MediaType, NotAFile};

/// How many first bytes are needed to tell.
pub(super) const PREFIX: usize = 512;
/// How much of a page is read to tell which page it is.
pub(super) const PAGE: usize = 64 << 10;

/// What the first bytes and the declared type say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    File,
    Page,
    Json,
    OtherBytes,
}

/// Judges a body by its first bytes (up to [`PREFIX`]); what a file of this type must start with outweighs what the
/// server says about it.
pub(super) fn judge(expected: MediaType, content_type: Option<&str>, prefix: &[u8]) -> Verdict {
    let declared = content_type
        .and_then(|t| t.split(';').next())
        .map(|t| t.trim().to_ascii_lowercase());
    let declared = declared.as_deref();
    let text = prefix
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(prefix)
        .trim_ascii_start();
    let is_page = looks_like_a_page(text);
    let is_error = looks_like_an_error(text);
    let has_magic = match expected {
        MediaType::Mp4 | MediaType::M4a => Some(prefix.get(4..8) == Some(b"ftyp")),
        MediaType::Vtt => Some(text.starts_with(b"WEBVTT")),
        MediaType::Json => Some(text.starts_with(b"{") || text.starts_with(b"[")),
        MediaType::Jpeg => Some(prefix.starts_with(b"\xff\xd8")),
        _ => None,
    };
    if is_page {
        Verdict::Page
    } else if is_error {
        Verdict::Json
    } else if has_magic == Some(true) {
        Verdict::File
    } else if matches!(declared, Some("text/html" | "application/xhtml+xml")) {
        Verdict::Page
    } else if declared.is_some_and(|t| t == "application/json" || t.ends_with("+json"))
        || has_magic.is_some() && (text.starts_with(b"{") || text.starts_with(b"["))
    {
        Verdict::Json
    } else if has_magic.is_none() {
        Verdict::File
    } else {
        Verdict::OtherBytes
    }
}

/// Which page it is, by its words.
pub(super) fn name_page(page: &[u8]) -> NotAFile {
    let text = String::from_utf8_lossy(page).to_lowercase();
    let title = text
        .split_once("<title")
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or("", |(_, rest)| rest);
    let title = title.split_once("</title").map_or("", |(title, _)| title);
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if title.contains("password required")
        || title.contains("passcode")
        || has(&["enter the passcode", "passcode required"])
    {
        NotAFile::PasscodePage
    } else if has(&[
        "only the host can download",
        "sign in",
        "sign-in",
        "signin",
        "log in",
        "login",
    ]) {
        NotAFile::LoginPage
    } else {
        NotAFile::Page
    }
}

/// Whether a JSON body says that the token is not good (any more).
pub(super) fn refuses_token(json: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(json) else {
        return false;
    };
    let code = |key: &str| value.get(key).and_then(serde_json::Value::as_i64);
    code("code") == Some(124) || code("errorCode") == Some(401) || code("errorCode") == Some(124)
}

fn looks_like_a_page(text: &[u8]) -> bool {
    ["<!doctype html", "<html", "<head", "<body"].iter().any(|start| {
        text.get(..start.len())
            .is_some_and(|first| first.eq_ignore_ascii_case(start.as_bytes()))
    })
}

fn looks_like_an_error(text: &[u8]) -> bool {
    let has = |key: &[u8]| text.windows(key.len()).any(|window| window == key);
    text.starts_with(b"{")
        && (has(b"\"errorCode\"") || has(b"\"errorMessage\"") || has(b"\"code\"") && has(b"\"message\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const M4A: &[u8] = b"\0\0\0\x1cftypM4A \0\0\0\0";

    #[test]
    fn files_are_known_by_their_first_bytes_whatever_the_server_calls_them() {
        for declared in [
            None,
            Some("application/octet-stream"),
            Some("text/plain"),
            Some("text/html;charset=utf-8"),
        ] {
            assert_eq!(judge(MediaType::M4a, declared, M4A), Verdict::File);
            assert_eq!(
                judge(MediaType::Vtt, declared, b"\xef\xbb\xbf\nWEBVTT\n"),
                Verdict::File
            );
        }
        assert_eq!(
            judge(MediaType::Json, Some("application/json"), b"{\"timeline\":[]}"),
            Verdict::File
        );
        assert_eq!(
            judge(MediaType::Text, Some("text/plain"), b"00:00:01\tAna:\thi"),
            Verdict::File
        );
        assert_eq!(judge(MediaType::Jpeg, None, b"\xff\xd8\xff"), Verdict::File);
    }

    #[test]
    fn pages_are_caught_by_type_and_by_bytes() {
        for expected in [MediaType::Mp4, MediaType::Vtt, MediaType::Text, MediaType::Json] {
            assert_eq!(
                judge(expected, Some("text/html; charset=UTF-8"), b"  Only the host"),
                Verdict::Page
            );
            assert_eq!(
                judge(expected, Some("video/mp4"), b"\r\n <!DOCTYPE html><title>"),
                Verdict::Page
            );
            assert_eq!(judge(expected, None, b"<HTML lang=en>"), Verdict::Page);
        }
    }

    #[test]
    fn json_errors_are_caught_even_where_json_is_expected() {
        let error = b"{\"status\":false,\"errorCode\":401,\"errorMessage\":\"Forbidden\"}";
        for expected in [MediaType::Mp4, MediaType::Vtt, MediaType::Text, MediaType::Json] {
            assert_eq!(judge(expected, None, error), Verdict::Json);
        }
        assert_eq!(judge(MediaType::Mp4, None, b"[1]"), Verdict::Json);
        assert_eq!(
            judge(MediaType::Text, Some("application/json"), b"{}"),
            Verdict::Json
        );
        assert!(refuses_token(error));
        assert!(refuses_token(
            b"{\"code\":124,\"message\":\"Invalid access token.\"}"
        ));
        assert!(!refuses_token(b"{\"code\":3301}"));
    }

    #[test]
    fn bytes_of_another_kind_are_not_the_file() {
        assert_eq!(
            judge(MediaType::Mp4, Some("video/mp4"), b"RIFF\0\0\0\0WAVE"),
            Verdict::OtherBytes
        );
        assert_eq!(judge(MediaType::M4a, None, b"\0\0"), Verdict::OtherBytes);
        assert_eq!(judge(MediaType::Vtt, None, b"1\n00:00"), Verdict::OtherBytes);
    }

    #[test]
    fn pages_are_told_apart_by_their_words() {
        assert_eq!(
            name_page(b"<title>Password Required - Zoom</title>"),
            NotAFile::PasscodePage
        );
        assert_eq!(
            name_page(b"<html><p>Enter the passcode to watch"),
            NotAFile::PasscodePage
        );
        assert_eq!(
            name_page(b"<p>Only the host can download this recording"),
            NotAFile::LoginPage
        );
        assert_eq!(
            name_page(b"<title>Sign In - Zoom</title><input type=password>"),
            NotAFile::LoginPage
        );
        assert_eq!(name_page(b"<title>502 Bad Gateway</title>"), NotAFile::Page);
        assert_eq!(name_page(b"\xff\xfe"), NotAFile::Page);
    }
}
