//! The judge: takes what a reader saw of a bag and lists every defect.

use std::collections::{BTreeMap, BTreeSet};

use super::defect::{Defect, DefectKind, Severity};
use super::hash::Algorithm;
use super::tagfile::{self, Declaration, Version};
use super::{manifest, path};
use crate::names::fold;

/// What a reader may take in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most entries, directories included.
    pub entries: usize,
    /// Most bytes of any one tag file.
    pub tag_file_bytes: u64,
    /// Most bytes in all of the tag files whose text is needed (manifests, `bag-info.txt`, `fetch.txt`, `bagit.txt`).
    pub tag_bytes: u64,
    /// Most bytes of payload in all.
    pub payload_bytes: u64,
}

impl Default for Limits {
    /// A million files, 512 MiB of manifest, no limit on payload.
    fn default() -> Self {
        Self {
            entries: 1_000_000,
            tag_file_bytes: u64::MAX,
            tag_bytes: 512 * 1024 * 1024,
            payload_bytes: u64::MAX,
        }
    }
}

/// How a bag is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Complete, every digest holds, nothing to remark.
    Valid,
    /// Valid, with remarks.
    Warning,
    /// Not valid.
    Invalid,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFile {
    /// Size in bytes.
    pub size: u64,
    /// The digests that were computed.
    pub digests: Vec<(Algorithm, Vec<u8>)>,
}

impl SeenFile {
    pub(crate) fn digest(&self, algorithm: Algorithm) -> Option<&[u8]> {
        self.digests.iter().find(|(a, _)| *a == algorithm).map(|(_, d)| d.as_slice())
    }
}

/// Everything known about a bag once it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Every defect, by file.
    pub defects: Vec<Defect>,
    /// Every file, by path relative to the bag.
    pub files: BTreeMap<String, SeenFile>,
    /// Labels and values of `bag-info.txt`, in order.
    pub info: Vec<(String, String)>,
}

impl Report {
    /// The worst of the defects.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.defects.iter().map(|d| d.severity).max() {
            None => Verdict::Valid,
            Some(Severity::Warning) => Verdict::Warning,
            Some(Severity::Error) => Verdict::Invalid,
        }
    }
}

/// Gathers what a reader sees, then judges.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    pub(crate) files: BTreeMap<String, SeenFile>,
    pub(crate) tags: BTreeMap<String, Vec<u8>>,
    pub(crate) has_payload: bool,
    pub(crate) defects: Vec<Defect>,
    by_fold: BTreeMap<String, String>,
}

const MAX_DEFECTS: usize = 10_000;

/// Is the text of this file needed to judge?
pub(crate) fn is_judged_tag(name: &str) -> bool {
    matches!(name, "bagit.txt" | "bag-info.txt" | "fetch.txt") || manifest::manifest_name(name).is_some()
}

impl Collector {
    pub(crate) fn report(
        &mut self,
        severity: Severity,
        kind: DefectKind,
        file: &str,
        line: Option<usize>,
        found: impl Into<String>,
    ) {
        if self.defects.len() < MAX_DEFECTS {
            self.defects.push(Defect { severity, kind, file: file.to_owned(), line, found: found.into() });
        }
    }

    pub(crate) fn error(&mut self, kind: DefectKind, file: &str, found: impl Into<String>) {
        self.report(Severity::Error, kind, file, None, found);
    }

    pub(crate) fn warn(&mut self, kind: DefectKind, file: &str, found: impl Into<String>) {
        self.report(Severity::Warning, kind, file, None, found);
    }

