//! Requests, moderation, portals and invitations.

use std::io::Read as _;
use std::path::PathBuf;

use canvass_core::{
    agencies::AgencyView,
    invitations::{InvitationView, IssuedInvitation, NewInvitation},
    portals::{NewPortal, PortalView},
    requests::{DraftCheck, RequestView, Submission, Verdict, Withholding},
};
use canvass_types::{
    Area, Asker, CaseId, Contact, Digest, FieldProblem, IncidentType, InvitationId, PortalBody, PortalId,
    PublicKey, RequestBody, RequestDraft, RequestId, RequestState, Time, canonical, sign,
};
use clap::{Args, Subcommand};
use reqwest::Method;

use super::{
    agencies::{area, confirm},
    desk::{Desk, destination, moment, spelled, word},
    keyring, keys,
};
use crate::common::{Context, Failure, count, frame, moment_in, read_limited, span_in};

/// Longest draft, in bytes.
const MOST_DRAFT: u64 = 1024 * 1024;

/// Requests.
#[derive(Debug, Subcommand)]
pub enum RequestCommand {
    /// Store a draft; its problems are printed beside the fields
    #[command(
        after_help = "Examples:\n  canvass request draft --file draft.json\n  canvass request draft --code 2026-0412 --incident burglary --details '…' --contact-name 'Det. Ruiz' --phone 603-555-0100 --area area.geojson --start 2026-11-20T22:00 --end 2026-11-21T02:00 --zone America/New_York --own-case"
    )]
    Draft(DraftArgs),
    /// Judge a draft without storing it
    #[command(after_help = "Example:\n  canvass request check --file draft.json")]
    Check(DraftArgs),
    /// List requests
    #[command(after_help = "Example:\n  canvass request list --state published")]
    List {
        /// draft, in-moderation, published, resolved, expired, withheld or refused
        #[arg(long, value_parser = word::<RequestState>)]
        state: Option<RequestState>,
    },
    /// Show a request
    #[command(after_help = "Example:\n  canvass request show req_…")]
    Show {
        /// Which
        request: RequestId,
    },
    /// Change a draft
    #[command(after_help = "Example:\n  canvass request edit req_… --file draft.json")]
    Edit {
        /// Which
        request: RequestId,
        #[command(flatten)]
        draft: DraftArgs,
    },
    /// Drop a draft
    #[command(after_help = "Example:\n  canvass request drop req_… --yes")]
    Drop {
        /// Which
        request: RequestId,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Sign a draft with the agency's key and hand it in for moderation
    #[command(after_help = "Example:\n  canvass request submit req_… --keyring ~/.config/canvass")]
    Submit {
        /// Which
        request: RequestId,
        /// The signing key, when not in the keyring
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Mark a published request as resolved
    #[command(after_help = "Example:\n  canvass request resolve req_…")]
    Resolve {
        /// Which
        request: RequestId,
    },
    /// Withhold a request's body by law; that it existed stays public (operator)
    #[command(
        after_help = "Example:\n  canvass request withhold req_… --basis 'Order 26-cv-118 of 2026-11-24'"
    )]
    Withhold {
        /// Which
        request: RequestId,
        /// The legal basis, in public words
        #[arg(long)]
        basis: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// A draft, from a file or from flags.
#[derive(Debug, Args)]
pub struct DraftArgs {
    /// JSON file with the draft; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["code", "incident", "details", "area", "start", "end", "zone"])]
    file: Option<PathBuf>,
    /// The agency's own code for the investigation
    #[arg(long, required_unless_present = "file")]
    code: Option<String>,
    /// homicide, assault, robbery, burglary, theft, vehicle-theft, collision, vandalism, arson, shooting, missing-person, abduction or other
    #[arg(long, value_parser = word::<IncidentType>, required_unless_present = "file")]
    incident: Option<IncidentType>,
    /// What people should know
    #[arg(long, required_unless_present = "file")]
    details: Option<String>,
    /// Whom to ask
    #[arg(long, required_unless_present = "file")]
    contact_name: Option<String>,
    /// Telephone
    #[arg(long)]
    phone: Option<String>,
    /// E-mail
    #[arg(long)]
    email: Option<String>,
    /// `GeoJSON` file with one polygon
    #[arg(long, value_name = "FILE", required_unless_present = "file")]
    area: Option<PathBuf>,
    /// From when: RFC 3339, or local to --zone
    #[arg(long, required_unless_present = "file")]
    start: Option<String>,
    /// Until when
    #[arg(long, required_unless_present = "file")]
    end: Option<String>,
    /// IANA time zone of the place
    #[arg(long, required_unless_present = "file")]
    zone: Option<String>,
    /// Language of the details, BCP 47; may be repeated
    #[arg(long, default_value = "en")]
    language: Vec<String>,
    /// For how many days after publication offers are taken
    #[arg(long, default_value_t = 14)]
    active_days: u32,
    /// Confirms that this is the agency's own case and not asked for another body
    #[arg(long)]
    own_case: bool,
}

fn missing() -> Failure {
    Failure::usage(
        "give --file FILE, or all of --code --incident --details --contact-name --area --start --end --zone",
    )
}

fn read_draft(args: DraftArgs) -> Result<RequestDraft, Failure> {
    if let Some(file) = args.file {
        let mut bytes = Vec::new();
        if file.as_os_str() == "-" {
            std::io::stdin().lock().take(MOST_DRAFT).read_to_end(&mut bytes)?;
        } else {
            bytes = read_limited(&file, MOST_DRAFT)?;
        }
        return serde_json::from_slice(&bytes).map_err(|error| {
            Failure::usage(format!("{}: {error}; see `canvass request draft --help`", file.display()))
        });
    }
    let area: Area = area(&args.area.ok_or_else(missing)?)?;
    Ok(RequestDraft {
        code: args.code.ok_or_else(missing)?,
        incident: args.incident.ok_or_else(missing)?,
        details: args.details.ok_or_else(missing)?,
        contact: Contact {
            name: args.contact_name.ok_or_else(missing)?,
            phone: args.phone,
            email: args.email,
        },
        area,
        start: args.start.ok_or_else(missing)?,
        end: args.end.ok_or_else(missing)?,
        zone: args.zone.ok_or_else(missing)?,
        languages: args.language,
        active_days: args.active_days,
        own_case: args.own_case,
    })
}

/// One line for each rule and field, with all the words that met it.
fn problem_lines(problems: &[FieldProblem]) -> Vec<String> {
    let mut found: Vec<(&FieldProblem, Vec<&str>)> = Vec::new();
    for each in problems {
        // A finding quotes what met it; problems that quote nothing are told one by one.
        let same = |(known, _): &&mut (&FieldProblem, Vec<&str>)| {
            known.rule == each.rule && known.field == each.field && known.matched.is_some()
        };
        let words = each.matched.as_deref();
        match found.iter_mut().find(same).filter(|_| words.is_some()) {
            Some((_, known)) => known.extend(words.filter(|words| !known.contains(words))),
            None => found.push((each, words.into_iter().collect())),
        }
    }
    let line = |(each, words): (&FieldProblem, Vec<&str>)| {
        let words: Vec<String> = words.iter().map(|words| format!("\"{words}\"")).collect();
        let met = if words.is_empty() { String::new() } else { format!(" (met by {})", words.join(", ")) };
        format!("  {}: {}{met}; {}", each.field, each.message, each.remedy)
    };
    found.into_iter().map(line).collect()
}

fn check_lines(check: &DraftCheck) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(area), Some(minutes)) = (check.area_sq_mi, check.minutes) {
        lines.push(format!(
            "area {area:.3} sq mi, time frame {minutes} min, requests left for the investigation: {}",
            check.remaining
        ));
    }
    if check.problems.is_empty() {
        lines.push("no problem found".into());
    } else {
        lines.push(format!(
            "{}, it can't be submitted yet:",
            count(check.problems.len(), "problem", "problems")
        ));
        lines.extend(problem_lines(&check.problems));
    }
    if !check.findings.is_empty() {
        lines.push("a moderator will look at:".into());
        lines.extend(problem_lines(&check.findings));
    }
    lines
}

