//! Changes that take two people, and sharing between agencies.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use canvass_core::{
    proposals::{NewLimits, NewRules, ProposalDetail, ProposalView},
    records::{ProposalState, Shared, SharingRule},
    sharing::{NewSharing, SharingScope, SharingView},
};
use canvass_types::{AgencyId, CaseId, Policy, ProposalId, SharingId, Time};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Serialize;
use serde_json::json;

use super::desk::{Desk, spelled, word};
use crate::common::{Context, Failure, read_limited};

/// Files of the folder of policies that are no rules of who may do what.
const OTHERS: [&str; 3] = ["content-rules.toml", "misuse.toml", "text-hints.toml"];
/// Largest file of limits or of one rule, in bytes.
const MOST: u64 = 1_000_000;

/// Limits, retentions and rules.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Show the limits in force, or write the files of the rules in force to a folder
    #[command(
        after_help = "Examples:\n  canvass policy show > limits.json\n  canvass policy show --rules policies"
    )]
    Show {
        /// Folder for the files of the rules
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
    },
    /// Propose other limits or rules; another operator approves them
    #[command(
        after_help = "Examples:\n  canvass policy propose --limits limits.json --reason 'The council asked for shorter windows'\n  canvass policy propose --rules policies --reason 'Overseers read no records any more'"
    )]
    Propose(ProposeArgs),
    /// Show what a proposal changes, as a text and in rights
    #[command(after_help = "Example:\n  canvass policy diff prp_…")]
    Diff {
        /// Which
        proposal: ProposalId,
    },
}

/// What is proposed.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Proposed {
    /// File with all limits and retentions, as `canvass policy show` writes it
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
    /// Folder with files of rules; those that differ from the ones in force are proposed
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// The rules that ship with the server's version
    #[arg(long)]
    shipped: bool,
}

/// What is proposed, and why.
#[derive(Debug, Args)]
pub struct ProposeArgs {
    #[command(flatten)]
    what: Proposed,
    /// A file of rules that shall go, by its path; may stand several times
    #[arg(long, value_name = "PATH", requires = "rules")]
    remove: Vec<String>,
    /// Why, in words
    #[arg(long)]
    reason: String,
}

/// Proposals.
#[derive(Debug, Subcommand)]
pub enum ProposalCommand {
    /// List proposals
    #[command(after_help = "Example:\n  canvass proposal list --state open")]
    List {
        /// open, approved, refused, withdrawn or expired
        #[arg(long, value_parser = word::<ProposalState>)]
        state: Option<ProposalState>,
    },
    /// Show a proposal with what it changes
    #[command(after_help = "Example:\n  canvass proposal show prp_…")]
    Show {
        /// Which
        proposal: ProposalId,
    },
    /// Approve what somebody else proposed
    #[command(after_help = "Example:\n  canvass proposal approve prp_…")]
    Approve {
        /// Which
        proposal: ProposalId,
    },
    /// Refuse what somebody else proposed
    #[command(after_help = "Example:\n  canvass proposal refuse prp_… --reason 'Too short for night shifts'")]
    Refuse {
        /// Which
        proposal: ProposalId,
        /// Why, in words
        #[arg(long)]
        reason: String,
    },
    /// Take back what you proposed
    #[command(after_help = "Example:\n  canvass proposal withdraw prp_…")]
    Withdraw {
        /// Which
        proposal: ProposalId,
    },
}

/// Sharing between agencies.
#[derive(Debug, Subcommand)]
pub enum ShareCommand {
    /// Propose that your agency shares cameras or a case
    #[command(
        after_help = "Examples:\n  canvass share offer --case cas_… --with agy_… --until 2027-02-24T00:00:00Z --reason 'Joint work on the garages'\n  canvass share offer --all-cameras --scope state --until 2027-02-24T00:00:00Z --reason 'Neighbours search ours'"
    )]
    Offer(OfferArgs),
    /// Propose that your agency accepts what another shares
    #[command(after_help = "Example:\n  canvass share accept shr_… --reason 'Joint work on the garages'")]
    Accept {
        /// Which rule
        rule: SharingId,
        /// Why, in words
        #[arg(long)]
        reason: String,
    },
    /// List what your agency shares and what is shared with it
    #[command(after_help = "Example:\n  canvass share list")]
    List,
    /// End a rule of your agency at once, or your agency's part in another's
    #[command(after_help = "Example:\n  canvass share end shr_… --reason 'The joint work is done'")]
    End {
        /// Which rule
        rule: SharingId,
        /// Why, in words
        #[arg(long)]
        reason: String,
    },
}