    /// Takes a path in before its bytes are read: is it safe, and new?
    pub(crate) fn admit(&mut self, file: &str) -> bool {
        if let Some(reason) = path::unsafe_reason(file) {
            self.error(DefectKind::UnsafePath, file, reason);
            return false;
        }
        if let Some(reason) = path::unportable_reason(file) {
            self.warn(DefectKind::UnportablePath, file, reason);
        }
        if self.files.contains_key(file) {
            self.error(DefectKind::DuplicatePath, file, "the file stands in the bag twice");
            return false;
        }
        let name = file.rsplit('/').next().unwrap_or_default();
        if matches!(name.to_lowercase().as_str(), "thumbs.db" | ".ds_store" | "desktop.ini") {
            self.warn(DefectKind::SystemFile, file, "an operating system left this file behind");
        }
        if let Some(other) = self.by_fold.insert(fold(file), file.to_owned()) {
            self.warn(
                DefectKind::SimilarPath,
                file,
                format!("differs from {other} only by case or normalisation"),
            );
        }
        self.has_payload |= file.starts_with("data/");
        true
    }

    pub(crate) fn judge(mut self) -> Report {
        let declaration = self.judge_declaration();
        let mut info = Vec::new();
        if let Some(declaration) = declaration {
            info = self.judge_info(declaration);
            let payload = self.judge_manifests(declaration, false);
            self.judge_manifests(declaration, true);
            self.judge_fetch(declaration, &payload);
            self.judge_listing(declaration, &payload);
        }
        if !self.has_payload {
            self.error(DefectKind::NoPayload, "data", "there is no payload directory");
        }
        self.defects.sort_by(|a, b| (&a.file, a.line, a.kind).cmp(&(&b.file, b.line, b.kind)));
        self.defects.dedup();
        Report { defects: self.defects, files: self.files, info }
    }

    fn judge_declaration(&mut self) -> Option<Declaration> {
        let Some(bytes) = self.tags.get("bagit.txt") else {
            self.error(DefectKind::NoDeclaration, "bagit.txt", "the bag declaration is missing");
            return None;
        };
        match tagfile::parse_declaration(bytes) {
            Ok(declaration) => {
                if declaration.version == Version::V096 {
                    self.warn(
                        DefectKind::OldVersion,
                        "bagit.txt",
                        "version 0.96, read under the rules of 0.97",
                    );
                }
                Some(declaration)
            }
            Err((kind, line, found)) => {
                self.report(Severity::Error, kind, "bagit.txt", line, found);
                None
            }
        }
    }

    /// The text of a tag file; says so when it isn't in the declared encoding.
    fn text(&mut self, name: &str, declaration: Declaration) -> Option<String> {
        let decoded = tagfile::decode(self.tags.get(name)?, declaration.encoding);
        match decoded {
            Some((text, marked)) => {
                if marked {
                    self.warn(DefectKind::ByteOrderMark, name, "starts with a byte order mark");
                }
                Some(text)
            }
            None => {
                let found = format!("isn't {} as bagit.txt says", declaration.encoding.name());
                self.error(DefectKind::BadEncoding, name, found);
                None
            }
        }
    }

    fn problems(&mut self, file: &str, problems: Vec<tagfile::Problem>) {
        for (kind, line, found) in problems {
            self.report(Severity::Error, kind, file, line, found);
        }
    }

    fn judge_info(&mut self, declaration: Declaration) -> Vec<(String, String)> {
        const FILE: &str = "bag-info.txt";
        let Some(text) = self.text(FILE, declaration) else { return Vec::new() };
        let (rows, problems) = tagfile::parse_info(&text);
        self.problems(FILE, problems);
        let mut oxums = 0_usize;
        for (line, label, value) in &rows {
            if !label.eq_ignore_ascii_case("Payload-Oxum") {
                continue;
            }
            oxums = oxums.saturating_add(1);
            if oxums > 1 {
                self.report(
                    Severity::Error,
                    DefectKind::BadInfoLine,
                    FILE,
                    Some(*line),
                    "Payload-Oxum stands there twice",
                );
            }
            let payload = self.files.iter().filter(|(p, _)| p.starts_with("data/"));
            let (octets, count) = payload
                .fold((0_u64, 0_u64), |(o, c), (_, f)| (o.saturating_add(f.size), c.saturating_add(1)));
            if tagfile::parse_oxum(value) != Some((octets, count)) {
                let found = format!("Payload-Oxum says {value} and the payload has {octets}.{count}");
                self.report(Severity::Error, DefectKind::OxumMismatch, FILE, Some(*line), found);
            }
        }
        rows.into_iter().map(|(_, label, value)| (label, value)).collect()
    }

