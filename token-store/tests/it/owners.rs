//! Whoever guesses an id sees nothing of somebody else's, in no home.

use std::sync::Arc;

use token_store::{
    ConnectionId, Expect, Filter, MemoryStore, OwnerId, PageToken, RecordKind, SqliteStore, Status,
    StoredConnection, TokenStore, TokenStoreExt as _, conformance::DurableHome, connect,
};

use crate::homes::{Database, File};

async fn every_home(file: &File, database: &Database) -> Vec<Arc<dyn TokenStore>> {
    vec![
        Arc::new(MemoryStore::new()),
        Arc::new(Box::new(MemoryStore::new())),
        connect("memory:").await.unwrap().store,
        Arc::new(SqliteStore::connect("sqlite::memory:").await.unwrap()),
        File::open(&file.address()).await,
        Database::open(&database.address()).await,
    ]
}

#[tokio::test]
async fn a_guessed_id_shows_nothing_of_somebody_else_s() {
    let (file, database) = (File::new(), Database::new());
    for store in every_home(&file, &database).await {
        let owner = OwnerId::new("Org-7");
        let id = ConnectionId::new("c0ffee");
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut record = StoredConnection::new(
            id.clone(),
            owner.clone(),
            RecordKind::Connection,
            Status::Active,
            now,
        );
        record.provider_account = Some("account".into());
        store.save(&record, Expect::Absent).await.unwrap();

        let own = store.load_owned(&owner, &id).await.unwrap();
        assert_eq!(own.map(|found| found.value), Some(record), "{store:?}");
        let strangers = [
            "",
            " ",
            "org-7",
            "ORG-7",
            "Org-7 ",
            " Org-7",
            "Org",
            "Org-70",
            "Org-%",
            "%",
            "_rg-7",
            "*",
            "Org-7' OR '1'='1",
            "c0ffee",
        ];
        for stranger in strangers.map(OwnerId::new) {
            let found = store.load_owned(&stranger, &id).await.unwrap();
            assert_eq!(found, None, "{stranger:?} in {store:?}");
            let before = PageToken::after("c0ffed".into());
            for filter in [
                Filter::all().owner(stranger.clone()),
                Filter::all().provider_account("account").owner(stranger.clone()),
            ] {
                let page = store.find(&filter, before.clone()).await.unwrap();
                assert!(
                    page.items.is_empty() && page.next.is_none(),
                    "{filter:?} in {store:?}"
                );
            }
        }
        for guess in ["c0ffe", "c0ffee ", "C0FFEE", "%", "c0ffee%", "' OR '1'='1"] {
            assert_eq!(
                store.load_owned(&owner, &guess.into()).await.unwrap(),
                None,
                "{guess:?}"
            );
        }
    }
}
