//! The agency's commands. Keys are made, kept and used on this side alone; what reaches the server is public, wrapped
//! or sealed.

mod agencies;
mod approvals;
mod breakglass;
mod cameras;
mod cases;
mod copies;
mod courtseals;
mod desk;
mod disclose;
mod export;
mod feeding;
mod findings;
pub mod footage;
mod governance;
mod hotlists;
mod inbox;
mod keyring;
mod keys;
mod plates;
mod requests;
mod safelist;
mod signin;
mod texts;
mod transfer;
mod webhooks;

use canvass_types::OfferId;
use clap::Subcommand;

use crate::common::{Context, Failure};
use crate::footage as seeing;

/// Cameras that the desk knows, and what cameras recorded.
#[derive(Debug, Subcommand)]
pub enum Cameras {
    #[command(flatten)]
    Registered(cameras::CameraCommand),
    #[command(flatten)]
    Files(seeing::CameraFiles),
}

/// The agency's commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Agencies, their signing keys and recovery
    #[command(subcommand)]
    Agency(agencies::AgencyCommand),
    /// Members, their passkeys and tokens
    #[command(subcommand)]
    Member(agencies::MemberCommand),
    /// Tokens
    #[command(subcommand)]
    Token(agencies::TokenCommand),
    /// Draft, sign and end requests
    #[command(subcommand)]
    Request(requests::RequestCommand),
    /// Decide on requests (moderator)
    #[command(subcommand)]
    Moderate(requests::ModerateCommand),
    /// Standing portals
    #[command(subcommand)]
    Portal(requests::PortalCommand),
    /// Private invitations
    #[command(subcommand)]
    Invite(requests::InviteCommand),
    /// List what residents sent
    #[command(after_help = "Example:\n  canvass inbox --state received")]
    Inbox(inbox::InboxArgs),
    /// Show an offer
    #[command(after_help = "Example:\n  canvass offer-show off_…")]
    OfferShow {
        /// Which
        offer: OfferId,
    },
    /// Download, verify and open an offer on this machine
    #[command(
        after_help = "Example:\n  canvass open off_… --case cas_… --for triage --purpose 'Porch clips of Elm Street, burglary on 20 November' --out opened --scan 'clamscan -r'"
    )]
    Open(inbox::OpenArgs),
    /// Accept or decline the clips of an opened offer
    #[command(after_help = "Example:\n  canvass triage off_… accept 1 --case cas_… --dir opened")]
    Triage(inbox::TriageArgs),
    /// Put a question to the resident, sealed to their mailbox
    #[command(after_help = "Example:\n  canvass ask off_… 'Is the camera clock right?'")]
    Ask {
        /// About which offer
        offer: OfferId,
        /// The question
        text: String,
    },
    /// Read the resident's answers
    #[command(after_help = "Example:\n  canvass answers off_…")]
    Answers {
        /// About which offer
        offer: OfferId,
    },
    /// Notes, tags, assignment and reminder of an offer, case or item
    #[command(
        after_help = "Example:\n  canvass annotate itm_… --note 'Plate readable at 00:41' --tag plate --assign mbr_…"
    )]
    Annotate(inbox::AnnotateArgs),
    /// Answer a resident who wants an opened offer back
    #[command(after_help = "Example:\n  canvass withdrawal off_… grant --reason 'Nothing of it was used.'")]
    Withdrawal(inbox::WithdrawalArgs),
    /// Cases
    #[command(subcommand)]
    Case(cases::CaseCommand),
    /// Legal holds
    #[command(subcommand)]
    Hold(cases::HoldCommand),
    /// Single pieces of evidence
    #[command(subcommand)]
    Item(cases::ItemCommand),
    /// Limits, retentions and rules; to change them takes two operators
    #[command(subcommand)]
    Policy(governance::PolicyCommand),
    /// Texts of policy that the public reads, held against the settings
    #[command(subcommand)]
    PolicyText(texts::PolicyTextCommand),
    /// Changes that wait for a second person
    #[command(subcommand)]
    Proposal(governance::ProposalCommand),
    /// Sharing with other agencies; to begin it takes two people, to end it one
    #[command(subcommand)]
    Share(governance::ShareCommand),
    /// Show what will be destroyed when
    #[command(after_help = "Examples:\n  canvass retention\n  canvass retention --reads")]
    Retention {
        /// How long plate reads and sightings of cameras are kept instead, and what of them was forgotten
        #[arg(long)]
        reads: bool,
    },
    /// What misuse detection found
    #[command(subcommand)]
    Finding(findings::FindingCommand),
    /// Courts' orders that keep a search from the owner of the plate; each takes two people
    #[command(subcommand)]
    CourtSeal(courtseals::CourtSealCommand),
    /// Cameras and plate readers; reading plates
    #[command(subcommand)]
    Camera(Cameras),
    /// Search plate reads
    #[command(subcommand)]
    Plate(plates::PlateCommand),
    /// Hotlists: plates that alert; what is on one takes two people
    #[command(subcommand)]
    Hotlist(hotlists::HotlistCommand),
    /// Alerts of hotlists; one is no cause before plate and picture are compared
    #[command(subcommand)]
    Alert(hotlists::AlertCommand),
    /// Residents' own plates: reads of them are marked or never stored
    #[command(subcommand)]
    Safelist(safelist::SafelistCommand),
    /// Show records of actions
    #[command(after_help = "Example:\n  canvass audit --subject itm_…")]
    Audit(cases::AuditArgs),
    /// Change an agency's people as operator, for an hour and for all to see
    #[command(subcommand)]
    BreakGlass(breakglass::BreakGlassCommand),
    /// Open chosen fields of records of actions to an auditor, who checks them against the ledger
    #[command(
        after_help = "Example:\n  canvass disclose --action item.read --from 2026-11-01T00:00:00Z --field at --field actor --field purpose \\\n    --to 'City council' --basis 'Council order 26-14' --out november.disclosure.json"
    )]
    Disclose(disclose::DiscloseArgs),
    /// Export a case as a court bundle that anyone checks offline
    #[command(
        after_help = "Example:\n  canvass export cas_… --for disclosure --purpose 'Defence counsel asked for the Elm Street clips' --out bundle"
    )]
    Export(export::ExportArgs),
}