    /// Judges every payload or tag manifest; answers the paths that each lists.
    fn judge_manifests(&mut self, declaration: Declaration, tag: bool) -> BTreeMap<String, BTreeSet<String>> {
        let names: Vec<(String, String)> = self
            .tags
            .keys()
            .filter_map(|n| manifest::manifest_name(n).map(|(t, a)| (n.clone(), t, a.to_owned())))
            .filter(|(_, t, _)| *t == tag)
            .map(|(n, _, a)| (n, a))
            .collect();
        if names.is_empty() && !tag {
            self.error(DefectKind::NoManifest, "manifest-sha256.txt", "there is no payload manifest");
        }
        let mut listed = BTreeMap::new();
        for (name, algorithm) in names {
            let Some(algorithm) = Algorithm::from_name(&algorithm) else {
                self.error(DefectKind::UnsupportedAlgorithm, &name, "the digest algorithm isn't known");
                continue;
            };
            let Some(text) = self.text(&name, declaration) else { continue };
            let (rows, problems) = manifest::parse(&text, algorithm);
            self.problems(&name, problems);
            let paths = self.judge_rows(&name, &rows, algorithm, declaration.version, tag);
            listed.insert(name, paths);
        }
        listed
    }

    fn judge_rows(
        &mut self,
        name: &str,
        rows: &[manifest::Row],
        algorithm: Algorithm,
        version: Version,
        tag: bool,
    ) -> BTreeSet<String> {
        let mut listed: BTreeMap<String, &[u8]> = BTreeMap::new();
        let mut absent: Vec<(&manifest::Row, String)> = Vec::new();
        for row in rows {
            if let Some(reason) = path::unsafe_reason(&row.raw) {
                self.report(
                    Severity::Error,
                    DefectKind::UnsafePath,
                    name,
                    Some(row.line),
                    format!("{reason}: {}", row.raw),
                );
                continue;
            }
            let (file, here) = self.resolve(name, row, version);
            if tag == file.starts_with("data/") {
                let found = format!("{file} doesn't belong in this manifest");
                self.report(Severity::Error, DefectKind::MisplacedPath, name, Some(row.line), found);
            }
            if let Some(other) = listed.get(&file) {
                let lenient = version < Version::V100 && *other == row.digest.as_slice();
                let severity = if lenient { Severity::Warning } else { Severity::Error };
                self.report(
                    severity,
                    DefectKind::DuplicatePath,
                    name,
                    Some(row.line),
                    format!("{file} is listed twice"),
                );
                continue;
            }
            if here {
                self.judge_digest(name, row, &file, algorithm);
                listed.insert(file, &row.digest);
            } else {
                absent.push((row, file));
            }
        }
        for (row, file) in absent {
            self.judge_absent(name, row, &file, version, &listed);
        }
        listed.into_keys().collect()
    }

    /// Which file a line means: as written and decoded, else as written, else equal after normalisation.
    fn resolve(&mut self, name: &str, row: &manifest::Row, version: Version) -> (String, bool) {
        let starred = format!("*{}", row.raw);
        if row.star && self.files.contains_key(&starred) {
            return (starred, true);
        }
        if row.star {
            self.report(
                Severity::Warning,
                DefectKind::StarPath,
                name,
                Some(row.line),
                "a * stands before the path",
            );
        }
        if row.dot {
            self.report(
                Severity::Warning,
                DefectKind::DotSlashPath,
                name,
                Some(row.line),
                "a ./ stands before the path",
            );
        }
        let decoded = path::decode(&row.raw, version >= Version::V100);
        if self.files.contains_key(&decoded) {
            return (decoded, true);
        }
        if self.files.contains_key(&row.raw) {
            let found = "the path isn't percent-encoded as version 1.0 asks";
            self.report(Severity::Warning, DefectKind::UnportablePath, name, Some(row.line), found);
            return (row.raw.clone(), true);
        }
        let composed = path::nfc(&decoded);
        let twin = self.by_fold.get(&fold(&decoded)).filter(|t| path::nfc(t) == composed).cloned();
        if let Some(twin) = twin {
            let found = format!("{decoded} is written in another Unicode normalisation than the file");
            self.report(Severity::Warning, DefectKind::SimilarPath, name, Some(row.line), found);
            return (twin, true);
        }
        (decoded, false)
    }

