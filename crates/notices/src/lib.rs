//! Notices of new requests, for those who asked for them: web push (RFC 8030, 8291, 8292) and e-mail.
//!
//! ```text
//! resident's device ─ seals a wish to this server ─► public role's spool ─► Notices::take ─► notices.db
//! feed/index.json changed ─► Notices::round ─► everyone who named the region, with the same words
//! ```
//!
//! What a subscription holds: coarse regions, a language, and a push address or an e-mail address. Not more: no place, no
//! name, and never what somebody looked at. The public role can't read wishes; this crate runs on the private side and
//! keeps its own file, which no backup holds. Stopping deletes the row.

mod keys;
mod mail;
mod news;
mod push;
mod store;
mod texts;
mod wish;

use std::{path::PathBuf, sync::Arc};

use canvass_types::{Clock, Entropy};
use futures_util::{StreamExt as _, stream};

use self::{
    keys::Keys,
    mail::Mailer,
    news::News,
    push::Pusher,
    store::{Row, Store, Target},
    wish::Act,
};
pub use self::{
    mail::MailConfig,
    push::PushConfig,
    wish::{MOST_REGIONS, PushKeys, PushTarget, Wish, WishError},
};

/// Messages that are on their way at the same time.
const AT_ONCE: usize = 16;
/// Subscribers told in one round.
const BATCH: u32 = 256;
/// Longest sealed wish, in bytes of its armoured text.
pub const MAX_SEALED: usize = 16 * 1024;
/// Days that a subscription lives; then it has to be asked for again.
pub const SUBSCRIPTION_DAYS: i64 = 365;
/// Hours in which an e-mail address has to be confirmed.
pub const CONFIRM_HOURS: i64 = 48;

/// How notices are sent.
#[derive(Debug, Clone)]
pub struct NoticesConfig {
    /// The file of subscriptions.
    pub database: PathBuf,
    /// Folder of this server's secret keys.
    pub keys: PathBuf,
    /// Folder of the public files.
    pub public: PathBuf,
    /// Address of the public role, without a slash at the end.
    pub public_url: String,
    /// Name of this Canvass.
    pub name: String,
    /// Web push, if it is on.
    pub push: Option<PushConfig>,
    /// E-mail, if it is on.
    pub mail: Option<MailConfig>,
}

/// Why notices can't be sent. No message names an address.
#[derive(Debug, thiserror::Error)]
pub enum NoticesError {
    /// The file of subscriptions.
    #[error(
        "notices.db: it can't be used ({0}); stop what holds it, or move it away: subscribers can ask again"
    )]
    Store(#[from] sqlx::Error),
    /// A file.
    #[error("{path}: can't be read or written ({source}); look at the folder and its owner")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key file.
    #[error("{0}: this is no key of Canvass; put it back, or remove it: subscribers then have to ask again")]
    Key(PathBuf),
    /// A setting.
    #[error("{setting}: {reason}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// A public file is not what it should be.
    #[error("a public file of the feed can't be read; the publisher writes it anew")]
    Feed,
    /// A message could not be put together.
    #[error("a message can't be put together: {0}")]
    Message(&'static str),
}

/// What became of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was taken.
    Done,
    /// The address is gone for good.
    Gone,
    /// Perhaps later.
    Later,
}

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// Subscribers told.
    pub sent: usize,
    /// Subscriptions that ended: address gone, time over, never confirmed.
    pub ended: u64,
    /// Messages to try again.
    pub later: usize,
    /// Whether more wait.
    pub more: bool,
}

