//! Search of footage at the desk: the server searches what cameras saw; what was seen in evidence is sealed, so it is looked
//! through, sealed, opened and searched on this machine.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
};

use canvass_core::{
    cases::ItemView,
    footage::{FootageFound, FootageMoment, MOST_SEALED, PutSightings, SealedSightingsView, SearchFootage},
    plates::{ApprovalDetail, Question, WhoseCameras},
};
use canvass_footage::{Moment, Sighting, Words, search};
use canvass_seal::{
    Identity, Recipient,
    crypt::{DecryptReader, EncryptWriter, Wrapping},
};
use canvass_types::{ApprovalId, CameraId, CaseId, Digest, Purpose, SightingId, Time};
use canvass_vision::{Eyes, IndexOptions, index_file};
use clap::Args;
use data_encoding::BASE64;
use reqwest::Method;
use serde::Serialize;
use serde_json::json;

use super::{
    approvals,
    cases::unpack,
    desk::{Desk, path, plain, purpose, word},
    keys,
};
use crate::common::{Context, Failure, Output, Step, count};

/// Endings of files that are looked through.
const ENDINGS: [&str; 13] =
    ["jpg", "jpeg", "png", "mp4", "m4v", "mov", "mkv", "avi", "webm", "3gp", "ts", "mpg", "mpeg"];
/// Most bytes of an opened list of sightings: more than the sealed one has.
const MOST_PLAIN: usize = 2 * MOST_SEALED;

/// Why evidence is opened or footage searched at the desk.
#[derive(Debug, Args)]
pub struct DeskWhy {
    /// Why, in words that say something; kept with the record
    #[arg(long, value_name = "REASON", requires = "case")]
    purpose: Option<String>,
    /// Class of the purpose, as policies/purposes.toml has them
    #[arg(long = "for", value_name = "CLASS", requires = "case")]
    class: Option<String>,
    /// Class of offence, as policies/purposes.toml has them
    #[arg(long, value_name = "CLASS", requires = "case")]
    offence: Option<String>,
    /// Number of a warrant or court order
    #[arg(long, value_name = "NUMBER", requires = "case")]
    warrant: Option<String>,
}

impl DeskWhy {
    fn purpose(&self, usual: &str, case: &str) -> Result<Purpose, Failure> {
        let reason = self.purpose.as_deref().map(str::trim).unwrap_or_default();
        if reason.is_empty() {
            return Err(Failure::usage("--purpose: say why, in words; it is kept with the record"));
        }
        Ok(Purpose {
            class: self.class.clone().unwrap_or_else(|| usual.to_owned()),
            offence: self.offence.clone().unwrap_or_else(|| "none".to_owned()),
            case: Some(case.to_owned()),
            reason: reason.to_owned(),
            warrant: self.warrant.clone(),
        })
    }
}

/// A search at the desk, instead of one of local files.
#[derive(Debug, Args)]
pub struct DeskSearch {
    /// Ask the server, for this case (its id, code or title): cameras, and the evidence of the case
    #[arg(long)]
    case: Option<String>,
    /// Only this camera; may stand several times
    #[arg(long = "camera", value_name = "CAMERA", requires = "case")]
    cameras: Vec<CameraId>,
    /// No cameras: the evidence of the case alone
    #[arg(long, requires = "case", conflicts_with_all = ["cameras", "like"])]
    no_cameras: bool,
    /// Whose cameras, when none are named: own or shared [default: own]
    #[arg(long, requires = "case", value_parser = word::<WhoseCameras>)]
    whose: Option<WhoseCameras>,
    /// The first moment of cameras; 7 days ago when left out
    #[arg(long, value_name = "MOMENT", requires = "case")]
    from: Option<Time>,
    /// The moment after the last; now when left out
    #[arg(long, value_name = "MOMENT", requires = "case")]
    until: Option<Time>,
    /// Ask for a second person's approval instead of searching: a description of people takes one
    #[arg(long, requires = "case")]
    ask: bool,
    /// Only tell what it would touch and what it takes
    #[arg(long, requires = "case", conflicts_with = "ask")]
    plan: bool,
    /// Save the pictures of what cameras saw in this folder, each under the id of its sighting
    #[arg(long, value_name = "FOLDER", requires = "case")]
    pictures: Option<PathBuf>,
    #[command(flatten)]
    why: DeskWhy,
}

