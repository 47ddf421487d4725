//! Keys of slices, and the cipher of one file under them: AES-256-GCM, keys by HKDF-SHA256.

use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce, aead::AeadInPlace as _};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes that sealing adds.
pub(crate) const TAG: usize = 16;

/// The key of a store: whoever has it and the folder can read what is not erased. Overwritten in memory when dropped.
#[derive(Clone)]
pub struct RootKey(Zeroizing<[u8; 32]>);

impl RootKey {
    /// A key of 32 bytes that are fit for one.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The cipher of the file of keys.
    pub(crate) fn of_keys(&self) -> Option<Cipher> {
        Cipher::derive(&self.0, &[], b"canvass/reads/keys/v1")
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey(…)")
    }
}

/// The key of one slice; nothing of the slice can be read without it.
#[derive(Clone)]
pub(crate) struct SliceKey(pub(crate) Zeroizing<[u8; 32]>);

impl SliceKey {
    /// The cipher of one segment, by the random id of its file.
    pub(crate) fn of_segment(&self, file: &[u8; 16]) -> Option<Cipher> {
        Cipher::derive(&self.0, file, b"canvass/reads/segment/v1")
    }

    /// The cipher of one pack of pictures, by the random id of its file.
    pub(crate) fn of_pack(&self, file: &[u8; 16]) -> Option<Cipher> {
        Cipher::derive(&self.0, file, b"canvass/reads/pictures/v1")
    }

    /// The cipher for the slice's frames in one log.
    pub(crate) fn of_log(&self, log: &[u8; 16]) -> Option<Cipher> {
        Cipher::derive(&self.0, log, b"canvass/reads/log/v1")
    }
}

/// Seals blocks of one file. Every file has a key of its own, so a block's place is its nonce.
#[derive(Clone)]
pub(crate) struct Cipher(Aes256Gcm);

impl Cipher {
    fn derive(key: &[u8; 32], salt: &[u8], info: &[u8]) -> Option<Self> {
        let mut derived = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(salt), key).expand(info, &mut *derived).ok()?;
        Some(Self(Aes256Gcm::new_from_slice(&*derived).ok()?))
    }

    fn place(kind: u32, index: u64) -> [u8; 12] {
        let mut nonce = [0; 12];
        let bytes = kind.to_be_bytes().into_iter().chain(index.to_be_bytes());
        nonce.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        nonce
    }

    /// Seals what stands in `block` from `from` on, in place, with the tag behind it.
    pub(crate) fn seal(
        &self,
        kind: u32,
        index: u64,
        aad: &[u8],
        block: &mut Vec<u8>,
        from: usize,
    ) -> Option<()> {
        self.seal_with(&Self::place(kind, index), aad, block, from)
    }

    pub(crate) fn seal_with(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        block: &mut Vec<u8>,
        from: usize,
    ) -> Option<()> {
        let body = block.get_mut(from..)?;
        let tag = self.0.encrypt_in_place_detached(Nonce::from_slice(nonce), aad, body).ok()?;
        block.extend_from_slice(&tag);
        Some(())
    }

    /// Opens a sealed block in place and cuts the tag off. Nothing when a byte of it is not as it was written.
    pub(crate) fn open(&self, kind: u32, index: u64, aad: &[u8], block: &mut Vec<u8>) -> Option<()> {
        self.open_with(&Self::place(kind, index), aad, block)
    }

    pub(crate) fn open_with(&self, nonce: &[u8; 12], aad: &[u8], block: &mut Vec<u8>) -> Option<()> {
        let end = block.len().checked_sub(TAG)?;
        let (body, tag) = block.split_at_mut_checked(end)?;
        let tag: [u8; TAG] = (&*tag).try_into().ok()?;
        self.0.decrypt_in_place_detached(Nonce::from_slice(nonce), aad, body, &tag.into()).ok()?;
        block.truncate(end);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_opens_in_its_place_alone() {
        let key = SliceKey(Zeroizing::new([7; 32]));
        let cipher = key.of_segment(&[1; 16]).unwrap();
        let mut block = b"..plates".to_vec();
        cipher.seal(2, 9, b"aad", &mut block, 2).unwrap();
        assert_eq!(block.len(), 2 + 6 + TAG);
        let sealed = block.split_off(2);
        let opened = |cipher: &Cipher, kind, index, aad: &[u8], change: usize| {
            let mut block = sealed.clone();
            if let Some(byte) = block.get_mut(change) {
                *byte ^= 1;
            }
            cipher.open(kind, index, aad, &mut block).map(|()| block)
        };
        assert_eq!(opened(&cipher, 2, 9, b"aad", usize::MAX).unwrap(), b"plates");
        assert!(opened(&cipher, 2, 8, b"aad", usize::MAX).is_none());
        assert!(opened(&cipher, 1, 9, b"aad", usize::MAX).is_none());
        assert!(opened(&cipher, 2, 9, b"", usize::MAX).is_none());
        assert!(opened(&key.of_log(&[1; 16]).unwrap(), 2, 9, b"aad", usize::MAX).is_none());
        for byte in 0..sealed.len() {
            assert!(opened(&cipher, 2, 9, b"aad", byte).is_none());
        }
    }
}
