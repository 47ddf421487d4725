//! Sealing: reader and plaintext hash ‖ age ‖ ciphertext hash and writer, three threads in constant memory.

use std::io::{self, Read, Write};
use std::thread;

use sha2::{Digest, Sha256};

use super::{BASE, Clip, MAX_CLIPS, MAX_TAG_BYTES};
use crate::bag::{BagInfo, BagTarWriter, TarOptions, WriteError};
use crate::crypt::{EncryptError, EncryptWriter, Recipient, parse_recipients};
use crate::names::{NameError, check_names};
use crate::pipe::{self, PipeReader, PipeWriter};

/// A clip to seal.
pub struct ClipSource<'a> {
    /// File name; see [`crate::names`].
    pub name: String,
    /// Its size in bytes, which must hold when it is read.
    pub size: u64,
    /// Its bytes.
    pub reader: Box<dyn Read + Send + 'a>,
}

/// What travels with the clips, byte for byte.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MetaFiles {
    /// The signed request that is answered (`request.json`).
    pub request: Vec<u8>,
    /// The consent given (`consent.json`).
    pub consent: Vec<u8>,
    /// Who sends it, where they chose to say (`contact.json`).
    pub contact: Option<Vec<u8>>,
    /// Where answers may be sealed to (`mailbox.txt`).
    pub mailbox: Option<Recipient>,
}

/// What to seal, for whom.
pub struct SealPlan<'a> {
    /// `age1…` recipients.
    pub recipients: Vec<String>,
    /// Tag files.
    pub meta: MetaFiles,
    /// At least one clip.
    pub clips: Vec<ClipSource<'a>>,
    /// `Bagging-Date`, YYYY-MM-DD.
    pub bagging_date: String,
    /// Modification time of every entry, in seconds since 1970; a coarse one says less about the resident.
    pub mtime: u64,
    /// `Bag-Software-Agent`.
    pub software_agent: String,
    /// `External-Identifier`, for instance the id of the request.
    pub external_identifier: Option<String>,
    /// Whether to hash the ciphertext on its way. Who reads the envelope once more anyway, to send it, can do so then:
    /// sealing is a quarter faster without.
    pub hash_ciphertext: bool,
}

/// An envelope that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// SHA-256 of the ciphertext, where the plan asked for it.
    pub ciphertext_sha256: Option<[u8; 32]>,
    /// Its length in bytes.
    pub ciphertext_len: u64,
    /// The clips, in the order of the plan.
    pub clips: Vec<Clip>,
}

