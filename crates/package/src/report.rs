//! What a verification found.

use std::fmt;

use serde::Serialize;

use crate::count;

/// Something in a bundle that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Defect {
    /// The file at fault, relative to the bundle.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
    /// Why that matters, or what to do next.
    pub why: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.file, self.what, self.why)
    }
}

/// Where the ledgers' keys came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeySource {
    /// The verifier gave them.
    Pinned,
    /// The bundle itself: compare their fingerprints with what the server publishes.
    Bundle,
}

/// What was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Id of the case.
    pub case: String,
    /// Its title.
    pub title: String,
    /// Name of the agency.
    pub agency: String,
    /// When it was exported.
    pub exported: String,
    /// Originals whose digest holds.
    pub originals: usize,
    /// Altered copies whose digest holds.
    pub copies: usize,
    /// Bytes of payload.
    pub bytes: u64,
    /// Offers.
    pub offers: usize,
    /// Files of plate reads that are in the bundle and are as they were kept.
    pub reads: usize,
    /// Requests and portals.
    pub destinations: usize,
    /// Events of custody.
    pub events: usize,
    /// Records of actions whose commitment opened.
    pub records: usize,
    /// Ledger entries whose proof holds.
    pub proofs: usize,
    /// Witnesses that cosigned the heads, by ledger.
    pub witnesses: Vec<String>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Everything that does not hold, by file. Empty for a sound bundle.
    pub defects: Vec<Defect>,
    /// What a reader should know, though it is no defect.
    pub notes: Vec<String>,
    /// What was checked.
    pub facts: Facts,
    /// Where the keys came from.
    pub keys: KeySource,
    /// Ledger names with the SHA-256 of their keys.
    pub fingerprints: Vec<(String, String)>,
}

/// Most defects that are kept; more tell nothing new.
const MOST: usize = 1_000;

impl Report {
    pub(super) fn new(keys: KeySource) -> Self {
        Self {
            defects: Vec::new(),
            notes: Vec::new(),
            facts: Facts::default(),
            keys,
            fingerprints: Vec::new(),
        }
    }

    /// Whether everything holds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.defects.is_empty()
    }

    pub(super) fn defect(
        &mut self,
        file: impl Into<String>,
        what: impl Into<String>,
        why: impl Into<String>,
    ) {
        if self.defects.len() < MOST {
            self.defects.push(Defect { file: file.into(), what: what.into(), why: why.into() });
        }
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        if self.notes.len() < MOST {
            self.notes.push(text.into());
        }
    }

    pub(super) fn finish(mut self) -> Self {
        self.defects.sort();
        self.defects.dedup();
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = &self.facts;
        writeln!(
            f,
            "Case {} \"{}\" of {}, exported {}",
            facts.case, facts.title, facts.agency, facts.exported
        )?;
        writeln!(
            f,
            "Checked: {}, {}, {}, {}, {}, {}, {}",
            count(facts.originals, "original", "originals"),
            count(facts.offers, "offer", "offers"),
            count(facts.destinations, "request or portal", "requests or portals"),
            count(facts.events, "event of custody", "events of custody"),
            count(facts.records, "record of an action", "records of actions"),
            count(facts.proofs, "ledger proof", "ledger proofs"),
            count(facts.bytes, "byte", "bytes")
        )?;
        if facts.copies > 0 {
            let copies = count(facts.copies, "altered copy", "altered copies");
            writeln!(f, "Beside the originals: {copies}, each traced to the item that it was made from")?;
        }
        if facts.reads > 0 {
            let reads = count(facts.reads, "file of plate reads", "files of plate reads");
            writeln!(f, "Beside the originals: {reads}, each as it was kept")?;
        }
        for line in &facts.witnesses {
            writeln!(f, "{line}")?;
        }
        match self.keys {
            KeySource::Pinned => writeln!(f, "Ledger keys: those you gave with --keys")?,
            KeySource::Bundle => writeln!(
                f,
                "Ledger keys: taken from the bundle itself. Compare these fingerprints with what the server publishes, or give --keys:"
            )?,
        }
        for (name, fingerprint) in &self.fingerprints {
            writeln!(f, "  {name}  {fingerprint}")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "Note: {note}"))?;
        if self.defects.is_empty() {
            return writeln!(f, "Everything holds.");
        }
        writeln!(f, "{}:", count(self.defects.len(), "defect", "defects"))?;
        self.defects.iter().try_for_each(|defect| writeln!(f, "  {defect}"))
    }
}