fn line(request: &RequestView) -> String {
    let zone = &request.draft.zone;
    let until = request.closes.map_or_else(String::new, |at| format!("  until {}", moment_in(at, zone)));
    format!(
        "{}  {}  {}  {}{until}",
        request.id,
        request.state.as_str(),
        request.draft.code,
        spelled(&request.draft.incident)
    )
}

/// When footage is asked for: in the zone of the place, or as it was written while that can't be read.
fn drafted(draft: &RequestDraft) -> String {
    match (draft.start.parse(), draft.end.parse()) {
        (Ok(start), Ok(end)) => span_in(start, end, &draft.zone),
        _ => format!("{} to {} ({})", draft.start, draft.end, draft.zone),
    }
}

fn print(desk: &Desk<'_>, request: &RequestView) -> Result<(), Failure> {
    let draft = &request.draft;
    let mut lines = vec![
        line(request),
        format!("  {}", drafted(draft)),
        format!("  {}", draft.details),
        format!("  contact: {}", draft.contact.name),
    ];
    if let Some(decision) = &request.decision {
        let word = if decision.approved { "approved" } else { "refused" };
        let rule = decision.rule.as_deref().map_or_else(String::new, |rule| format!(" ({rule})"));
        lines.push(format!("  {word} {}{rule}: {}", decision.at, decision.reason));
    }
    if let Some(check) = &request.check {
        lines.extend(check_lines(check).into_iter().map(|line| format!("  {line}")));
    }
    desk.show(request, &lines)
}

