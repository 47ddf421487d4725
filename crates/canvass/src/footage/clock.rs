//! The clock that a camera keeps, against this machine's: what its sender reports say (RTCP, RFC 3550 section 6.4.1).
//!
//! Reads have this machine's time, whatever the camera's clock says. How far they are apart is told, so that what the camera's
//! own recorder stamps can be put beside them. Asking takes a connection of its own until the first report comes, a few seconds.

use std::time::Duration;

use canvass_types::{Clock as _, Time};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use retina::{
    NtpTimestamp, UNIX_EPOCH,
    client::{
        Credentials, InitialSequenceNumberPolicy, InitialTimestampPolicy, PacketItem, PlayOptions, Session,
        SessionOptions, SetupOptions, TcpTransportOptions, Transport, UnknownRtcpSsrcPolicy,
    },
};
use serde::Serialize;
use url::Url;

use crate::common::{Console, SystemClock};

/// How long a report is waited for; cameras send one every few seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is asked for.
const EVERY: Duration = Duration::from_secs(600);
/// And as long as it is not known.
const SOONER: Duration = Duration::from_secs(60);
/// Clocks that are nearer than this agree, in seconds: a report says nothing of its way through the network.
const AGREE: f64 = 1.0;

/// How far a camera's clock is from this machine's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct CameraClock {
    /// Seconds by which it is ahead; behind when negative.
    ahead_seconds: f64,
    /// When that was so.
    at: Time,
}

impl CameraClock {
    /// What a report says that came now; none where the camera knows no time (RFC 3550: it sends nought then).
    fn new(told: NtpTimestamp, now: Timestamp) -> Option<Self> {
        if told.0 == 0 {
            return None;
        }
        // Both as the reports count, which begin anew in 2036: what matters is what is between.
        let fraction = (i128::from(now.as_microsecond()) << 32) / 1_000_000;
        let here = UNIX_EPOCH.0.wrapping_add(fraction as u64);
        let ahead = told.0.wrapping_sub(here) as i64 as f64 / f64::from(1u32 << 16) / f64::from(1u32 << 16);
        Some(Self { ahead_seconds: (ahead * 1000.0).round() / 1000.0, at: Time::new(now) })
    }

    fn says(&self) -> String {
        let apart = self.ahead_seconds;
        match apart {
            _ if apart.abs() < AGREE => "the camera's clock agrees with this machine's".to_owned(),
            _ => format!(
                "the camera's clock is {:.1} s {} this machine's, whose time the reads have; set it right, or keep this for what the camera stamps itself",
                apart.abs(),
                if apart > 0.0 { "ahead of" } else { "behind" },
            ),
        }
    }
}

/// Asks again and again until it is dropped; `keep` takes each answer, and what changed is said.
pub(super) async fn watch(address: String, console: Console, keep: impl Fn(CameraClock)) {
    let (mut known, mut complained) = (None::<f64>, false);
    loop {
        let answer = match tokio::time::timeout(PATIENCE, ask(&address)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no sender report came within {} s", PATIENCE.as_secs())),
        };
        match answer {
            Ok(clock) => {
                keep(clock);
                if known.is_none_or(|known| (known - clock.ahead_seconds).abs() >= AGREE) {
                    console.note(clock.says());
                }
                known = Some(clock.ahead_seconds);
            }
            Err(why) if !complained => {
                complained = true;
                console.note(format!("the camera's clock is not known: {why}"));
            }
            Err(_) => {}
        }
        tokio::time::sleep(if known.is_some() { EVERY } else { SOONER }).await;
    }
}

/// The address without user and password, and these.
fn split(address: &str) -> Result<(Url, Option<Credentials>), String> {
    let mut url = Url::parse(address).map_err(|_| "its address can't be taken apart".to_owned())?;
    if url.scheme() != "rtsp" {
        return Err("it is asked for over rtsp:// alone".to_owned());
    }
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = (!url.username().is_empty()).then(|| Credentials {
        username: plain(url.username()),
        password: plain(url.password().unwrap_or_default()),
    });
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    cleared.map_err(|()| "its address can't be taken apart".to_owned())?;
    Ok((url, credentials))
}

