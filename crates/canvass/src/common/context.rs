//! What a command was called with, and where things lie.

use std::path::{Path, PathBuf};

use canvass_types::Clock;
use zeroize::Zeroizing;

use super::{Console, Failure, Http, OsEntropy, Server, SystemClock, read_limited};
use crate::cli::Global;

/// Longest token file, in bytes.
const MAX_TOKEN: u64 = 4 * 1024;

/// For whom output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Text for people.
    Human,
    /// JSON for programs.
    Json,
}

/// What every command is handed.
#[derive(Debug)]
pub struct Context {
    /// For whom output is.
    pub output: Output,
    server: Option<String>,
    token_file: Option<PathBuf>,
    keyring: Option<PathBuf>,
    state: Option<PathBuf>,
}

impl Context {
    /// From the flags that every command takes.
    pub fn new(global: &Global) -> Self {
        Self {
            output: if global.json { Output::Json } else { Output::Human },
            server: global.server.clone(),
            token_file: global.token_file.clone(),
            keyring: global.keyring.clone(),
            state: global.state.clone(),
        }
    }

    /// Where to print.
    pub fn console(&self) -> Console {
        Console::new(self.output)
    }

    /// The machine's chance.
    pub fn entropy(&self) -> OsEntropy {
        OsEntropy
    }

    /// The machine's clock.
    pub fn clock(&self) -> SystemClock {
        SystemClock
    }

    /// The present moment.
    pub fn now(&self) -> canvass_types::Time {
        canvass_types::Time::new(self.clock().now())
    }

    /// The server named by `--server` or `CANVASS_SERVER`.
    ///
    /// # Errors
    /// None was named, or it is no address.
    pub fn server(&self) -> Result<Server, Failure> {
        let server = self.server.as_deref().ok_or_else(|| {
            Failure::usage("no server named; give --server URL, or set CANVASS_SERVER, for example https://canvass.example")
        })?;
        Server::parse(server)
    }

    /// A client for public files: it sends no token, no cookie and no name.
    ///
    /// # Errors
    /// As [`Self::server`], or TLS can't be set up.
    pub fn public_http(&self) -> Result<Http, Failure> {
        Http::new(self.server()?, None)
    }

    /// A client for the agency's desk, with the member's token.
    ///
    /// # Errors
    /// No server or no token was named, or TLS can't be set up.
    pub fn private_http(&self) -> Result<Http, Failure> {
        Http::new(self.server()?, Some(self.token()?))
    }

    /// The member's token, from `--token-file` or `CANVASS_TOKEN`.
    ///
    /// # Errors
    /// Neither is there, or it is no token.
    pub fn token(&self) -> Result<Zeroizing<String>, Failure> {
        let text = match &self.token_file {
            Some(file) => {
                Zeroizing::new(String::from_utf8(read_limited(file, MAX_TOKEN)?).map_err(|_| {
                    Failure::usage(format!(
                        "{}: not text; give the file with the token alone",
                        file.display()
                    ))
                })?)
            }
            None => Zeroizing::new(std::env::var("CANVASS_TOKEN").map_err(|_| {
                Failure::usage(
                    "no token; give --token-file FILE, or set CANVASS_TOKEN to a token starting with cvt_",
                )
            })?),
        };
        let token = Zeroizing::new(text.trim().to_owned());
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Failure::usage("the token is empty or has white space in it; copy it again whole"));
        }
        Ok(token)
    }

    /// The folder with the member's keys.
    ///
    /// # Errors
    /// There is no home folder, and none was named.
    pub fn keyring(&self) -> Result<PathBuf, Failure> {
        folder(self.keyring.as_deref(), "XDG_CONFIG_HOME", ".config", "--keyring")
    }

    /// The folder where checkpoints seen before are remembered.
    ///
    /// # Errors
    /// There is no home folder, and none was named.
    pub fn state(&self) -> Result<PathBuf, Failure> {
        folder(self.state.as_deref(), "XDG_STATE_HOME", ".local/state", "--state-folder")
    }
}

fn folder(named: Option<&Path>, variable: &str, below: &str, flag: &str) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let set = |name: &str| std::env::var_os(name).filter(|text| !text.is_empty()).map(PathBuf::from);
    let base = set(variable).filter(|path| path.is_absolute()).or_else(|| Some(set("HOME")?.join(below)));
    let base = base.ok_or_else(|| Failure::usage(format!("no home folder is set; give {flag} DIR")))?;
    Ok(base.join("canvass"))
}
