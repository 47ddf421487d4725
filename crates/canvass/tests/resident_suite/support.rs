//! A small honest world for the tests: two ledgers, one agency, one open request, and the public files about them. Tests
//! bend it where they need a dishonest one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use canvass_core::agencies::identity_digest;
use canvass_core::feed::{RegionBundle, regions};
use canvass_core::publishing::{OfferStatus, QuestionStatus};
use canvass_ledger::{KeyKind, Log, LogConfig, MemStore, SignerKey, TileSource};
use canvass_seal::Identity;
use canvass_seal::receipt::{Receipt, ServerKey};
use canvass_server::public::spool::{DoneUpload, Spool, SpoolConfig};
use canvass_server::public::{AskedConfig, PublicConfig, serve};
use canvass_types::commitment::commitment;
use canvass_types::leaf::{OversightLeaf, RequestsLeaf};
use canvass_types::*;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use tempfile::TempDir;

pub struct Machine;

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "the executable under test reads the machine's clock too")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

impl Entropy for Machine {
    #[expect(clippy::disallowed_methods, reason = "a test of the whole executable")]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).unwrap();
    }
}

pub fn now() -> Time {
    Time::new(Machine.now())
}

type Ledger = Log<Arc<MemStore>, Arc<MemStore>>;

pub struct World {
    pub folder: TempDir,
    pub requests: Ledger,
    pub oversight: Ledger,
    stores: [Arc<MemStore>; 2],
    pub agency: PublicAgency,
    pub receipts: SigningKey,
    pub recipient: Identity,
    pub request: RequestBody,
    pub decision: Decision,
    pub signed: Signed<RequestBody>,
    pub published: Time,
    pub closes: Time,
    pub leaves: Vec<RequestsLeaf>,
    pub policy: Policy,
}

pub const RECEIPT_NAME: &str = "test.example/receipts";

fn log_key(name: &str, seed: u8) -> SignerKey {
    SignerKey::from_seed(name, KeyKind::Log, &[seed; 32]).unwrap()
}

async fn ledger(name: &str, seed: u8, store: &Arc<MemStore>) -> Ledger {
    let origin = format!("test.example/{name}");
    let config = LogConfig { signer: log_key(&origin, seed), origin, cosigners: vec![] };
    Log::create(config, Arc::clone(store), Arc::clone(store), at()).await.unwrap()
}

pub fn at() -> u64 {
    u64::try_from(now().as_second()).unwrap()
}

pub fn area() -> Area {
    let (x, y) = (-71.53, 43.20);
    Area::new(vec![[x, y], [x + 0.008, y], [x + 0.008, y + 0.006], [x, y + 0.006], [x, y]]).unwrap()
}

impl World {
    /// With an open request whose time frame is the last ten hours.
    pub async fn new() -> Self {
        Self::seeded(1).await
    }

