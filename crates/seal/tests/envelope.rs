//! Envelopes end to end: what goes in comes out; whatever is altered, cut short or hostile leaves nothing behind.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};

use canvass_seal::bag::{DefectKind, TarError, WriteError};
use canvass_seal::crypt::{DecryptError, EncryptWriter};
use canvass_seal::envelope::{
    ClipSource, DirSink, MemorySink, NullSink, OpenError, OpenOptions, Opened, SealError, open, seal,
};
use common::{identity, meta, plan, recipient};
use proptest::prelude::*;
use std::io::Write;

fn options() -> OpenOptions {
    OpenOptions::with_limit(1 << 30)
}

fn clips() -> Vec<(String, Vec<u8>)> {
    vec![
        ("puerta.mp4".to_owned(), vec![7; 300_000]),
        ("ñandú 2.mkv".to_owned(), Vec::new()),
        ("c.avi".to_owned(), b"abc".to_vec()),
    ]
}

fn sealed(clips: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    seal(plan(clips), &mut out, |_| {}).unwrap();
    out
}

fn opened(bytes: &[u8]) -> Result<(Opened, BTreeMap<String, Vec<u8>>), OpenError> {
    let mut sink = MemorySink::default();
    let opened = open(bytes, &[identity(1)], options(), &mut sink)?;
    Ok((opened, sink.clips))
}

/// Encrypts any bytes as an envelope would be.
fn encrypted(tar: &[u8]) -> Vec<u8> {
    let mut writer = EncryptWriter::new(&[recipient(1)], Vec::new()).unwrap();
    writer.write_all(tar).unwrap();
    writer.finish().unwrap()
}

#[test]
fn what_goes_in_comes_out() {
    let clips = clips();
    let mut out = Vec::new();
    let mut last = 0;
    let sealed = seal(plan(&clips), &mut out, |n| last = n).unwrap();
    assert_eq!((sealed.ciphertext_len, last), (out.len() as u64, out.len() as u64));
    let (opened, found) = opened(&out).unwrap();
    assert_eq!(found, clips.into_iter().collect());
    assert_eq!((opened.request, opened.consent), (meta().request, meta().consent));
    assert_eq!((opened.contact, opened.mailbox), (None, Some(recipient(9))));
    assert_eq!((opened.clips, Some(opened.ciphertext_sha256)), (sealed.clips, sealed.ciphertext_sha256));
    assert!(opened.defects.is_empty(), "{:?}", opened.defects);
    assert!(opened.info.contains(&("External-Identifier".to_owned(), "request-1".to_owned())));
}

#[test]
fn a_directory_appears_only_whole_and_is_never_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("offer");
    let bytes = sealed(&clips());
    open(bytes.as_slice(), &[identity(1)], options(), &mut DirSink::new(&dir).unwrap()).unwrap();
    assert_eq!(fs::read(dir.join("c.avi")).unwrap(), b"abc");
    assert_eq!(DirSink::new(&dir).err().unwrap().kind(), io::ErrorKind::AlreadyExists);
    let other = home.path().join("other");
    let mut cut = bytes.clone();
    cut.truncate(bytes.len() - 70_000);
    assert!(open(cut.as_slice(), &[identity(1)], options(), &mut DirSink::new(&other).unwrap()).is_err());
    drop(DirSink::new(&other).unwrap());
    let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["offer"]);
    fs::create_dir(home.path().join("third.part")).unwrap();
    let refused = DirSink::new(&home.path().join("third")).err().unwrap();
    assert!(refused.to_string().contains("interrupted"), "{refused}");
}

#[test]
fn errors_of_the_age_layer_are_told_apart() {
    let bytes = sealed(&clips());
    let fails = |bytes: &[u8], who: u8, expected_len: Option<u64>| {
        let options = OpenOptions { expected_len, ..options() };
        match open(bytes, &[identity(who)], options, &mut NullSink) {
            Err(OpenError::Decrypt(e)) => e,
            Err(e) => panic!("{e}"),
            Ok(_) => panic!("opened"),
        }
    };
    let len = bytes.len() as u64;
    assert!(matches!(fails(b"PK\x03\x04 not age at all", 1, None), DecryptError::NotAge));
    assert!(matches!(fails(b"", 1, None), DecryptError::NotAge));
    assert!(matches!(fails(&bytes, 2, None), DecryptError::NoMatch { identities: 1 }));
    let mut flipped = bytes.clone();
    flipped[100_000] ^= 1;
    assert!(
        matches!(fails(&flipped, 1, None), DecryptError::Altered { near } if near.abs_diff(100_000) <= 70_000)
    );
    let cut = &bytes[..bytes.len() - 10];
    assert!(matches!(fails(cut, 1, None), DecryptError::DamagedEnd { .. }));
    assert!(matches!(fails(cut, 1, Some(len)), DecryptError::Truncated { at } if at == len - 10));
    let mut end = bytes.clone();
    *end.last_mut().unwrap() ^= 1;
    assert!(matches!(fails(&end, 1, Some(len)), DecryptError::Altered { .. }));
    let header = bytes.windows(3).position(|w| w == b"\n->").unwrap() + 1;
    let mut broken = bytes.clone();
    broken[header] = b'+';
    assert!(matches!(fails(&broken, 1, None), DecryptError::BadHeader));
    let endless = [b"age-encryption.org/v1\n".as_slice(), &b"-> grease\nAAAA\n".repeat(10_000)].concat();
    assert!(matches!(fails(&endless, 1, None), DecryptError::BadHeader));
}

