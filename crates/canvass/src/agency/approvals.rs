//! Searches that take a second person: company, several places, and what is wider than one person may search.

use canvass_core::{
    plates::{
        Answered, ApprovalDetail, ApprovalView, AskedQuestion, ConvoyFound, KeepApproved, KeptReadsView,
        PlaceAsked, PlacesFound, Question, QuestionKind, RunApproved, SearchConvoy, SearchPlaces, SearchPlan,
        WhoseCameras,
    },
    records::ApprovalState,
};
use canvass_plates::{Colour, VehicleType};
use canvass_types::{ApprovalId, CameraId, Time};
use clap::Args;
use serde_json::json;

use super::{
    desk::{Desk, Why, plain, purpose, spelled, word},
    footage,
    plates::{Keep, Wide, kept_lines, line, lines},
};
use crate::common::{Failure, count};

/// A search for company.
#[derive(Debug, Args)]
pub struct ConvoyArgs {
    /// The plate, whole
    plate: String,
    /// Seconds before or after the plate, 10 to 900
    #[arg(long, default_value_t = 120)]
    within: u32,
    /// At how many different cameras at least, 2 to 20
    #[arg(long, default_value_t = 2)]
    least_cameras: u32,
    /// Most plates, 1 to 50
    #[arg(long, default_value_t = 20)]
    plates: u32,
    /// Only tell what it would touch and what it takes
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    wide: Wide,
    #[command(flatten)]
    why: Why,
}

/// A search for several places.
#[derive(Debug, Args)]
pub struct PlacesArgs {
    /// A place at a time, 2 to 5 of them: `name=…,from=MOMENT,until=MOMENT,camera=CAMERA` with a camera or more
    #[arg(long = "place", value_name = "PLACE", required = true, value_parser = place)]
    places: Vec<PlaceAsked>,
    /// At how many of them at least; at all of them when left out
    #[arg(long)]
    least: Option<u32>,
    /// Kind of vehicle: Car, Truck, Bus, Motorcycle, Bicycle, Van
    #[arg(long, value_parser = word::<VehicleType>)]
    vehicle: Option<VehicleType>,
    /// Colour of its body: White, Black, Grey, Silver, Red, Blue, …
    #[arg(long, value_parser = word::<Colour>)]
    colour: Option<Colour>,
    /// Least confidence, percent
    #[arg(long, default_value_t = 75)]
    confidence: u8,
    /// Only reads that met a hotlist
    #[arg(long)]
    hits_only: bool,
    /// Most plates, 1 to 50
    #[arg(long, default_value_t = 20)]
    plates: u32,
    /// Only tell what it would touch and what it takes
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    why: Why,
}

/// Reads `name=…,from=…,until=…,camera=…`.
fn place(text: &str) -> Result<PlaceAsked, String> {
    let (mut name, mut from, mut until) = (None, None, None);
    let mut cameras: Vec<CameraId> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (key, value) =
            part.split_once('=').ok_or_else(|| format!("`{part}` is not of the form key=value"))?;
        let moment = || value.parse::<Time>().map_err(|_| format!("{key}: no moment of RFC 3339"));
        match key.trim() {
            "name" => name = Some(value.to_owned()),
            "from" => from = Some(moment()?),
            "until" => until = Some(moment()?),
            "camera" => {
                cameras.push(value.parse().map_err(|_| format!("camera: `{value}` is no id (cam_…)"))?);
            }
            other => return Err(format!("`{other}` is none of name, from, until, camera")),
        }
    }
    if cameras.is_empty() {
        return Err("name a camera: camera=cam_…".to_owned());
    }
    let (Some(from), Some(until)) = (from, until) else { return Err("give from= and until=".to_owned()) };
    Ok(PlaceAsked { name, cameras: Some(cameras), area: None, from, until })
}

fn kind_word(kind: QuestionKind) -> &'static str {
    match kind {
        QuestionKind::Search => "search",
        QuestionKind::History => "history",
        QuestionKind::Convoy => "company of a plate",
        QuestionKind::Places => "several places",
        QuestionKind::Footage => "footage",
    }
}

