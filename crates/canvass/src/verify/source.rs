//! The public files of a Canvass, over HTTP or in a folder.

use std::path::{Path, PathBuf};

use canvass_ledger::tile::MAX_BUNDLE;
use canvass_ledger::{StoreError, TileSource};
use canvass_types::leaf::Log;

use crate::common::{Context, Failure, Http, Server, exists, read_limited};

/// Where public files are read.
#[derive(Debug, Clone)]
pub enum Public {
    /// From a server.
    Http(Http),
    /// From a copy.
    Folder {
        /// The folder.
        root: PathBuf,
        /// What stands before `requests/checkpoint`: `ledger/`, or nothing in a folder with the ledgers alone.
        ledger: &'static str,
    },
}

impl Public {
    /// From an address or a folder.
    ///
    /// # Errors
    /// Neither.
    pub fn open(text: &str) -> Result<Self, Failure> {
        if text.contains("://") {
            return Ok(Self::Http(Http::new(Server::parse(text)?, None)?));
        }
        let root = PathBuf::from(text);
        if !root.is_dir() {
            return Err(Failure::usage(format!("{text}: neither an address with https:// nor a folder")));
        }
        let here = |below: &str| exists(&root.join(below));
        let ledger = if here("ledger") {
            "ledger/"
        } else if here("requests/checkpoint") || here("oversight/checkpoint") {
            ""
        } else {
            return Err(Failure::usage(format!(
                "{text}: there is no ledger in it; give the folder that holds ledger/ (the public files of a Canvass)"
            )));
        };
        Ok(Self::Folder { root, ledger })
    }

    /// The server that the command was told of.
    ///
    /// # Errors
    /// None was named.
    pub fn of(context: &Context) -> Result<Self, Failure> {
        Ok(Self::Http(context.public_http()?))
    }

    /// Whether the other public files can be here, and not the ledgers alone.
    pub fn whole(&self) -> bool {
        !matches!(self, Self::Folder { ledger: "", .. })
    }

    /// A short name for a file of what is remembered.
    pub fn file_name(&self) -> String {
        match self {
            Self::Http(http) => http.server().file_name(),
            Self::Folder { root, .. } => {
                let root = root.canonicalize().unwrap_or_else(|_| root.clone());
                let digest = canvass_types::Digest::of(root.as_os_str().as_encoded_bytes()).to_string();
                format!("folder-{}", digest.get(..16).unwrap_or_default())
            }
        }
    }

    /// Reads a file below the root; `None` where nothing is.
    ///
    /// # Errors
    /// The source failed, or the file is longer than `limit` bytes.
    pub async fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Http(http) => Ok(http.get_optional(&format!("/{path}"), limit).await?),
            Self::Folder { root, .. } => read_below(root, path, limit),
        }
    }

    /// Reads a file that must be there.
    ///
    /// # Errors
    /// As [`Self::read`], and when nothing is there.
    pub async fn must_read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Failure> {
        self.read(path, limit).await?.ok_or_else(|| {
            Failure::new(format!(
                "{path}: nothing is there; check the address and the id, it may never have been published"
            ))
        })
    }

    fn ledger(&self) -> &'static str {
        match self {
            Self::Http(_) => "ledger/",
            Self::Folder { ledger, .. } => ledger,
        }
    }

    /// Path of `keys.json`.
    pub fn keys_path(&self) -> String {
        format!("{}keys.json", self.ledger())
    }

    /// The files of one ledger.
    pub fn log(&self, log: Log) -> LogFiles<'_> {
        LogFiles { public: self, prefix: format!("{}{}/", self.ledger(), log.as_str()) }
    }
}

fn read_below(root: &Path, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    let path = root.join(path);
    if !exists(&path) {
        return Ok(None);
    }
    read_limited(&path, limit).map(Some)
}

/// The files of one ledger, as an auditor reads them.
#[derive(Debug, Clone)]
pub struct LogFiles<'a> {
    public: &'a Public,
    prefix: String,
}

impl TileSource for LogFiles<'_> {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let limit = u64::try_from(MAX_BUNDLE).unwrap_or(u64::MAX);
        let read = self.public.read(&format!("{}{path}", self.prefix), limit).await;
        read.map_err(|failure| StoreError::failed(path, failure.to_string()))
    }
}
