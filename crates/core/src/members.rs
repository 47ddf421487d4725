//! Members: people of agencies, and moderators, overseers and operators who belong to none.

use canvass_types::{AgencyClass, AgencyId, AgencyState, MemberId, MemberView, Role, Time, TokenId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{
        Actor, By, IssuedToken, Job, MemberAdd, MemberChange, MemberList, MemberRecipient, NewToken, Target,
    },
    agencies::{NewRecipient, is_recipient},
    error::{accept, check_text, problem},
    ports::{Changeset, Query, Records, RecordsExt, Versioned},
    records::{Member, Session, Setting, Token},
    signin::SessionView,
};

/// A member who is to be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// Their agency; none for operators, moderators and overseers.
    #[serde(default)]
    pub agency: Option<AgencyId>,
    /// Their name, 2 to 80 characters.
    pub name: String,
    /// What they are trusted with, at least one role.
    pub roles: Vec<Role>,
}

/// What may change about a member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMember {
    /// New roles.
    #[serde(default)]
    pub roles: Option<Vec<Role>>,
    /// Whether they may act.
    #[serde(default)]
    pub active: Option<bool>,
}

impl From<&Member> for MemberView {
    fn from(member: &Member) -> Self {
        Self {
            id: member.id.clone(),
            agency: member.agency.clone(),
            name: member.name.clone(),
            roles: member.roles.clone(),
            recipient: member.recipient.clone(),
            active: member.active,
        }
    }
}

/// The agency of whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Organisation {
    /// Its id.
    pub id: AgencyId,
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: AgencyClass,
    /// Where it stands with the operator.
    pub state: AgencyState,
}

/// The sign-in of whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignIn {
    /// Id of its token.
    pub id: TokenId,
    /// What the token is for.
    pub label: String,
    /// Until when it counts.
    pub expires: Time,
}

/// Who asks, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Myself {
    /// The member.
    #[serde(flatten)]
    pub member: MemberView,
    /// Their agency; null for operators, moderators and overseers.
    pub organisation: Option<Organisation>,
    /// Actions that this sign-in may do, on matters of the own agency or of any, sorted.
    pub rights: Vec<String>,
    /// The token that signed in; null for a session.
    pub token: Option<SignIn>,
    /// The session that a passkey opened; null for a token.
    #[serde(default)]
    pub session: Option<SessionView>,
}

fn check_roles(agency: Option<&AgencyId>, roles: &[Role]) -> Vec<canvass_types::FieldProblem> {
    let mut problems = Vec::new();
    if roles.is_empty() {
        problems.push(problem("roles", "empty", "a member needs a role", "name at least one"));
    }
    if let Some(role) = roles.iter().find(|role| role.of_agency() != agency.is_some()) {
        let (message, remedy) = if agency.is_some() {
            (
                format!("{} belongs to no agency", role.as_str()),
                "leave the agency out, or choose a role of agencies",
            )
        } else {
            (format!("{} is a role of agencies", role.as_str()), "name the agency")
        };
        problems.push(problem("roles", "agency", &message, remedy));
    }
    problems
}

impl<R: Records> App<R> {
    /// Makes the first operator of a new Canvass, with a token; refused once there is one.
    ///
    /// # Errors
    /// When the name is wrong, or an operator exists.
    pub async fn first_operator(
        &self,
        name: &str,
        days: u32,
    ) -> Result<(MemberView, IssuedToken), CoreError> {
        let mut problems = Vec::new();
        check_text(&mut problems, "name", name, 2..=80);
        accept(problems)?;
        let member = Member {
            id: MemberId::random(self.entropy()),
            agency: None,
            name: name.trim().to_owned(),
            roles: vec![Role::Operator],
            recipient: None,
            active: true,
            added: self.now(),
            stopped: None,
        };
        let wish = NewToken { label: "first operator".into(), roles: Vec::new(), days, scope: None };
        let (token, secret) = self.new_token(&member, wish)?;
        let mark = Setting { name: "first-operator".into(), value: json!(member.id) };
        if self.records().get::<Setting>("first-operator").await?.is_some() {
            return Err(CoreError::state(
                "this Canvass has an operator already",
                "ask them to add you with `canvass member add`",
            ));
        }
        self.system(Job::SetUp, Target::shared(&member.id))
            .with(|changes| changes.insert(&mark).insert(&member).insert(&token))
            .commit(self.records())
            .await?;
        Ok(((&member).into(), IssuedToken { id: token.id, token: secret, expires: token.expires }))
    }

    /// Adds a member.
    ///
    /// # Errors
    /// When the actor may not, or a field is wrong.
    pub async fn add_member(&self, actor: &Actor, new: NewMember) -> Result<MemberView, CoreError> {
        let mut problems = check_roles(new.agency.as_ref(), &new.roles);
        check_text(&mut problems, "name", &new.name, 2..=80);
        accept(problems)?;
        let mut roles = new.roles;
        roles.sort_unstable();
        roles.dedup();
        let member = Member {
            id: MemberId::random(self.entropy()),
            agency: new.agency,
            name: new.name.trim().to_owned(),
            roles,
            recipient: None,
            active: true,
            added: self.now(),
            stopped: None,
        };
        let facts = self.about_people(actor, member.agency.as_ref()).await?;
        let target = Target::maybe(member.agency.as_ref(), &member.id).with(facts);
        let intent =
            self.allow::<MemberAdd>(actor, target, None).await?.detail(json!({ "roles": member.roles }));
        let agency = match &member.agency {
            Some(id) => Some(self.agency(id).await?),
            None => None,
        };
        intent
            .with(|changes| {
                let changes = changes.insert(&member);
                agency.as_ref().map_or(changes.clone(), |agency| changes.depends_on(agency))
            })
            .commit(self.records())
            .await?;
        Ok((&member).into())
    }