impl DeskSearch {
    /// Whether the server is asked.
    pub fn wanted(&self) -> bool {
        self.case.is_some()
    }
}

/// What of an answer is shown.
#[derive(Debug, Clone)]
pub struct Shown<'a> {
    /// The description, by which sealed sightings are searched here.
    pub text: Option<&'a str>,
    /// How well a moment fits at least.
    pub least: f32,
    /// The most moments.
    pub most: usize,
    /// Where pictures are saved.
    pub pictures: Option<&'a Path>,
}

/// A moment that fits, of a camera or of evidence.
#[derive(Debug, Serialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
enum Line {
    Camera(FootageMoment),
    Item {
        item: canvass_types::ItemId,
        file: String,
        #[serde(flatten)]
        moment: Moment,
    },
}

impl Line {
    fn score(&self) -> f32 {
        match self {
            Self::Camera(moment) => moment.score,
            Self::Item { moment, .. } => moment.score,
        }
    }

    fn text(&self) -> String {
        let (mut line, matched, missed, untold) = match self {
            Self::Camera(it) => {
                let place = it.position.map(|[x, y]| format!("  ({x:.5}, {y:.5})")).unwrap_or_default();
                let line =
                    format!("{}  {}{place}  {}  {}", it.best, plain(&it.camera_name), it.kind, it.sighting);
                (line, &it.matched, &it.missed, &it.untold)
            }
            Self::Item { item, file, moment } => {
                let line = format!("{item}  {}  {:.1} to {:.1} s", plain(file), moment.start, moment.end);
                (line, &moment.matched, &moment.missed, &moment.untold)
            }
        };
        line.push_str(&format!("  {:.0} %  matched: {}", self.score() * 100.0, matched.join(", ")));
        for (name, words) in [("missed", missed), ("can't be told", untold)] {
            if !words.is_empty() {
                line.push_str(&format!("; {name}: {}", words.join(", ")));
            }
        }
        line
    }
}

/// Searches at the desk: for a description, or for vehicles like one that a camera saw.
pub async fn find(
    args: DeskSearch,
    (text, like): (Option<&str>, Option<SightingId>),
    (least, most): (f32, usize),
    context: &Context,
) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let case = args.case.clone().unwrap_or_default();
    let why = args.why.purpose("crime", &case)?;
    let cameras = (args.no_cameras || !args.cameras.is_empty()).then(|| args.cameras.clone());
    let wish = SearchFootage {
        text: text.map(str::to_owned),
        like,
        cameras,
        area: None,
        whose: args.whose.unwrap_or_default(),
        from: args.from,
        until: args.until,
        least: Some((least * 100.0).round() as u8),
        limit: Some(u32::try_from(most).unwrap_or(u32::MAX).clamp(1, 200)),
        evidence: true,
    };
    if args.ask || args.plan {
        return approvals::ask_for(&desk, Question::Footage(wish), &why, args.plan).await;
    }
    let found: FootageFound = desk.post_for("/footage/searches", purpose(&why)?, &wish).await?;
    let shown = Shown { text, least, most, pictures: args.pictures.as_deref() };
    tell(&desk, found, &shown).await
}

/// Shows what an approved search of footage found.
pub async fn tell_approved(desk: &Desk<'_>, id: &ApprovalId, found: FootageFound) -> Result<(), Failure> {
    let detail: ApprovalDetail = desk.get(&format!("/plates/approvals/{id}")).await?;
    let Question::Footage(wish) = detail.question else {
        return Err(Failure::new("the desk answered with footage to another question; is it a Canvass?"));
    };
    let least = f32::from(wish.least.unwrap_or(60)) / 100.0;
    let most = wish.limit.unwrap_or(50) as usize;
    let shown = Shown { text: wish.text.as_deref(), least, most, pictures: None };
    tell(desk, found, &shown).await
}