/// Why an envelope can't be sealed. What was written so far is of no use.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Nothing to seal.
    #[error("clips: none given; pick at least one")]
    NoClips,
    /// Too many clips.
    #[error("clips: {0} given and at most {MAX_CLIPS} fit in one envelope; send several")]
    TooManyClips(usize),
    /// A clip's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A tag file that readers would refuse.
    #[error("{name}: {size} bytes and at most {MAX_TAG_BYTES} fit; shorten it")]
    MetaTooLarge {
        /// Which.
        name: &'static str,
        /// Its size in bytes.
        size: usize,
    },
    /// A tag file that must have contents.
    #[error("{name}: empty; give the bytes that were shown to the resident")]
    MetaEmpty {
        /// Which.
        name: &'static str,
    },
    /// Not a date.
    #[error("bagging date: {0:?} isn't YYYY-MM-DD; give the day of sealing")]
    Date(String),
    /// The recipients, or the age stream.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// The clips, or the bag around them.
    #[error(transparent)]
    Bag(#[from] WriteError),
    /// Writing the envelope failed.
    #[error("envelope: writing failed: {0}; free space or check the destination, then seal again")]
    Output(#[source] io::Error),
    /// A thread died, which is a bug here.
    #[error("sealing stopped without a reason; report this as a bug")]
    Stopped,
}

/// Seals an envelope into `out`. `progress` gets the bytes of ciphertext written so far.
///
/// Memory: about 16 MiB whatever the size of the clips.
///
/// # Errors
/// See [`SealError`].
pub fn seal<W: Write>(
    plan: SealPlan<'_>,
    mut out: W,
    mut progress: impl FnMut(u64),
) -> Result<Sealed, SealError> {
    check_plan(&plan)?;
    let recipients = parse_recipients(&plan.recipients)?;
    let mut hasher = plan.hash_ciphertext.then(Sha256::new);
    let (plain_in, plain_out) = pipe::pipe();
    let (cipher_in, mut cipher_out) = pipe::pipe();
    thread::scope(|scope| {
        let bagging = scope.spawn(move || write_bag(plan, plain_in));
        let encrypting = scope.spawn(move || encrypt(&recipients, plain_out, cipher_in));
        let mut length = 0_u64;
        let written = cipher_out.each(|bytes| {
            if let Some(hasher) = &mut hasher {
                hasher.update(bytes);
            }
            out.write_all(bytes)?;
            length = length.saturating_add(bytes.len() as u64);
            progress(length);
            Ok(())
        });
        drop(cipher_out);
        let bagged = bagging.join().map_err(|_| SealError::Stopped)?;
        let encrypted = encrypting.join().map_err(|_| SealError::Stopped)?;
        settle(written, encrypted, &bagged)?;
        let clips = bagged?;
        out.flush().map_err(SealError::Output)?;
        Ok(Sealed {
            ciphertext_sha256: hasher.map(|hasher| hasher.finalize().into()),
            ciphertext_len: length,
            clips,
        })
    })
}

/// Of several failures, the one that the others echo.
fn settle(
    written: io::Result<()>,
    encrypted: Result<(), EncryptError>,
    bagged: &Result<Vec<Clip>, SealError>,
) -> Result<(), SealError> {
    let echo = |e: &SealError| match e {
        SealError::Bag(WriteError::Io(e)) => pipe::is_broken(e),
        _ => false,
    };
    if bagged.as_ref().is_err_and(|e| !echo(e)) {
        return Ok(());
    }
    match encrypted {
        Err(EncryptError::Io(e)) if pipe::is_broken(&e) => {}
        Err(e) => return Err(e.into()),
        Ok(()) => {}
    }
    written.map_err(SealError::Output)
}

fn check_plan(plan: &SealPlan<'_>) -> Result<(), SealError> {
    if plan.clips.is_empty() {
        return Err(SealError::NoClips);
    }
    if plan.clips.len() > MAX_CLIPS {
        return Err(SealError::TooManyClips(plan.clips.len()));
    }
    check_names(plan.clips.iter().map(|c| c.name.as_str()))?;
    let contact = plan.meta.contact.as_deref();
    let files = [
        ("request.json", Some(plan.meta.request.as_slice())),
        ("consent.json", Some(plan.meta.consent.as_slice())),
        ("contact.json", contact),
    ];
    for (name, bytes) in files {
        let Some(bytes) = bytes else { continue };
        if bytes.is_empty() {
            return Err(SealError::MetaEmpty { name });
        }
        if bytes.len() as u64 > MAX_TAG_BYTES {
            return Err(SealError::MetaTooLarge { name, size: bytes.len() });
        }
    }
    let date: Result<jiff::civil::Date, _> = plan.bagging_date.parse();
    if plan.bagging_date.len() != 10 || date.is_err() {
        return Err(SealError::Date(plan.bagging_date.clone()));
    }
    Ok(())
}

fn write_bag(plan: SealPlan<'_>, out: PipeWriter) -> Result<Vec<Clip>, SealError> {
    let mut bag = BagTarWriter::new(out, TarOptions { base: BASE.to_owned(), mtime: plan.mtime })?;
    let mut clips = Vec::with_capacity(plan.clips.len());
    for mut clip in plan.clips {
        let sha256 = bag.payload(&format!("clips/{}", clip.name), clip.size, &mut clip.reader)?;
        clips.push(Clip { name: clip.name, size: clip.size, sha256 });
    }
    bag.tag("request.json", &plan.meta.request)?;
    bag.tag("consent.json", &plan.meta.consent)?;
    if let Some(contact) = &plan.meta.contact {
        bag.tag("contact.json", contact)?;
    }
    if let Some(mailbox) = &plan.meta.mailbox {
        bag.tag("mailbox.txt", format!("{mailbox}\n").as_bytes())?;
    }
    let info = BagInfo {
        bagging_date: plan.bagging_date,
        software_agent: plan.software_agent,
        external_identifier: plan.external_identifier,
        more: Vec::new(),
    };
    let (out, _) = bag.finish(&info)?;
    out.finish().map_err(WriteError::Io)?;
    Ok(clips)
}

fn encrypt(recipients: &[Recipient], mut plain: PipeReader, out: PipeWriter) -> Result<(), EncryptError> {
    let mut writer = EncryptWriter::new(recipients, out)?;
    plain.each(|bytes| writer.write_all(bytes))?;
    writer.finish()?.finish()?;
    Ok(())
}
