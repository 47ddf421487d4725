//! Web push to members (RFC 8030): a member's browser is told that an alert waits for comparison, and nothing else of it.
//!
//! What a browser was told of is the place of an alert in their order. So nothing is missed after a stop, and many alerts at
//! once are one message.

use canvass_policy::Reach;
use canvass_types::{Digest, MemberId, PushId, Role, SessionId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Action as _, Actor, AlertList, By, Job, PushSubscribe, Target},
    cases::load::{every, up_to},
    error::{accept, check_text, problem},
    ports::{Kind, Query, Records, RecordsExt, StoreError, Versioned},
    records::{Alert, AlertPush, AlertState, Member, PushAddress, Session},
};

/// Most browsers that one member has told.
pub const MOST_BROWSERS: usize = 5;
/// Days after which a subscription ends, unless the page of alerts renews it.
pub const PUSH_DAYS: u32 = 30;
/// Seconds after a message within which a browser gets no other: what comes meanwhile is told by the next.
pub const QUIET_SECONDS: i64 = 30;
/// Tries in a row that may fail; then the subscription ends.
const MOST_FAILURES: u32 = 12;
/// Browsers that one round tells, and subscriptions that one round of forgetting removes.
const ROUND: usize = 64;
/// Longest parts of a subscription, bytes.
const LONGEST: (usize, usize, usize) = (1_000, 200, 100);

/// Keys of a push subscription, base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PushKeys {
    /// Public key, an uncompressed point of P-256.
    pub p256dh: String,
    /// A secret of 16 bytes.
    pub auth: String,
}

/// A browser that is to be told of alerts: its push subscription (W3C Push API), and the language of the words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPush {
    /// Address of the push service.
    pub endpoint: String,
    /// Keys of the browser.
    pub keys: PushKeys,
    /// `en` or `es`.
    pub language: String,
}

/// A browser that is told of alerts, as its member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushView {
    /// Its id.
    pub id: PushId,
    /// The push service.
    pub service: String,
    /// SHA-256 of the whole address, by which a browser knows its own.
    pub endpoint: Digest,
    /// When it was subscribed.
    pub made: Time,
    /// When it ends, unless the page of alerts is opened in it.
    pub ends: Time,
}

impl From<&AlertPush> for PushView {
    fn from(it: &AlertPush) -> Self {
        let rest = it.address.endpoint.split_once("://").map_or("", |(_, rest)| rest);
        let service = rest.split(['/', '?']).next().unwrap_or_default().to_owned();
        Self { id: it.id.clone(), service, endpoint: it.endpoint, made: it.made, ends: it.ends }
    }
}

/// What became of a message to a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The push service took it.
    Done,
    /// The subscription is gone for good.
    Gone,
    /// Perhaps later.
    Later,
}

/// A browser that is to be told.
#[derive(Debug, Clone)]
pub struct PushDue {
    /// Where.
    pub address: PushAddress,
    /// In which language.
    pub language: String,
    newest: u64,
    push: Versioned<AlertPush>,
}

fn session_of(actor: &Actor) -> Option<SessionId> {
    match &actor.by {
        By::Session { id, .. } => Some(id.clone()),
        By::Token { .. } | By::Enrolment(_) => None,
    }
}

