//! The rules of [`History`].

use std::sync::Arc;

use super::unique;
use crate::{ConnectionId, Entry, History, OwnerId, Status};

fn entry(connection: &str, owner: &str, event: &str) -> Entry {
    Entry {
        connection: connection.into(),
        owner: owner.into(),
        at: "2026-11-22T10:00:00.123456Z".parse().expect("an instant"),
        event: event.to_owned(),
        status: Status::Active,
        reason: None,
    }
}

async fn append(history: &Arc<dyn History>, entry: &Entry) {
    history.append(entry).await.expect("the append succeeds");
}

async fn entries(history: &Arc<dyn History>, connection: &str, limit: usize) -> Vec<Entry> {
    history
        .entries(&ConnectionId::new(connection), limit)
        .await
        .expect("the history answers")
}

async fn events(history: &Arc<dyn History>, connection: &str, limit: usize) -> Vec<String> {
    let found = entries(history, connection, limit).await;
    found.into_iter().map(|entry| entry.event).collect()
}

async fn erase(history: &Arc<dyn History>, owner: &str) -> u64 {
    let erased = history.erase(&OwnerId::new(owner)).await;
    erased.expect("the erasure succeeds")
}

/// Rule 1.
pub async fn entries_come_newest_first(history: Arc<dyn History>) {
    let connection = unique("connection");
    // Clocks of several machines: the second to be appended claims to be the oldest.
    for (number, second) in [30, 10, 20].into_iter().enumerate() {
        let mut made = entry(&connection, "owner", &number.to_string());
        made.at += jiff::SignedDuration::from_secs(second);
        append(&history, &made).await;
    }
    assert_eq!(events(&history, &connection, 10).await, ["2", "1", "0"]);
}

/// Rule 2.
pub async fn no_more_than_asked_for(history: Arc<dyn History>) {
    let connection = unique("connection");
    assert_eq!(events(&history, &connection, 3).await, [""; 0]);
    for number in 0..5 {
        append(&history, &entry(&connection, "owner", &number.to_string())).await;
    }
    assert_eq!(events(&history, &connection, 0).await, [""; 0]);
    assert_eq!(events(&history, &connection, 3).await, ["4", "3", "2"]);
    for plenty in [5, 6, usize::MAX] {
        assert_eq!(events(&history, &connection, plenty).await.len(), 5, "{plenty}");
    }
}

/// Rule 3.
pub async fn what_was_appended_is_returned(history: Arc<dyn History>) {
    let connection = unique("connection");
    let plain = entry(&connection, &unique("owner"), "connected");
    let full = Entry {
        owner: unique("Zoë O'Neill 🦉").into(),
        at: "1969-12-31T23:59:59.000001Z".parse().expect("an instant"),
        event: "an event from the future".into(),
        status: Status::from("Paused 🦉"),
        reason: Some("'; --".into()),
        ..plain.clone()
    };
    append(&history, &plain).await;
    append(&history, &full).await;
    assert_eq!(entries(&history, &connection, 10).await, [full, plain]);
}

/// Rule 4.
pub async fn connections_are_kept_apart(history: Arc<dyn History>) {
    let tail = unique("");
    let names = ["ä", "a\u{308}", "Ä", "ä ", "%", "_"].map(|name| format!("{name}{tail}"));
    for name in &names {
        append(&history, &entry(name, "owner", name)).await;
    }
    for name in &names {
        assert_eq!(events(&history, name, 10).await, std::slice::from_ref(name));
    }
}

/// Rule 5.
pub async fn the_same_entry_twice_is_two(history: Arc<dyn History>) {
    let connection = unique("connection");
    let made = entry(&connection, "owner", "degraded");
    append(&history, &made).await;
    append(&history, &made).await;
    assert_eq!(entries(&history, &connection, 10).await, [made.clone(), made]);
}

/// Rule 6.
pub async fn erase_forgets_one_owner(history: Arc<dyn History>) {
    let (one, other) = (unique("connection"), unique("connection"));
    let owner = unique("owner");
    let stranger = owner.to_uppercase();
    for connection in [&one, &other] {
        append(&history, &entry(connection, &owner, "ours")).await;
        append(&history, &entry(connection, &stranger, "a stranger's")).await;
    }
    append(&history, &entry(&one, &owner, "ours too")).await;
    assert_eq!(erase(&history, &owner).await, 3);
    assert_eq!(erase(&history, &owner).await, 0);
    for connection in [&one, &other] {
        assert_eq!(events(&history, connection, 10).await, ["a stranger's"]);
    }
}
