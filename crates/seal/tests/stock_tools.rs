//! Others' tools read what we write, and we read what they write: Debian's age, GNU tar, bagit-python.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::fs::{self, File};
use std::process::Command;

use canvass_seal::bag::{Algorithm, BagDirWriter, BagInfo, Limits, Verdict, validate_dir, validate_tar};
use canvass_seal::crypt::{DecryptReader, Wrapping};
use canvass_seal::envelope::seal;
use canvass_seal::{group, offer};
use common::{have, identity, plan, recipient};
use zeroize::Zeroizing;

fn run(command: &mut Command) -> Vec<u8> {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

fn python() -> Option<String> {
    let python = std::env::var("CANVASS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    have(&python, &["-c", "import bagit"]).then_some(python)
}

fn validate(python: &str, bag: &std::path::Path) {
    let code = "import bagit, sys; bagit.Bag(sys.argv[1]).validate()";
    run(Command::new(python).args(["-c", code]).arg(bag));
}

fn clips() -> Vec<(String, Vec<u8>)> {
    vec![
        ("a.mp4".to_owned(), vec![1; 200_000]),
        ("100 ñandú.mkv".to_owned(), b"x".to_vec()),
        ("n".repeat(200), b"long".to_vec()),
    ]
}

#[test]
fn age_tar_and_bagit_open_an_envelope() {
    if !have("age", &["--version"]) || !have("tar", &["--version"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    seal(plan(&clips()), File::create(path("offer.age")).unwrap(), |_| {}).unwrap();
    fs::write(path("key.txt"), group::identity_file(&identity(1), "now").unwrap().as_bytes()).unwrap();
    run(Command::new("age")
        .arg("-d")
        .arg("-i")
        .arg(path("key.txt"))
        .arg("-o")
        .arg(path("bag.tar"))
        .arg(path("offer.age")));
    run(Command::new("tar").arg("-xf").arg(path("bag.tar")).arg("-C").arg(home.path()));
    let bag = path("envelope");
    for (name, bytes) in clips() {
        assert_eq!(fs::read(bag.join("data/clips").join(name)).unwrap(), bytes);
    }
    assert_eq!(validate_dir(&bag, Limits::default()).unwrap().verdict(), Verdict::Valid);
    let report =
        validate_tar(File::open(path("bag.tar")).unwrap(), &[Algorithm::Sha256], Limits::default()).unwrap();
    assert_eq!(report.verdict(), Verdict::Valid, "{:?}", report.defects);
    if let Some(python) = python() {
        validate(&python, &bag);
        fs::write(bag.join("data/clips/a.mp4"), b"changed").unwrap();
        let code = "import bagit, sys; sys.exit(0 if not bagit.Bag(sys.argv[1]).is_valid() else 1)";
        run(Command::new(python).args(["-c", code]).arg(&bag));
    }
}

#[test]
fn bagit_python_validates_a_directory_bag_and_we_validate_one_of_its() {
    let Some(python) = python() else { return };
    let home = tempfile::tempdir().unwrap();
    let ours = home.path().join("bundle");
    let mut writer = BagDirWriter::new(&ours).unwrap();
    for (name, bytes) in clips().iter().take(1) {
        writer.payload(&format!("items/{name}"), &mut bytes.as_slice()).unwrap();
    }
    writer.payload("empty", &mut b"".as_slice()).unwrap();
    writer.tag("metadata/case.jsonld", b"{}").unwrap();
    let info = BagInfo {
        bagging_date: "2026-01-31".to_owned(),
        software_agent: "canvass".to_owned(),
        ..BagInfo::default()
    };
    writer.finish(&info).unwrap();
    validate(&python, &ours);
    assert_eq!(validate_dir(&ours, Limits::default()).unwrap().verdict(), Verdict::Valid);

    let theirs = home.path().join("theirs");
    fs::create_dir_all(theirs.join("sub")).unwrap();
    fs::write(theirs.join("sub/ñandú.txt"), b"hello").unwrap();
    fs::write(theirs.join("b.txt"), b"").unwrap();
    run(Command::new(&python).args(["-c", "import bagit, sys; bagit.make_bag(sys.argv[1], {'Contact-Name': 'x'}, checksums=['md5', 'sha512'])"]).arg(&theirs));
    let report = validate_dir(&theirs, Limits::default()).unwrap();
    assert_eq!(report.verdict(), Verdict::Valid, "{:?}", report.defects);
    if have("tar", &["--version"]) {
        for format in ["gnu", "pax", "ustar"] {
            let tar = run(Command::new("tar")
                .arg(format!("--format={format}"))
                .arg("-cf")
                .arg("-")
                .arg("-C")
                .arg(home.path())
                .arg("theirs"));
            let report = validate_tar(tar.as_slice(), &Algorithm::ALL, Limits::default()).unwrap();
            assert_eq!(report.verdict(), Verdict::Valid, "{format}: {:?}", report.defects);
        }
    }
}

#[test]
fn age_opens_a_wrapped_key_and_a_mailbox_text_and_we_open_its() {
    if !have("age", &["--version"]) || !have("age-keygen", &["--version"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    run(Command::new("age-keygen").arg("-o").arg(path("member.txt")));
    let member =
        group::parse_identity_file(&fs::read_to_string(path("member.txt")).unwrap()).unwrap().remove(0);
    let public = run(Command::new("age-keygen").arg("-y").arg(path("member.txt")));
    assert_eq!(member.recipient().unwrap().as_str(), String::from_utf8(public).unwrap().trim());

    let request = group::new_request_key(&Zeroizing::new([3; 32])).unwrap();
    let wrapped = group::wrap(&request.identity, &[member.recipient().unwrap()], &recipient(8)).unwrap();
    fs::write(path("wrapped.age"), &wrapped).unwrap();
    let plain = run(Command::new("age").arg("-d").arg("-i").arg(path("member.txt")).arg(path("wrapped.age")));
    assert_eq!(plain, format!("{}\n", request.identity.secret_text().unwrap().as_str()).into_bytes());

    fs::write(path("text"), "hola").unwrap();
    let armored = run(Command::new("age")
        .arg("-a")
        .arg("-r")
        .arg(member.recipient().unwrap().as_str())
        .arg(path("text")));
    assert_eq!(offer::open_text(&String::from_utf8(armored).unwrap(), &member).unwrap().as_str(), "hola");
    let binary =
        run(Command::new("age").arg("-r").arg(member.recipient().unwrap().as_str()).arg(path("text")));
    let mut buffer = [0; 16];
    let n = DecryptReader::new(binary.as_slice(), &[member], Wrapping::Binary, None)
        .unwrap()
        .read_some(&mut buffer)
        .unwrap();
    assert_eq!(&buffer[..n], b"hola");
}