fn plan_lines(plan: &SearchPlan) -> Vec<String> {
    let cameras = count(plan.cameras, "camera", "cameras");
    let owners = count(plan.owners.len(), "owner", "owners");
    let mut lines = vec![format!("touches {cameras} of {owners}, {} back", count(plan.days, "day", "days"))];
    for owner in &plan.owners {
        let hits = if owner.hits_only { ", hits only" } else { "" };
        lines.push(format!("  {}: {}{hits}", plain(&owner.name), count(owner.cameras, "camera", "cameras")));
    }
    lines.extend(
        plan.left_out.iter().map(|one| format!("  left out: {}: {}", plain(&one.name), plain(&one.why))),
    );
    lines.push(match (plan.allowed, plan.second_person) {
        (true, _) => "you may run it as it is".to_owned(),
        (_, true) => "this needs a second person".to_owned(),
        _ => format!("this can't be run: missing {}", plan.needs.join(", ")),
    });
    lines.extend(plan.because.iter().map(|because| format!("  {}", plain(because))));
    lines
}

fn view_line(view: &ApprovalView) -> String {
    let case = view.case_title.as_deref().unwrap_or("no case");
    let until = match view.state {
        ApprovalState::Open => format!("waits until {}", view.ends),
        ApprovalState::Approved => format!("can be run until {}", view.ends),
        other => other.as_str().to_owned(),
    };
    format!(
        "{}  {:<18}  {:<9}  {}  by {}  {until}",
        view.id,
        kind_word(view.kind),
        view.state.as_str(),
        plain(case),
        plain(&view.by_name)
    )
}

fn detail_lines(detail: &ApprovalDetail) -> Vec<String> {
    let mut lines = vec![view_line(&detail.approval)];
    lines.push(format!("why: {}", plain(&detail.purpose.line())));
    // The question as it is asked, and as programs read it.
    lines.push(format!("asks: {}", plain(&serde_json::to_string(&detail.question).unwrap_or_default())));
    if let Some(plan) = &detail.plan {
        lines.extend(plan_lines(plan));
    }
    if let Some(decided) = &detail.approval.decided {
        let by = detail.approval.decided_by.as_deref().unwrap_or("nobody");
        let reason =
            decided.reason.as_deref().map(|reason| format!(": {}", plain(reason))).unwrap_or_default();
        lines.push(format!("decided by {} on {}{reason}", plain(by), decided.at));
    }
    lines.push(match (detail.approval.state, detail.approval.mine, detail.approval.decides) {
        (ApprovalState::Approved, true, _) => format!("run it: canvass plate run {}", detail.approval.id),
        (ApprovalState::Open, _, true) => {
            format!(
                "decide: canvass plate approve {0}, or canvass plate refuse {0} --reason '…'",
                detail.approval.id
            )
        }
        (ApprovalState::Open, true, _) => "a supervisor of your agency has to approve it".to_owned(),
        _ => String::new(),
    });
    lines.retain(|line| !line.is_empty());
    lines
}

/// Asks for an approval, or only tells what the search would touch.
pub async fn ask(desk: &Desk<'_>, question: Question, why: &Why, plan: bool) -> Result<(), Failure> {
    ask_for(desk, question, &why.purpose("crime"), plan).await
}

/// The same, for a purpose as it is.
pub async fn ask_for(
    desk: &Desk<'_>,
    question: Question,
    why: &canvass_types::Purpose,
    plan: bool,
) -> Result<(), Failure> {
    let wish = AskedQuestion { question };
    let why = purpose(why)?;
    if plan {
        let told: SearchPlan = desk.post_for("/plates/plan", why, &wish).await?;
        return desk.show(&told, &plan_lines(&told));
    }
    let asked: ApprovalDetail = desk.post_for("/plates/approvals", why, &wish).await?;
    desk.show(&asked, &detail_lines(&asked))
}

