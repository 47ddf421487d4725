//! The actions that rights are given for, one type each.

/// Something that a member may be allowed to do.
pub trait Action {
    /// Its name in `policies/roles.txt`, in records and in the ledger.
    const NAME: &'static str;
    /// Whether it asks for a purpose in words.
    const NEEDS_PURPOSE: bool;
}

/// An action whose grant opens sealed bytes.
pub trait ReadsEvidence: Action {}

/// An action whose grants are for what cameras of one or several owners saw: an entry with each of them.
pub trait SearchesCameras: Action {}

/// An action whose grants let stored plate reads be searched by plate, camera and time, and no wider: company and
/// several places have grants of their own.
pub trait SearchesPlates: SearchesCameras {}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal $(, $purpose:ident)?;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;
            impl Action for $name {
                const NAME: &'static str = $text;
                const NEEDS_PURPOSE: bool = actions!(@ $($purpose)?);
            }
        )*
        /// Names of all actions.
        pub const NAMES: &[&str] = &[$($text),*];
    };
    (@) => { false };
    (@ purpose) => { true };
}

actions! {
    /// Register an agency.
    AgencyRegister = "agency.register";
    /// See an agency.
    AgencyRead = "agency.read";
    /// Confirm who an agency is.
    AgencyVerify = "agency.verify";
    /// Stop an agency.
    AgencySuspend = "agency.suspend";
    /// Bring in the next signing key.
    AgencyKeyAdd = "agency.key.add";
    /// Revoke a signing key.
    AgencyKeyRevoke = "agency.key.revoke";
    /// Name the recovery identity.
    AgencyRecoverySet = "agency.recovery.set";
    /// Say that the recovery was rehearsed.
    AgencyRecoveryRehearse = "agency.recovery.rehearse";
    /// Add a member.
    MemberAdd = "member.add";
    /// See members.
    MemberList = "member.list";
    /// Change a member's roles, or stop them.
    MemberChange = "member.change";
    /// Name one's own age recipient.
    MemberRecipient = "member.recipient";
    /// Issue a token.
    TokenIssue = "token.issue";
    /// Revoke a token.
    TokenRevoke = "token.revoke";
    /// Invite a member to register a passkey.
    EnrolmentCreate = "enrolment.create";
    /// Take such an invitation back.
    EnrolmentRevoke = "enrolment.revoke";
    /// See a member's passkeys, sessions and enrolments.
    PasskeyList = "passkey.list";
    /// Register a passkey of one's own.
    PasskeyAdd = "passkey.add";
    /// Remove a member's passkey.
    PasskeyRemove = "passkey.remove";
    /// Bind an account of one's own at the agency's provider.
    AccountBind = "account.bind";
    /// Remove a member's federated account.
    AccountRemove = "account.remove";
    /// Open, lock, unlock or confirm a session of one's own.
    SessionOpen = "session.open";
    /// End a member's session.
    SessionEnd = "session.end";
    /// Write, change and drop drafts.
    RequestDraft = "request.draft";
    /// See requests that are not public.
    RequestRead = "request.read";
    /// Hand in a signed request.
    RequestSubmit = "request.submit";
    /// Approve or refuse a request.
    RequestModerate = "request.moderate";
    /// Mark a request as resolved.
    RequestResolve = "request.resolve";
    /// Withhold a request's body by law.
    RequestWithhold = "request.withhold";
    /// Store a wrapped key.
    KeyPut = "key.put";
    /// Fetch a wrapped key.
    KeyRead = "key.read";
    /// Replace a wrapped key after the group changed.
    KeyRewrap = "key.rewrap";
    /// Destroy a wrapped key.
    KeyDestroy = "key.destroy";
    /// Open a portal.
    PortalOpen = "portal.open";
    /// Close a portal.
    PortalClose = "portal.close";
    /// Invite one person.
    InvitationCreate = "invitation.create";
    /// See invitations.
    InvitationList = "invitation.list";
    /// Take an invitation back.
    InvitationRevoke = "invitation.revoke";
    /// See the inbox.
    OfferList = "offer.list";
    /// Read a sealed envelope.
    OfferOpen = "offer.open", purpose;
    /// Say what an opened envelope held.
    OfferReport = "offer.report";
    /// Accept or decline a clip.
    OfferTriage = "offer.triage";
    /// Ask the resident.
    OfferAsk = "offer.ask";
    /// Notes, tags, assignment, reminder on an offer.
    OfferAnnotate = "offer.annotate";
    /// Answer a wish to withdraw.
    OfferWithdrawal = "offer.withdrawal";
    /// Open a case.
    CaseCreate = "case.create";
    /// See cases.
    CaseRead = "case.read";
    /// Notes, tags, assignment, reminder on a case.
    CaseAnnotate = "case.annotate";
    /// Change what a case joins, or open it again.
    CaseChange = "case.change";
    /// Close a case.
    CaseClose = "case.close";
    /// Export a court bundle.
    CaseExport = "case.export", purpose;
    /// See what items a case has.
    ItemList = "item.list";
    /// Read an item's sealed bytes.
    ItemRead = "item.read", purpose;
    /// Add an altered copy of an item.
    ItemCopy = "item.copy";
    /// Notes, tags, assignment, reminder on an item.
    ItemAnnotate = "item.annotate";
    /// Place a hold.
    HoldPlace = "hold.place";
    /// Release a hold.
    HoldRelease = "hold.release";
    /// See holds.
    HoldList = "hold.list";
    /// Propose or confirm that a court's order keeps a search from the plate's owner for a time.
    AskedSeal = "asked.seal";
    /// See such orders.
    AskedSealList = "asked.seal.list";
    /// See what will be destroyed when.
    RetentionRead = "retention.read";
    /// Read the records of actions.
    AuditRead = "audit.read";
    /// Open break-glass: change an agency's people for an hour.
    BreakGlassBegin = "breakglass.begin";
    /// End it before its time.
    BreakGlassEnd = "breakglass.end";
    /// See when it was open, and why.
    BreakGlassRead = "breakglass.read";
    /// Open fields of records to an auditor.
    DisclosureMake = "disclosure.make";
    /// Register a member's own vehicles.
    MemberVehicle = "member.vehicle";
    /// See what misuse detection found.
    FindingRead = "finding.read";
    /// Explain or confirm a finding.
    FindingHandle = "finding.handle";
    /// Make a backup.
    SystemBackup = "system.backup";
    /// See the state of the server.
    SystemRead = "system.read";
    /// Propose other limits or rules.
    PolicyPropose = "policy.propose";
    /// Approve what another operator proposed.
    PolicyApprove = "policy.approve";
    /// See proposals.
    ProposalRead = "proposal.read";
    /// Refuse what somebody else proposed.
    ProposalRefuse = "proposal.refuse";
    /// Take back what one proposed oneself.
    ProposalWithdraw = "proposal.withdraw";
    /// Propose to share with another agency, or to accept what it shares.
    SharePropose = "share.propose";
    /// Approve, as the second person, that the agency shares.
    ShareOffer = "share.offer";
    /// Approve, as the second person, that the agency accepts what another shares.
    ShareAccept = "share.accept";
    /// End sharing, or leave what another agency shares.
    ShareEnd = "share.end";
    /// See what the agency shares and what is shared with it.
    ShareRead = "share.read";
    /// See the notices to overseers.
    NoticeRead = "notice.read";
    /// Register a camera.
    CameraAdd = "camera.add";
    /// Change what is known of a camera.
    CameraChange = "camera.change";
    /// Retire a camera.
    CameraRetire = "camera.retire";
    /// See which cameras there are.
    CameraList = "camera.list";
    /// Send the reads of a camera.
    ReadAdd = "read.add";
    /// Search plate reads.
    PlateSearch = "plate.search", purpose;
    /// See where one plate was.
    PlateHistory = "plate.history", purpose;
    /// Search which plates travelled with one.
    PlateConvoy = "plate.convoy", purpose;
    /// Search which plates were at several places.
    PlateMultiplace = "plate.multiplace", purpose;
    /// Send the sightings of a camera.
    SightingAdd = "sighting.add";
    /// Search what cameras and evidence show, by description.
    FootageSearch = "footage.search", purpose;
    /// Store what was seen in an item, sealed.
    FootageIndex = "footage.index";
    /// Keep reads that a search found in its case.
    PlateKeep = "plate.keep";
    /// Ask for a second person's approval of a search.
    ApprovalAsk = "approval.ask", purpose;
    /// See what searches wait for an approval, or have one.
    ApprovalRead = "approval.read";
    /// Approve a search that somebody else asks for.
    ApprovalGive = "approval.give";
    /// Refuse a search that somebody else asks for.
    ApprovalRefuse = "approval.refuse";
    /// Take back a search that one asked for oneself.
    ApprovalWithdraw = "approval.withdraw";
    /// Make a hotlist, or propose what is on it.
    HotlistAdd = "hotlist.add", purpose;
    /// Approve, as the second person, what is on a hotlist.
    HotlistApprove = "hotlist.approve";
    /// Retire a hotlist.
    HotlistRetire = "hotlist.retire";
    /// See hotlists and what is on them.
    HotlistRead = "hotlist.read";
    /// Be alerted by a hotlist when a camera reads a plate of it.
    HotlistAlert = "hotlist.alert";
    /// See alerts.
    AlertList = "alert.list";
    /// Confirm an alert after comparing plate and picture.
    AlertConfirm = "alert.confirm";
    /// Put an alert aside, as a misread or because the list was out of date.
    AlertDismiss = "alert.dismiss";
    /// Have one's own browser told that alerts wait.
    PushSubscribe = "alert.push";
    /// Set up an address to which alerts are told.
    WebhookAdd = "webhook.add";
    /// Give a webhook a new secret, or switch it on again.
    WebhookChange = "webhook.change";
    /// Remove a webhook.
    WebhookRemove = "webhook.remove";
    /// Try a webhook out.
    WebhookTest = "webhook.test";
    /// See webhooks and what became of their messages.
    WebhookList = "webhook.list";
    /// Say what becomes of reads of plates on the safelist.
    SafelistSet = "safelist.set";
    /// Enter or renew a plate on the safelist.
    SafelistAdd = "safelist.add";
    /// Take a plate off the safelist.
    SafelistRemove = "safelist.remove";
    /// See how many plates are on the safelist.
    SafelistRead = "safelist.read";
    /// Publish a text of policy.
    PolicyTextSet = "policytext.set";
}

