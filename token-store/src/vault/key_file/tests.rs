use std::{
    collections::{BTreeSet, HashSet},
    process::Command,
    sync::Barrier,
};

use super::*;
use crate::KeyProblem;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn ids(file: &KeyFile) -> Vec<String> {
    let ids = file.ids().unwrap();
    ids.iter().map(ToString::to_string).collect()
}

#[test]
fn the_file_is_made_once_and_only_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let made = KeyFile::open_or_create(&path).unwrap();
    let read = KeyFile::open_or_create(&path).unwrap();
    assert_eq!(format!("{made:?}"), format!("{read:?}"));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no draft is left behind"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn many_who_create_at_once_get_the_same_key() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let start = Barrier::new(8);
        let names: HashSet<String> = std::thread::scope(|scope| {
            let open = || {
                start.wait();
                format!("{:?}", KeyFile::open_or_create(&path).unwrap())
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(names.len(), 1, "{names:?}");
    }
}

#[test]
fn a_broken_file_is_an_error_and_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    write_private(&path, b"k1:c2hvcnQ=\n").unwrap();
    assert!(matches!(
        KeyFile::open_or_create(&path),
        Err(VaultError::KeyEntry {
            number: 1,
            problem: KeyProblem::Length(5)
        })
    ));
    assert_eq!(fs::read_to_string(&path).unwrap(), "k1:c2hvcnQ=\n");
    let missing = KeyFile::open(folder.path().join("missing"));
    assert!(missing.unwrap_err().is_retryable());
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "open makes nothing"
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let file = KeyFile::open_or_create(&path).unwrap();
    for (mode, accepted) in [
        (0o604, false),
        (0o602, false),
        (0o601, false),
        (0o620, false),
        (0o666, false),
        (0o640, true),
        (0o400, true),
        (0o600, true),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let opened = KeyFile::open(&path).map(drop);
        let listed = file.ids().map(drop);
        for outcome in [opened, listed] {
            match outcome {
                Ok(()) => assert!(accepted, "{mode:o}"),
                Err(VaultError::KeyFileExposed) => assert!(!accepted, "{mode:o}"),
                Err(other) => panic!("{mode:o}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_new_key_seals_and_the_older_ones_stay_until_they_are_retired() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let file = KeyFile::open_or_create(&path).unwrap();
    let first = file.ids().unwrap().remove(0);
    let commented = format!("# ours\n{}", fs::read_to_string(&path).unwrap());
    fs::write(&path, commented).unwrap();
    let second = file.add_primary().unwrap();
    let third = file.add_primary().unwrap();
    assert_eq!(
        file.ids().unwrap(),
        [third.clone(), second.clone(), first.clone()]
    );
    assert_eq!(block_on(file.primary()).unwrap().id(), &third);

    assert!(matches!(file.retire(&third), Err(VaultError::PrimaryKey(id)) if id == third));
    let unknown = KeyId::new("nobody").unwrap();
    assert!(matches!(file.retire(&unknown), Err(VaultError::UnknownKey(id)) if id == unknown));
    assert_eq!(ids(&file).len(), 3, "a refusal changes nothing");
    file.retire(&second).unwrap();
    assert_eq!(KeyFile::open(&path).unwrap().ids().unwrap(), [third, first]);
    assert!(block_on(file.key(&second)).unwrap().is_none());
    assert!(
        fs::read_to_string(&path).unwrap().contains("# ours"),
        "comments stay"
    );

    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["keys", "keys.lock"], "no draft is left behind");
    #[cfg(unix)]
    for name in names {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_running_host_takes_up_a_new_key_when_it_meets_it_and_when_it_seals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let [meets, seals] = [(); 2].map(|()| KeyFile::open_or_create(&path).unwrap());
    let old = block_on(seals.primary()).unwrap();
    let new = KeyFile::open(&path).unwrap().add_primary().unwrap();
    assert_eq!(block_on(meets.key(&new)).unwrap().unwrap().id(), &new);
    assert_eq!(block_on(seals.primary()).unwrap().id(), &new);
    for host in [meets, seals] {
        assert!(block_on(host.key(old.id())).unwrap().is_some());
    }
}

#[test]
fn a_host_seals_on_while_its_file_is_broken_or_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let host = KeyFile::open_or_create(&path).unwrap();
    let key = block_on(host.primary()).unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, "half a").unwrap();
    assert_eq!(block_on(host.primary()).unwrap().id(), key.id());
    fs::remove_file(&path).unwrap();
    assert_eq!(block_on(host.primary()).unwrap().id(), key.id());
    write_private(&path, &whole).unwrap();
    let new = KeyFile::open(&path).unwrap().add_primary().unwrap();
    assert_eq!(block_on(host.primary()).unwrap().id(), &new);
}

#[test]
fn many_who_add_a_key_at_once_lose_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    KeyFile::open_or_create(&path).unwrap();
    let start = Barrier::new(8);
    let added: BTreeSet<String> = std::thread::scope(|scope| {
        let add = || {
            let file = KeyFile::open(&path).unwrap();
            start.wait();
            file.add_primary().unwrap().to_string()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(add)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let kept: BTreeSet<String> = ids(&KeyFile::open(&path).unwrap()).into_iter().collect();
    assert_eq!(kept.len(), 9);
    assert!(kept.is_superset(&added));
}

const PATH_OF_THE_OTHER_PROCESS: &str = "TOKEN_STORE_TEST_KEY_FILE";

/// What each of the processes below does; a test like any other when nobody asks for more.
#[test]
fn another_process() {
    let Some(path) = std::env::var_os(PATH_OF_THE_OTHER_PROCESS) else {
        return;
    };
    let file = KeyFile::open_or_create(path).unwrap();
    println!("id={}", file.ids().unwrap().last().unwrap());
    file.add_primary().unwrap();
}

#[test]
fn processes_that_start_at_once_share_one_file_and_lose_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let processes: Vec<_> = (0..4)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "--nocapture",
                    "vault::key_file::tests::another_process",
                ])
                .env(PATH_OF_THE_OTHER_PROCESS, &path)
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut made = HashSet::new();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let id = text
            .lines()
            .find_map(|line| line.split_once("id="))
            .unwrap()
            .1
            .to_owned();
        made.insert(id);
    }
    assert_eq!(
        made.len(),
        1,
        "all of them found the key that one of them made: {made:?}"
    );
    assert_eq!(ids(&KeyFile::open(&path).unwrap()).len(), 5);
}
