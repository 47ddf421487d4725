//! fjall as a peer: ordered pairs by plate and by folded plate. It answers what an ordered store can: whole plates, and one
//! edit by looking up each neighbour. Nothing is encrypted, and no read is looked up by its id before it is stored.

use std::path::Path;

use canvass_plates::{Read, confusables};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{
    Bench, Failed,
    generate::Town,
    questions::{Kind, Question, near},
};

pub struct Pairs {
    folder: std::path::PathBuf,
    open: Option<(Database, Keyspace, Keyspace)>,
}

fn open(folder: &Path) -> Result<(Database, Keyspace, Keyspace), Failed> {
    let database = Database::builder(folder).open()?;
    let plates = database.keyspace("plates", KeyspaceCreateOptions::default)?;
    let folded = database.keyspace("folded", KeyspaceCreateOptions::default)?;
    Ok((database, plates, folded))
}

fn key(text: &str, seen: i64, id: &[u8]) -> Vec<u8> {
    let mut key = text.as_bytes().to_vec();
    key.push(0);
    key.extend_from_slice(&seen.to_be_bytes());
    key.extend_from_slice(id);
    key
}

impl Pairs {
    pub fn open(folder: &Path) -> Result<Self, Failed> {
        Ok(Self { folder: folder.to_owned(), open: Some(open(folder)?) })
    }

    fn parts(&self) -> Result<&(Database, Keyspace, Keyspace), Failed> {
        self.open.as_ref().ok_or_else(|| "the store is closed".into())
    }
}

fn page(keyspace: &Keyspace, text: &str, question: &Question) -> Result<usize, Failed> {
    let (from, until) = (question.from.as_second(), question.until.as_second());
    let mut found = 0;
    for pair in keyspace.range(key(text, from, &[])..key(text, until, &[])).rev() {
        let value = pair.value()?;
        found += usize::from(value.first().is_some_and(|confidence| *confidence >= 75));
        if found == 100 {
            break;
        }
    }
    Ok(found)
}

impl Bench for Pairs {
    fn append(&mut self, batch: &[Read]) -> Result<(), Failed> {
        let (database, plates, folded) = self.parts()?;
        let mut group = database.batch().durability(Some(PersistMode::SyncAll));
        for read in batch {
            let mut value = vec![read.confidence.percent()];
            value.extend_from_slice(&serde_json::to_vec(&(read.camera.as_str(), read.vehicle, read.colour))?);
            let seen = read.seen.as_second();
            group.insert(plates, key(read.plate.as_str(), seen, read.id.as_bytes()), value);
            let form = confusables::standard().fold(&read.plate);
            let value = vec![read.confidence.percent()];
            group.insert(folded, key(form.as_str(), seen, read.id.as_bytes()), value);
        }
        Ok(group.commit()?)
    }

    fn settle(&mut self) -> Result<(), Failed> {
        Ok(self.parts()?.0.persist(PersistMode::SyncAll)?)
    }

    fn ask(&mut self, question: &Question) -> Result<Option<usize>, Failed> {
        let (_, plates, folded) = self.parts()?;
        match question.kind {
            Kind::Exact => page(plates, &question.text, question).map(Some),
            Kind::Edit => {
                let mut found = 0;
                for text in near(&question.plate) {
                    found += page(folded, &text, question)?;
                }
                Ok(Some(found.min(100)))
            }
            Kind::Wildcard | Kind::Infix => Ok(None),
        }
    }

    fn forget(&mut self) -> Result<(), Failed> {
        drop(self.open.take());
        self.open = Some(open(&self.folder)?);
        Ok(())
    }

    fn disk_bytes(&self) -> Result<u64, Failed> {
        let (mut sum, mut folders) = (0, vec![self.folder.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let (entry, about) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
                if about.is_dir() {
                    folders.push(entry);
                } else {
                    sum += about.len();
                }
            }
        }
        Ok(sum)
    }

    fn erase_day(&mut self, _town: &Town) -> Result<Option<u64>, Failed> {
        Ok(None)
    }
}