    /// The same with other ids in its ledger, under the same keys: what a split view shows somebody else.
    pub async fn seeded(seed: u8) -> Self {
        struct Fixed(u8);
        impl Entropy for Fixed {
            fn fill(&self, buffer: &mut [u8]) {
                buffer.fill(self.0);
            }
        }
        let stores = [Arc::new(MemStore::new()), Arc::new(MemStore::new())];
        let requests = ledger("requests", 1, &stores[0]).await;
        let oversight = ledger("oversight", 2, &stores[1]).await;
        let (signing, receipts) = (SigningKey::from_bytes(&[3; 32]), SigningKey::from_bytes(&[4; 32]));
        let recipient = Identity::from_secret_bytes(&[5; 32]).unwrap();
        let begun = now().plus_seconds(-3_600);
        let key = PublicKey::of(&signing);
        let agency = PublicAgency {
            id: AgencyId::random(&Fixed(seed)),
            name: "Concord Police".into(),
            class: AgencyClass::Municipal,
            subdivision: "US-NH".into(),
            jurisdiction: area(),
            state: AgencyState::Verified,
            keys: vec![AgencyKey {
                id: key.id(),
                public: key,
                added: begun,
                revoked: None,
                endorsed_by: None,
                endorsement: None,
            }],
        };
        let request = RequestBody {
            v: 1,
            id: RequestId::random(&Fixed(seed.wrapping_add(100))),
            agency: Asker { id: agency.id.clone(), name: agency.name.clone(), class: agency.class },
            code: "C-1".into(),
            incident: IncidentType::Burglary,
            details: "Footage of a white van near the corner is asked for, of any quality and length.".into(),
            contact: Contact { name: "Det. Ray".into(), phone: Some("+1 603 555 0100".into()), email: None },
            area: area(),
            time_frame: TimeFrame {
                start: now().plus_seconds(-36_000),
                end: now().plus_seconds(600),
                zone: "America/New_York".into(),
            },
            recipient: recipient.recipient().unwrap().to_string(),
            languages: vec!["en".into()],
            active_days: 14,
            created: begun,
        };
        let decision = Decision {
            request: request.id.clone(),
            approved: true,
            rule: None,
            reason: "Fits the rules.".into(),
            at: begun,
        };
        let digest = Digest::of(&canonical(&request).unwrap());
        let signature = sign(&signing, RequestBody::CONTEXT, &request).unwrap();
        let signed = Signed { body: request.clone(), digest, key: key.id(), signature };
        let mut world = Self {
            folder: tempfile::tempdir().unwrap(),
            requests,
            oversight,
            stores,
            published: begun.plus_seconds(60),
            closes: now().plus_days(14),
            agency,
            receipts,
            recipient,
            request,
            decision,
            signed,
            leaves: Vec::new(),
            policy: Policy::default(),
        };
        for leaf in world.first_leaves(begun) {
            world.append(leaf).await;
        }
        world
    }

    fn first_leaves(&self, begun: Time) -> Vec<RequestsLeaf> {
        let agency = self.agency.id.clone();
        let (request, key) = (self.request.id.clone(), self.signed.key.clone());
        let digest = |bytes: &[u8]| Digest::of(bytes);
        let standing = |state: AgencyState| {
            let shown = PublicAgency { state, ..self.agency.clone() };
            RequestsLeaf::AgencyState {
                agency: agency.clone(),
                class: shown.class,
                state,
                digest: identity_digest(&shown),
                at: begun,
            }
        };
        vec![
            RequestsLeaf::PolicySet { digest: digest(&canonical(&self.policy).unwrap()), at: begun },
            standing(AgencyState::Registered),
            standing(AgencyState::Verified),
            RequestsLeaf::AgencyKeyAdded {
                agency: agency.clone(),
                key: key.clone(),
                public: self.agency.keys[0].public,
                endorsed_by: None,
                endorsement: None,
                at: begun,
            },
            RequestsLeaf::RequestDecided {
                request: request.clone(),
                agency: agency.clone(),
                approved: true,
                digest: digest(&canonical(&self.decision).unwrap()),
                at: begun,
            },
            RequestsLeaf::RequestPublished {
                request,
                agency,
                digest: self.signed.digest,
                key,
                at: self.published,
                closes: self.closes,
            },
        ]
    }

    pub async fn append(&mut self, leaf: RequestsLeaf) {
        self.requests.append(&[canonical(&leaf).unwrap()], at()).await.unwrap();
        self.leaves.push(leaf);
    }

    pub fn public(&self) -> PathBuf {
        self.folder.path().join("public")
    }

    /// Where the keys of the private check lie.
    pub fn asked(&self) -> PathBuf {
        self.folder.path().join("asked")
    }

    pub fn put(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.public().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let part = path.with_extension("part");
        std::fs::write(&part, bytes).unwrap();
        std::fs::rename(part, path).unwrap();
    }

    pub fn keys(&self) -> Value {
        let log = |name: &str, seed| {
            let origin = format!("test.example/{name}");
            json!({"vkey": log_key(&origin, seed).verifier().to_string(), "origin": origin})
        };
        json!({
            "v": 1, "name": "Test", "public_url": "http://127.0.0.1",
            "logs": {"requests": log("requests", 1), "oversight": log("oversight", 2)},
            "receipts": {"id": RECEIPT_NAME, "public": PublicKey::of(&self.receipts)},
            "witnesses": [], "quorum": 0,
        })
    }