/// What is shared.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct SharedArgs {
    /// One case, with one agency
    #[arg(long)]
    case: Option<CaseId>,
    /// A camera; may stand several times
    #[arg(long, value_name = "ID")]
    camera: Vec<String>,
    /// All cameras
    #[arg(long)]
    all_cameras: bool,
}

/// What is shared with whom.
#[derive(Debug, Args)]
pub struct OfferArgs {
    #[command(flatten)]
    what: SharedArgs,
    /// named, state, distance, compatible or all
    #[arg(long, value_parser = word::<SharingScope>, default_value = "named")]
    scope: SharingScope,
    /// An agency by its id; a federal one is reached in no other way; may stand several times
    #[arg(long, value_name = "AGENCY")]
    with: Vec<AgencyId>,
    /// How far the scope `distance` reaches, km
    #[arg(long, default_value_t = 0)]
    within_km: u32,
    /// When it begins; at the approval when left out
    #[arg(long, value_name = "TIME")]
    from: Option<Time>,
    /// When it ends, at most 365 days later
    #[arg(long, value_name = "TIME")]
    until: Time,
    /// Why, in words
    #[arg(long)]
    reason: String,
}

/// Runs `canvass policy`.
///
/// # Errors
/// What it failed with.
pub async fn policy(command: PolicyCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        PolicyCommand::Show { rules: None } => {
            let policy: Policy = desk.get("/policy").await?;
            let text =
                serde_json::to_string_pretty(&policy).map_err(|error| Failure::new(error.to_string()))?;
            desk.show(&policy, &text.lines().map(str::to_owned).collect::<Vec<_>>())
        }
        PolicyCommand::Show { rules: Some(folder) } => {
            let files: BTreeMap<String, String> = desk.http.get("/rules.json").await?;
            write_rules(&folder, &files)?;
            let line = format!("{} files of rules in {}", files.len(), folder.display());
            desk.show(&files.keys().collect::<Vec<_>>(), &[line])
        }
        PolicyCommand::Propose(args) => {
            let wish = wish(&desk, args).await?;
            let made: ProposalView = desk.post("/proposals", &wish).await?;
            desk.show(&made, &proposed(&made))
        }
        PolicyCommand::Diff { proposal } => show(&desk, &proposal).await,
    }
}

async fn wish(desk: &Desk<'_>, args: ProposeArgs) -> Result<serde_json::Value, Failure> {
    let value = |kind: &str, wish: &dyn Fn() -> serde_json::Result<serde_json::Value>| {
        let mut value = wish().map_err(|error| Failure::new(error.to_string()))?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("kind".into(), kind.into());
        }
        Ok(value)
    };
    if let Some(file) = &args.what.limits {
        let policy: Policy = serde_json::from_slice(&read_limited(file, MOST)?)
            .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
        let wish = NewLimits { policy, reason: args.reason };
        return value("limits", &|| serde_json::to_value(&wish));
    }
    let mut files = BTreeMap::new();
    if let Some(folder) = &args.what.rules {
        let current: BTreeMap<String, String> = desk.http.get("/rules.json").await?;
        files = read_rules(folder)?;
        files.retain(|path, text| current.get(path) != Some(text));
    }
    let wish = NewRules { files, remove: args.remove, shipped: args.what.shipped, reason: args.reason };
    value("rules", &|| serde_json::to_value(&wish))
}

fn write_rules(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), Failure> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| Failure::new(format!("{path}: {error}"))
    };
    for (path, text) in files {
        let plain =
            path.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains('\\'));
        if !plain {
            return Err(Failure::new(format!(
                "{path:?}: the server names a file that can't be one of a set of rules"
            )));
        }
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(failed(parent))?;
        fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(())
}

