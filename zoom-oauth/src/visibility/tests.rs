use token_store::{RecordKind, StoredConnection};

use super::*;
use crate::attributes;

fn connection(opened_by: Option<&str>, status: &Status) -> Connection {
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    let mut record = StoredConnection::new(
        "c1".into(),
        "org-7".into(),
        RecordKind::Connection,
        status.clone(),
        now,
    );
    record.provider_account = Some("canary-account".into());
    record.provider_user = Some("canary-user".into());
    record.display_name = Some("Canary Name".into());
    record.email = Some("canary@example.com".into());
    record.scopes = vec!["canary:scope".into()];
    record.status_reason = Some("canary_reason".into());
    if let Some(user) = opened_by {
        record
            .attributes
            .insert(attributes::OPENED_BY.into(), user.into());
    }
    Connection::from_record(&record).unwrap()
}

#[test]
fn every_viewer_sees_what_the_table_says() {
    const HERE: Opener<'static> = Opener {
        name: Some("Maya"),
        has_left: false,
    };
    const LEFT: Opener<'static> = Opener {
        name: Some("Maya"),
        has_left: true,
    };
    let (admin, member) = (Role::Admin, Role::Member);
    // Role, who opened it, what the host knows of them → what is seen, reconnect and disconnect, e-mail, by whom.
    let table = [
        (admin, Some("viewer"), HERE, "mine", true, true, None),
        (admin, Some("viewer"), LEFT, "mine", true, true, None),
        (admin, Some("maya"), HERE, "managed", false, false, Some("Maya")),
        (admin, Some("maya"), LEFT, "managed", true, false, None),
        (admin, None, HERE, "managed", true, false, None),
        (admin, None, LEFT, "managed", true, false, None),
        (
            member,
            Some("viewer"),
            HERE,
            "managed",
            false,
            false,
            Some("Maya"),
        ),
        (member, Some("viewer"), LEFT, "managed", false, false, None),
        (member, Some("maya"), HERE, "managed", false, false, Some("Maya")),
        (member, Some("maya"), LEFT, "managed", false, false, None),
        (member, None, HERE, "managed", false, false, None),
        (member, None, LEFT, "managed", false, false, None),
    ];
    for (role, opened_by, opener, sees, manages, email, by) in table {
        for status in [Status::Active, Status::Degraded, Status::Expired] {
            let view = Viewer::new("viewer", role).view(Some(&connection(opened_by, &status)), opener);
            let case = format!("{role:?} {opened_by:?} {opener:?} {status}: {view:?}");
            let seen = match &view {
                View::Mine(own) => {
                    assert_eq!(own.status, status, "{case}");
                    ("mine", None)
                }
                View::Managed {
                    by, status: shown, ..
                } => {
                    assert_eq!(*shown, status, "{case}");
                    ("managed", by.as_deref())
                }
                View::None { .. } => ("none", None),
            };
            assert_eq!(seen, (sees, by), "{case}");
            assert_eq!(
                (view.may_reconnect(), view.may_disconnect()),
                (manages, manages),
                "{case}"
            );
            assert_eq!(view.may_see_email(), email, "{case}");
            assert!(!view.may_connect(), "{case}");
        }
    }
}

#[test]
fn where_nothing_is_connected_admins_may_connect() {
    let left = connection(Some("maya"), &Status::Disconnected);
    for (role, may_connect) in [(Role::Admin, true), (Role::Member, false)] {
        for user in ["viewer", "maya"] {
            for opener in [Opener::named("Maya"), Opener::left(), Opener::default()] {
                for connection in [None, Some(&left)] {
                    let view = Viewer::new(user, role).view(connection, opener);
                    assert_eq!(view, View::None { may_connect });
                    assert_eq!(view.may_connect(), may_connect);
                    assert!(!view.may_reconnect() && !view.may_disconnect() && !view.may_see_email());
                }
            }
        }
    }
}

#[test]
fn others_are_shown_neither_the_account_nor_what_is_wrong_with_it() {
    let connection = connection(Some("maya"), &Status::Expired);
    for viewer in [
        Viewer::admin("viewer"),
        Viewer::member("viewer"),
        Viewer::member("maya"),
    ] {
        let view = viewer.view(Some(&connection), Opener::named("Maya"));
        let shown = format!("{view:?} {}", serde_json::to_string(&view).unwrap());
        assert!(!shown.to_lowercase().contains("canary"), "{shown}");
    }
    let mine = Viewer::admin("maya").view(Some(&connection), Opener::default());
    assert!(
        serde_json::to_string(&mine)
            .unwrap()
            .contains("canary@example.com")
    );
}
