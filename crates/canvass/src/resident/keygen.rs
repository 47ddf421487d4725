//! `canvass keygen`: an age identity.

use std::io::Write;
use std::path::PathBuf;

use canvass_seal::Identity;
use canvass_seal::group::identity_file;
use canvass_types::env::random;
use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use crate::common::{Context, Failure, create_new};

/// Make an age identity, in a file as age-keygen writes it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  canvass keygen --out identity.txt\n  canvass keygen > identity.txt")]
pub struct Keygen {
    /// File for the identity; without it, it is printed
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// The file exists, or can't be written.
pub fn run(command: &Keygen, context: &Context) -> Result<(), Failure> {
    let secret = Zeroizing::new(random::<32>(&context.entropy()));
    let identity = Identity::from_secret_bytes(&secret)?;
    let public = identity.recipient().map(|recipient| recipient.to_string()).unwrap_or_default();
    let text = identity_file(&identity, &context.now().to_string())?;
    let Some(path) = &command.out else {
        context.console().raw(text.as_str());
        return Ok(());
    };
    let mut file = create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    context.console().line(format!("Public key: {public}"));
    context.console().result(&json!({"recipient": public, "file": path}))
}
