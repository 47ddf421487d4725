//! Bridges: they follow another maker's reader until they are stopped.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use canvass_adapters::frigate::Follow;
use canvass_types::Time;
use clap::{Args, Subcommand};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    BATCH, Pause, lasting, mqtt, outbox,
    outbox::{Outbox, Shared},
    poll, send,
};
use crate::{
    agency::desk::plain,
    common::{Console, Context, Failure, Http, count, read_limited, stop_signal},
};

/// Longest pause between two tries to send, seconds.
const MOST_PAUSE: u64 = 60;
/// Largest file with a password or token, bytes.
const MOST_SECRET: u64 = 8 * 1024;

/// Following other makers' readers.
#[derive(Debug, Subcommand)]
pub enum BridgeCommand {
    /// Follow one camera of a Frigate, over MQTT, its API, or both
    #[command(after_help = "\
MQTT is quick; the API finds what passed while the bridge or the broker was down. Give both where both are there. Reads wait in
the folder --place while Canvass can't be reached. The token is the camera's own (`canvass camera token`).

Examples:
  canvass camera bridge frigate --camera driveway --mqtt broker.lan:1883 --url http://frigate.lan:5000 --token-file driveway.token
  canvass camera bridge frigate --camera driveway --mqtt broker.lan:8883 --mqtt-tls --mqtt-user canvass --mqtt-password-file mqtt.password")]
    Frigate(Box<FrigateArgs>),
}

/// A bridge to Frigate.
#[derive(Debug, Args)]
pub struct FrigateArgs {
    /// Frigate's name of the camera
    #[arg(long)]
    camera: String,
    /// The broker that Frigate talks to
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port, required_unless_present = "url")]
    mqtt: Option<(String, u16)>,
    /// What Frigate's topics begin with
    #[arg(long, value_name = "PREFIX", default_value = "frigate")]
    topic: String,
    /// Name for the broker
    #[arg(long, value_name = "NAME", requires = "mqtt", requires = "mqtt_password_file")]
    mqtt_user: Option<String>,
    /// File with the password for the broker
    #[arg(long, value_name = "FILE", requires = "mqtt_user")]
    mqtt_password_file: Option<PathBuf>,
    /// Speak TLS with the broker
    #[arg(long, requires = "mqtt")]
    mqtt_tls: bool,
    /// Certificate (PEM) of who signed the broker's, where the system does not know them
    #[arg(long, value_name = "FILE", requires = "mqtt_tls")]
    mqtt_ca: Option<PathBuf>,
    /// Address of Frigate's API
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// File with a token of Frigate's API, where it asks for one
    #[arg(long, value_name = "FILE", requires = "url")]
    frigate_token_file: Option<PathBuf>,
    /// Seconds between two looks at the API
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    every: u64,
    /// From when on events are read the first time [default: now]
    #[arg(long, value_name = "TIME", requires = "url")]
    since: Option<Time>,
    /// A vehicle's sub label is its plate, where your own tools write plates there
    #[arg(long)]
    plate_in_sub_label: bool,
    /// Folder for the place and for reads that wait [default: one below the state folder]
    #[arg(long, value_name = "DIR")]
    place: Option<PathBuf>,
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let wrong = || "give host and port, as broker.lan:1883".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() || host.contains('/') {
        return Err(wrong());
    }
    Ok((host.to_owned(), port.parse().map_err(|_| wrong())?))
}

fn secret(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = Zeroizing::new(read_limited(file, MOST_SECRET)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Failure::usage(format!("{}: not text; give the file with the secret alone", file.display()))
    })?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