    async fn dump(&self, which: usize, name: &str) {
        let store = &self.stores[which];
        for path in store.paths().iter().filter(|path| !path.starts_with("staging")) {
            let bytes = TileSource::read(&**store, path).await.unwrap().unwrap();
            self.put(&format!("ledger/{name}/{path}"), bytes);
        }
        let head = TileSource::read(&**store, "checkpoint").await.unwrap().unwrap();
        self.put(&format!("ledger/{name}/checkpoint"), head);
    }

    pub async fn proofs(&self, of: impl Fn(&RequestsLeaf) -> bool) -> Vec<Proof> {
        let mut proofs = Vec::new();
        for (index, leaf) in self.leaves.iter().enumerate().filter(|(_, leaf)| of(leaf)) {
            let index = index as u64;
            let proof = self.requests.proof(index, None).await.unwrap().to_string();
            proofs.push(Proof { leaf: String::from_utf8(canonical(leaf).unwrap()).unwrap(), index, proof });
        }
        proofs
    }

    pub async fn public_request(&self) -> PublicRequest {
        let proofs = self
            .proofs(|leaf| {
                matches!(
                    leaf,
                    RequestsLeaf::RequestDecided { .. }
                        | RequestsLeaf::RequestPublished { .. }
                        | RequestsLeaf::RequestState { .. }
                )
            })
            .await;
        let state = self.leaves.iter().rev().find_map(|leaf| match leaf {
            RequestsLeaf::RequestState { state, .. } => Some(*state),
            _ => None,
        });
        PublicRequest {
            id: self.request.id.clone(),
            state: state.unwrap_or(RequestState::Published),
            request: Some(self.signed.clone()),
            decision: self.decision.clone(),
            at: self.published,
            closes: Some(self.closes),
            proofs,
        }
    }

    pub async fn agency_proofs(&self) -> Vec<Proof> {
        self.proofs(|leaf| {
            matches!(
                leaf,
                RequestsLeaf::AgencyState { .. }
                    | RequestsLeaf::AgencyKeyAdded { .. }
                    | RequestsLeaf::AgencyKeyRevoked { .. }
            )
        })
        .await
    }

    pub fn region(&self) -> String {
        regions(&area()).into_iter().next().unwrap()
    }

    pub async fn bundle(&self) -> RegionBundle {
        let checkpoint = self.requests.checkpoint().to_string();
        let agencies = vec![(self.agency.clone(), self.agency_proofs().await)];
        let requests = vec![self.public_request().await];
        RegionBundle::from_proofs(self.region(), self.published, checkpoint, agencies, requests).unwrap()
    }

    /// Writes every public file.
    pub async fn publish(&self) {
        self.put("ledger/keys.json", self.keys().to_string());
        self.dump(0, "requests").await;
        self.dump(1, "oversight").await;
        self.put("policy.json", canonical(&self.policy).unwrap());
        let agency = json!({"agency": self.agency, "proofs": self.agency_proofs().await});
        self.put(&format!("agencies/{}.json", self.agency.id), agency.to_string());
        let request = serde_json::to_vec(&self.public_request().await).unwrap();
        self.put(&format!("requests/{}.json", self.request.id), request);
        self.put(&format!("feed/{}.json", self.region()), self.bundle().await.to_bytes().unwrap());
    }

