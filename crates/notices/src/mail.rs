//! E-mail by SMTP (RFC 5321): a letter to confirm an address, and letters that tell of new requests. Plain text, with the
//! one-click way out of RFC 8058.

use std::{fmt::Write as _, time::Duration};

use jiff::Timestamp;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue},
    },
    transport::smtp::authentication::Credentials,
};

use crate::{NoticesConfig, NoticesError, Sent, news::Open, store::Row, texts};

/// How e-mail is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct MailConfig {
    /// `smtps://user@host:465`, or `smtp://user@host:587?tls=required`; without TLS only on this machine itself.
    pub smtp: String,
    /// Password of that user.
    pub password: Option<String>,
    /// Sender, `Canvass <notices@canvass.example>`.
    pub from: String,
}

impl std::fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailConfig").field("from", &self.from).finish_non_exhaustive()
    }
}

pub(crate) struct Mailer {
    smtp: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    public_url: String,
    name: String,
}

macro_rules! text_header {
    ($name:ident, $text:literal) => {
        #[derive(Clone)]
        struct $name(String);
        impl Header for $name {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($text)
            }
            fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(text.to_owned()))
            }
            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), self.0.clone())
            }
        }
    };
}
text_header!(ListUnsubscribe, "List-Unsubscribe");
text_header!(ListUnsubscribePost, "List-Unsubscribe-Post");
text_header!(AutoSubmitted, "Auto-Submitted");

impl Mailer {
    pub(crate) fn new(config: &MailConfig, all: &NoticesConfig) -> Result<Self, NoticesError> {
        let bad = |setting, reason: String| NoticesError::Setting { setting, reason };
        let from = config.from.parse::<Mailbox>().map_err(|error| {
            bad("mail from", format!("not a sender ({error}); write: Canvass <notices@canvass.example>"))
        })?;
        let form = "write smtps://user@host:465, or smtp://user@host:587?tls=required";
        let url = reqwest::Url::parse(&config.smtp)
            .map_err(|error| bad("mail smtp", format!("{error}; {form}")))?;
        let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let sealed =
            url.scheme() == "smtps" || url.query().is_some_and(|query| query.contains("tls=required"));
        if !sealed && !here {
            return Err(bad("mail smtp", format!("letters would travel unsealed; {form}")));
        }
        let built = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.smtp);
        let mut built = built.map_err(|error| bad("mail smtp", format!("{error}; {form}")))?;
        if let Some(password) = &config.password {
            built = built.credentials(Credentials::new(url.username().to_owned(), password.clone()));
        }
        let smtp = built.timeout(Some(Duration::from_secs(30))).build();
        Ok(Self { smtp, from, public_url: all.public_url.clone(), name: all.name.clone() })
    }

    /// Whether a text can be written to.
    pub(crate) fn is_address(&self, text: &str) -> bool {
        text.parse::<Address>().is_ok()
    }

    pub(crate) async fn confirm(&self, to: &str, token: &str, language: &str) -> Result<Sent, NoticesError> {
        let text = texts::of(language);
        let link = format!("{}/notify#confirm/{token}", self.public_url);
        let body = format!("{}\n\n{link}\n\n{}\n\n{}\n", text.confirm, text.ignore, self.name);
        self.send(to, &format!("{}: {}", self.name, text.confirm_subject), body, token).await
    }

    pub(crate) async fn tell(&self, to: &str, row: &Row, fresh: &[&Open]) -> Result<Sent, NoticesError> {
        let text = texts::of(&row.language);
        let mut body = format!("{}\n", text.intro);
        let mut regions: Vec<&str> = Vec::new();
        for each in fresh {
            let (what, until) = (&each.body, each.closes.as_deref().and_then(|at| at.split('T').next()));
            let _ = write!(body, "\n- {}, {}", what.agency.name, what.code);
            let _ = match until {
                Some(until) => writeln!(body, " ({} {until})", text.until),
                None => writeln!(body),
            };
            if !regions.contains(&each.region.as_str()) {
                regions.push(&each.region);
            }
        }
        for region in regions {
            let _ = write!(body, "\n{}: {}/r/{region}\n", text.open, self.public_url);
        }
        let ends = day(row.until);
        let stop = format!("{}/notify#stop/{}", self.public_url, row.token);
        let _ = write!(body, "\n{} {ends}.\n{}: {stop}\n", text.why, text.stop);
        self.send(to, &format!("{}: {}", self.name, text.push_title(fresh.len())), body, &row.token).await
    }

    async fn send(&self, to: &str, subject: &str, body: String, token: &str) -> Result<Sent, NoticesError> {
        let Ok(to) = to.parse::<Address>() else { return Ok(Sent::Gone) };
        let letter = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .message_id(None)
            .header(ListUnsubscribe(format!("<{}/notices/stop/{token}>", self.public_url)))
            .header(ListUnsubscribePost("List-Unsubscribe=One-Click".to_owned()))
            .header(AutoSubmitted("auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(body)
            .map_err(|_| NoticesError::Message("the letter"))?;
        Ok(match self.smtp.send(letter).await {
            Ok(_) => Sent::Done,
            // 5xx: this address takes no letters (RFC 5321 section 4.2.1).
            Err(error) if error.is_permanent() => Sent::Gone,
            Err(_) => {
                tracing::warn!("the mail server did not take a letter");
                Sent::Later
            }
        })
    }
}

fn day(second: i64) -> String {
    let at = Timestamp::from_second(second).map(|at| at.to_string()).unwrap_or_default();
    at.split('T').next().unwrap_or_default().to_owned()
}