/// Runs one of them.
pub async fn request(command: RequestCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        RequestCommand::Draft(args) => print(&desk, &desk.post("/requests", &read_draft(args)?).await?),
        RequestCommand::Check(args) => {
            let check: DraftCheck = desk.post("/requests/check", &read_draft(args)?).await?;
            desk.show(&check, &check_lines(&check))?;
            if check.problems.is_empty() {
                Ok(())
            } else {
                Err(Failure::new("the draft can't be submitted as it is"))
            }
        }
        RequestCommand::List { state } => {
            let agency = desk.me().await?.agency;
            let query = [
                ("state", state.map(|state| state.as_str().to_owned())),
                ("agency", agency.map(|id| id.to_string())),
            ];
            let all: Vec<RequestView> = desk.all("/requests", &query).await?;
            let lines: Vec<String> = all.iter().map(line).collect();
            desk.show(&all, &lines)
        }
        RequestCommand::Show { request } => print(&desk, &desk.get(&format!("/requests/{request}")).await?),
        RequestCommand::Edit { request, draft } => {
            let draft = read_draft(draft)?;
            print(&desk, &desk.send(Method::PUT, &format!("/requests/{request}"), &draft).await?)
        }
        RequestCommand::Drop { request, yes } => {
            confirm(context, yes, &format!("Drop draft {request}?"))?;
            let _: serde_json::Value = desk.act(Method::DELETE, &format!("/requests/{request}")).await?;
            desk.show(&serde_json::json!({ "dropped": request }), &[format!("{request}: dropped")])
        }
        RequestCommand::Submit { request, key, yes } => submit(&desk, &request, key, yes).await,
        RequestCommand::Resolve { request } => {
            print(&desk, &desk.act(Method::POST, &format!("/requests/{request}/resolve")).await?)
        }
        RequestCommand::Withhold { request, basis, yes } => {
            confirm(context, yes, &format!("Withhold the body of {request}? It can't be published again."))?;
            print(&desk, &desk.post(&format!("/requests/{request}/withhold"), &Withholding { basis }).await?)
        }
    }
}

/// In what the body that the server wants signed differs from what was drafted. The server is not trusted with it.
fn differences(body: &RequestBody, request: &RequestView, recipient: &str) -> Vec<&'static str> {
    let draft = &request.draft;
    let moment = |text: &str, at: Time| text.parse::<Time>().is_ok_and(|told| told != at);
    let mut found = Vec::new();
    for (differs, field) in [
        (body.v != 1, "v"),
        (body.id != request.id, "id"),
        (body.agency.id != request.agency, "agency"),
        (!body.code.eq_ignore_ascii_case(draft.code.trim()), "code"),
        (body.incident != draft.incident, "incident"),
        (body.details != draft.details.trim(), "details"),
        (body.contact != draft.contact, "contact"),
        (body.area != draft.area, "area"),
        (body.time_frame.zone != draft.zone, "zone"),
        (moment(&draft.start, body.time_frame.start), "start"),
        (moment(&draft.end, body.time_frame.end), "end"),
        (body.languages != draft.languages, "languages"),
        (body.active_days != draft.active_days, "active_days"),
        (body.recipient != recipient, "recipient"),
    ] {
        if differs {
            found.push(field);
        }
    }
    found
}

fn body_lines(body: &RequestBody) -> Vec<String> {
    vec![
        format!("{} of {} ({})", body.id, body.agency.name, body.agency.id),
        format!("  code {}, {}", body.code, spelled(&body.incident)),
        format!("  {}", frame(&body.time_frame)),
        format!("  area: {}", count(body.area.ring().len().saturating_sub(1), "corner", "corners")),
        format!("  {}", body.details),
        format!("  contact: {}", body.contact.name),
        format!("  sealed to: {}", body.recipient),
        format!("  takes offers for {} after publication", count(body.active_days, "day", "days")),
    ]
}

