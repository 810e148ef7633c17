//! What a record holds is what comes back.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::{find, full_record, load, record, save, unique};
use crate::{Expect, Filter, PageToken, RecordKind, Status, StoreError, StoredConnection, TokenStore};

/// Saves a record and sees that it comes back, by id and by owner.
async fn is_kept(store: &Arc<dyn TokenStore>, saved: StoredConnection) {
    let generation = save(store, &saved, Expect::Absent).await;
    let filter = Filter::all().owner(saved.owner.clone());
    let found = store.find(&filter, PageToken::first()).await;
    let found = found.expect("the find succeeds").items.pop().expect("the record");
    assert_eq!((found.value, found.generation), (saved.clone(), generation));
    assert_eq!(load(store, saved.id.as_str()).await, Some((saved, generation)));
}

/// Rule 1.
pub async fn what_was_saved_is_loaded(store: Arc<dyn TokenStore>) {
    for make in [record, full_record] {
        let saved = make(&unique("id"), "owner");
        let generation = save(&store, &saved, Expect::Absent).await;
        assert_eq!(load(&store, saved.id.as_str()).await, Some((saved, generation)));
    }
    let mut emptied = full_record(&unique("id"), "owner");
    let generation = save(&store, &emptied, Expect::Absent).await;
    emptied.sealed = None;
    emptied.email = None;
    emptied.expires_at = None;
    emptied.scopes.clear();
    let generation = save(&store, &emptied, Expect::Generation(generation)).await;
    assert_eq!(
        load(&store, emptied.id.as_str()).await,
        Some((emptied, generation))
    );
}

/// Rule 13.
pub async fn unicode_ids_are_kept_apart(store: Arc<dyn TokenStore>) {
    let tail = unique("");
    // The same letter in two forms, two cases, white space, quotes, SQL and pattern characters.
    let names = [
        "ä",
        "a\u{308}",
        "Ä",
        "ä ",
        " ä",
        "'; --",
        "%",
        "_",
        "\u{1F989}",
        "a",
    ];
    let ids: Vec<String> = names.iter().map(|name| format!("{name}{tail}")).collect();
    for id in &ids {
        save(&store, &record(id, id), Expect::Absent).await;
    }
    for id in &ids {
        assert_eq!(
            load(&store, id).await.map(|(found, _)| found),
            Some(record(id, id))
        );
        assert_eq!(
            find(&store, Filter::all().owner(id.as_str().into())).await,
            std::slice::from_ref(id)
        );
    }
}

/// Rule 14.
pub async fn unknown_status_survives(store: Arc<dyn TokenStore>) {
    let mut made = record(&unique("id"), &unique("owner"));
    made.kind = RecordKind::from("from the future");
    made.status = Status::from("Paused 🦉");
    let generation = save(&store, &made, Expect::Absent).await;
    assert_eq!(
        load(&store, made.id.as_str()).await,
        Some((made.clone(), generation))
    );
    let filter = Filter::all()
        .owner(made.owner.clone())
        .status(made.status.clone())
        .kind(made.kind.clone());
    assert_eq!(find(&store, filter).await, [made.id.to_string()]);
}

/// Rule 15.
pub async fn attributes_are_kept(store: Arc<dyn TokenStore>) {
    let names = ["", " ", "Ä", "ä", "a.b", "$set", "a'b\"c", "{}", "🦉", "null"];
    let odd = names.map(|name| (name.to_owned(), format!("{name} as a value\n")));
    let many = (0..200).map(|number| (format!("name-{number}"), number.to_string()));
    let empty = [("empty".to_owned(), String::new())];
    for attributes in [
        BTreeMap::new(),
        BTreeMap::from(empty),
        BTreeMap::from(odd),
        many.collect(),
    ] {
        let mut made = record(&unique("id"), &unique("owner"));
        made.attributes = attributes;
        is_kept(&store, made).await;
    }
    let mut made = record(&unique("id"), &unique("owner"));
    made.attributes.insert("gone".into(), "soon".into());
    let generation = save(&store, &made, Expect::Absent).await;
    made.attributes = BTreeMap::from([("new".into(), "one".into())]);
    let generation = save(&store, &made, Expect::Generation(generation)).await;
    assert_eq!(
        load(&store, made.id.as_str()).await,
        Some((made, generation)),
        "a save replaces the attributes, it does not merge them"
    );
}