    /// Members of an agency, or those of none, oldest first.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn members(
        &self,
        actor: &Actor,
        agency: Option<&AgencyId>,
    ) -> Result<Vec<MemberView>, CoreError> {
        let target = agency.map_or_else(|| Target::shared("members"), |id| Target::of(id, id));
        self.look::<MemberList>(actor, &target).await?;
        let members: Vec<Versioned<Member>> = match agency {
            Some(id) => self.records().list(Query::new().with("agency", id)).await?,
            None => self.records().list(Query::new()).await?,
        };
        let wanted = |member: &&Versioned<Member>| member.record.agency.as_ref() == agency;
        Ok(members.iter().filter(wanted).map(|member| (&member.record).into()).collect())
    }

    /// Who the actor is, and what they may do.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn myself(&self, actor: &Actor) -> Result<Myself, CoreError> {
        let member = self.member(&actor.member).await?.record;
        let organisation = match &actor.agency {
            Some(id) => {
                let agency = self.agency(id).await?.record;
                let (name, class, state) = (agency.name, agency.class, agency.state);
                Some(Organisation { id: agency.id, name, class, state })
            }
            None => None,
        };
        let (mut token, mut session) = (None, None);
        match &actor.by {
            By::Token { id, .. } => {
                let found = self.records().get::<Token>(id.as_str()).await?.ok_or(CoreError::SignIn)?.record;
                token = Some(SignIn { id: found.id, label: found.label, expires: found.expires });
            }
            By::Session { id, .. } => {
                let found =
                    self.records().get::<Session>(id.as_str()).await?.ok_or(CoreError::SignIn)?.record;
                session = Some(self.session_view(&found));
            }
            By::Enrolment(_) => return Err(CoreError::SignIn),
        }
        Ok(Myself {
            member: (&member).into(),
            organisation,
            rights: self.gate().rights(actor),
            token,
            session,
        })
    }

    /// Changes a member's roles, or stops or readmits them.
    ///
    /// # Errors
    /// When the actor may not, or the roles do not fit.
    pub async fn change_member(
        &self,
        actor: &Actor,
        id: &MemberId,
        change: ChangeMember,
    ) -> Result<MemberView, CoreError> {
        let before = self.member(id).await?;
        let mut member = before.record.clone();
        let facts = self.about_people(actor, member.agency.as_ref()).await?;
        let target = Target::maybe(member.agency.as_ref(), id).with(facts);
        let intent = self.allow::<MemberChange>(actor, target, None).await?.detail(json!(change));
        let loses = |role: &Role| change.roles.as_ref().is_some_and(|roles| !roles.contains(role));
        let steps_down = [Role::Operator, Role::Administrator]
            .iter()
            .any(|role| member.roles.contains(role) && loses(role));
        if actor.member == *id && (change.active == Some(false) || steps_down) {
            return Err(CoreError::state(
                "you would shut yourself out, and perhaps everybody with you",
                "let another operator or administrator make this change",
            ));
        }
        if let Some(mut roles) = change.roles {
            accept(check_roles(member.agency.as_ref(), &roles))?;
            roles.sort_unstable();
            roles.dedup();
            member.roles = roles;
        }
        member.active = change.active.unwrap_or(member.active);
        member.stopped = if member.active { None } else { member.stopped.or_else(|| Some(self.now())) };
        let pushes = if member.active { Vec::new() } else { self.pushes_of(id).await? };
        let changed =
            |changes: Changeset| pushes.iter().fold(changes.update(&before, &member), Changeset::delete);
        intent.with(changed).commit(self.records()).await?;
        Ok((&member).into())
    }

    /// Names the actor's own age recipient, to which request keys will be wrapped.
    ///
    /// # Errors
    /// When the actor is of no agency, or the text is no recipient.
    pub async fn set_recipient(&self, actor: &Actor, new: NewRecipient) -> Result<MemberView, CoreError> {
        let before = self.member(&actor.member).await?;
        let target = Target::maybe(before.record.agency.as_ref(), &actor.member);
        let intent = self.allow::<MemberRecipient>(actor, target, None).await?;
        if !is_recipient(&new.recipient) {
            return Err(CoreError::field(
                "recipient",
                "age",
                "this is no age X25519 recipient",
                "make one with `canvass keygen`, or with age-keygen",
            ));
        }
        let mut member = before.record.clone();
        member.recipient = Some(new.recipient);
        intent.with(|changes| changes.update(&before, &member)).commit(self.records()).await?;
        Ok((&member).into())
    }
}
