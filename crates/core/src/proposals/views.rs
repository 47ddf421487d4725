//! Proposals as people read them: what they would change, as a text, and whose rights.

use std::time::Duration;

use canvass_policy::{Outcome, RightChange, Subject, Who, dry_run, summary};
use canvass_types::{AgencyId, Digest, HotlistId, HotlistVersionId, MemberId, Policy, ProposalId, Time};
use serde::{Deserialize, Serialize};
use similar::TextDiff;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Actor, ProposalRead, Target, party_of},
    cases::{Page, load::page},
    hotlists::HotlistVersionView,
    ports::{Query, Records, RecordsExt, Versioned},
    records::{
        Agency, ChangedFile, Decided, HotlistVersion, Member, Proposal, ProposalBody, ProposalKind,
        ProposalState, SharingRule,
    },
};

/// Members whose rights a dry run looks at, besides those of all roles and classes.
const MEMBERS: u32 = 500;
/// Most changes of rights that one answer tells one by one; the summary covers all.
const MOST_CHANGES: usize = 1_000;
/// How long one file's comparison may take before it is told coarsely.
const COMPARISON: Duration = Duration::from_millis(500);

/// A proposal, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalView {
    /// Its id.
    pub id: ProposalId,
    /// What it would change.
    pub kind: ProposalKind,
    /// Whose matter; null for the whole deployment's.
    pub agency: Option<AgencyId>,
    /// SHA-256 of the canonical JSON of what would be in force.
    pub digest: Digest,
    /// Who proposed it.
    pub by: MemberId,
    /// Their name.
    pub by_name: String,
    /// When.
    pub at: Time,
    /// Until when it can be approved.
    pub expires: Time,
    /// Why, in words.
    pub reason: String,
    /// Where it stands.
    pub state: ProposalState,
    /// Who decided, and when.
    pub decided: Option<Decided>,
}

/// One right that a proposal would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RightView {
    /// Whose: a role with the class of its agencies, or a member's id.
    pub who: String,
    /// The member's name, where it is one member's.
    pub name: Option<String>,
    /// To do what.
    pub action: String,
    /// For which purpose; null where no rule asks.
    pub purpose: Option<String>,
    /// Under which profile of law.
    pub profile: String,
    /// To whose data: `own`, `named`, `in-state`, `out-of-state` or `unshared`.
    pub relation: String,
    /// How wide a search, when the change only shows there.
    pub scope: Option<String>,
    /// What it comes to before: `yes`, `no`, or what it needs.
    pub from: String,
    /// What it comes to after.
    pub to: String,
    /// `gained`, `lost`, or `changed`.
    pub effect: String,
}

/// A version of a hotlist that is proposed, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HotlistProposed {
    /// Which list.
    pub list: HotlistId,
    /// Its name.
    pub name: String,
    /// The version.
    pub version: HotlistVersionView,
}

/// A proposal with all that it would change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProposalDetail {
    /// The proposal.
    pub proposal: ProposalView,
    /// The limits and retentions as they would be.
    pub limits: Option<Policy>,
    /// The rule of sharing as it would be, or that would be accepted.
    pub sharing: Option<SharingRule>,
    /// The version of a hotlist that would be in force; its comparison shows the plates.
    pub hotlist: Option<HotlistProposed>,
    /// What changes, as a unified text diff.
    pub diff: String,
    /// Whose rights would change; only while it is open.
    pub dry_run: Vec<RightView>,
    /// The same in few lines; empty when nobody's rights change.
    pub summary: String,
    /// Why it can't be approved as things stand; null when it can, or is decided.
    pub stale: Option<String>,
}

/// Which proposals to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalFilter {
    /// In this state.
    pub state: Option<ProposalState>,
    /// From behind this place, as the part before said.
    pub after: Option<u64>,
    /// At most so many, 1 to 200; 50 when not given.
    pub limit: Option<u32>,
}