impl<R: Records> App<R> {
    /// Tells a browser of the actor's of alerts from now on, or renews that.
    ///
    /// # Errors
    /// When the actor may not, the push service is unknown here (`admits`), a field is wrong, or they have [`MOST_BROWSERS`].
    pub async fn subscribe_push(
        &self,
        actor: &Actor,
        wish: NewPush,
        admits: impl Fn(&str) -> bool + Send + Sync,
    ) -> Result<PushView, CoreError> {
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let intent = self.allow::<PushSubscribe>(actor, Target::of(&agency, "alerts"), None).await?;
        let mut problems = Vec::new();
        check_text(&mut problems, "endpoint", &wish.endpoint, 1..=LONGEST.0);
        check_text(&mut problems, "keys.p256dh", &wish.keys.p256dh, 1..=LONGEST.1);
        check_text(&mut problems, "keys.auth", &wish.keys.auth, 1..=LONGEST.2);
        if !matches!(wish.language.as_str(), "en" | "es") {
            problems.push(problem(
                "language",
                "known",
                "there are no words in this language",
                "give en or es",
            ));
        }
        if problems.is_empty() && !admits(&wish.endpoint) {
            problems.push(problem(
                "endpoint",
                "service",
                "this push service is not one of the known browsers'",
                "use another browser, or ask the operator to add the service (`canvass serve --push-service`)",
            ));
        }
        accept(problems)?;
        let now = self.now();
        let endpoint = Digest::of(wish.endpoint.as_bytes());
        let address = PushAddress { endpoint: wish.endpoint, p256dh: wish.keys.p256dh, auth: wish.keys.auth };
        let known = self.records().first(Query::<AlertPush>::new().with("endpoint", endpoint)).await?;
        let newest =
            self.records().first(Query::<Alert>::new().with("agency", &agency).newest_first()).await?;
        let mut push = AlertPush {
            id: PushId::random(self.entropy()),
            agency,
            member: actor.member.clone(),
            session: session_of(actor),
            address,
            endpoint,
            language: wish.language,
            made: now,
            // What came before is on the page that is open at this moment.
            told: newest.map_or(0, |found| found.sequence),
            failures: 0,
            not_before: None,
            ends: now.plus_days(PUSH_DAYS),
        };
        match known {
            // Who uses the browser now is told, and nobody who used it before.
            Some(before) => {
                push.id = before.record.id.clone();
                if before.record.member == push.member {
                    push.made = before.record.made;
                }
                intent.with(|changes| changes.update(&before, &push)).commit(self.records()).await?;
            }
            None => {
                if self.pushes_of(&actor.member).await?.len() >= MOST_BROWSERS {
                    return Err(CoreError::state(
                        format!("{MOST_BROWSERS} of your browsers are told already, and no more are"),
                        "stop one that you no longer use",
                    ));
                }
                intent.with(|changes| changes.insert(&push)).commit(self.records()).await?;
            }
        }
        Ok((&push).into())
    }

    pub(crate) async fn pushes_of(&self, member: &MemberId) -> Result<Vec<Versioned<AlertPush>>, CoreError> {
        every(self.records(), Query::<AlertPush>::new().with("member", member), usize::MAX).await
    }

    pub(crate) async fn pushes_of_session(
        &self,
        id: &SessionId,
    ) -> Result<Vec<Versioned<AlertPush>>, CoreError> {
        every(self.records(), Query::<AlertPush>::new().with("session", id), usize::MAX).await
    }

    /// The actor's browsers that are told of alerts.
    ///
    /// # Errors
    /// When the actor may not be told.
    pub async fn my_pushes(&self, actor: &Actor) -> Result<Vec<PushView>, CoreError> {
        self.gate().check::<PushSubscribe>(actor, &Target::maybe(actor.agency.as_ref(), "alerts"))?;
        Ok(self.pushes_of(&actor.member).await?.iter().map(|found| (&found.record).into()).collect())
    }

    /// Tells a browser of the actor's no more.
    ///
    /// # Errors
    /// When there is none under this id.
    pub async fn stop_push(&self, actor: &Actor, id: &PushId) -> Result<(), CoreError> {
        let target = Target::maybe(actor.agency.as_ref(), "alerts");
        let intent = self.allow::<PushSubscribe>(actor, target, None).await?;
        let before: Option<Versioned<AlertPush>> = self.records().get(id.as_str()).await?;
        let before = before.filter(|found| found.record.member == actor.member);
        let before = before.ok_or(CoreError::Hidden("subscription"))?;
        intent.with(|changes| changes.delete(&before)).commit(self.records()).await?;
        Ok(())
    }