    /// Takes an upload in as intake does, and publishes its status with a receipt.
    pub async fn take_in(&mut self, done: &DoneUpload, questions: Vec<QuestionStatus>) -> String {
        let bytes = std::fs::read(&done.path).unwrap();
        let key = &done.info.metadata["offer_key"];
        let lookup = canvass_seal::offer::OfferKey::parse(key).unwrap().lookup();
        let offer = OfferId::random(&Machine);
        let sha256 = Digest::of(&bytes);
        let destination = done.info.metadata["destination"].clone();
        let record = json!({"detail": {
            "offer": offer, "destination": destination, "ciphertext_sha256": sha256, "ciphertext_bytes": bytes.len(),
        }});
        let salt = [7; 32];
        let leaf = OversightLeaf {
            kind: "offer.received".into(),
            agency: Some(self.agency.id.clone()),
            subject: offer.to_string(),
            actor: None,
            by: None,
            purpose: None,
            refused: None,
            hour: now().hour(),
            commitment: commitment(&salt, &record),
        };
        let leaf = canonical(&leaf).unwrap();
        let index = self.oversight.append(&[&leaf], at()).await.unwrap().first_index;
        let base64 = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);
        let receipt = Receipt {
            version: 1,
            offer: offer.to_string(),
            lookup: lookup.clone(),
            destination_id: destination,
            destination_digest: self.signed.digest.to_string(),
            ciphertext_sha256: sha256.to_string(),
            ciphertext_len: bytes.len() as u64,
            received_at: now().to_string(),
            salt: base64(&salt),
            record,
            leaf: base64(&leaf),
            proof: self.oversight.proof(index, None).await.unwrap().to_string(),
            key: ServerKey::of(RECEIPT_NAME, &self.receipts).name,
        };
        let receipt = serde_json::to_value(receipt.sign(&self.receipts).unwrap()).unwrap();
        let mut status = OfferStatus::refused(&lookup, String::new(), now());
        (status.state, status.reason, status.can_withdraw) = ("received".into(), None, true);
        (status.receipt, status.questions) = (Some(receipt), questions);
        self.dump(1, "oversight").await;
        self.put(&format!("offers/{lookup}.json"), serde_json::to_vec(&status).unwrap());
        lookup
    }
}

/// A public role in this process.
pub struct Street {
    pub url: String,
    pub spool: Spool,
    stop: tokio::sync::oneshot::Sender<()>,
    done: tokio::task::JoinHandle<()>,
}

pub fn spool(world: &World) -> Spool {
    let folder = world.folder.path().join("spool");
    Spool::open(SpoolConfig::new(folder, 1 << 34, Arc::new(Machine), Arc::new(Machine))).unwrap()
}

pub async fn street(world: &World) -> Street {
    street_at(world, "127.0.0.1:0").await
}

pub async fn street_at(world: &World, address: &str) -> Street {
    let spool = spool(world);
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut config = PublicConfig::new(world.public(), spool.clone(), Arc::new(Machine));
    config.asked = Some(AskedConfig { folder: world.asked(), entropy: Arc::new(Machine) });
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let done = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        serve(listener, config, stopped).await.unwrap();
    });
    Street { url, spool, stop, done }
}

impl Street {
    pub async fn close(self) {
        let _ = self.stop.send(());
        self.done.await.unwrap();
    }

    /// Waits for a whole upload.
    pub async fn done(&self) -> DoneUpload {
        for _ in 0..600 {
            if let Some(done) = self.spool.done(10).unwrap().pop() {
                return done;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("no upload came");
    }
}

/// The executable, with its state in the world's folder and nothing of this machine's.
pub fn canvass(world: &World) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_canvass"));
    command
        .current_dir(world.folder.path())
        .env("CANVASS_STATE", world.folder.path().join("state"))
        .env_remove("CANVASS_SERVER")
        .env_remove("CANVASS_TOKEN")
        .stdin(Stdio::null());
    command
}

pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs to the end without holding up the servers in this process.
pub async fn run(mut command: Command) -> Said {
    said(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
}

pub async fn ask(world: &World, args: &[&str]) -> Said {
    let mut command = canvass(world);
    command.args(args);
    run(command).await
}

impl Said {
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn refused(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        let all = format!("{}{}", self.out, self.err);
        for word in words {
            assert!(all.contains(word), "{word:?} is not in:\n{all}");
        }
        self
    }
}

pub fn file(world: &World, name: &str, bytes: &[u8]) -> PathBuf {
    let path = world.folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

pub fn edit(path: &Path, edit: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    edit(&mut value);
    std::fs::write(path, value.to_string()).unwrap();
}