#[test]
fn a_ciphertext_other_than_the_receipts_is_refused() {
    let bytes = sealed(&clips());
    let options = OpenOptions { expected_sha256: Some([0; 32]), ..options() };
    assert!(matches!(
        open(bytes.as_slice(), &[identity(1)], options, &mut NullSink),
        Err(OpenError::OtherCiphertext)
    ));
}

#[test]
fn a_clip_that_changes_while_it_is_read_is_an_error() {
    for (size, change) in [(2, "grew"), (4, "shrank")] {
        let mut plan = plan(&[]);
        plan.clips.push(ClipSource { name: "a.mp4".to_owned(), size, reader: Box::new(b"abc".as_slice()) });
        match seal(plan, io::sink(), |_| {}) {
            Err(SealError::Bag(WriteError::SizeChanged { change: found, .. })) => assert_eq!(found, change),
            other => panic!("{other:?}"),
        }
    }
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("camera unplugged"))
    }
}

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("disk full"))
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_failure_that_is_reported_is_the_first_one() {
    let mut unplugged = plan(&[]);
    unplugged.clips.push(ClipSource { name: "a.mp4".to_owned(), size: 5, reader: Box::new(Failing) });
    assert!(seal(unplugged, io::sink(), |_| {}).err().unwrap().to_string().contains("camera unplugged"));
    let big = [("a.mp4".to_owned(), vec![0; 40_000_000])];
    assert!(seal(plan(&big), Failing, |_| {}).err().unwrap().to_string().contains("disk full"));
    let partial = io::Cursor::new(sealed(&clips())).take(100_000).chain(Failing);
    let error = open(partial, &[identity(1)], options(), &mut NullSink).err().unwrap();
    assert!(error.to_string().contains("camera unplugged"), "{error}");
}

#[test]
fn plans_that_make_no_sense_are_refused() {
    assert!(matches!(seal(plan(&[]), io::sink(), |_| {}), Err(SealError::NoClips)));
    let twice = [("a.mp4".to_owned(), vec![]), ("A.MP4".to_owned(), vec![])];
    assert!(matches!(seal(plan(&twice), io::sink(), |_| {}), Err(SealError::Name(_))));
    let clips = clips();
    let nobody = canvass_seal::envelope::SealPlan { recipients: vec![], ..plan(&clips) };
    assert!(matches!(seal(nobody, io::sink(), |_| {}), Err(SealError::Encrypt(_))));
    let date = canvass_seal::envelope::SealPlan { bagging_date: "yesterday".to_owned(), ..plan(&clips) };
    assert!(matches!(seal(date, io::sink(), |_| {}), Err(SealError::Date(_))));
}

type Build = fn(&mut tar::Builder<Vec<u8>>);
type Expected = fn(&OpenError) -> bool;

fn entry(builder: &mut tar::Builder<Vec<u8>>, path: &str, kind: tar::EntryType, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name_literal("/etc/passwd").unwrap();
    }
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    builder.append(&header, bytes).unwrap();
}

fn file(builder: &mut tar::Builder<Vec<u8>>, path: &str) {
    entry(builder, path, tar::EntryType::Regular, b"x");
}

fn hostile(build: Build) -> OpenError {
    let mut builder = tar::Builder::new(Vec::new());
    file(&mut builder, "envelope/bagit.txt");
    build(&mut builder);
    let bytes = encrypted(&builder.into_inner().unwrap());
    let home = tempfile::tempdir().unwrap();
    let mut sink = DirSink::new(&home.path().join("offer")).unwrap();
    let error =
        open(bytes.as_slice(), &[identity(1)], OpenOptions::with_limit(1000), &mut sink).err().unwrap();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "{error}");
    error
}

