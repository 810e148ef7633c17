use super::*;

#[test]
fn the_texts_are_these() {
    let mut shown = String::new();
    for &kind in ErrorKind::ALL {
        let page = Error::new(kind).page();
        let button = page
            .action
            .map_or("-".to_owned(), |action| format!("[{}]", action.label));
        shown += &format!(
            "{kind:?} {}\n  {}\n  {}\n  {button}\n",
            page.key, page.title, page.message
        );
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_text_says_the_same_whatever_zoom_or_the_machine_said() {
    let plain = Error::new(ErrorKind::Refused).page();
    let with_code = Error::with_code(ErrorKind::Refused, Some("canary_code".into())).page();
    let with_source = Error::with_source(ErrorKind::Refused, "canary").page();
    assert_eq!((plain, plain), (with_code, with_source));
}

#[test]
fn a_text_has_no_codes_and_two_texts_no_common_key() {
    let mut keys = std::collections::BTreeMap::new();
    for &kind in ErrorKind::ALL {
        let page = Error::new(kind).page();
        let text = format!("{} {}", page.title, page.message);
        assert!(
            !text.contains(|odd: char| odd.is_ascii_digit() || "_<>{}()".contains(odd)),
            "{text}"
        );
        assert_eq!(*keys.entry(page.key).or_insert(page.message), page.message);
    }
}

#[test]
fn a_key_leads_back_to_its_text_and_nothing_else_does() {
    for &kind in ErrorKind::ALL {
        let page = Error::new(kind).page();
        assert_eq!(PageText::from_key(page.key), Some(page));
    }
    assert_eq!(PageText::from_key("<b>You won</b>"), None);
}
