//! What seal reads: age files, bags, envelopes, receipts, secrets, messages and names.

use std::io::{Cursor, Read, Write};
use std::sync::LazyLock;

use canvass_ledger::leaf_hash;
use canvass_seal::bag::{Algorithm, Limits, Report, TarError, Verdict, validate_tar};
use canvass_seal::crypt::{DecryptError, DecryptReader, EncryptWriter, Wrapping};
use canvass_seal::envelope::{self, ClipSource, MemorySink, MetaFiles, OpenOptions, SealPlan};
use canvass_seal::offer::{OfferSecret, SignedMessage, verify_message};
use canvass_seal::receipt::{ServerKey, SignedReceipt};
use canvass_seal::{Identity, Recipient, group, names};
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::{steer, text};

/// Plaintext of the largest envelope that bodies open.
const MOST: u64 = 1 << 20;

static KEYS: LazyLock<Option<(Identity, Recipient)>> = LazyLock::new(|| {
    let identity = Identity::from_secret_bytes(&[3; 32]).ok()?;
    let recipient = identity.recipient()?;
    Some((identity, recipient))
});

/// Whether the fixed parts that bodies need are there; a test holds it to be true.
pub fn ready() -> bool {
    KEYS.is_some() && ![bags(), envelopes(), files(), identities()].iter().any(Vec::is_empty)
}

fn encrypted(plain: &[u8], recipient: &Recipient) -> Option<Vec<u8>> {
    let mut writer = EncryptWriter::new(std::slice::from_ref(recipient), Vec::new()).ok()?;
    writer.write_all(plain).ok()?;
    writer.finish().ok()
}

fn decrypted(file: &[u8], identity: &Identity, wrapping: Wrapping) -> Result<Vec<u8>, DecryptError> {
    let mut reader = DecryptReader::new(file, std::slice::from_ref(identity), wrapping, None)?;
    let (mut plain, mut buffer) = (Vec::new(), vec![0; 8 * 1024]);
    loop {
        let n = reader.read_some(&mut buffer)?;
        if n == 0 || plain.len() as u64 > MOST {
            return Ok(plain);
        }
        plain.extend_from_slice(buffer.get(..n).unwrap_or_default());
    }
}

/// An age file. With an even first byte the rest is read as a file of any bytes. With an odd one the rest is encrypted here
/// first and then altered in one place, which the next three bytes choose: no altered file opens to its end.
pub fn age_file(bytes: &[u8]) {
    let Some((identity, recipient)) = KEYS.as_ref() else { return };
    let (mode, bytes) = steer(bytes);
    if mode & 1 == 0 {
        for wrapping in [Wrapping::Binary, Wrapping::Armored] {
            let _ = decrypted(bytes, identity, wrapping);
        }
        if let Some(text) = text(bytes) {
            let _ = canvass_seal::offer::open_text(text, identity);
            let _ = group::unwrap(text, std::slice::from_ref(identity));
        }
        return;
    }
    let (Some(([high, low, change], plain)), true) =
        (bytes.split_first_chunk::<3>(), (bytes.len() as u64) < MOST)
    else {
        return;
    };
    let Some(mut file) = encrypted(plain, recipient) else { return };
    assert!(decrypted(&file, identity, Wrapping::Binary).is_ok_and(|again| again == plain));
    let at = usize::from(u16::from_be_bytes([*high, *low])) % file.len().max(1);
    match (file.get_mut(at), change) {
        (Some(byte), 1..) => *byte ^= change,
        _ => file.truncate(at),
    }
    assert!(
        decrypted(&file, identity, Wrapping::Binary).is_err(),
        "an altered file opens: byte {at}, {change}"
    );
}

