//! Ceremonies under way: each counts once and for a few minutes; their number has a limit.

use std::collections::{HashMap, VecDeque};

use canvass_signin::{Asserting, Registering};
use canvass_types::{EnrolmentId, MemberId, SessionId, Time};

use super::{federated::Federated, limits, minutes};

/// What a ceremony will do when it is answered.
#[derive(Debug)]
pub(super) enum Pending {
    /// A key for whoever holds the enrolment.
    Enrol(EnrolmentId, Registering),
    /// One more key of a member.
    Add(MemberId, Registering),
    /// A session for whoever answers.
    SignIn(Asserting),
    /// The session is unlocked and fresh.
    Confirm(SessionId, Asserting),
    /// Whatever a sign-in at a provider was begun for.
    Federated(Box<Federated>),
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Ceremonies {
    pending: HashMap<String, (Time, Pending)>,
    order: VecDeque<String>,
}

impl Ceremonies {
    pub(super) fn put(&mut self, id: String, now: Time, pending: Pending) {
        while let Some(oldest) = self.order.front() {
            let over = self.pending.get(oldest).is_none_or(|(until, _)| *until <= now);
            if !over && self.pending.len() < limits::CEREMONIES {
                break;
            }
            self.pending.remove(oldest);
            self.order.pop_front();
        }
        self.order.push_back(id.clone());
        self.pending.insert(id, (minutes(now, limits::CEREMONY_MINUTES), pending));
    }

    pub(super) fn take(&mut self, id: &str, now: Time) -> Option<Pending> {
        let (until, pending) = self.pending.remove(id)?;
        (now < until).then_some(pending)
    }
}

#[cfg(test)]
mod tests {
    use canvass_signin::RelyingParty;

    use super::*;

    fn pending() -> Pending {
        let party = RelyingParty::at("https://desk.example.org").unwrap();
        Pending::SignIn(party.begin_assertion().unwrap().0)
    }

    #[test]
    fn each_counts_once_in_time_and_their_number_has_a_limit() {
        let (mut all, now) = (Ceremonies::default(), Time::from_second(1_000));
        all.put("a".into(), now, pending());
        assert!(all.take("b", now).is_none());
        assert!(all.take("a", now).is_some());
        assert!(all.take("a", now).is_none(), "it counts once");
        all.put("a".into(), now, pending());
        assert!(all.take("a", minutes(now, limits::CEREMONY_MINUTES)).is_none(), "it was too late");
        for n in 0..limits::CEREMONIES + 7 {
            all.put(n.to_string(), now, pending());
        }
        assert_eq!(all.pending.len(), limits::CEREMONIES);
        assert!(all.take("6", now).is_none() && all.take("7", now).is_some());
        all.put("late".into(), minutes(now, 60), pending());
        assert_eq!((all.pending.len(), all.order.len()), (1, 1), "what is over goes");
    }
}
