//! Serves a folder and a spool as the public role, for trying it by hand and for measuring it:
//! `cargo run -p canvass-server --example public_role -- <folder> <spool> <address:port>`.

use std::sync::Arc;

use canvass_server::public::spool::{Spool, SpoolConfig};
use canvass_server::public::{PublicConfig, serve};
use canvass_types::{Clock, Entropy};

struct Machine;

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "the edge where the machine's clock is read")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

impl Entropy for Machine {
    #[expect(
        clippy::disallowed_methods,
        clippy::expect_used,
        reason = "the edge where the machine's chance is read"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the system has no randomness; nothing can be served safely");
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(std::io::stderr).init();
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("three arguments are needed: folder, spool, address:port");
    let (folder, spool, address) = (next()?, next()?, next()?);
    let spool =
        Spool::open(SpoolConfig::new(spool, 4_000_000_000_000, Arc::new(Machine), Arc::new(Machine)))?;
    let config = PublicConfig::new(folder, spool, Arc::new(Machine));
    let listener = tokio::net::TcpListener::bind(address).await?;
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    Ok(serve(listener, config, stop).await?)
}
