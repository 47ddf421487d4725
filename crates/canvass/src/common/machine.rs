//! The machine's clock and chance: the edges where they are read.

use canvass_types::{Clock, Entropy, Time};

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the edge where the machine's clock is read")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(
        clippy::disallowed_methods,
        clippy::expect_used,
        reason = "the edge where the machine's chance is read; without it no key may be made"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the system has no randomness; nothing can be sealed safely");
    }
}

/// The present moment.
pub fn now() -> Time {
    Time::new(SystemClock.now())
}

/// Midnight of the present day in UTC, in seconds since 1970: as coarse as a time in an envelope needs to be.
pub fn day() -> u64 {
    let second = u64::try_from(now().as_second()).unwrap_or(0);
    second - second % 86_400
}

/// Resolves when the machine or the person asks the program to stop.
pub async fn stop_signal() {
    #[cfg(unix)]
    {
        let Ok(mut term) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            let _ = tokio::signal::ctrl_c().await;
            return;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = term.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}