/// First inputs of [`age_file`]: a file, an armored one, one to be altered.
pub fn files() -> Vec<Vec<u8>> {
    let Some((_, recipient)) = KEYS.as_ref() else { return Vec::new() };
    let text = canvass_seal::offer::seal_text("Was the gate open?", recipient);
    [
        encrypted(b"plain", recipient).map(|file| [&[0], file.as_slice()].concat()),
        text.ok().map(|text| [&[0], text.as_bytes()].concat()),
        Some(b"\x01\x00\x20\x01plain text".to_vec()),
        Some([&[1, 1, 0, 0], [7; 70_000].as_slice()].concat()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn judged(tar: &[u8]) -> Result<Report, TarError> {
    let limits = Limits { entries: 1_000, tag_file_bytes: MOST, tag_bytes: MOST, payload_bytes: MOST };
    let all = [
        Algorithm::Md5,
        Algorithm::Sha1,
        Algorithm::Sha224,
        Algorithm::Sha256,
        Algorithm::Sha384,
        Algorithm::Sha512,
    ];
    validate_tar(tar, &all, limits)
}

/// A bag in tar (RFC 8493). The checksums of its headers are mended first when the first byte is odd, so that what stands in
/// them is looked at. What is judged valid lies below one folder and leads nowhere else.
pub fn bag(bytes: &[u8]) {
    let (mode, bytes) = steer(bytes);
    let tar = if mode & 1 == 1 { mended(bytes) } else { bytes.to_vec() };
    let Ok(report) = judged(&tar) else { return };
    assert!(report.files.values().map(|file| file.size).sum::<u64>() <= tar.len() as u64);
    if report.verdict() != Verdict::Invalid {
        for path in report.files.keys() {
            let climbs = path.split(['/', '\\']).any(|part| part == "..");
            assert!(!climbs && !path.starts_with(['/', '\\', '~']), "a valid bag holds {path:?}");
        }
    }
    // Nothing in the judgement hangs on chance or on what was read before.
    assert!(judged(&tar).is_ok_and(|again| again.defects == report.defects && again.files == report.files));
}

/// The tar with right checksums in its headers, as far as their sizes can be followed.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut tar = bytes.to_vec();
    let mut at = 0_usize;
    while let Some(header) = tar.get_mut(at..at.saturating_add(512)) {
        if header.iter().any(|byte| *byte != 0) {
            if let Some(field) = header.get_mut(148..156) {
                field.fill(b' ');
            }
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            if let Some(field) = header.get_mut(148..156) {
                field.copy_from_slice(format!("{sum:06o}\0 ").get(..8).unwrap_or("00000000").as_bytes());
            }
        }
        let size = header.get(124..136).unwrap_or_default();
        let size = size.iter().filter(|byte| (b'0'..=b'7').contains(*byte));
        let size = size
            .fold(0_usize, |size, digit| size.saturating_mul(8).saturating_add(usize::from(digit - b'0')));
        at = at.saturating_add(512).saturating_add(size.div_ceil(512).saturating_mul(512));
    }
    tar
}

/// First inputs of [`bag`]: what an envelope holds, and a bag with every tag file of the RFC.
pub fn bags() -> Vec<Vec<u8>> {
    let whole = sample().into_iter().map(|tar| [&[1], tar.as_slice()].concat());
    let rich = tar_of(&[
        ("b/bagit.txt", "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n"),
        ("b/bag-info.txt", "Payload-Oxum: 2.1\nNote: one\n two\n"),
        ("b/manifest-md5.txt", "60b725f10c9c85c70d97880dfe8191b3  data/a%0Ab\n"),
        ("b/fetch.txt", "http://example.org/x - data/x\n"),
        ("b/data/a%0Ab", "a\n"),
    ]);
    whole.chain([[&[1], rich.as_slice()].concat()]).collect()
}

fn tar_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        let _ = builder.append_data(&mut header, path, text.as_bytes());
    }
    builder.into_inner().unwrap_or_default()
}

/// The tar inside a small envelope.
fn sample() -> Option<Vec<u8>> {
    let (identity, recipient) = KEYS.as_ref()?;
    let meta = MetaFiles {
        request: br#"{"id":"req_aaaaaaaaaaaaaaaaaaaaaaaaaa"}"#.to_vec(),
        consent: br#"{"v":1}"#.to_vec(),
        contact: Some(b"{}".to_vec()),
        mailbox: Some(recipient.clone()),
    };
    let file = sealed(meta, &[("clip-1.mp4", b"video"), ("clip-2.mp4", b"")], recipient)?;
    decrypted(&file, identity, Wrapping::Binary).ok()
}

