//! The way out to agencies' webhooks. Names are resolved here, and only addresses of the internet are connected to, unless
//! the operator named the host; no redirect is followed, no proxy asked, and of an answer only its status is read.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use canvass_core::{
    alerts::webhooks::{Sending, is_public},
    records::Attempt,
};
use reqwest::{
    Client, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header, redirect,
};

/// Within which a connection has to stand.
const CONNECT: Duration = Duration::from_secs(5);
/// Within which a receiver has to answer.
const ANSWER: Duration = Duration::from_secs(15);

/// Two clients: one that reaches the internet alone, and one for hosts that the operator named.
pub struct Outbound {
    outside: Option<Client>,
    inside: Option<Client>,
}

/// A name with no address of the internet.
#[derive(Debug, thiserror::Error)]
#[error("the name leads nowhere on the internet")]
struct Nowhere;

/// Resolves names to addresses of the internet, and to no others: a name may lead into a network although it does not look
/// so. The addresses that are checked are those that are connected to.
struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|at| is_public(at.ip())).collect();
            if public.is_empty() {
                return Err(Nowhere.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

impl Default for Outbound {
    fn default() -> Self {
        let plain = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .connect_timeout(CONNECT)
                .timeout(ANSWER)
                // Each message looks its address up anew.
                .pool_max_idle_per_host(0)
                .user_agent(concat!("Canvass/", env!("CARGO_PKG_VERSION")))
        };
        Self { outside: plain().dns_resolver(Arc::new(Guarded)).build().ok(), inside: plain().build().ok() }
    }
}

/// Seconds after which a receiver wants to be asked again (RFC 9110, section 10.2.3); a date is not read.
fn wanted(answer: &reqwest::Response) -> Option<i64> {
    answer
        .headers()
        .get(header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .filter(|seconds| *seconds >= 0)
}

/// Whether an error comes from the guard.
fn is_nowhere(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if one.is::<Nowhere>() {
            return true;
        }
        cause = one.source();
    }
    false
}

impl Outbound {
    /// Sends a message once; gives what became of it, and when the receiver wants to be asked again.
    pub async fn send(&self, sending: &Sending) -> (Attempt, Option<i64>) {
        let client = if sending.address.inside { &self.inside } else { &self.outside };
        let Some(client) = client else { return (Attempt::Unreachable, None) };
        let request = client
            .post(sending.address.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &sending.id)
            .header("webhook-timestamp", sending.timestamp)
            .header("webhook-signature", &sending.signature)
            .body(sending.body.clone());
        match request.send().await {
            // The body stays unread: dropping the answer ends the connection.
            Ok(answer) => {
                let status = answer.status();
                if !status.is_success() {
                    tracing::info!(status = status.as_u16(), "a webhook did not take a message");
                }
                let slow = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
                (Attempt::Status(status.as_u16()), if slow { wanted(&answer) } else { None })
            }
            Err(error) if is_nowhere(&error) => (Attempt::Forbidden, None),
            Err(error) if error.is_timeout() => (Attempt::TimedOut, None),
            Err(_) => (Attempt::Unreachable, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_into_this_machine_leads_nowhere() {
        // Some systems know `localhost` and its kin; whatever they answer, it is none of the internet.
        for name in ["localhost", "ip6-localhost"] {
            let Ok(name) = name.parse::<Name>() else { continue };
            assert!(Guarded.resolve(name).await.is_err());
        }
        let found = Guarded.resolve("93.184.215.14".parse().unwrap()).await.map(Iterator::count);
        assert_eq!(found.ok(), Some(1));
    }

    #[tokio::test]
    async fn the_guarded_client_says_that_it_was_the_guard() {
        let outbound = Outbound::default();
        let error = outbound.outside.unwrap().get("http://localhost:9/").send().await.unwrap_err();
        assert!(is_nowhere(&error), "{error:?}");
    }
}