async fn submit(desk: &Desk<'_>, id: &RequestId, key: Option<PathBuf>, yes: bool) -> Result<(), Failure> {
    let path = match key {
        Some(path) => path,
        None => keyring::signing_path(desk.context)?,
    };
    let signer = keyring::signing_key(&path)?;
    let request: RequestView = desk.get(&format!("/requests/{id}")).await?;
    let body: RequestBody = desk.get(&format!("/requests/{id}/body")).await?;
    // Only a recipient whose key this member opens may be signed: else the server could name its own.
    let identity = keys::open(desk, id.as_str()).await?;
    let recipient = identity.recipient().map(|recipient| recipient.to_string()).unwrap_or_default();
    let found = differences(&body, &request, &recipient);
    if !found.is_empty() {
        return Err(Failure::new(format!(
            "the body to sign is not what was drafted: {}; sign nothing and tell the operator",
            found.join(", ")
        )));
    }
    for line in body_lines(&body) {
        desk.context.console().note(super::desk::plain(&line));
    }
    confirm(desk.context, yes, "Sign this and hand it in for moderation?")?;
    let submission = Submission {
        digest: Digest::of(&canonical(&body)?),
        key: PublicKey::of(&signer).id(),
        signature: sign(&signer, RequestBody::CONTEXT, &body)?,
    };
    print(desk, &desk.post(&format!("/requests/{id}/submit"), &submission).await?)
}

/// Moderation.
#[derive(Debug, Subcommand)]
pub enum ModerateCommand {
    /// List what waits for a decision, and the rules that a refusal may name
    #[command(after_help = "Example:\n  canvass moderate list")]
    List,
    /// Approve a request: it is published
    #[command(
        after_help = "Example:\n  canvass moderate approve req_… --reason 'Asks about a place and a time only.'"
    )]
    Approve(Decide),
    /// Refuse a request, naming the rule
    #[command(
        after_help = "Example:\n  canvass moderate refuse req_… --rule race-only --reason 'Describes a person by race alone.'"
    )]
    Refuse(Decide),
}

/// A decision.
#[derive(Debug, Args)]
pub struct Decide {
    /// Which request
    request: RequestId,
    /// The rule
    #[arg(long)]
    rule: Option<String>,
    /// Why, in public words
    #[arg(long)]
    reason: String,
}

/// Runs one of them.
pub async fn moderate(command: ModerateCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let (decide, approved) = match command {
        ModerateCommand::List => return queue(&desk).await,
        ModerateCommand::Approve(decide) => (decide, true),
        ModerateCommand::Refuse(decide) => (decide, false),
    };
    let verdict = Verdict { approved, rule: decide.rule, reason: decide.reason };
    print(&desk, &desk.post(&format!("/requests/{}/decision", decide.request), &verdict).await?)
}

async fn queue(desk: &Desk<'_>) -> Result<(), Failure> {
    let waiting: Vec<RequestView> = desk.all("/moderation", &[]).await?;
    let rules: Vec<serde_json::Value> = desk.all("/rules", &[]).await?;
    let mut lines = Vec::new();
    for request in &waiting {
        lines.push(line(request));
        lines.push(format!("  {}", request.draft.details));
        if let Some(check) = &request.check {
            lines.extend(problem_lines(&check.findings));
        }
    }
    lines.push(format!("{}. Rules:", count(waiting.len(), "request waits", "requests wait")));
    let text = |rule: &serde_json::Value, name: &str| {
        rule.get(name).and_then(|it| it.as_str()).unwrap_or_default().to_owned()
    };
    lines.extend(rules.iter().map(|rule| format!("  {}: {}", text(rule, "id"), text(rule, "title"))));
    desk.show(&serde_json::json!({ "waiting": waiting, "rules": rules }), &lines)
}

/// Portals.
#[derive(Debug, Subcommand)]
pub enum PortalCommand {
    /// Make a key, sign and open a standing portal
    #[command(
        after_help = "Example:\n  canvass portal open --details 'Send us recordings that we did not ask for. We look at each.' --contact-name 'Front desk' --phone 603-555-0100"
    )]
    Open {
        /// What it is for, 40 to 2,000 characters
        #[arg(long)]
        details: String,
        /// Whom to ask
        #[arg(long)]
        contact_name: String,
        /// Telephone
        #[arg(long)]
        phone: Option<String>,
        /// E-mail
        #[arg(long)]
        email: Option<String>,
        /// The signing key, when not in the keyring
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Close a portal
    #[command(after_help = "Example:\n  canvass portal close por_…")]
    Close {
        /// Which
        portal: PortalId,
    },
    /// List portals
    #[command(after_help = "Example:\n  canvass portal list")]
    List,
}