#[test]
fn hostile_archives_are_refused_by_name() {
    let refused: [(Build, Expected); 14] = [
        (
            |b| entry(b, "envelope/data/clips/a", tar::EntryType::Symlink, b""),
            |e| matches!(e, OpenError::Tar(TarError::Link { entry: 2 })),
        ),
        (
            |b| entry(b, "envelope/data/clips/a", tar::EntryType::Link, b""),
            |e| matches!(e, OpenError::Tar(TarError::Link { .. })),
        ),
        (
            |b| entry(b, "envelope/data/clips/a", tar::EntryType::Char, b""),
            |e| matches!(e, OpenError::Tar(TarError::Special { kind: '3', .. })),
        ),
        (
            |b| entry(b, "envelope/data/clips/a", tar::EntryType::Fifo, b""),
            |e| matches!(e, OpenError::Tar(TarError::Special { .. })),
        ),
        (|b| file(b, "/etc/cron.d/x"), |e| matches!(e, OpenError::Tar(TarError::Absolute { .. }))),
        (|b| file(b, "envelope/../../x"), |e| matches!(e, OpenError::Tar(TarError::Traversal { .. }))),
        (|b| file(b, "other/x"), |e| matches!(e, OpenError::Tar(TarError::Outside { .. }))),
        (|b| file(b, "envelope/bagit.txt"), |e| matches!(e, OpenError::Tar(TarError::Duplicate { .. }))),
        (
            |b| {
                file(b, "envelope/data/clips/a.mp4");
                file(b, "envelope/data/clips/A.mp4");
            },
            |e| matches!(e, OpenError::Name(_)),
        ),
        (|b| file(b, "envelope/data/clips/sub/a"), |e| matches!(e, OpenError::Name(_))),
        (
            |b| file(b, "envelope/data/elsewhere"),
            |e| matches!(e, OpenError::Bag(d) if d[0].kind == DefectKind::MisplacedPath),
        ),
        (
            |b| (0..10_001).for_each(|n| entry(b, &format!("envelope/d{n}"), tar::EntryType::Directory, b"")),
            |e| matches!(e, OpenError::Tar(TarError::TooManyEntries { limit: 10_000 })),
        ),
        (
            |b| entry(b, "envelope/request.json", tar::EntryType::Regular, &vec![0; 1024 * 1024 + 1]),
            |e| matches!(e, OpenError::Tar(TarError::TagTooLarge { .. })),
        ),
        (
            |b| entry(b, "envelope/data/clips/a", tar::EntryType::Regular, &[0; 1001]),
            |e| matches!(e, OpenError::Tar(TarError::PayloadTooLarge { limit: 1000 })),
        ),
    ];
    for (at, (build, expected)) in refused.into_iter().enumerate() {
        let error = hostile(build);
        assert!(expected(&error), "{at}: {error:?}");
    }
}

#[test]
fn tar_tricks_are_refused() {
    let huge_name: Build = |b| entry(b, "././@LongLink", tar::EntryType::GNULongName, &vec![b'a'; 10_000]);
    assert!(matches!(hostile(huge_name), OpenError::Tar(TarError::Malformed { .. })));
    let sparse: Build = |b| entry(b, "x", tar::EntryType::XHeader, b"22 GNU.sparse.major=1\n");
    assert!(matches!(hostile(sparse), OpenError::Tar(TarError::Malformed { .. })));
    let mut trailing = tar::Builder::new(Vec::new());
    file(&mut trailing, "envelope/bagit.txt");
    let bytes = [trailing.into_inner().unwrap(), b"hidden".to_vec()].concat();
    let error = open(encrypted(&bytes).as_slice(), &[identity(1)], options(), &mut NullSink).err().unwrap();
    assert!(matches!(error, OpenError::Tar(TarError::Trailing { .. })), "{error}");
    for bytes in [b"".as_slice(), &[0; 512], &[1; 512], b"short"] {
        assert!(matches!(
            open(encrypted(bytes).as_slice(), &[identity(1)], options(), &mut NullSink),
            Err(OpenError::Tar(_))
        ));
    }
}

/// A valid envelope's tar, rebuilt with one change.
fn changed(
    change: impl Fn(&str, Vec<u8>) -> Option<(String, Vec<u8>)>,
    extra: &[(&str, &[u8])],
) -> OpenError {
    let mut plain = Vec::new();
    let bytes = sealed(&clips());
    let mut reader = canvass_seal::crypt::DecryptReader::new(
        bytes.as_slice(),
        &[identity(1)],
        canvass_seal::crypt::Wrapping::Binary,
        None,
    )
    .unwrap();
    let mut buffer = [0; 4096];
    loop {
        match reader.read_some(&mut buffer).unwrap() {
            0 => break,
            n => plain.extend_from_slice(&buffer[..n]),
        }
    }
    let mut builder = tar::Builder::new(Vec::new());
    for item in tar::Archive::new(plain.as_slice()).entries().unwrap() {
        let mut item = item.unwrap();
        let path = item.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        item.read_to_end(&mut bytes).unwrap();
        if let Some((path, bytes)) = change(&path, bytes) {
            entry(&mut builder, &path, tar::EntryType::Regular, &bytes);
        }
    }
    for (path, bytes) in extra {
        entry(&mut builder, path, tar::EntryType::Regular, bytes);
    }
    let bytes = encrypted(&builder.into_inner().unwrap());
    let home = tempfile::tempdir().unwrap();
    let error =
        open(bytes.as_slice(), &[identity(1)], options(), &mut DirSink::new(&home.path().join("o")).unwrap())
            .err()
            .unwrap();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    error
}