fn difference(path: &str, before: &str, after: &str) -> String {
    let comparison = TextDiff::configure().timeout(COMPARISON).diff_lines(before, after);
    let (old, new) = (format!("a/{path}"), format!("b/{path}"));
    comparison.unified_diff().context_radius(3).header(&old, &new).to_string()
}

fn limits_text(policy: &Policy) -> String {
    // A plain struct: its JSON can always be written.
    serde_json::to_string_pretty(policy).unwrap_or_default() + "\n"
}

fn diff_of(body: &ProposalBody) -> String {
    match body {
        ProposalBody::Limits { before, after } => {
            difference("policy.json", &limits_text(before), &limits_text(after))
        }
        ProposalBody::Rules { files, .. } => {
            let one = |(path, file): (&String, &ChangedFile)| {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                difference(path, &text(&file.before), &text(&file.after))
            };
            files.iter().map(one).collect()
        }
        // Plates are shown by the list's own comparison, to who may see what is on it.
        ProposalBody::SharingOffer { .. }
        | ProposalBody::SharingAcceptance { .. }
        | ProposalBody::Hotlist { .. } => String::new(),
    }
}

fn right_view(change: &RightChange, members: &[Versioned<Member>]) -> RightView {
    let (who, name) = match &change.who {
        Who::Everyone { role, class: Some(class) } => {
            (format!("{}, {}", role.as_str(), class.as_str()), None)
        }
        Who::Everyone { role, class: None } => (role.as_str().to_owned(), None),
        Who::Member { id } => {
            let found = members.iter().find(|member| member.record.id.as_str() == id);
            (id.clone(), found.map(|member| member.record.name.clone()))
        }
    };
    let text = |outcome: &Outcome| outcome.to_string();
    let effect = match (change.gained(), change.lost()) {
        (true, _) => "gained",
        (_, true) => "lost",
        _ => "changed",
    };
    RightView {
        who,
        name,
        action: change.action.clone(),
        purpose: change.purpose.clone(),
        profile: change.profile.clone(),
        relation: change.relation.as_str().to_owned(),
        scope: change.scope.clone(),
        from: text(&change.from),
        to: text(&change.to),
        effect: effect.to_owned(),
    }
}

impl<R: Records> App<R> {
    /// A proposal as a list shows it.
    pub(crate) async fn proposal_view(&self, proposal: &Proposal) -> Result<ProposalView, CoreError> {
        let by: Option<Versioned<Member>> = self.records().get(proposal.by.as_str()).await?;
        let lapsed = proposal.state == ProposalState::Open && self.now() >= proposal.expires;
        Ok(ProposalView {
            id: proposal.id.clone(),
            kind: proposal.body.kind(),
            agency: proposal.agency.clone(),
            digest: proposal.digest,
            by: proposal.by.clone(),
            by_name: by.map_or_else(|| Member::FORMER.to_owned(), |by| by.record.name),
            at: proposal.at,
            expires: proposal.expires,
            reason: proposal.reason.clone(),
            state: if lapsed { ProposalState::Expired } else { proposal.state },
            decided: proposal.decided.clone(),
        })
    }

