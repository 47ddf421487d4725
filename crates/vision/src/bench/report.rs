//! The report on how often seeing is right: `docs/measured/vision.json`, which the public page shows, and the same as Markdown.

use super::looks::{self, Counts};
use super::{Bench, searches};
use crate::{Eyes, Finder, Models, VisionError};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// The day on which it was measured.
    pub date: String,
    /// With which models.
    pub models: Vec<Known>,
    /// On what.
    pub data: Vec<Named>,
    /// Plates by set.
    pub plates: Vec<Plates>,
    /// How far confidence can be believed.
    pub reliability: Vec<Measured>,
    /// Attributes by group and value.
    pub attributes: Vec<Attribute>,
    /// Searches, each in its clip.
    pub search: Vec<Search>,
}

/// A model that was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Known {
    /// Its use.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The hash of its file.
    pub sha256: String,
    /// Its licence.
    pub licence: String,
}

/// Data on which was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: String,
}

/// How well the plates of one set were read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plates {
    /// The set.
    pub set: String,
    /// Plates in it.
    pub plates: usize,
    /// Found at all.
    pub found: usize,
    /// Read as they are.
    pub exact: usize,
    /// Read as they are, O taken as 0 and I as 1.
    pub folded: usize,
    /// At most one character off, folded.
    pub one_edit: usize,
    /// Readings of at least one half where no plate is labelled.
    pub false_alarms: usize,
}

/// Readings within a span of confidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// From this confidence on.
    pub from: f64,
    /// To this one.
    pub until: f64,
    /// Plates.
    pub plates: usize,
    /// What the readings said: the mean of their confidence.
    pub said: f64,
    /// The share that was right, folded.
    pub right: f64,
}

/// How often one value of an attribute was right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attribute {
    /// What is told.
    pub group: String,
    /// The true value, or what the row is about.
    pub value: String,
    /// Cases.
    pub cases: usize,
    /// Right ones.
    pub right: usize,
}

/// One search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Search {
    /// Its words.
    pub query: String,
    /// `en` or `es`.
    pub language: String,
    /// Where it was searched.
    pub clip: String,
    /// Whether all of it was found, and nothing else.
    pub passed: bool,
    /// Times at which it is there and was found.
    pub found: usize,
    /// Times at which it is there.
    pub expected: usize,
    /// Moments that are shown at other times.
    pub false_alarms: usize,
}

/// What is measured, and with what.
pub struct Measuring<'a> {
    /// The models.
    pub models: &'a Models,
    /// The development data.
    pub data: &'a Path,
    /// Our labels: `vehicles.tsv`, `people.tsv`, `searches.tsv`.
    pub labels: &'a Path,
    /// A pedestrian video of Debian's opencv-doc; none where it is not here.
    pub walkers: Option<&'a Path>,
    /// The day.
    pub date: &'a str,
}

/// Measures attributes and searches, and puts them beside how plates were read.
pub fn measure(
    finder: &mut Finder,
    eyes: &mut Eyes,
    plates: &Bench,
    of: &Measuring<'_>,
) -> Result<Report, VisionError> {
    let mut clips = clips(&of.data.join("clips"))?;
    clips.extend(of.walkers.map(Path::to_path_buf));
    let mut counts = Counts::default();
    let labels = super::labels(&of.data.join("plates-dev"))?;
    looks::vehicles(finder, &labels, &of.labels.join("vehicles.tsv"), &mut counts)?;
    looks::people(finder.objects(), &clips, &of.labels.join("people.tsv"), &mut counts)?;
    for (light, (cases, right)) in &plates.lights {
        let (group, value) = ("plate read, by light".to_owned(), light.clone());
        counts.0.push(Attribute { group, value, cases: *cases, right: *right });
    }
    looks::painted(&mut counts);
    let attributes = counts.by_group();
    Ok(Report {
        date: of.date.to_owned(),
        models: known(of.models),
        data: data(of),
        plates: plates_of(plates),
        reliability: reliability(plates),
        attributes,
        search: searches::run(eyes, &clips, &of.labels.join("searches.tsv"))?,
    })
}

