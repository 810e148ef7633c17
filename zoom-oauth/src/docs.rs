//! The tables in `docs/` are those of the code.

use std::path::Path;

use zoom_core::ApiError;

use crate::{
    AppKind, Cause, Feature,
    refusal::{NUMBERS, WORDS},
};

/// Holds a table against the one between its marks in a file of `docs/`; with `UPDATE_DOCS` set, writes it there.
pub(crate) fn hold(file: &str, name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (
        format!("<!-- table: {name} -->\n"),
        format!("<!-- end: {name} -->\n"),
    );
    let (before, rest) = text.split_once(&begin).unwrap();
    let (written, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(
            written, table,
            "UPDATE_DOCS=1 cargo test -p zoom-oauth --lib -- --test-threads=1 writes it"
        );
    }
}

fn code(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

#[test]
fn the_scopes_of_features_are_those_of_the_code() {
    let mut table = String::from(
        "| feature | call | app of users: any one of | app of administrators: any one of |\n|---|---|---|---|\n",
    );
    for feature in Feature::ALL {
        for (number, call) in feature.calls().iter().enumerate() {
            let name = if number == 0 {
                format!("`{feature}`")
            } else {
                String::new()
            };
            let [user, admin] = [AppKind::User, AppKind::Admin].map(|kind| code(&call.scopes_for(kind)));
            table += &format!("| {name} | `{}` | {user} | {admin} |\n", call.call);
        }
    }
    hold("scopes.md", "scopes", &table);
}

#[test]
fn what_features_take_besides_is_that_of_the_code() {
    let mut table = String::from(
        "| feature | in words | paid licence | cloud recording on | audio transcript on |\n|---|---|---|---|---|\n",
    );
    for feature in Feature::ALL {
        let yes = |takes: bool| if takes { "yes" } else { "" };
        table += &format!(
            "| `{feature}` | {} | {} | {} | {} |\n",
            feature.title(),
            yes(feature.needs_licence()),
            yes(feature.needs_cloud_recording()),
            yes(feature.needs_audio_transcript()),
        );
    }
    hold("scopes.md", "needs", &table);
}

#[test]
fn the_causes_are_those_of_the_code() {
    let mut table = String::from(
        "| reason | the connection becomes | what its owner reads | action |\n|---|---|---|---|\n",
    );
    for cause in Cause::ALL {
        let becomes = cause
            .becomes()
            .map_or("–".to_owned(), |status| format!("`{status}`"));
        table += &format!(
            "| `{cause}` | {becomes} | {} | `{}` |\n",
            cause.message(),
            cause.action()
        );
    }
    hold("connections.md", "causes", &table);
}

#[test]
fn what_zoom_says_means_what_it_means_in_the_code() {
    let mut table = String::from("| Zoom says | where | reason |\n|---|---|---|\n");
    let mut row =
        |said: &str, place: &str, cause: &Cause| table += &format!("| {said} | {place} | `{cause}` |\n");
    let numbers = NUMBERS.iter().map(|known| (known.said.to_string(), &known.cause));
    let words = WORDS.iter().map(|known| (code(&[known.said]), &known.cause));
    for (said, cause) in numbers.chain(words) {
        row(&said, "token endpoint", cause);
    }
    for (said, status, number, message) in [
        ("124, and 401 without a number", 401, Some(124), ""),
        ("4711", 400, Some(4711), ""),
        ("1001, 1010", 404, Some(1001), ""),
        ("1000, 1120", 400, Some(1120), ""),
        ("1108, 1122", 400, Some(1122), ""),
        ("2001", 404, Some(2001), ""),
        ("3161", 400, Some(3161), ""),
        ("3309", 400, Some(3309), ""),
        (
            "200 to 299, about a paid account",
            400,
            Some(200),
            "Only available for paid account",
        ),
        ("200 to 299, and 403 without a number", 400, Some(299), ""),
        ("300 to 399", 400, Some(300), ""),
        ("404 with any other number", 404, Some(3001), ""),
        ("429", 429, None, ""),
        ("5xx", 503, None, ""),
    ] {
        row(
            said,
            "API",
            &Cause::from_api(&ApiError::new(status, number, message)),
        );
    }
    hold("connections.md", "numbers", &table);
}