/// Rule 16.
pub async fn absent_and_empty_are_kept_apart(store: Arc<dyn TokenStore>) {
    let mut empty = record(&unique("id"), &unique("owner"));
    for field in [
        &mut empty.provider_account,
        &mut empty.provider_user,
        &mut empty.display_name,
        &mut empty.email,
        &mut empty.status_reason,
    ] {
        *field = Some(String::new());
    }
    empty.scopes = vec![String::new()];
    let mut absent = record(&unique("id"), empty.owner.as_str());
    absent.scopes = Vec::new();
    for made in [&empty, &absent] {
        let generation = save(&store, made, Expect::Absent).await;
        assert_eq!(
            load(&store, made.id.as_str()).await,
            Some((made.clone(), generation))
        );
    }
    let ours = || Filter::all().owner(empty.owner.clone());
    for filter in [ours().provider_account(""), ours().provider_user("")] {
        assert_eq!(find(&store, filter).await, [empty.id.to_string()]);
    }
}

/// Rule 17.
pub async fn times_are_kept_to_the_microsecond(store: Arc<dyn TokenStore>) {
    for time in [
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2026-11-22T10:00:00.000001Z",
        "2038-01-19T03:14:08Z",
        "9999-12-01T00:00:00.999999Z",
    ] {
        let time: Timestamp = time.parse().expect("an instant");
        let mut made = record(&unique("id"), &unique("owner"));
        (made.created_at, made.updated_at, made.expires_at) = (time, time, Some(time));
        is_kept(&store, made).await;
    }
    let mut finer = record(&unique("id"), "owner");
    finer.expires_at = Some("2026-11-22T10:00:00.123456789Z".parse().expect("an instant"));
    save(&store, &finer, Expect::Absent).await;
    let (found, _) = load(&store, finer.id.as_str()).await.expect("the record");
    let distance = found
        .expires_at
        .expect("it expires")
        .duration_since(finer.expires_at.expect("it expires"));
    assert!(distance.abs() < SignedDuration::from_micros(1), "{distance}");
}

/// Rule 18.
pub async fn long_ids_are_kept_apart(store: Arc<dyn TokenStore>) {
    let long = unique(&"x".repeat(480)).chars().take(511).collect::<String>();
    let ids = ["a", "b"].map(|end| format!("{long}{end}"));
    for id in &ids {
        save(&store, &record(id, id), Expect::Absent).await;
    }
    for id in &ids {
        let found = load(&store, id).await.map(|(found, _)| found);
        assert_eq!(found, Some(record(id, id)));
        let filter = Filter::all().owner(id.as_str().into());
        assert_eq!(find(&store, filter).await, std::slice::from_ref(id));
    }
}

/// Rule 19.
pub async fn large_records_are_kept(store: Arc<dyn TokenStore>) {
    let mut made = full_record(&unique("id"), &unique("owner"));
    made.scopes = (0..400)
        .map(|number| format!("meeting:read:list_of_things_{number}:admin"))
        .collect();
    let sealed = format!("v1.k1.AAECAwQFBgcICQoL.{}", "c2VhbGVk".repeat(8 * 1024));
    made.sealed = Some(sealed.parse().expect("a sealed part"));
    made.attributes.insert("long".into(), "ä🦉 ".repeat(4 * 1024));
    is_kept(&store, made).await;
}

/// Rule 20.
pub async fn a_nul_is_kept_or_refused(store: Arc<dyn TokenStore>) {
    let spoil: [fn(&mut StoredConnection, String); 5] = [
        |record, text| record.id = text.into(),
        |record, text| record.owner = text.into(),
        |record, text| record.display_name = Some(text),
        |record, text| record.scopes = vec![text],
        |record, text| {
            record.attributes.insert("name".into(), text);
        },
    ];
    for spoil in spoil {
        let (before, mut made) = (unique("before"), record(&unique("id"), &unique("owner")));
        spoil(&mut made, format!("{before}\0after"));
        match store.save(&made, Expect::Absent).await {
            Ok(generation) => assert_eq!(load(&store, made.id.as_str()).await, Some((made, generation))),
            Err(StoreError::Invalid(_)) => {}
            Err(other) => panic!("a text that cannot be kept is StoreError::Invalid, not {other:?}"),
        }
        assert_eq!(load(&store, &before).await, None, "a text is never cut");
        let filter = Filter::all().owner(before.as_str().into());
        assert_eq!(find(&store, filter).await, [""; 0], "a text is never cut");
    }
}