/// Shows moments of cameras and of evidence, best first: with `--json` one object for each.
async fn tell(desk: &Desk<'_>, found: FootageFound, shown: &Shown<'_>) -> Result<(), Failure> {
    let console = desk.context.console();
    if let Some(folder) = shown.pictures {
        save_pictures(desk, &found, folder).await?;
    }
    let mut lines: Vec<Line> = evidence(desk, &found, shown).await?;
    let remarks = remarks(&found);
    lines.extend(found.moments.into_iter().map(Line::Camera));
    lines.sort_by(|a, b| b.score().total_cmp(&a.score()));
    lines.truncate(shown.most);
    for line in &lines {
        if desk.context.output == Output::Json {
            console.raw(serde_json::to_string(line)?);
        } else {
            console.line(line.text());
        }
    }
    if lines.is_empty() {
        console.line("nothing was found");
    } else {
        console.line("A moment that fits is no cause by itself: look at it.");
    }
    remarks.iter().for_each(|remark| console.note(remark));
    Ok(())
}

/// What was searched, and what was not.
fn remarks(found: &FootageFound) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(understood) = &found.understood
        && !understood.ignored.is_empty()
    {
        all.push(format!("passed over, not known here: {}", plain(&understood.ignored.join(", "))));
    }
    for owner in &found.searched {
        let cameras = count(owner.cameras, "camera", "cameras");
        all.push(format!("searched: {cameras} of {}; entry {}", plain(&owner.name), owner.entry));
    }
    all.extend(
        found.left_out.iter().map(|one| format!("left out: {}: {}", plain(&one.name), plain(&one.why))),
    );
    if found.cut {
        all.push(format!("only the newest {} sightings were looked at; narrow the window", found.looked));
    }
    if !found.unindexed.is_empty() {
        let items = count(found.unindexed.len(), "item", "items");
        all.push(format!(
            "not searched: {items} of the case, until `canvass footage index --case` looked through"
        ));
    }
    all
}

async fn save_pictures(desk: &Desk<'_>, found: &FootageFound, folder: &Path) -> Result<(), Failure> {
    for moment in found.moments.iter().filter(|moment| moment.picture) {
        let base = format!("/footage/pictures/{}/{}", found.search, moment.sighting);
        desk.save_picture(&base, folder, moment.sighting.as_str()).await?;
    }
    Ok(())
}

/// Opens the sealed sightings of the case's items and searches them here.
async fn evidence(desk: &Desk<'_>, found: &FootageFound, shown: &Shown<'_>) -> Result<Vec<Line>, Failure> {
    let Some(text) = shown.text.filter(|_| !found.evidence.is_empty()) else { return Ok(Vec::new()) };
    let query = Words::built_in()?.query(text);
    let mut identities: BTreeMap<String, Identity> = BTreeMap::new();
    let mut lines = Vec::new();
    for sealed in &found.evidence {
        if !identities.contains_key(&sealed.destination) {
            match keys::open(desk, &sealed.destination).await {
                Ok(identity) => {
                    identities.insert(sealed.destination.clone(), identity);
                }
                Err(failure) => {
                    desk.context.console().note(format!("{} not searched: {failure}", sealed.item));
                    continue;
                }
            }
        }
        let Some(identity) = identities.get(&sealed.destination) else { continue };
        let bytes = desk.http.get_optional(&path(&sealed.path, &[]), MOST_SEALED as u64).await?;
        let Some(bytes) = bytes else { continue };
        if Digest::of(&bytes) != sealed.sha256 {
            return Err(Failure::new(format!(
                "{}: the sealed sightings that came are not those on record; tell the operator",
                sealed.item
            )));
        }
        let sightings = opened(&bytes, identity)?;
        lines.extend(search(&query, &sightings, shown.least).into_iter().map(|moment| Line::Item {
            item: sealed.item.clone(),
            file: sealed.name.clone(),
            moment,
        }));
    }
    Ok(lines)
}