/// Files of a set of rules below a folder: not its tests, and not the matrix that is generated from it.
fn read_rules(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut files = BTreeMap::new();
    for prefix in ["", "profiles/"] {
        let at = folder.join(prefix);
        let entries = match fs::read_dir(&at) {
            Ok(entries) => entries,
            Err(_) if !prefix.is_empty() => continue,
            Err(error) => return Err(Failure::new(format!("{}: {error}", at.display()))),
        };
        for entry in entries {
            let entry = entry.map_err(|error| Failure::new(format!("{}: {error}", at.display())))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let known = [".cedar", ".cedarschema", ".toml"].iter().any(|end| name.ends_with(end))
                || (name.starts_with("roles") && name.ends_with(".txt"));
            if known && !OTHERS.contains(&name.as_str()) && entry.path().is_file() {
                let bytes = read_limited(&entry.path(), MOST)?;
                let text = String::from_utf8(bytes)
                    .map_err(|_| Failure::new(format!("{name}: it is not UTF-8; save it as such")))?;
                files.insert(name, text.replace("\r\n", "\n"));
            }
        }
    }
    Ok(files)
}

fn proposed(made: &ProposalView) -> Vec<String> {
    vec![
        format!("{} is proposed; nothing changes until somebody else approves it", made.id),
        format!("  canvass proposal approve {}   (until {})", made.id, made.expires),
    ]
}

fn lines_of(view: &ProposalView) -> Vec<String> {
    let mut lines = vec![
        format!("{}  {}  {}", view.id, spelled(&view.kind), spelled(&view.state)),
        format!("  by {} on {}, can be approved until {}", view.by_name, view.at, view.expires),
        format!("  {}", view.reason),
    ];
    if let Some(decided) = &view.decided {
        let why = decided.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        lines.push(format!("  decided on {}{why}", decided.at));
    }
    lines
}

async fn show(desk: &Desk<'_>, proposal: &ProposalId) -> Result<(), Failure> {
    let detail: ProposalDetail = desk.get(&format!("/proposals/{proposal}")).await?;
    let mut lines = lines_of(&detail.proposal);
    lines.extend(detail.stale.iter().map(|why| format!("  can't be approved: {why}")));
    if let Some(rule) = &detail.sharing {
        lines.push(rule_line(rule, &rule.named.iter().map(ToString::to_string).collect::<Vec<_>>()));
    }
    if !detail.summary.is_empty() {
        lines.push("Whose rights change (what | action | role | class | purpose | profile):".into());
        lines.extend(detail.summary.lines().map(|line| format!("  {line}")));
    }
    lines.extend(detail.diff.lines().map(str::to_owned));
    desk.show(&detail, &lines)
}

/// Runs `canvass proposal`.
///
/// # Errors
/// What it failed with.
pub async fn proposal(command: ProposalCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let done: ProposalView = match command {
        ProposalCommand::List { state } => {
            let state = state.map(|state| spelled(&state));
            let all: Vec<ProposalView> = desk.all("/proposals", &[("state", state)]).await?;
            return desk.show(&all, &all.iter().flat_map(lines_of).collect::<Vec<_>>());
        }
        ProposalCommand::Show { proposal } => return show(&desk, &proposal).await,
        ProposalCommand::Approve { proposal } => {
            desk.act(Method::POST, &format!("/proposals/{proposal}/approve")).await?
        }
        ProposalCommand::Refuse { proposal, reason } => {
            desk.post(&format!("/proposals/{proposal}/refuse"), &json!({ "reason": reason })).await?
        }
        ProposalCommand::Withdraw { proposal } => {
            desk.act(Method::POST, &format!("/proposals/{proposal}/withdraw")).await?
        }
    };
    desk.show(&done, &lines_of(&done))
}

fn rule_line(rule: &SharingRule, names: &[String]) -> String {
    let what = match &rule.what {
        Shared::Case { case } => format!("case {case}"),
        Shared::Cameras { ids: None } => "all cameras".to_owned(),
        Shared::Cameras { ids: Some(ids) } => format!("{} cameras", ids.len()),
    };
    let scope = match rule.scope {
        SharingScope::Distance => format!("within {} km", rule.within_km),
        other => other.as_str().to_owned(),
    };
    let with = if names.is_empty() { scope } else { format!("{scope}: {}", names.join(", ")) };
    format!("{}  {what}, {with}, {} to {}", rule.id, rule.from, rule.until)
}

