//! Frigate's messages over MQTT. A message is acknowledged to the broker once its read is on this machine's disk.

use std::path::PathBuf;

use canvass_adapters::frigate::{self, Follow};
use rumqttc::{
    AckMode, AsyncClient, ConnectionError, Event, MqttOptions, Packet, Publish, QoS, TlsConfiguration,
    Transport,
};
use zeroize::Zeroizing;

use super::{Pause, outbox::Shared};
use crate::common::{Console, Failure, read_limited};

/// Largest message that is taken, bytes: an event with a long path.
const MOST_MESSAGE: usize = 1024 * 1024;
/// Seconds between signs of life.
const KEEP_ALIVE: u16 = 30;
/// Longest pause between two tries to connect, seconds.
const MOST_PAUSE: u64 = 60;
/// Requests to the broker that may wait.
const REQUESTS: usize = 64;
/// Largest file of certificates, bytes.
const MOST_CERTIFICATES: u64 = 1024 * 1024;

/// A broker, and what is listened to there.
pub struct Broker {
    /// Host and port.
    pub at: (String, u16),
    /// Name and password.
    pub user: Option<(String, Zeroizing<String>)>,
    /// Whether TLS is spoken, and who signed the broker's certificate where the system does not know.
    pub tls: Option<Option<PathBuf>>,
    /// What Frigate's topics begin with.
    pub topic: String,
    /// By which the broker knows this bridge again, and keeps messages for it while it is away.
    pub client: String,
}

impl Broker {
    fn options(&self) -> Result<MqttOptions, Failure> {
        let mut options = MqttOptions::new(self.client.clone(), self.at.clone());
        options.set_keep_alive(KEEP_ALIVE).set_clean_session(false).set_ack_mode(AckMode::Manual);
        options.set_max_packet_size(MOST_MESSAGE, MOST_MESSAGE);
        if let Some((name, password)) = &self.user {
            options.set_credentials(name.clone(), password.as_bytes().to_vec());
        }
        if let Some(signer) = &self.tls {
            options.set_transport(match signer {
                Some(file) => {
                    let ca = read_limited(file, MOST_CERTIFICATES)?;
                    Transport::tls_with_config(TlsConfiguration::Simple { ca, alpn: None, client_auth: None })
                }
                None => Transport::try_tls_with_default_config().map_err(Failure::from)?,
            });
        }
        Ok(options)
    }

    /// Listens until the outbox can't be written.
    pub async fn listen(&self, follow: &Follow, outbox: &Shared, console: Console) -> Result<(), Failure> {
        let (client, mut events) = AsyncClient::builder(self.options()?).capacity(REQUESTS).build();
        let (mut pause, mut told) = (Pause::up_to(MOST_PAUSE), String::new());
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    for name in ["events", "tracked_object_update"] {
                        client.try_subscribe(format!("{}/{name}", self.topic), QoS::AtLeastOnce)?;
                    }
                    console.note(format!("MQTT: listening at {}:{}", self.at.0, self.at.1));
                    pause.reset();
                    told.clear();
                }
                Ok(Event::Incoming(Packet::Publish(message))) => {
                    match self.read(&message, follow) {
                        Ok(read) => outbox.add(read.into_iter().collect()).await?,
                        Err(fault) => console.note(format!("MQTT: a message was left out: {fault}")),
                    }
                    client.ack(&message).await?;
                }
                Ok(_) => {}
                Err(error) => {
                    let words = words(&error);
                    if told != words {
                        console.note(format!("MQTT: {words}; trying again"));
                        told = words;
                    }
                    pause.wait().await;
                }
            }
        }
    }

    fn read(
        &self,
        message: &Publish,
        follow: &Follow,
    ) -> Result<Option<canvass_core::plates::NewRead>, canvass_adapters::Fault> {
        let name = message.topic.strip_prefix(self.topic.as_bytes());
        match name {
            Some(b"/events") => frigate::event(&message.payload, follow),
            Some(b"/tracked_object_update") => frigate::update(&message.payload, follow),
            _ => Ok(None),
        }
    }
}

fn words(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(why) => {
            format!("the broker refuses ({why:?}); check --mqtt-user and --mqtt-password-file")
        }
        other => format!("no connection ({other})"),
    }
}