/// Asks who travelled with a plate.
pub async fn convoy(desk: &Desk<'_>, args: ConvoyArgs) -> Result<(), Failure> {
    let ConvoyArgs { plate, within, least_cameras, plates, plan, wide, why } = args;
    let question = Question::Convoy(SearchConvoy {
        plate,
        tolerant: wide.tolerant,
        cameras: wide.named(),
        area: None,
        whose: wide.whose,
        from: Some(wide.from(desk.context)),
        until: wide.until,
        within: Some(within),
        least_cameras: Some(least_cameras),
        confidence: Some(wide.confidence),
        hits_only: wide.hits_only,
        limit: Some(plates),
    });
    ask(desk, question, &why, plan).await
}

/// Asks who was at several places.
pub async fn places(desk: &Desk<'_>, args: PlacesArgs) -> Result<(), Failure> {
    let question = Question::Places(SearchPlaces {
        places: args.places,
        least: args.least,
        whose: WhoseCameras::Own,
        confidence: Some(args.confidence),
        vehicle: args.vehicle,
        colour: args.colour,
        hits_only: args.hits_only,
        limit: Some(args.plates),
    });
    ask(desk, question, &args.why, args.plan).await
}

/// Lists searches that take a second person.
pub async fn list(desk: &Desk<'_>, state: Option<ApprovalState>) -> Result<(), Failure> {
    let query = [("state", state.map(|state| state.as_str().to_owned()))];
    let all: Vec<ApprovalView> = desk.all("/plates/approvals", &query).await?;
    let mut lines: Vec<String> = all.iter().map(view_line).collect();
    if lines.is_empty() {
        lines.push("there is none".to_owned());
    }
    desk.show(&all, &lines)
}

/// Shows one.
pub async fn show(desk: &Desk<'_>, id: &ApprovalId) -> Result<(), Failure> {
    let detail: ApprovalDetail = desk.get(&format!("/plates/approvals/{id}")).await?;
    desk.show(&detail, &detail_lines(&detail))
}

/// Approves one, or takes one's own back.
pub async fn decide(desk: &Desk<'_>, id: &ApprovalId, what: &str) -> Result<(), Failure> {
    let detail: ApprovalDetail =
        desk.act(reqwest::Method::POST, &format!("/plates/approvals/{id}/{what}")).await?;
    desk.show(&detail, &detail_lines(&detail))
}

/// Refuses one.
pub async fn refuse(desk: &Desk<'_>, id: &ApprovalId, reason: &str) -> Result<(), Failure> {
    let body = json!({ "reason": reason });
    let detail: ApprovalDetail = desk.post(&format!("/plates/approvals/{id}/refuse"), &body).await?;
    desk.show(&detail, &detail_lines(&detail))
}

fn convoy_lines(found: &ConvoyFound) -> Vec<String> {
    let mut lines = vec![format!(
        "{} of the plate; {} looked at near them",
        count(found.passes.len(), "read", "reads"),
        count(found.looked, "read", "reads")
    )];
    for one in &found.companions {
        let same = if one.perhaps_same { "  perhaps a misread of the plate itself" } else { "" };
        lines.push(format!(
            "{:<10}  {}, {}, {} s apart{same}",
            one.plate.as_str(),
            count(one.cameras, "camera", "cameras"),
            count(one.passes, "pass", "passes"),
            one.apart
        ));
        lines.extend(one.meetings.iter().map(|met| format!("    {:+} s  {}", met.gap, line(&met.read))));
    }
    if found.companions.is_empty() {
        lines.push("no other plate passed as many of the cameras with it".to_owned());
    } else {
        lines.push(
            "Passing the same cameras is no cause by itself: look at the pictures and the road.".to_owned(),
        );
    }
    if found.more > 0 {
        lines.push(format!("{} more are not shown", found.more));
    }
    lines
}