/// The sightings of a sealed list.
fn opened(bytes: &[u8], identity: &Identity) -> Result<Vec<Sighting>, Failure> {
    let mut reader = DecryptReader::new(
        bytes,
        std::slice::from_ref(identity),
        Wrapping::Binary,
        Some(bytes.len() as u64),
    )?;
    let mut text = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = reader.read_some(&mut buffer)?;
        if read == 0 {
            break;
        }
        text.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if text.len() > MOST_PLAIN {
            return Err(Failure::new("a sealed list of sightings is longer than any that is made here"));
        }
    }
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).map_err(|_| Failure::new("a sealed sighting can't be read")))
        .collect()
}

/// Seals sightings to a recipient, a line of JSON for each; gives how many had to be left out, those least sure.
fn sealed(sightings: &[Sighting], recipient: &Recipient) -> Result<(Vec<u8>, usize), Failure> {
    let mut sure: Vec<&Sighting> = sightings.iter().collect();
    sure.sort_by(|a, b| b.score.total_cmp(&a.score));
    let (mut kept, mut bytes) = (Vec::new(), 0);
    for sighting in sure {
        let line = serde_json::to_string(sighting)?;
        // What age adds to a list is a few hundred bytes, and 16 to each 64 KiB of it.
        bytes += line.len() + 1;
        if bytes > MOST_SEALED - 4 * 1024 {
            break;
        }
        kept.push((sighting.start, line));
    }
    let left_out = sightings.len() - kept.len();
    kept.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut writer = EncryptWriter::new(std::slice::from_ref(recipient), Vec::new())?;
    for (_, line) in &kept {
        writer.write_all(line.as_bytes())?;
        writer.write_all(b"\n")?;
    }
    Ok((writer.finish()?, left_out))
}

/// What looks through the items of a case, and by which name and version its sightings are kept.
pub struct Looker {
    /// The models.
    pub eyes: Eyes,
    /// How files are looked through.
    pub options: IndexOptions,
    /// Their versions, in one word.
    pub version: String,
}

/// Name of the model under which sightings are kept.
pub const MODEL: &str = "objects";

/// Looks through the items of a case that nobody looked through with this model, and stores what was seen, sealed.
pub async fn index_case(
    case: &CaseId,
    why: &DeskWhy,
    looker: &mut Looker,
    context: &Context,
) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let why = why.purpose("case-work", case.as_str())?;
    let console = context.console();
    let items: Vec<ItemView> = desk.all("/items", &[("case", Some(case.to_string()))]).await?;
    let (mut done, mut failed, mut passed) = (Vec::new(), 0_usize, 0_usize);
    let step = Step::new(items.len());
    for item in items.iter().filter(|item| item.destroyed.is_none()) {
        step.next(&item.name);
        let ending = item.name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
        let seen: bool = ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()));
        if !seen || is_current(&desk, item, &looker.version).await? {
            passed += 1;
            continue;
        }
        match index_item(&desk, item, &why, looker, &step).await {
            Ok((view, sightings)) => {
                step.aside(|| {
                    console.line(format!(
                        "{}  {}  {}",
                        item.id,
                        item.name,
                        count(sightings, "sighting", "sightings")
                    ))
                });
                done.push(json!({ "item": view.item, "sightings": sightings, "sha256": view.sha256 }));
            }
            Err(failure) => {
                failed += 1;
                step.aside(|| console.failure(&failure.context(&item.id)));
            }
        }
    }
    step.done();
    console.line(format!(
        "{} looked through and sealed; {passed} passed over",
        count(done.len(), "item", "items")
    ));
    console.result(&json!({ "case": case, "indexed": done, "passed_over": passed, "failed": failed }))?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{} could not be looked through", count(failed, "item", "items")))),
    }
}