fn sharing_lines(view: &SharingView) -> Vec<String> {
    let side = match (view.ours, view.accepted) {
        (true, _) => format!("we share; accepted by {}", view.rule.accepted.len()),
        (false, true) => format!("{} shares with us; we accepted", view.owner_name),
        (false, false) => format!("{} offers it to us", view.owner_name),
    };
    vec![rule_line(&view.rule, &view.names), format!("  {side}; {}", spelled(&view.standing))]
}

/// Runs `canvass share`.
///
/// # Errors
/// What it failed with.
pub async fn share(command: ShareCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        ShareCommand::Offer(args) => {
            let what = match (args.what.case, args.what.all_cameras) {
                (Some(case), _) => Shared::Case { case },
                (None, true) => Shared::Cameras { ids: None },
                (None, false) => Shared::Cameras { ids: Some(args.what.camera.into_iter().collect()) },
            };
            let wish = NewSharing {
                what,
                scope: args.scope,
                named: args.with.into_iter().collect::<BTreeSet<_>>(),
                within_km: args.within_km,
                from: args.from,
                until: args.until,
                reason: args.reason,
            };
            propose(&desk, "/sharing", &wish).await
        }
        ShareCommand::Accept { rule, reason } => {
            propose(&desk, &format!("/sharing/{rule}/accept"), &json!({ "reason": reason })).await
        }
        ShareCommand::List => {
            let all: Vec<SharingView> = desk.all("/sharing", &[]).await?;
            desk.show(&all, &all.iter().flat_map(sharing_lines).collect::<Vec<_>>())
        }
        ShareCommand::End { rule, reason } => {
            let path = format!("/sharing/{rule}/end");
            let ended: SharingView = desk.post(&path, &json!({ "reason": reason })).await?;
            desk.show(&ended, &sharing_lines(&ended))
        }
    }
}

async fn propose<B: Serialize>(desk: &Desk<'_>, path: &str, wish: &B) -> Result<(), Failure> {
    let made: ProposalView = desk.post(path, wish).await?;
    desk.show(&made, &proposed(&made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(subcommand)]
        command: Both,
    }

    #[derive(Debug, Subcommand)]
    enum Both {
        #[command(subcommand)]
        Policy(PolicyCommand),
        #[command(subcommand)]
        Share(ShareCommand),
    }

    #[test]
    fn one_thing_is_proposed_and_one_is_shared() {
        use clap::Parser;
        let reads = |line: &str| {
            Line::try_parse_from(std::iter::once("canvass").chain(line.split_whitespace())).is_ok()
        };
        assert!(reads("policy propose --limits a.json --reason because"));
        assert!(reads("policy propose --rules d --remove caps.cedar --reason because"));
        assert!(reads("policy propose --shipped --reason because"));
        assert!(!reads("policy propose --reason because") && !reads("policy propose --limits a"));
        assert!(!reads("policy propose --limits a --rules d --reason because"));
        let end = "--until 2027-02-24T00:00:00Z --reason because";
        assert!(reads(&format!("share offer --camera a --camera b --scope state {end}")));
        assert!(reads(&format!("share offer --all-cameras --scope distance --within-km 50 {end}")));
        let named = "--with agy_aaaaaaaaaaaaaaaaaaaaaaaaaa";
        assert!(reads(&format!("share offer --case cas_aaaaaaaaaaaaaaaaaaaaaaaaaa {named} {end}")));
        assert!(!reads(&format!("share offer {named} {end}")));
        assert!(!reads(&format!("share offer --all-cameras --camera a {end}")));
    }

    #[test]
    fn a_folder_of_rules_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let set = BTreeMap::from([
            ("caps.cedar".to_owned(), "a\n".to_owned()),
            ("profiles/us-nh.toml".to_owned(), "b\n".to_owned()),
            ("roles.txt".to_owned(), "c\n".to_owned()),
        ]);
        write_rules(folder.path(), &set).unwrap();
        for other in ["matrix.txt", "content-rules.toml", "README.md"] {
            fs::write(folder.path().join(other), "x").unwrap();
        }
        assert_eq!(read_rules(folder.path()).unwrap(), set);
        let outside = BTreeMap::from([("../caps.cedar".to_owned(), String::new())]);
        assert!(write_rules(folder.path(), &outside).is_err());
        assert!(read_rules(&folder.path().join("absent")).is_err());
    }
}