fn places_lines(found: &PlacesFound) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for one in &found.visitors {
        lines.push(format!(
            "{:<10}  {}, {}",
            one.plate.as_str(),
            count(one.places, "place", "places"),
            count(one.cameras, "camera", "cameras")
        ));
        for (number, at) in (1..).zip(&one.at) {
            let more = at.count.saturating_sub(u32::try_from(at.reads.len()).unwrap_or(u32::MAX));
            lines.extend(at.reads.iter().map(|read| format!("    place {number}  {}", line(read))));
            if more > 0 {
                lines.push(format!("    place {number}  and {}", count(more, "more read", "more reads")));
            }
        }
    }
    if found.visitors.is_empty() {
        lines.push("no plate was at as many of the places".to_owned());
    } else {
        lines.push("Having been there is no cause by itself: compare plate and picture.".to_owned());
    }
    if found.more > 0 {
        lines.push(format!("{} more are not shown", found.more));
    }
    lines
}

fn answer_lines(answer: &Answered) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(answer.reads.iter().flat_map(lines));
    all.extend(answer.convoy.iter().flat_map(convoy_lines));
    all.extend(answer.places.iter().flat_map(places_lines));
    all
}

/// All reads that an answer shows, with the search that it is of.
fn shown(answer: &Answered) -> Option<(canvass_types::AuditId, Vec<canvass_plates::ReadId>)> {
    if let Some(found) = &answer.reads {
        return Some((found.search.clone(), found.matches.iter().map(|one| one.read.id).collect()));
    }
    if let Some(found) = &answer.convoy {
        let met = found.companions.iter().flat_map(|one| one.meetings.iter().map(|met| met.read.read.id));
        let ids = found.passes.iter().map(|one| one.read.id).chain(met).collect();
        return Some((found.search.clone(), ids));
    }
    let found = answer.places.as_ref()?;
    let ids = found.visitors.iter().flat_map(|one| one.at.iter().flat_map(|at| &at.reads));
    Some((found.search.clone(), ids.map(|one| one.read.id).collect()))
}

/// Runs an approved search, and keeps of it what was chosen.
pub async fn run(desk: &Desk<'_>, id: &ApprovalId, after: Option<String>, keep: Keep) -> Result<(), Failure> {
    let mut answer: Answered =
        desk.post(&format!("/plates/approvals/{id}/run"), &RunApproved { after }).await?;
    if let Some(found) = answer.footage.take() {
        return footage::tell_approved(desk, id, found).await;
    }
    if !keep.wanted() {
        return desk.show(&answer, &answer_lines(&answer));
    }
    let Some((search, ids)) = shown(&answer) else {
        return Err(Failure::new("the answer shows no reads"));
    };
    let wish = KeepApproved { search, reads: keep.chosen(&ids)?, note: keep.note };
    let kept: KeptReadsView = desk.post(&format!("/plates/approvals/{id}/keep"), &wish).await?;
    let mut all = answer_lines(&answer);
    all.extend(kept_lines(&kept));
    desk.show(&json!({ "found": answer, "kept": kept }), &all)
}

/// In which state approvals are listed.
pub fn state(text: &str) -> Result<ApprovalState, String> {
    word::<ApprovalState>(text).map_err(|_| {
        let all = [
            ApprovalState::Open,
            ApprovalState::Approved,
            ApprovalState::Refused,
            ApprovalState::Withdrawn,
            ApprovalState::Expired,
        ];
        format!("one of: {}", all.iter().map(spelled).collect::<Vec<_>>().join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_or_refused_with_the_reason() {
        let camera = format!("cam_{}a", "a".repeat(25));
        let good =
            format!("name=Elm Street,from=2026-11-20T20:00:00Z,until=2026-11-20T21:00:00Z,camera={camera}");
        let read = place(&good).unwrap();
        assert_eq!(read.name.as_deref(), Some("Elm Street"));
        assert_eq!(read.cameras.unwrap().len(), 1);
        for (wrong, says) in [
            (good.replace("from=2026-11-20T20:00:00Z,", ""), "from="),
            (good.replace(&camera, "cam_7"), "no id"),
            (good.replace("name", "nome"), "none of"),
            (good.replace("2026-11-20T21:00:00Z", "nine"), "until"),
            ("Elm Street".to_owned(), "key=value"),
        ] {
            let said = place(&wrong).unwrap_err();
            assert!(said.contains(says), "{wrong}: {said}");
        }
    }
}