/// Subscriptions and their messages.
pub struct Notices {
    store: Store,
    keys: Keys,
    news: News,
    push: Option<Pusher>,
    mail: Option<Mailer>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Notices {
    /// Opens the file of subscriptions and the keys; makes them where they are missing.
    ///
    /// # Errors
    /// [`NoticesError`] names the file or setting.
    pub async fn open(
        config: NoticesConfig,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, NoticesError> {
        let keys = Keys::open(&config.keys, entropy.as_ref())?;
        let store = Store::open(&config.database).await?;
        let push = config.push.as_ref().map(|push| Pusher::new(push, &keys)).transpose()?;
        let mail = config.mail.as_ref().map(|mail| Mailer::new(mail, &config)).transpose()?;
        let news = News::new(config.public.clone());
        Ok(Self { store, keys, news, push, mail, clock, entropy })
    }

    /// The age recipient to which wishes are sealed.
    #[must_use]
    pub fn recipient(&self) -> String {
        self.keys.recipient()
    }

    /// The VAPID public key (RFC 8292), as browsers take it: an uncompressed point in base64url. None when push is off.
    #[must_use]
    pub fn push_key(&self) -> Option<String> {
        self.push.as_ref().map(|_| self.keys.vapid_public())
    }

    /// Whether a push address belongs to a service that is known here; none does while push is off.
    #[must_use]
    pub fn admits(&self, endpoint: &str) -> bool {
        self.push.as_ref().is_some_and(|push| push.admits(endpoint))
    }

    /// Tells a member's browser that alerts wait for a comparison, in `en` or `es`.
    ///
    /// # Errors
    /// When the message can't be put together.
    pub async fn tell_of_alerts(&self, target: &PushTarget, language: &str) -> Result<Sent, NoticesError> {
        match &self.push {
            // What the operator allows may have changed since.
            Some(push) if push.admits(&target.endpoint) => {
                push.tell_of_alerts(target, language, self.now()).await
            }
            Some(_) => Ok(Sent::Gone),
            None => Ok(Sent::Later),
        }
    }

    /// Whether e-mail is on.
    #[must_use]
    pub fn sends_mail(&self) -> bool {
        self.mail.is_some()
    }

    /// Carries a sealed wish out. One that can't be opened or does not fit changes nothing: nobody waits for an answer.
    ///
    /// # Errors
    /// When the file of subscriptions does not answer; the wish can be taken again.
    pub async fn take(&self, sealed: &str) -> Result<(), NoticesError> {
        let wish = match self.keys.open_wish(sealed) {
            Ok(wish) => wish,
            Err(error) => {
                tracing::info!(%error, "a wish for notices was dropped");
                return Ok(());
            }
        };
        match wish.act {
            Act::Push { regions, language, subscription } => {
                let Some(push) = &self.push else { return Ok(()) };
                if !push.admits(&subscription.endpoint) {
                    tracing::info!("a push address of an unknown service was dropped");
                    return Ok(());
                }
                let row = self.row(Target::Push(subscription), regions, &language).await?;
                self.store.put(&row).await
            }
            Act::Mail { regions, language, address } => {
                self.ask_to_confirm(regions, &language, address).await
            }
            Act::Confirm { token } => {
                let until = self.now() + SUBSCRIPTION_DAYS * 86_400;
                self.store.confirm(&token, until).await
            }
            Act::Stop { token } => self.store.stop(&token).await,
            Act::StopPush { endpoint } => self.store.stop_target(&endpoint).await,
        }
    }

    /// Ends a subscription by its token: the link in every message (RFC 8058).
    ///
    /// # Errors
    /// When the file of subscriptions does not answer.
    pub async fn stop(&self, token: &str) -> Result<(), NoticesError> {
        self.store.stop(token).await
    }

    /// How many subscriptions there are, by channel and state: figures without addresses.
    ///
    /// # Errors
    /// When the file of subscriptions does not answer.
    pub async fn counts(&self) -> Result<Vec<(String, String, i64)>, NoticesError> {
        self.store.counts().await
    }

    /// Finds what is new, and tells those who asked. Safe to repeat: who was told is remembered after each message.
    ///
    /// # Errors
    /// When the file of subscriptions or the feed can't be read.
    pub async fn round(&self) -> Result<Told, NoticesError> {
        let now = self.now();
        let mut told = Told { ended: self.store.expire(now).await?, ..Told::default() };
        let subscribed = self.store.regions().await?;
        for (region, digest) in self.news.changed(&subscribed).await? {
            self.store.mark(&region, &digest).await?;
        }
        let due = self.store.due(now, BATCH).await?;
        told.more = due.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
        let ends = stream::iter(due).map(|row| self.tell(row, now)).buffer_unordered(AT_ONCE);
        for end in ends.collect::<Vec<_>>().await {
            match end? {
                Some(Sent::Done) => told.sent += 1,
                Some(Sent::Gone) => told.ended += 1,
                Some(Sent::Later) => told.later += 1,
                None => {}
            }
        }
        Ok(told)
    }

    /// Tells one subscriber what is new to them; none when nothing is.
    async fn tell(&self, mut row: Row, now: i64) -> Result<Option<Sent>, NoticesError> {
        let open = self.news.open(&row.regions).await?;
        let fresh: Vec<_> = open.iter().filter(|each| !row.told.contains(&each.id)).collect();
        if fresh.is_empty() {
            row.told = open.into_iter().map(|each| each.id).collect();
            self.store.settle(&row).await?;
            return Ok(None);
        }
        let sent = match (&row.target, &self.push, &self.mail) {
            (Target::Push(target), Some(push), _) => push.send(target, &row, &fresh, now).await?,
            (Target::Mail(address), _, Some(mail)) => mail.tell(address, &row, &fresh).await?,
            // The channel is switched off for now.
            _ => Sent::Later,
        };
        match sent {
            Sent::Done => {
                row.told = open.into_iter().map(|each| each.id).collect();
                self.store.settle(&row).await?;
            }
            Sent::Gone => self.store.stop(&row.token).await?,
            Sent::Later => self.store.postpone(&row, now).await?,
        }
        Ok(Some(sent))
    }

    async fn ask_to_confirm(
        &self,
        regions: Vec<String>,
        language: &str,
        address: String,
    ) -> Result<(), NoticesError> {
        let Some(mail) = &self.mail else { return Ok(()) };
        if !mail.is_address(&address) || self.store.asked_lately(&address, self.now()).await? {
            // One letter a day to an address, or a stranger could flood it.
            return Ok(());
        }
        let mut row = self.row(Target::Mail(address.clone()), regions, language).await?;
        row.until = self.now() + CONFIRM_HOURS * 3_600;
        row.active = false;
        // An address that is confirmed already keeps what it has until the new wish is confirmed, too.
        let token = self.store.put_pending(&row).await?;
        mail.confirm(&address, &token, language).await?;
        Ok(())
    }

    async fn row(&self, target: Target, regions: Vec<String>, language: &str) -> Result<Row, NoticesError> {
        let told = self.news.open(&regions).await?.into_iter().map(|each| each.id).collect();
        let token = data_encoding::BASE32_NOPAD
            .encode(&canvass_types::env::random::<20>(self.entropy.as_ref()))
            .to_lowercase();
        let until = self.now() + SUBSCRIPTION_DAYS * 86_400;
        let (language, begun) = (language.to_owned(), self.now());
        Ok(Row { id: 0, target, regions, language, token, told, active: true, begun, until, failures: 0 })
    }

    fn now(&self) -> i64 {
        self.clock.now().as_second()
    }
}
