//! Frigate's list of events over HTTP: what was missed while nobody listened is found there.

use std::time::Duration;

use canvass_adapters::frigate::{self, Follow};
use futures_util::StreamExt as _;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use zeroize::Zeroizing;

use super::{Pause, outbox::Shared};
use crate::common::{Console, Failure, now};

/// Events of one answer.
const PAGE: usize = 100;
/// Answers of one round; the next round goes on from there.
const MOST_PAGES: usize = 200;
/// Largest answer, bytes.
const MOST_ANSWER: usize = 16 * 1024 * 1024;
/// Seconds that are read again each time: Frigate lists an event only some time after it began.
const AGAIN: f64 = 300.0;
/// Seconds for which an event that has not ended is watched: its plate may come yet.
const OPEN: f64 = 3_600.0;
/// Longest pause after a failure, seconds.
const MOST_PAUSE: u64 = 60;

/// A Frigate with its API.
pub struct Frigate {
    /// Its address, without a slash at the end.
    pub url: String,
    /// A token of its API, where it asks for one.
    pub token: Option<Zeroizing<String>>,
    /// Pause between two rounds.
    pub every: Duration,
    /// From when on events are read the first time, seconds since 1970.
    pub since: f64,
}

impl Frigate {
    /// Reads the list round by round until the outbox can't be written.
    pub async fn listen(&self, follow: &Follow, outbox: &Shared, console: Console) -> Result<(), Failure> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .redirect(reqwest::redirect::Policy::none());
        if self.url.starts_with("http:") {
            // Nothing is fetched over TLS, so no machine needs roots of trust for it.
            builder = builder.tls_certs_only(Vec::new()).no_proxy();
        }
        let client = builder.build()?;
        let (mut pause, mut told) = (Pause::up_to(MOST_PAUSE), String::new());
        loop {
            match self.round(&client, follow, outbox, console).await? {
                Ok(()) => {
                    pause.reset();
                    told.clear();
                    tokio::time::sleep(self.every).await;
                }
                Err(words) => {
                    if told != words {
                        console.note(format!("Frigate: {words}; trying again"));
                        told = words;
                    }
                    pause.wait().await;
                }
            }
        }
    }

    /// One round. The outer failure is this machine's, the inner one Frigate's.
    async fn round(
        &self,
        client: &reqwest::Client,
        follow: &Follow,
        outbox: &Shared,
        console: Console,
    ) -> Result<Result<(), String>, Failure> {
        let place = outbox.lock().after().unwrap_or(self.since);
        let (mut after, mut newest, mut open) = (place - AGAIN, place, f64::INFINITY);
        let clock = now().as_second() as f64;
        for _ in 0..MOST_PAGES {
            let events = match self.page(client, follow, after).await {
                Ok(events) => events,
                Err(words) => return Ok(Err(words)),
            };
            let (full, mut last, mut reads) = (events.len() >= PAGE, after, Vec::new());
            for event in events {
                last = last.max(event.start);
                newest = newest.max(event.start.min(clock));
                if event.open && clock - event.start < OPEN {
                    open = open.min(event.start);
                }
                match event.read {
                    Ok(read) => reads.extend(read),
                    Err(fault) => console.note(format!("Frigate: an event was left out: {fault}")),
                }
            }
            outbox.add(reads).await?;
            // Objects of one frame began at the same moment, and a page may end between them.
            let next = last - 0.000_001;
            if !full || next <= after {
                break;
            }
            after = next;
        }
        outbox.lock().set_after(newest.min(open))?;
        Ok(Ok(()))
    }

    async fn page(
        &self,
        client: &reqwest::Client,
        follow: &Follow,
        after: f64,
    ) -> Result<Vec<frigate::Listed>, String> {
        let mut url =
            reqwest::Url::parse(&format!("{}/api/events", self.url)).map_err(|error| error.to_string())?;
        url.query_pairs_mut()
            .append_pair("cameras", &follow.camera)
            .append_pair("after", &format!("{after:.6}"))
            .append_pair("limit", &PAGE.to_string())
            .append_pair("sort", "date_asc")
            .append_pair("include_thumbnails", "0");
        let mut request = client.get(url);
        if let Some(token) = &self.token
            && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.as_str()))
        {
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let answer = request.send().await.map_err(|error| format!("no answer ({})", error.without_url()))?;
        if !answer.status().is_success() {
            return Err(format!("it answers {}; check --url and --frigate-token-file", answer.status()));
        }
        let (mut bytes, mut parts) = (Vec::new(), answer.bytes_stream());
        while let Some(part) = parts.next().await {
            bytes.extend_from_slice(&part.map_err(|_| "the answer broke off".to_owned())?);
            if bytes.len() > MOST_ANSWER {
                return Err(format!("the answer is longer than {MOST_ANSWER} bytes; is this a Frigate?"));
            }
        }
        frigate::list(&bytes, follow).map_err(|fault| format!("the answer isn't understood ({fault})"))
    }
}