#[test]
fn a_bag_that_does_not_hold_leaves_nothing() {
    let kinds = |e: OpenError| match e {
        OpenError::Bag(defects) => defects.into_iter().map(|d| d.kind).collect::<Vec<_>>(),
        e => panic!("{e}"),
    };
    let keep = |p: &str, b: Vec<u8>| Some((p.to_owned(), b));
    let altered = changed(|p, b| keep(p, if p.ends_with("c.avi") { b"abd".to_vec() } else { b }), &[]);
    assert_eq!(kinds(altered), [DefectKind::DigestMismatch]);
    let consent = changed(|p, b| keep(p, if p.ends_with("consent.json") { b"{}".to_vec() } else { b }), &[]);
    assert_eq!(kinds(consent), [DefectKind::DigestMismatch]);
    let lost = changed(|p, b| if p.ends_with("c.avi") { None } else { keep(p, b) }, &[]);
    assert_eq!(kinds(lost), [DefectKind::OxumMismatch, DefectKind::MissingFile]);
    let extra = changed(keep, &[("envelope/data/clips/x.mp4", b"x")]);
    assert!(kinds(extra).contains(&DefectKind::UnlistedFile));
    let unknown = changed(keep, &[("envelope/run.sh", b"x")]);
    assert_eq!(kinds(unknown), [DefectKind::MisplacedPath]);
    let uncovered = changed(keep, &[("envelope/contact.json", b"{}")]);
    assert_eq!(kinds(uncovered), [DefectKind::UnlistedFile]);
    let no_manifest = changed(|p, b| if p.contains("tagmanifest") { None } else { keep(p, b) }, &[]);
    assert!(kinds(no_manifest).contains(&DefectKind::MissingFile));
    let fetch = changed(keep, &[("envelope/fetch.txt", b"https://example.org/x - data/clips/y.mp4\n")]);
    assert!(kinds(fetch).contains(&DefectKind::Unfetched));
}

#[test]
fn a_length_beyond_8_gib_stands_in_the_header() {
    let mut out = Vec::new();
    let options = canvass_seal::bag::TarOptions { base: "envelope".to_owned(), mtime: 0 };
    let mut bag = canvass_seal::bag::BagTarWriter::new(&mut out, options).unwrap();
    let size = 60 << 30;
    assert!(matches!(
        bag.payload("clips/a.mp4", size, &mut b"".as_slice()),
        Err(WriteError::SizeChanged { .. })
    ));
    drop(bag);
    let header = tar::Header::from_byte_slice(out[out.len() - 512..].try_into().unwrap());
    assert_eq!(header.entry_size().unwrap(), size);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_set_of_clips_comes_back(clips in proptest::collection::btree_map("[a-zñ0-9]{1,60}(\\.[a-z0-9]{2,4})?", proptest::collection::vec(any::<u8>(), 0..70_000), 1..6)) {
        let clips: Vec<(String, Vec<u8>)> = clips.into_iter().filter(|(n, _)| canvass_seal::names::check_name(1, n).is_ok()).collect();
        prop_assume!(!clips.is_empty());
        let (_, found) = opened(&sealed(&clips)).unwrap();
        prop_assert_eq!(found, clips.into_iter().collect::<BTreeMap<_, _>>());
    }

    #[test]
    fn names_of_any_allowed_length_come_back(length in 1_usize..=200) {
        let clips = [("x".repeat(length), b"abc".to_vec())];
        prop_assert_eq!(opened(&sealed(&clips)).unwrap().1.len(), 1);
    }

    #[test]
    fn a_flipped_bit_or_a_cut_fails_and_leaves_nothing(at in any::<proptest::sample::Index>(), bit in 0_u8..8, cut in any::<bool>()) {
        let mut bytes = sealed(&clips());
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << bit;
        }
        let home = tempfile::tempdir().unwrap();
        let result = open(bytes.as_slice(), &[identity(1)], options(), &mut DirSink::new(&home.path().join("o")).unwrap());
        prop_assert!(result.is_err());
        prop_assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert!(opened(&bytes).is_err());
        prop_assert!(opened(&encrypted(&bytes)).is_err());
    }
}