fn sealed(meta: MetaFiles, clips: &[(&str, &[u8])], recipient: &Recipient) -> Option<Vec<u8>> {
    let clip = |(name, bytes): &(&str, &'_ [u8])| ClipSource {
        name: (*name).to_owned(),
        size: bytes.len() as u64,
        reader: Box::new(Cursor::new(bytes.to_vec())) as Box<dyn Read + Send>,
    };
    let plan = SealPlan {
        recipients: vec![recipient.to_string()],
        meta,
        clips: clips.iter().map(clip).collect(),
        bagging_date: "2026-11-24".into(),
        mtime: 0,
        software_agent: "Canvass".into(),
        external_identifier: None,
        hash_ciphertext: false,
    };
    let mut out = Vec::new();
    envelope::seal(plan, &mut out, |_| ()).ok()?;
    Some(out)
}

/// An envelope whose inside is any bytes: they are encrypted here, so that the tar and the bag are reached. (With an odd first
/// byte the tar's checksums are mended.) What opens has the clips that the sink got, is a valid bag, and opens the same
/// when sealed again; of what does not open the sink keeps nothing.
pub fn envelope(bytes: &[u8]) {
    let Some((identity, recipient)) = KEYS.as_ref() else { return };
    let (mode, bytes) = steer(bytes);
    let tar = if mode & 1 == 1 { mended(bytes) } else { bytes.to_vec() };
    let Some(file) = encrypted(&tar, recipient) else { return };
    let (mut sink, keys) = (MemorySink::default(), std::slice::from_ref(identity));
    let Ok(opened) = envelope::open(file.as_slice(), keys, OpenOptions::with_limit(MOST), &mut sink) else {
        assert!(sink.clips.is_empty(), "a refused envelope leaves clips behind");
        return;
    };
    assert!(
        judged(&tar).is_ok_and(|report| report.verdict() != Verdict::Invalid),
        "opened, but no valid bag"
    );
    assert_eq!(opened.clips.len(), sink.clips.len());
    for clip in &opened.clips {
        assert!(names::check_name(1, &clip.name).is_ok(), "a clip named {:?}", clip.name);
        let got = sink.clips.get(&clip.name);
        assert!(got.is_some_and(|bytes| bytes.len() as u64 == clip.size));
    }
    let meta = MetaFiles {
        request: opened.request.clone(),
        consent: opened.consent.clone(),
        contact: opened.contact.clone(),
        mailbox: opened.mailbox.clone(),
    };
    let clips: Vec<_> = opened
        .clips
        .iter()
        .filter_map(|clip| Some((clip.name.as_str(), sink.clips.get(&clip.name)?.as_slice())))
        .collect();
    let Some(anew) = sealed(meta, &clips, recipient).filter(|_| !clips.is_empty()) else { return };
    let mut second = MemorySink::default();
    let again = envelope::open(anew.as_slice(), keys, OpenOptions::with_limit(MOST), &mut second);
    assert!(again.is_ok_and(|again| again.clips == opened.clips && again.request == opened.request));
    assert_eq!(second.clips, sink.clips);
}

/// First inputs of [`envelope`].
pub fn envelopes() -> Vec<Vec<u8>> {
    sample()
        .into_iter()
        .flat_map(|tar| [[&[0], tar.as_slice()].concat(), [&[1], tar.as_slice()].concat()])
        .collect()
}

/// A receipt in JSON: written back it reads the same; signed here it verifies, and not under another key or changed.
pub fn receipt(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let Ok(read) = SignedReceipt::parse(text) else { return };
    let written = serde_json::to_string(&read).unwrap_or_default();
    let again = SignedReceipt::parse(&written);
    assert!(
        again.is_ok_and(|again| again == read) || written.len() > text.len(),
        "it reads otherwise: {written}"
    );
    let key = SigningKey::from_bytes(&[5; 32]);
    let server = ServerKey::of(&read.receipt.key, &key);
    let accept = |_: &str, leaf: &[u8]| (leaf_hash(leaf) != [0; 32]).then_some(()).ok_or_else(String::new);
    assert!(read.verify(&server, accept).is_err(), "verifies under a key that never signed it");
    let Ok(mut signed) = read.receipt.clone().sign(&key) else { return };
    assert_eq!(signed.verify(&server, accept), Ok(()));
    assert!(signed.verify(&server, |_, _| Err("no".into())).is_err());
    signed.receipt.ciphertext_len = signed.receipt.ciphertext_len % 1_000 + 1_000_003;
    if signed.receipt != read.receipt {
        assert!(signed.verify(&server, accept).is_err(), "verifies though its length was changed");
    }
}