fn clips(folder: &Path) -> Result<Vec<PathBuf>, VisionError> {
    let listed = std::fs::read_dir(folder).map_err(|error| VisionError::io(folder, error))?;
    let mut clips: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
    let video = |path: &PathBuf| {
        path.extension()
            .and_then(|ending| ending.to_str())
            .is_some_and(|ending| ["mp4", "gif"].contains(&ending))
    };
    clips.retain(video);
    clips.sort();
    Ok(clips)
}

fn known(models: &Models) -> Vec<Known> {
    let used = models.all().filter(|(name, _)| Models::uses().any(|each| each == *name));
    used.map(|(name, model)| Known {
        name: name.to_owned(),
        version: model.version.clone(),
        sha256: model.sha256.clone(),
        licence: model.licence.clone(),
    })
    .collect()
}

fn data(of: &Measuring<'_>) -> Vec<Named> {
    let named = |name: &str, what: &str| Named { name: name.to_owned(), what: what.to_owned() };
    let mut data = vec![
        named(
            "plates-dev",
            "44 photos of cars and 147 cut-outs of plates, on which no model of ours was trained",
        ),
        named(
            "clips",
            "five short clips of fixed cameras (Intel, CC BY 4.0), labelled by eye: one look at one frame each",
        ),
        named(
            "painted patches",
            "patches that we painted in known colours, not recorded; no detector has a part in them",
        ),
        named(
            "lights",
            "\"dimmed\" and \"under a yellow lamp\" are recorded frames, darkened and tinted by us",
        ),
    ];
    if of.walkers.is_some() {
        data.push(named("vtest.avi", "a pedestrian video of Debian's package opencv-doc, labelled by eye"));
    }
    data
}

fn plates_of(bench: &Bench) -> Vec<Plates> {
    let row = |(set, score): (&String, &super::Score)| Plates {
        set: set.clone(),
        plates: score.plates,
        found: score.found,
        exact: score.exact,
        folded: score.folded,
        one_edit: score.one_edit,
        false_alarms: score.extra,
    };
    bench.sets.iter().map(row).collect()
}

fn reliability(bench: &Bench) -> Vec<Measured> {
    let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
    let row = |(tenth, (plates, right, said)): (&u8, &(usize, usize, f64))| {
        let count = (*plates).max(1) as f64;
        let from = f64::from(*tenth) / 10.0;
        let until = f64::from(*tenth + 1) / 10.0;
        Measured {
            from,
            until,
            plates: *plates,
            said: rounded(said / count),
            right: rounded(*right as f64 / count),
        }
    };
    bench.reliability.iter().map(row).collect()
}

/// Rows of a table of labels: fields between tabs; lines with a number sign are words for people.
pub(super) fn table(path: &Path, fields: usize) -> Result<Vec<Vec<String>>, VisionError> {
    let text = std::fs::read_to_string(path).map_err(|error| VisionError::io(path, error))?;
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let row: Vec<String> = line.split('\t').map(|field| field.trim().to_owned()).collect();
        if row.len() != fields {
            return Err(VisionError::Picture {
                file: path.display().to_string(),
                reason: format!(
                    "line {} has {} fields between tabs, wanted are {fields}",
                    number + 1,
                    row.len()
                ),
            });
        }
        rows.push(row);
    }
    Ok(rows)
}