/// Runs one of the agency's commands.
///
/// # Errors
/// What it failed with.
pub async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Agency(command) => Box::pin(agencies::run(command, context)).await,
        Command::Member(command) => Box::pin(agencies::member(command, context)).await,
        Command::Token(command) => agencies::token(command, context).await,
        Command::Request(command) => Box::pin(requests::request(command, context)).await,
        Command::Moderate(command) => Box::pin(requests::moderate(command, context)).await,
        Command::Portal(command) => Box::pin(requests::portal(command, context)).await,
        Command::Invite(command) => Box::pin(requests::invite(command, context)).await,
        Command::Inbox(args) => inbox::inbox(args, context).await,
        Command::OfferShow { offer } => inbox::show(&offer, context).await,
        Command::Open(args) => Box::pin(inbox::open(args, context)).await,
        Command::Triage(args) => Box::pin(inbox::triage(args, context)).await,
        Command::Ask { offer, text } => inbox::ask(&offer, &text, context).await,
        Command::Answers { offer } => inbox::answers(&offer, context).await,
        Command::Annotate(args) => Box::pin(inbox::annotate(args, context)).await,
        Command::Withdrawal(args) => inbox::withdrawal(args, context).await,
        Command::Case(command) => Box::pin(cases::case(command, context)).await,
        Command::Hold(command) => Box::pin(cases::hold(command, context)).await,
        Command::Item(command) => Box::pin(cases::item(command, context)).await,
        Command::Policy(command) => Box::pin(governance::policy(command, context)).await,
        Command::PolicyText(command) => Box::pin(texts::run(command, context)).await,
        Command::Proposal(command) => Box::pin(governance::proposal(command, context)).await,
        Command::Share(command) => Box::pin(governance::share(command, context)).await,
        Command::Retention { reads: true } => cases::reads_kept(context).await,
        Command::Retention { reads: false } => cases::retention(context).await,
        Command::Finding(command) => Box::pin(findings::finding(command, context)).await,
        Command::CourtSeal(command) => courtseals::run(command, context).await,
        Command::Camera(Cameras::Registered(command)) => Box::pin(cameras::run(command, context)).await,
        Command::Camera(Cameras::Files(command)) => Box::pin(seeing::camera(command, context)).await,
        Command::Plate(command) => Box::pin(plates::run(command, context)).await,
        Command::Hotlist(command) => Box::pin(hotlists::hotlist(command, context)).await,
        Command::Alert(command) => Box::pin(hotlists::alert(command, context)).await,
        Command::Safelist(command) => Box::pin(safelist::run(command, context)).await,
        Command::Audit(args) => cases::audit(args, context).await,
        Command::BreakGlass(command) => breakglass::run(command, context).await,
        Command::Disclose(args) => Box::pin(disclose::run(args, context)).await,
        Command::Export(args) => Box::pin(export::run(args, context)).await,
    }
}