    /// Proposals, newest first: of the actor's agency; for operators and overseers all.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn proposals(
        &self,
        actor: &Actor,
        filter: &ProposalFilter,
    ) -> Result<Page<ProposalView>, CoreError> {
        let target = Target::maybe(actor.agency.as_ref(), "proposals");
        self.gate().check::<ProposalRead>(actor, &target)?;
        let mut query = Query::<Proposal>::new();
        if let Some(agency) = &actor.agency {
            query = query.with("agency", agency);
        }
        let now = self.now();
        let state = |proposal: &Proposal| match proposal.state {
            ProposalState::Open if now >= proposal.expires => ProposalState::Expired,
            state => state,
        };
        let keep = |proposal: &Proposal| filter.state.is_none_or(|wanted| wanted == state(proposal));
        let found = page(self.records(), query, (filter.after, filter.limit), keep).await?;
        let mut entries = Vec::new();
        for proposal in &found.entries {
            entries.push(self.proposal_view(proposal).await?);
        }
        Ok(Page { entries, next: found.next })
    }

    /// One proposal with what it would change: as a text, and whose rights.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn proposal(&self, actor: &Actor, id: &ProposalId) -> Result<ProposalDetail, CoreError> {
        let proposal = self.load_proposal(id).await?.record;
        let target = Target::maybe(proposal.agency.as_ref(), id);
        self.gate().check::<ProposalRead>(actor, &target)?;
        let view = self.proposal_view(&proposal).await?;
        let open = view.state == ProposalState::Open;
        let mut detail = ProposalDetail {
            proposal: view,
            limits: None,
            sharing: None,
            hotlist: None,
            diff: diff_of(&proposal.body),
            dry_run: Vec::new(),
            summary: String::new(),
            stale: None,
        };
        match &proposal.body {
            ProposalBody::Limits { before, after } => {
                detail.limits = Some((**after).clone());
                detail.stale =
                    (open && **before != *self.policy()).then(|| super::stale("the policy").to_string());
            }
            ProposalBody::Rules { base, files } if open => match self.proposed_rules(base, files).await {
                Ok((_, set)) => self.tell_rights(&set, &mut detail).await?,
                Err(CoreError::Store(error)) => return Err(error.into()),
                Err(error) => detail.stale = Some(error.to_string()),
            },
            ProposalBody::Rules { .. } => {}
            ProposalBody::SharingOffer { rule } => detail.sharing = Some((**rule).clone()),
            ProposalBody::SharingAcceptance { rule } => {
                let found: Option<Versioned<SharingRule>> = self.records().get(rule.as_str()).await?;
                detail.sharing = found.map(|found| found.record);
            }
            ProposalBody::Hotlist { list, version, base } => {
                self.tell_hotlist(&mut detail, (list, version, base.as_ref()), open).await?;
            }
        }
        Ok(detail)
    }

    async fn tell_hotlist(
        &self,
        detail: &mut ProposalDetail,
        (list, version, base): (&HotlistId, &HotlistVersionId, Option<&HotlistVersionId>),
        open: bool,
    ) -> Result<(), CoreError> {
        let list = self.load_hotlist(list).await?.record;
        let found: Option<Versioned<HotlistVersion>> = self.records().get(version.as_str()).await?;
        detail.hotlist = found.map(|found| HotlistProposed {
            list: list.id.clone(),
            name: list.name.clone(),
            version: (&found.record).into(),
        });
        let stale = if open { self.not_stale(&list, base).err() } else { None };
        detail.stale = stale.map(|error| error.to_string());
        Ok(())
    }

    /// Whose rights the set would change.
    async fn tell_rights(
        &self,
        set: &canvass_policy::PolicySet,
        detail: &mut ProposalDetail,
    ) -> Result<(), CoreError> {
        let members: Vec<Versioned<Member>> = self.records().list(Query::new().limit(MEMBERS)).await?;
        let mut subjects = Vec::new();
        for member in members.iter().filter(|member| member.record.active) {
            let party = match &member.record.agency {
                Some(id) => {
                    let agency: Option<Versioned<Agency>> = self.records().get(id.as_str()).await?;
                    agency.map(|agency| self.gate().under_law(party_of(&agency.record)))
                }
                None => None,
            };
            let (id, roles) = (member.record.id.to_string(), member.record.roles.clone());
            subjects.push(Subject { id, roles, agency: party });
        }
        let mut changes = dry_run(&self.gate().policies(), set, &subjects);
        detail.summary = summary(set, &changes);
        // Members come first: they are fewer, and are people.
        changes.sort_by_key(|change| matches!(change.who, Who::Everyone { .. }));
        detail.dry_run =
            changes.iter().take(MOST_CHANGES).map(|change| right_view(change, &members)).collect();
        Ok(())
    }
}
