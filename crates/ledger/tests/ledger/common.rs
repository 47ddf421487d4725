use std::sync::Arc;

use canvass_ledger::merkle::Hash;
use canvass_ledger::{KeyKind, Log, LogConfig, MemStore, SignerKey, Trust, leaf_hash, node_hash};

pub const ORIGIN: &str = "ledger.example/requests";
pub const NOW: u64 = 1_767_225_600;

pub type MemLog = Log<Arc<MemStore>, Arc<MemStore>>;

pub fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub fn signer() -> SignerKey {
    SignerKey::from_seed(ORIGIN, KeyKind::Log, &[1; 32]).unwrap()
}

pub fn witness_key(n: u8) -> SignerKey {
    SignerKey::from_seed(&format!("witness{n}.example"), KeyKind::Cosigner, &[100 + n; 32]).unwrap()
}

pub fn config() -> LogConfig {
    LogConfig { origin: ORIGIN.to_owned(), signer: signer(), cosigners: vec![witness_key(0)] }
}

pub fn trust() -> Trust {
    Trust::new(ORIGIN, signer().verifier().clone(), vec![witness_key(0).verifier().clone()], 1).unwrap()
}

pub async fn new_log() -> (Arc<MemStore>, MemLog) {
    let store = Arc::new(MemStore::new());
    let log = Log::create(config(), store.clone(), store.clone(), NOW).await.unwrap();
    (store, log)
}

pub fn entries(from: u64, count: u64) -> Vec<Vec<u8>> {
    (from..from + count).map(|n| format!("entry {n}").into_bytes()).collect()
}

/// RFC 6962, section 2.1, word for word.
pub fn naive_root(entries: &[Vec<u8>]) -> Hash {
    match entries {
        [] => canvass_ledger::merkle::empty_root(),
        [one] => leaf_hash(one),
        many => {
            let k = many.len().next_power_of_two() / 2;
            node_hash(&naive_root(&many[..k]), &naive_root(&many[k..]))
        }
    }
}

pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}