impl ReadsEvidence for OfferOpen {}
impl ReadsEvidence for ItemRead {}
impl SearchesCameras for PlateSearch {}
impl SearchesCameras for PlateHistory {}
impl SearchesCameras for PlateConvoy {}
impl SearchesCameras for PlateMultiplace {}
impl SearchesCameras for FootageSearch {}
impl SearchesPlates for PlateSearch {}
impl SearchesPlates for PlateHistory {}

/// An act of the server itself, or of a resident through a message.
#[derive(Debug, Clone, Copy)]
pub struct System;

/// What the server does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Sets up the first operator or policy.
    SetUp,
    /// Stops trying after failures to sign in.
    SignInLocked,
    /// Takes a finished upload in as an offer.
    OfferReceived,
    /// Takes a resident's answer in.
    MailboxAnswer,
    /// Carries out, or passes on, a resident's withdrawal.
    OfferWithdrawn,
    /// Ends a request whose active time is over.
    RequestExpired,
    /// Orders the destruction of what is past its retention.
    ErasureOrdered,
    /// Records that bytes are gone.
    ErasureDone,
    /// Destroyed the keys of slices of plate reads that were past their retention.
    ReadsErased,
    /// Removed sightings of cameras that were past their retention.
    SightingsErased,
    /// Alerted an agency because a camera read a plate of its hotlist.
    AlertRaised,
    /// Switched a webhook off that only failed.
    WebhookOff,
    /// Removed alerts whose reads were past their retention.
    AlertsErased,
    /// Removed the entries of a version of a hotlist that counts no more.
    HotlistErased,
    /// Ends a court's order that kept a search from the plate's owner.
    AskedReleased,
    /// Removes what was on record of a case, item or offer whose bytes are long gone.
    RecordForgotten,
    /// Found sealed bytes that differ from their digest.
    IntegrityFailed,
    /// Raised a finding of misuse detection.
    FindingRaised,
    /// A tool of the executable worked on the data folder directly: check, repair, backup, restore.
    OperatorTool,
    /// Found that a published text contradicts what is in force.
    ContradictionRaised,
    /// Found that it does so no more.
    ContradictionCleared,
    /// Closes a proposal that nobody decided on in time.
    ProposalExpired,
    /// Drops what needs no ledger entry: drafts, old records, marks of publication.
    Housekeeping,
}

impl Job {
    /// Its name in records and in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::SetUp => "system.set-up",
            Self::SignInLocked => "signin.locked",
            Self::OfferReceived => "offer.received",
            Self::MailboxAnswer => "mailbox.answer",
            Self::OfferWithdrawn => "offer.withdrawn",
            Self::RequestExpired => "request.expired",
            Self::ErasureOrdered => "erasure.ordered",
            Self::ErasureDone => "erasure.done",
            Self::ReadsErased => "reads.erased",
            Self::SightingsErased => "sightings.erased",
            Self::AlertRaised => "alert.raised",
            Self::WebhookOff => "webhook.off",
            Self::AlertsErased => "alerts.erased",
            Self::HotlistErased => "hotlist.erased",
            Self::AskedReleased => "asked.released",
            Self::RecordForgotten => "record.forgotten",
            Self::IntegrityFailed => "integrity.failed",
            Self::FindingRaised => "finding.raised",
            Self::ContradictionRaised => "contradiction.raised",
            Self::ContradictionCleared => "contradiction.cleared",
            Self::OperatorTool => "operator.tool",
            Self::ProposalExpired => "proposal.expired",
            Self::Housekeeping => "system.housekeeping",
        }
    }
}