    fn judge_digest(&mut self, name: &str, row: &manifest::Row, file: &str, algorithm: Algorithm) {
        let verdict = self.files.get(file).map(|f| f.digest(algorithm).map(|d| d == row.digest.as_slice()));
        match verdict {
            Some(Some(true)) => {}
            Some(Some(false)) => {
                let found = format!("the {} of {file} differs from the one listed", algorithm.name());
                self.report(Severity::Error, DefectKind::DigestMismatch, name, Some(row.line), found);
            }
            _ => {
                let found = format!("the {} of {file} was not computed", algorithm.name());
                self.report(Severity::Error, DefectKind::NotComputed, name, Some(row.line), found);
            }
        }
    }

    /// A listed file that isn't there. Before 1.0, a second spelling of a listed file by case alone is only remarked.
    fn judge_absent(
        &mut self,
        name: &str,
        row: &manifest::Row,
        file: &str,
        version: Version,
        listed: &BTreeMap<String, &[u8]>,
    ) {
        let twin = self.by_fold.get(&fold(file)).filter(|t| listed.get(*t) == Some(&row.digest.as_slice()));
        if version < Version::V100 && twin.is_some() {
            let found = format!("{file} is listed twice, in different case");
            self.report(Severity::Warning, DefectKind::SimilarPath, name, Some(row.line), found);
            return;
        }
        self.report(
            Severity::Error,
            DefectKind::MissingFile,
            name,
            Some(row.line),
            format!("{file} is listed and missing"),
        );
    }

    fn judge_fetch(&mut self, declaration: Declaration, payload: &BTreeMap<String, BTreeSet<String>>) {
        const FILE: &str = "fetch.txt";
        let Some(text) = self.text(FILE, declaration) else { return };
        let (rows, problems) = tagfile::parse_fetch(&text, declaration.version >= Version::V100);
        self.problems(FILE, problems);
        for fetch in rows {
            let line = Some(fetch.line);
            if let Some(reason) = path::unsafe_reason(&fetch.path) {
                self.report(
                    Severity::Error,
                    DefectKind::UnsafePath,
                    FILE,
                    line,
                    format!("{reason}: {}", fetch.path),
                );
            } else if !fetch.path.starts_with("data/") {
                self.report(
                    Severity::Error,
                    DefectKind::MisplacedPath,
                    FILE,
                    line,
                    format!("{} isn't payload", fetch.path),
                );
            } else if !self.files.contains_key(&fetch.path) {
                self.report(
                    Severity::Error,
                    DefectKind::Unfetched,
                    FILE,
                    line,
                    format!("{} isn't fetched yet", fetch.path),
                );
            } else if !payload.values().any(|m| m.contains(&fetch.path)) {
                self.report(
                    Severity::Error,
                    DefectKind::UnlistedFile,
                    FILE,
                    line,
                    format!("{} is in no manifest", fetch.path),
                );
            }
        }
    }

    /// Payload must be listed: in every payload manifest (1.0), or in any (before).
    fn judge_listing(&mut self, declaration: Declaration, payload: &BTreeMap<String, BTreeSet<String>>) {
        if payload.is_empty() {
            return;
        }
        let files: Vec<String> = self.files.keys().filter(|f| f.starts_with("data/")).cloned().collect();
        for file in files {
            let lacking: Vec<&String> =
                payload.iter().filter(|(_, m)| !m.contains(&file)).map(|(n, _)| n).collect();
            let all = lacking.len() == payload.len();
            if all || (declaration.version >= Version::V100 && !lacking.is_empty()) {
                let named: Vec<&str> = lacking.iter().map(|n| n.as_str()).collect();
                self.error(DefectKind::UnlistedFile, &file, format!("isn't listed in {}", named.join(", ")));
            }
        }
    }
}