impl Report {
    /// As a file of JSON.
    pub fn json(&self) -> Result<String, VisionError> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| VisionError::List(error.to_string()))?;
        Ok(format!("{text}\n"))
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut out = format!("# How often seeing is right\n\nMeasured on {}.\n\n", self.date);
        let mut row = |cells: &[String]| {
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        };
        let texts = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let head = |row: &mut dyn FnMut(&[String]), cells: &[&str]| {
            row(&texts(cells));
            row(&vec!["---".to_owned(); cells.len()]);
        };
        head(&mut row, &["model", "version", "licence", "sha256"]);
        for model in &self.models {
            row(&[model.name.clone(), model.version.clone(), model.licence.clone(), model.sha256.clone()]);
        }
        out.push('\n');
        let mut row = |cells: &[String]| {
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        };
        head(&mut row, &["data", "what"]);
        for data in &self.data {
            row(&[data.name.clone(), data.what.clone()]);
        }
        self.tables(&mut out);
        out
    }

    fn tables(&self, out: &mut String) {
        let share = |right: usize, cases: usize| {
            if cases == 0 {
                "–".to_owned()
            } else {
                format!("{:.0} %", right as f64 * 100.0 / cases as f64)
            }
        };
        out.push_str(
            "\n## Plates\n| set | plates | found | exact | folded | at most one edit | false alarms |\n",
        );
        out.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
        for p in &self.plates {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} ({}) | {} ({}) | {} | {} |",
                p.set,
                p.plates,
                p.found,
                p.exact,
                share(p.exact, p.plates),
                p.folded,
                share(p.folded, p.plates),
                p.one_edit,
                p.false_alarms
            );
        }
        out.push_str(
            "\n## Confidence\n| from | until | plates | said | right |\n| --- | --- | --- | --- | --- |\n",
        );
        for m in &self.reliability {
            let _ = writeln!(
                out,
                "| {:.1} | {:.1} | {} | {:.2} | {:.2} |",
                m.from, m.until, m.plates, m.said, m.right
            );
        }
        out.push_str(
            "\n## Attributes\n| group | value | cases | right | share |\n| --- | --- | --- | --- | --- |\n",
        );
        for a in &self.attributes {
            let Attribute { group, value, cases, right } = a;
            let _ = writeln!(out, "| {group} | {value} | {cases} | {right} | {} |", share(*right, *cases));
        }
        out.push_str("\n## Searches\n| clip | words | passed | found | false alarms |\n| --- | --- | --- | --- | --- |\n");
        for s in &self.search {
            let passed = if s.passed { "yes" } else { "no" };
            let _ = writeln!(
                out,
                "| {} | {} ({}) | {passed} | {} of {} | {} |",
                s.clip, s.query, s.language, s.found, s.expected, s.false_alarms
            );
        }
        let passed = self.search.iter().filter(|search| search.passed).count();
        let _ = writeln!(out, "\n{passed} of {} searches pass.", self.search.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_was_measured() {
        let mut bench = Bench::default();
        bench
            .sets
            .insert("us".into(), super::super::Score { plates: 4, found: 3, exact: 2, ..Default::default() });
        bench.reliability.insert(9, (2, 1, 1.9));
        let report = Report {
            date: "2026-11-28".into(),
            plates: plates_of(&bench),
            reliability: reliability(&bench),
            search: vec![Search {
                query: "red car".into(),
                language: "en".into(),
                clip: "a.mp4".into(),
                passed: false,
                found: 1,
                expected: 2,
                false_alarms: 3,
            }],
            ..Report::default()
        };
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(json["plates"][0]["exact"], 2);
        assert_eq!(
            json["reliability"][0],
            serde_json::json!({"from": 0.9, "until": 1.0, "plates": 2, "said": 0.95, "right": 0.5})
        );
        assert_eq!(json["search"][0]["false_alarms"], 3);
        let text = report.markdown();
        assert!(text.contains("| us | 4 | 3 | 2 (50 %)") && text.contains("0 of 1 searches pass"), "{text}");
    }

    #[test]
    fn tables_with_missing_fields_are_told_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.tsv");
        std::fs::write(&path, "# words\na\tb\n\nc\n").unwrap();
        let error = table(&path, 2).unwrap_err().to_string();
        assert!(error.contains("line 4") && error.contains("wanted are 2"), "{error}");
    }
}
