//! How often strangers may try to sign in: a limit for each address, and one for all. Addresses are held in memory for the
//! minute alone and stand in no log.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use axum::http::StatusCode;

use crate::{problem::Problem, serve::Peer};

/// Tries of one address in a minute.
const EACH: u32 = 60;
/// Tries of all together in a minute.
const ALL: u32 = 1_200;

/// Counts the tries of the present minute.
#[derive(Debug, Default)]
pub struct Pace(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    number: u64,
    all: u32,
    each: HashMap<IpAddr, u32>,
}

impl Pace {
    /// Counts one try at a moment, in POSIX seconds.
    ///
    /// # Errors
    /// 429 when there were too many in this minute. Behind a proxy, all come from its address: the limit for all holds.
    pub(crate) fn admit(&self, peer: Peer, seconds: u64) -> Result<(), Problem> {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != seconds / 60 {
            *minute = Minute { number: seconds / 60, ..Minute::default() };
        }
        minute.all = minute.all.saturating_add(1);
        let mut over = minute.all > ALL;
        if !peer.1 && !over {
            let tries = minute.each.entry(peer.0.ip()).or_default();
            *tries = tries.saturating_add(1);
            over = *tries > EACH;
        }
        if !over {
            return Ok(());
        }
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-often", "Too many tries to sign in")
            .detail("there were too many within this minute")
            .remedy("try again in a minute")
            .retry_after(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_all_together_have_a_limit_for_each_minute() {
        let pace = Pace::default();
        let peer = |n: u8, proxied| Peer(([127, 0, 0, n], 80).into(), proxied);
        for _ in 0..EACH {
            pace.admit(peer(1, false), 0).unwrap();
        }
        assert_eq!(pace.admit(peer(1, false), 59).unwrap_err().status(), StatusCode::TOO_MANY_REQUESTS);
        pace.admit(peer(2, false), 59).unwrap();
        pace.admit(peer(1, false), 60).unwrap();
        for _ in 1..ALL {
            pace.admit(peer(3, true), 60).unwrap();
        }
        assert!(pace.admit(peer(4, false), 60).is_err());
    }
}