fn portal_line(portal: &PortalView) -> String {
    format!("{}  {}  {}", portal.id, if portal.open { "open" } else { "closed" }, portal.signed.body.details)
}

/// Runs one of them.
pub async fn portal(command: PortalCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let one = |portal: &PortalView| desk.show(portal, &[portal_line(portal)]);
    match command {
        PortalCommand::Open { details, contact_name, phone, email, key } => {
            let contact = Contact { name: contact_name, phone, email };
            one(&open_portal(&desk, details, contact, key).await?)
        }
        PortalCommand::Close { portal } => {
            one(&desk.act(Method::POST, &format!("/portals/{portal}/close")).await?)
        }
        PortalCommand::List => {
            let all: Vec<PortalView> = desk.all("/portals", &[]).await?;
            let lines: Vec<String> = all.iter().map(portal_line).collect();
            desk.show(&all, &lines)
        }
    }
}

async fn open_portal(
    desk: &Desk<'_>,
    details: String,
    contact: Contact,
    key: Option<PathBuf>,
) -> Result<PortalView, Failure> {
    let path = match key {
        Some(path) => path,
        None => keyring::signing_path(desk.context)?,
    };
    let signer = keyring::signing_key(&path)?;
    let agency: AgencyView = desk.get(&format!("/agencies/{}", desk.agency(None).await?)).await?;
    let id = PortalId::random(&desk.context.entropy());
    let wrapped = keys::make(desk, id.as_str()).await?;
    let body = PortalBody {
        v: 1,
        id: id.clone(),
        agency: Asker { id: agency.public.id, name: agency.public.name, class: agency.public.class },
        details,
        contact,
        recipient: wrapped.recipient,
        created: desk.context.now(),
    };
    let new = NewPortal {
        details: body.details.clone(),
        contact: body.contact.clone(),
        created: body.created,
        key: PublicKey::of(&signer).id(),
        signature: sign(&signer, PortalBody::CONTEXT, &body)?,
    };
    desk.post(&format!("/portals/{id}"), &new).await
}

/// Invitations.
#[derive(Debug, Subcommand)]
pub enum InviteCommand {
    /// Invite one person; the secret is shown once
    #[command(after_help = "Example:\n  canvass invite create req_… --case cas_…")]
    Create {
        /// A published request, or an open portal
        #[arg(value_parser = destination)]
        destination: String,
        /// The case that what comes belongs to
        #[arg(long)]
        case: Option<CaseId>,
    },
    /// List invitations
    #[command(after_help = "Example:\n  canvass invite list")]
    List,
    /// Take an invitation back
    #[command(after_help = "Example:\n  canvass invite revoke inv_…")]
    Revoke {
        /// Which
        invitation: InvitationId,
    },
}

fn invitation_line(invitation: &InvitationView) -> String {
    let used =
        invitation.used.as_ref().map_or_else(|| "unused".to_owned(), |offer| format!("used by {offer}"));
    format!(
        "{}  {}  until {}  {used}  revoked {}",
        invitation.id,
        invitation.destination,
        invitation.expires,
        moment(invitation.revoked)
    )
}

/// Runs one of them.
pub async fn invite(command: InviteCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        InviteCommand::Create { destination, case } => {
            let issued: IssuedInvitation =
                desk.post("/invitations", &NewInvitation { destination, case }).await?;
            let lines = [
                invitation_line(&issued.invitation),
                format!("secret: {}", issued.secret),
                format!("the person gives with: canvass give NAME --invitation {}", issued.secret),
            ];
            desk.show(&issued, &lines)
        }
        InviteCommand::List => {
            let all: Vec<InvitationView> = desk.all("/invitations", &[]).await?;
            let lines: Vec<String> = all.iter().map(invitation_line).collect();
            desk.show(&all, &lines)
        }
        InviteCommand::Revoke { invitation } => {
            let one: InvitationView = desk.act(Method::DELETE, &format!("/invitations/{invitation}")).await?;
            desk.show(&one, &[invitation_line(&one)])
        }
    }
}