    /// Browsers that are to be told that alerts wait, at most some dozens. Those whose members may not see alerts any more,
    /// or signed out, are dropped.
    ///
    /// # Errors
    /// The store's; the next round goes on.
    pub async fn pushes_due(&self) -> Result<Vec<PushDue>, CoreError> {
        let now = self.now();
        let mut due = Vec::new();
        for agency in self.records().count_by(Kind::AlertPush, "agency").await?.into_keys() {
            let waiting = Query::<Alert>::new().with("agency", &agency);
            let waiting = waiting.with("state", AlertState::Unconfirmed.as_str()).newest_first();
            let Some(newest) = self.records().first(waiting).await?.map(|found| found.sequence) else {
                continue;
            };
            let query = Query::<AlertPush>::new().with("agency", &agency);
            for push in every(self.records(), query, usize::MAX).await? {
                let it = &push.record;
                if it.told >= newest || it.ends <= now || it.not_before.is_some_and(|at| now < at) {
                    continue;
                }
                if !self.may_be_told(it).await? {
                    self.drop_push(&push).await?;
                } else if due.len() < ROUND {
                    let (address, language) = (it.address.clone(), it.language.clone());
                    due.push(PushDue { address, language, newest, push });
                }
            }
        }
        Ok(due)
    }

    async fn may_be_told(&self, push: &AlertPush) -> Result<bool, CoreError> {
        let member: Option<Versioned<Member>> = self.records().get(push.member.as_str()).await?;
        let policies = self.gate().policies();
        let reach = |role: &Role| policies.table().reach(AlertList::NAME, *role) != Reach::Never;
        let may = member.is_some_and(|found| {
            let it = found.record;
            it.active && it.agency.as_ref() == Some(&push.agency) && it.roles.iter().any(reach)
        });
        let Some(session) = push.session.as_ref().filter(|_| may) else { return Ok(may) };
        let session: Option<Versioned<Session>> = self.records().get(session.as_str()).await?;
        Ok(session.is_none_or(|found| found.record.ended.is_none()))
    }

    /// Records what became of a message to a browser.
    ///
    /// # Errors
    /// The store's: the browser is then told again.
    pub async fn push_tried(&self, due: &PushDue, pushed: Pushed) -> Result<(), CoreError> {
        let (before, now) = (&due.push, self.now());
        let mut after = before.record.clone();
        match pushed {
            Pushed::Done => {
                after.told = due.newest;
                after.failures = 0;
                after.not_before = Some(now.plus_seconds(QUIET_SECONDS));
            }
            Pushed::Gone => return self.drop_push(before).await,
            Pushed::Later if before.record.failures + 1 >= MOST_FAILURES => {
                return self.drop_push(before).await;
            }
            Pushed::Later => {
                after.failures += 1;
                after.not_before = Some(now.plus_seconds((60 << after.failures.min(10)).min(6 * 3_600)));
            }
        }
        let intent = self.system(Job::Housekeeping, Target::shared(&after.id));
        match intent.with(|changes| changes.update(before, &after)).commit(self.records()).await {
            // It was renewed or stopped at the same moment.
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn drop_push(&self, push: &Versioned<AlertPush>) -> Result<(), CoreError> {
        let intent = self.system(Job::Housekeeping, Target::shared(&push.record.id));
        match intent.with(|changes| changes.delete(push)).commit(self.records()).await {
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets subscriptions that ended; says how many.
    ///
    /// # Errors
    /// The store's; the next round goes on.
    pub async fn forget_pushes(&self) -> Result<usize, CoreError> {
        let old = up_to(self.records(), Query::<AlertPush>::new().due("ends", self.now()), ROUND).await?;
        for push in &old {
            self.drop_push(push).await?;
        }
        Ok(old.len())
    }
}
