//! Sealed wishes for notices: opaque to this role, kept until the private one has taken them.

use super::{Spool, SpoolError, UploadId, disk, list, uploads::blocking};

/// Wishes that may wait in all.
const MOST: usize = 10_000;
/// Where they lie.
const FOLDER: &str = "wishes";

/// A wish that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingWish {
    /// Its id.
    pub id: UploadId,
    /// What was handed in.
    pub text: String,
}

impl Spool {
    /// Keeps a wish; it is durable when this returns.
    ///
    /// # Errors
    /// Too many wait, or the disk failed.
    pub async fn put_wish(&self, text: String) -> Result<(), SpoolError> {
        let spool = self.clone();
        blocking(move || spool.keep_wish(&text)).await
    }

    fn keep_wish(&self, text: &str) -> Result<(), SpoolError> {
        let folder = self.folder(FOLDER);
        if list(&folder, MOST)?.len() >= MOST {
            return Err(SpoolError::TooManyMessages(MOST));
        }
        let id = UploadId::random(&*self.inner.config.entropy);
        let (tmp, kept) = (self.folder("tmp").join(id.as_str()), folder.join(id.as_str()));
        let write = || {
            disk::write_new(&tmp, text.as_bytes())?;
            std::fs::rename(&tmp, &kept)?;
            disk::sync_folder(&folder)
        };
        write().map_err(|error| {
            let _ = std::fs::remove_file(&tmp);
            SpoolError::io("keeping a wish")(error)
        })
    }

    /// Wishes that wait, at most `limit`.
    ///
    /// # Errors
    /// The folder can't be listed.
    pub fn wishes(&self, limit: usize) -> Result<Vec<WaitingWish>, SpoolError> {
        let mut found = Vec::new();
        for (id, entry) in list(&self.folder(FOLDER), limit)? {
            match disk::read_small(&entry.path(), canvass_notices::MAX_SEALED as u64) {
                Ok(bytes) => {
                    found.push(WaitingWish { id, text: String::from_utf8_lossy(&bytes).into_owned() })
                }
                // Another process may have taken it since.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(SpoolError::io("reading a wish")(error)),
            }
        }
        Ok(found)
    }

    /// Removes a wish that was carried out.
    ///
    /// # Errors
    /// The disk failed.
    pub fn drop_wish(&self, id: &UploadId) -> Result<(), SpoolError> {
        let folder = self.folder(FOLDER);
        disk::remove_file(&folder.join(id.as_str())).map_err(SpoolError::io("dropping a wish"))?;
        disk::sync_folder(&folder).map_err(SpoolError::io("syncing a folder"))
    }
}
