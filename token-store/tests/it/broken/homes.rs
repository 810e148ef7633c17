use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tempfile::TempDir;
use token_store::{
    ConnectionId, Expect, Filter, Generation, Page, PageToken, StoreError, StoredConnection, TokenStore,
    Versioned,
    conformance::{DurableHome, durable::*},
};

const RIGHT: u8 = 0;
const FORGETS_ON_OPENING: u8 = 1;
const TRUSTS_ITS_MEMORY: u8 = 2;
const HIDES_THE_CORRUPT: u8 = 3;
const STOPS_AT_THE_CORRUPT: u8 = 4;
const REFUSES_NEW_FIELDS: u8 = 5;
const OPENS_ONCE: u8 = 6;
const LOCKS_IN_PROCESS: u8 = 7;

type Documents = BTreeMap<ConnectionId, (Generation, Value)>;

/// All records in one JSON file; a lock on the file is the transaction.
#[derive(Debug)]
struct JsonFile<const DEFECT: u8> {
    path: PathBuf,
    remembered: Mutex<Documents>,
}

static PROCESS: Mutex<()> = Mutex::new(());

impl<const DEFECT: u8> JsonFile<DEFECT> {
    /// Reads the documents, lets `change` at them, and writes them back if it was given any.
    fn transaction<T>(
        &self,
        change: impl FnOnce(&mut Documents) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _process = PROCESS.lock().unwrap_or_else(|poison| poison.into_inner());
        let mut file = open_file(&self.path);
        if DEFECT != LOCKS_IN_PROCESS {
            file.lock().unwrap();
        }
        let mut remembered = self.remembered.lock().unwrap();
        if DEFECT != TRUSTS_ITS_MEMORY || remembered.is_empty() {
            *remembered = parse(&mut file);
        }
        let before = remembered.clone();
        let result = change(&mut remembered)?;
        if *remembered != before {
            if DEFECT == LOCKS_IN_PROCESS {
                std::thread::sleep(Duration::from_millis(2));
            }
            // Whole or not at all, for a process that reads without the lock.
            let text = serde_json::to_vec(&*remembered).unwrap();
            file.rewind().unwrap();
            file.write_all(&text).unwrap();
            file.set_len(text.len() as u64).unwrap();
        }
        Ok(result)
    }
}

fn open_file(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).unwrap()
}

fn parse(file: &mut File) -> Documents {
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap_or_default()
}

fn read<const DEFECT: u8>(
    id: &ConnectionId,
    (generation, document): &(Generation, Value),
) -> Result<Versioned<StoredConnection>, StoreError> {
    if DEFECT == REFUSES_NEW_FIELDS && document.get("later").is_some() {
        return Err(StoreError::corrupt(id.clone(), "an unknown field"));
    }
    Ok(Versioned {
        value: serde_json::from_value(document.clone())
            .map_err(|error| StoreError::corrupt(id.clone(), error))?,
        generation: *generation,
    })
}

#[async_trait]
impl<const DEFECT: u8> TokenStore for JsonFile<DEFECT> {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        let found = self.transaction(|documents| {
            documents
                .get(id)
                .map(|found| read::<DEFECT>(id, found))
                .transpose()
        });
        match found {
            Err(StoreError::Corrupt { .. }) if DEFECT == HIDES_THE_CORRUPT => Ok(None),
            found => found,
        }
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let document = serde_json::to_value(record).unwrap();
        self.transaction(|documents| {
            let current = documents.get(&record.id).map(|(generation, _)| *generation);
            let generation = expect.advance(record, current)?;
            documents.insert(record.id.clone(), (generation, document));
            Ok(generation)
        })
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        self.transaction(|documents| {
            documents.remove(id);
            Ok(())
        })
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        self.transaction(|documents| {
            let (mut items, mut unreadable, mut last) = (Vec::new(), Vec::new(), None);
            for (id, found) in documents.iter() {
                if page.position().is_some_and(|position| id <= position) {
                    continue;
                }
                if items.len() + unreadable.len() == filter.page_size() {
                    let next = last.map(PageToken::after);
                    return Ok(Page {
                        items,
                        unreadable,
                        next,
                    });
                }
                match read::<DEFECT>(id, found) {
                    Ok(found) if !filter.matches(&found.value) => continue,
                    Ok(found) => items.push(found),
                    Err(error) if DEFECT == STOPS_AT_THE_CORRUPT => return Err(error),
                    Err(_) => unreadable.push(id.clone()),
                }
                last = Some(id.clone());
            }
            Ok(Page {
                items,
                unreadable,
                next: None,
            })
        })
    }
}

#[derive(Debug)]
struct Home<const DEFECT: u8>(TempDir);

impl<const DEFECT: u8> Home<DEFECT> {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn change(&self, id: &ConnectionId, change: impl FnOnce(&mut Value)) {
        let store = JsonFile::<RIGHT> {
            path: self.address().into(),
            remembered: Mutex::default(),
        };
        let changed = store.transaction(|documents| {
            change(&mut documents.get_mut(id).unwrap().1);
            Ok(())
        });
        changed.unwrap();
    }
}

#[async_trait]
impl<const DEFECT: u8> DurableHome for Home<DEFECT> {
    fn address(&self) -> String {
        self.0.path().join("records.json").display().to_string()
    }

    async fn open(address: &str) -> Arc<dyn TokenStore> {
        if DEFECT == OPENS_ONCE {
            let marker = Path::new(address).with_extension("tables");
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(marker)
                .unwrap();
        }
        if DEFECT == FORGETS_ON_OPENING {
            File::create(address).unwrap();
        }
        Arc::new(JsonFile::<DEFECT> {
            path: address.into(),
            remembered: Mutex::default(),
        })
    }

    async fn corrupt(&self, id: &ConnectionId) {
        self.change(id, |document| document["sealed"] = json!("garbage"));
    }

    async fn write_as_a_newer_version(&self, id: &ConnectionId) {
        self.change(id, |document| document["later"] = json!({"unknown": 1}));
    }
}

mod without_a_defect {
    use super::*;
    token_store::durable_token_store_conformance!(async { Home::<RIGHT>::new() });
}

#[test]
fn each_durable_rule_catches_its_defect() {
    macro_rules! caught {
        ($($rule:ident: $defect:ident,)+) => {
            $(assert!(
                super::fails($rule(&Home::<$defect>::new())),
                "{} does not see {}",
                stringify!($rule),
                stringify!($defect),
            );)+
        };
    }
    caught! {
        reopened_store_has_what_was_saved: FORGETS_ON_OPENING,
        two_handles_never_both_win: TRUSTS_ITS_MEMORY,
        a_corrupt_record_is_an_error_not_an_absence: HIDES_THE_CORRUPT,
        a_corrupt_record_hides_no_other: STOPS_AT_THE_CORRUPT,
        a_newer_version_s_record_is_read: REFUSES_NEW_FIELDS,
        many_may_open_a_new_home_at_once: OPENS_ONCE,
    }
}

/// In the processes that the rule starts this test is a writer and ends well; only here it has to fail.
#[test]
fn the_rule_of_two_processes_catches_a_lock_within_one() {
    let is_writer = std::env::var_os("TOKEN_STORE_CONFORMANCE_HOME").is_some();
    let test = concat!(
        module_path!(),
        "::the_rule_of_two_processes_catches_a_lock_within_one"
    );
    let result = std::panic::catch_unwind(|| {
        writers_in_two_processes_never_both_win(test, || async { Home::<LOCKS_IN_PROCESS>::new() });
    });
    assert_eq!(result.is_ok(), is_writer);
}