async fn is_current(desk: &Desk<'_>, item: &ItemView, version: &str) -> Result<bool, Failure> {
    let base = path(&format!("/items/{}/sightings", item.id), &[]);
    let Some(bytes) = desk.http.get_optional(&base, 64 * 1024).await? else { return Ok(false) };
    let view: SealedSightingsView = serde_json::from_slice(&bytes)?;
    Ok(view.model == MODEL && view.version == version)
}

async fn index_item(
    desk: &Desk<'_>,
    item: &ItemView,
    why: &Purpose,
    looker: &mut Looker,
    step: &Step,
) -> Result<(SealedSightingsView, usize), Failure> {
    // The recipient of the key that opens: not one that the server names.
    let recipient = keys::open(desk, &item.destination).await?.recipient();
    let recipient = recipient.ok_or_else(|| Failure::new("the key is no X25519 identity"))?;
    // Gone with this call, whatever becomes of it.
    let work = tempfile::tempdir()?;
    let folder = work.path().join("opened");
    unpack(desk, item, why, &folder).await?;
    let file = folder.join(&item.name);
    let sightings = tokio::task::block_in_place(|| {
        index_file(&mut looker.eyes, &file, &looker.options, &mut |time| step.until(time))
    });
    // By the item's id: its name and place on this machine are nobody else's.
    if !looker.options.limits.warnings.take().is_empty() {
        let warning = "it is HDR, which this ffmpeg can't bring to the usual range: less is seen in it";
        step.warn(desk.context.console(), vec![format!("{}: {warning}", item.id)]);
    }
    let sightings = sightings?;
    drop(work);
    let (bytes, left_out) = sealed(&sightings, &recipient)?;
    if left_out > 0 {
        let what = count(left_out, "sighting", "sightings");
        desk.context.console().note(format!("{}: {what} left out, the least sure", item.id));
    }
    let wish = PutSightings {
        model: MODEL.to_owned(),
        version: looker.version.clone(),
        sealed: BASE64.encode(&bytes),
    };
    let view: SealedSightingsView =
        desk.send(Method::PUT, &format!("/items/{}/sightings", item.id), &wish).await?;
    Ok((view, sightings.len() - left_out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use canvass_footage::Kind;

    fn seen(score: f32, start: f64) -> Sighting {
        Sighting {
            kind: Kind::Car,
            score,
            start,
            end: start + 1.0,
            best: start,
            rect: [0, 0, 10, 10],
            frames: 3,
            colours: BTreeMap::new(),
            with: BTreeMap::new(),
            embedding: None,
        }
    }

    #[test]
    fn what_is_sealed_opens_with_the_key_alone_and_the_least_sure_go_first() {
        let key = Identity::from_secret_bytes(&[7; 32]).unwrap();
        let recipient = key.recipient().unwrap();
        let two = [seen(0.4, 0.0), seen(0.9, 5.0)];
        let (bytes, left_out) = sealed(&two, &recipient).unwrap();
        assert_eq!((left_out, opened(&bytes, &key).unwrap()), (0, two.to_vec()));
        assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
        assert!(opened(&bytes, &Identity::from_secret_bytes(&[8; 32]).unwrap()).is_err());
        let many: Vec<Sighting> =
            (0..20_000_u16).map(|at| seen(f32::from(at) / 20_000.0, f64::from(at))).collect();
        let (bytes, left_out) = sealed(&many, &recipient).unwrap();
        assert!(left_out > 0 && bytes.len() <= MOST_SEALED, "{} {left_out}", bytes.len());
        let kept = opened(&bytes, &key).unwrap();
        assert_eq!(kept.len(), many.len() - left_out);
        assert!(kept.first().unwrap().score > 0.1 && kept.last() == many.last());
    }
}