/// An offer secret in text form: one form for each (BIP 173 allows capitals throughout).
pub fn offer_secret(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let Ok(secret) = OfferSecret::parse(text) else { return };
    let written = secret.text();
    assert!(written.as_ref().is_ok_and(|written| **written == text.trim().to_ascii_lowercase()));
    let lookup = secret.public_key().map(|key| key.lookup());
    assert!(lookup.is_ok_and(|lookup| canvass_seal::offer::is_lookup(&lookup)));
    assert!(secret.mailbox_recipient().is_ok());
}

/// A signed message in JSON, and after a zero byte its body: what is accepted reads the same once written back; signed
/// here it verifies, and not with another body.
pub fn message(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (json, body) = bytes.split_at_checked(at).unwrap_or_default();
    crate::wire::same::<SignedMessage>(json);
    let Ok(message) = serde_json::from_slice::<SignedMessage>(json) else { return };
    let _ = verify_message(&message, body);
    let secret = OfferSecret::new(&Zeroizing::new([9; 32]));
    let Ok(mut signed) = secret.sign_message(&message.kind, body, &message.at) else { return };
    assert!(verify_message(&signed, body).is_ok());
    assert!(verify_message(&signed, &[body, b"."].concat()).is_err(), "another body verifies");
    signed.signature = message.signature.clone();
    let own = secret.public_key().is_ok_and(|key| key.text() == message.offer_key);
    assert!(own || verify_message(&signed, body).is_err(), "another's signature verifies");
}

/// Names of clips, one a line: what [`names::sanitise`] makes of any text is accepted and stays as it is; of accepted
/// lists no two names are the same.
pub fn name(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    for line in text.split('\n').take(50).chain([text]) {
        let clean = names::sanitise(line);
        assert_eq!(names::check_name(1, &clean), Ok(()), "{clean:?}");
        assert_eq!(names::sanitise(&clean), clean);
        if names::check_name(1, line).is_ok() {
            assert!(!line.contains(['/', '\\', '\0', ':']) && line != "..", "{line:?}");
        }
    }
    let lines: Vec<&str> = text.split('\n').take(50).collect();
    if names::check_names(lines.iter().copied()).is_ok() {
        let mut folded: Vec<_> = lines.iter().map(|line| line.to_lowercase()).collect();
        folded.sort_unstable();
        folded.dedup();
        assert_eq!(folded.len(), lines.len());
    }
}

/// An identity file: each identity in it reads the same once written as age-keygen writes it.
pub fn identity_file(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let Ok(found) = group::parse_identity_file(text) else { return };
    assert!(!found.is_empty());
    for identity in found.iter().take(8) {
        let written = group::identity_file(identity, "2026-11-24T06:30:00Z\n");
        assert!(written.is_ok());
        let again = written.ok().and_then(|text| group::parse_identity_file(&text).ok()).unwrap_or_default();
        assert_eq!(again.len(), 1);
        assert!(again.iter().all(|again| again.recipient() == identity.recipient()));
    }
}

/// First inputs of [`identity_file`].
pub fn identities() -> Vec<Vec<u8>> {
    let Some((identity, recipient)) = KEYS.as_ref() else { return Vec::new() };
    let file = group::identity_file(identity, "2026-11-24T06:30:00Z").ok();
    let Some(file) = file else { return Vec::new() };
    vec![
        file.as_bytes().to_vec(),
        [file.as_bytes(), b"\r\n# another\r\n", file.as_bytes()].concat(),
        recipient.as_str().as_bytes().to_vec(),
        b"AGE-PLUGIN-YUBIKEY-1QQQQ\n".to_vec(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_inputs_reach_what_stands_behind_acceptance() {
        let (identity, recipient) = KEYS.as_ref().unwrap();
        let tar = sample().unwrap();
        assert_eq!(judged(&tar).unwrap().verdict(), Verdict::Valid);
        assert_eq!(judged(&mended(&tar)).unwrap().verdict(), Verdict::Valid);
        let file = encrypted(&tar, recipient).unwrap();
        let options = OpenOptions::with_limit(MOST);
        let opened = envelope::open(
            file.as_slice(),
            std::slice::from_ref(identity),
            options,
            &mut MemorySink::default(),
        );
        assert_eq!(opened.ok().unwrap().clips.len(), 2);
    }
}