/// Connects, waits for the first report, and hangs up. Of the pictures that come meanwhile nothing is looked at.
async fn ask(address: &str) -> Result<CameraClock, String> {
    let (url, credentials) = split(address)?;
    // What the library says names addresses and headers; the reason is for people.
    let failed = |what: &'static str| move |_: retina::Error| what.to_owned();
    let options = SessionOptions::default().creds(credentials).user_agent("canvass".to_owned());
    let mut session = Session::describe(url, options)
        .await
        .map_err(failed("a second connection was refused, or user and password are wrong"))?;
    let video = session.streams().iter().position(|stream| stream.media() == "video").unwrap_or(0);
    let over = Transport::Tcp(TcpTransportOptions::default());
    let setup = session.setup(video, SetupOptions::default().transport(over)).await;
    setup.map_err(failed("a second connection was refused"))?;
    let play = PlayOptions::default()
        .initial_timestamp(InitialTimestampPolicy::Ignore)
        .initial_seq(InitialSequenceNumberPolicy::Ignore)
        .unknown_rtcp_ssrc(UnknownRtcpSsrcPolicy::ProcessPackets);
    let mut playing = session.play(play).await.map_err(failed("a second connection was refused"))?;
    while let Some(item) = playing.next().await {
        let PacketItem::Rtcp(packet) = item.map_err(failed("the connection broke off"))? else { continue };
        let reports = packet.pkts().filter_map(|packet| packet.as_sender_report().ok().flatten());
        for report in reports {
            if let Some(clock) = CameraClock::new(report.ntp_timestamp(), SystemClock.now()) {
                return Ok(clock);
            }
        }
    }
    Err("it ended the connection without a sender report".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(told: u64, now: &str) -> Option<f64> {
        CameraClock::new(NtpTimestamp(told), now.parse().unwrap()).map(|clock| clock.ahead_seconds)
    }

    #[test]
    fn a_clock_is_ahead_behind_or_not_known() {
        let noon = "2026-11-28T12:00:00Z";
        let told = UNIX_EPOCH.0 + ((1_795_867_200u64 + 192) << 32) + (1 << 31);
        assert_eq!(ahead(told, noon), Some(192.5));
        assert_eq!(ahead(told - (200 << 32), noon), Some(-7.5));
        assert_eq!(ahead(0, noon), None);
        assert_eq!(ahead(UNIX_EPOCH.0, noon), Some(-1_795_867_200.0), "it was never set");
        assert_eq!(ahead(3 << 32, "2036-02-07T06:28:15Z"), Some(4.0), "reports began to count anew");
    }

    #[test]
    fn who_may_connect_is_no_part_of_the_address() {
        let (url, credentials) = split("rtsp://ada:p%40ss%2Fword@10.0.0.7:8554/main?x=1").unwrap();
        assert_eq!(url.as_str(), "rtsp://10.0.0.7:8554/main?x=1");
        let wanted = Credentials { username: "ada".to_owned(), password: "p@ss/word".to_owned() };
        assert_eq!(credentials, Some(wanted));
        assert_eq!(split("rtsp://10.0.0.7/main").unwrap().1, None);
        assert!(split("rtsps://10.0.0.7/main").is_err() && split("rtsp:").is_err() && split("no").is_err());
    }

    #[test]
    fn what_is_said_names_no_address() {
        let at: Time = "2026-11-28T12:00:00Z".parse().unwrap();
        let says = |ahead_seconds| CameraClock { ahead_seconds, at }.says();
        assert!(says(0.4).contains("agrees"));
        assert!(says(192.46).contains("192.5 s ahead of"));
        assert!(says(-30.0).contains("30.0 s behind"));
    }
}