fn address(text: &str) -> Result<String, Failure> {
    let wrong = |why: &str| Failure::usage(format!("--url: {why}; write it as http://frigate.lan:5000"));
    let url = reqwest::Url::parse(text.trim()).map_err(|_| wrong("it isn't an address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it starts with another word than http or https"));
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(wrong("it has a user name, ? or # in it"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A name that stays the same for the same server, camera and prefix.
fn stable(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n").as_bytes());
    data_encoding::HEXLOWER.encode(digest.get(..6).unwrap_or_default())
}

/// Runs a bridge until it is stopped.
///
/// # Errors
/// It was asked wrongly, the server refuses the token at the start, or this machine's disk fails.
pub async fn run(command: BridgeCommand, context: &Context) -> Result<(), Failure> {
    let BridgeCommand::Frigate(args) = command;
    let (http, console) = (context.private_http()?, context.console());
    let name =
        stable(&[http.server().as_str(), &args.camera, &args.topic, args.url.as_deref().unwrap_or_default()]);
    let folder = match &args.place {
        Some(folder) => folder.clone(),
        None => context.state()?.join("bridges").join(&name),
    };
    let follow = Follow { camera: args.camera.clone(), sub_label: args.plate_in_sub_label };
    let broker = broker(&args, &name)?;
    let frigate = frigate(&args, context)?;
    let outbox = Shared::new(Outbox::open(&folder)?);
    // A token that is refused now would be refused for ever, and somebody is looking now.
    if let Err(error) = send(&http, &[], "keep").await
        && lasting(&error)
    {
        return Err(error.into());
    }
    console.note(format!("following {}; reads wait in {}", plain(&args.camera), folder.display()));
    let by_mqtt = async {
        match &broker {
            Some(broker) => broker.listen(&follow, &outbox, console).await,
            None => std::future::pending().await,
        }
    };
    let by_http = async {
        match &frigate {
            Some(frigate) => frigate.listen(&follow, &outbox, console).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = by_mqtt => ended?,
        ended = by_http => ended?,
        ended = drain(&http, &outbox, console) => ended?,
        () = stop_signal() => {}
    }
    let waits = !outbox.lock().is_empty();
    console.note(if waits {
        "stopped; what waits is sent at the next start"
    } else {
        "stopped; nothing waits"
    });
    Ok(())
}

fn broker(args: &FrigateArgs, name: &str) -> Result<Option<mqtt::Broker>, Failure> {
    let Some(at) = args.mqtt.clone() else { return Ok(None) };
    let user = match (&args.mqtt_user, &args.mqtt_password_file) {
        (Some(user), Some(file)) => Some((user.clone(), secret(file)?)),
        _ => None,
    };
    let tls = args.mqtt_tls.then(|| args.mqtt_ca.clone());
    let topic = args.topic.trim_end_matches('/').to_owned();
    Ok(Some(mqtt::Broker { at, user, tls, topic, client: format!("canvass-{name}") }))
}

fn frigate(args: &FrigateArgs, context: &Context) -> Result<Option<poll::Frigate>, Failure> {
    let Some(url) = &args.url else { return Ok(None) };
    let since = args.since.unwrap_or_else(|| context.now()).as_second() as f64;
    let token = args.frigate_token_file.as_deref().map(secret).transpose()?;
    Ok(Some(poll::Frigate { url: address(url)?, token, every: Duration::from_secs(args.every), since }))
}

/// Sends what waits, in its order, again and again until it is taken.
async fn drain(http: &Http, outbox: &outbox::Shared, console: Console) -> Result<(), Failure> {
    let (mut pause, mut told) = (Pause::up_to(MOST_PAUSE), String::new());
    loop {
        let (rows, end) = outbox.lock().next(BATCH)?;
        if rows.is_empty() {
            outbox.grown().await;
            continue;
        }
        match send(http, &rows, "keep").await {
            Ok(added) => {
                outbox.acknowledge(end)?;
                if added.refused > 0 {
                    let first = added
                        .problems
                        .first()
                        .map(|one| format!("{}: {} ({})", one.field, one.message, one.remedy));
                    let reads = count(added.refused, "read was", "reads were");
                    console
                        .note(plain(&format!("{reads} refused and left out; {}", first.unwrap_or_default())));
                }
                if !told.is_empty() {
                    console.note("Canvass takes reads again");
                }
                pause.reset();
                told.clear();
            }
            Err(error) => {
                let words = error.to_string();
                if told != words {
                    console.note(format!("{}; reads wait here meanwhile", plain(&words)));
                    told = words;
                }
                pause.wait().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_and_addresses_are_read() {
        assert_eq!(host_and_port("broker.lan:1883"), Ok(("broker.lan".to_owned(), 1883)));
        assert_eq!(host_and_port("[::1]:1883"), Ok(("::1".to_owned(), 1883)));
        for wrong in ["", "broker", "broker:", ":1883", "mqtt://broker:1883", "broker:99999"] {
            assert!(host_and_port(wrong).is_err(), "{wrong}");
        }
        assert_eq!(address("http://frigate.lan:5000/").unwrap(), "http://frigate.lan:5000");
        for wrong in ["frigate", "ftp://a", "http://u:p@a", "http://a/?x=1"] {
            assert_eq!(address(wrong).unwrap_err().code(), 2, "{wrong}");
        }
        assert_ne!(stable(&["a", "b"]), stable(&["a", "c"]));
    }
}
