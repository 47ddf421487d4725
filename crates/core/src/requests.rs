//! A request's life: draft → in moderation → published → resolved | expired | withheld, or refused.

use canvass_types::{
    AgencyId, AgencyState, Asker, Decision, Digest, FieldProblem, MemberId, RequestBody, RequestDraft,
    RequestId, RequestState, SignatureText, Signed, Time, TimeFrame, canonical,
    leaf::{Log, RequestsLeaf},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{
        Action, Actor, Intent, RequestDraft as Drafting, RequestModerate, RequestRead, RequestResolve,
        RequestSubmit, RequestWithhold, Target,
    },
    agencies::leaf_text,
    ask::{self, AskInput, Checked, DraftForm},
    cases::{
        Page,
        load::{has_text, page_of},
    },
    error::{accept, check_text, problem},
    ports::{Changeset, Query, Records, RecordsExt, Versioned},
    records::{Agency, Investigation, Request, RequestKey},
};

/// What a draft looks like against the rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DraftCheck {
    /// Size of the area in square miles on the ellipsoid.
    pub area_sq_mi: Option<f64>,
    /// Elapsed minutes asked for.
    pub minutes: Option<i64>,
    /// The investigation code as it will be written, when it is well formed.
    #[serde(default)]
    pub code: Option<String>,
    /// The moments asked for, when both could be read.
    #[serde(default)]
    pub time_frame: Option<TimeFrame>,
    /// Fields that are still empty.
    #[serde(default)]
    pub missing: Vec<String>,
    /// What must be mended before it can be submitted.
    pub problems: Vec<FieldProblem>,
    /// Words that a moderator will weigh.
    pub findings: Vec<FieldProblem>,
    /// Requests that this investigation may still make.
    pub remaining: u32,
}

/// A request, as members and moderators see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RequestView {
    /// Its id.
    pub id: RequestId,
    /// Whose.
    pub agency: AgencyId,
    /// Who wrote it.
    pub author: MemberId,
    /// Where it stands.
    pub state: RequestState,
    /// What was written.
    pub draft: RequestDraft,
    /// What was signed.
    pub signed: Option<Signed<RequestBody>>,
    /// What the moderator decided.
    pub decision: Option<Decision>,
    /// When it was drafted.
    pub created: Time,
    /// When it was decided on.
    pub decided: Option<Time>,
    /// Until when offers are taken.
    pub closes: Option<Time>,
    /// When it ended.
    pub ended: Option<Time>,
    /// Public words on the end: the legal basis of a withheld one.
    #[serde(default)]
    pub end_note: Option<String>,
    /// How it stands against the rules now, for a draft or one in moderation.
    pub check: Option<DraftCheck>,
    /// Place in the list, for `after`.
    pub sequence: u64,
}

/// A signature over the body that the server gave out for signing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// SHA-256 of the body's canonical JSON, as the signer computed it.
    pub digest: Digest,
    /// Short name of the agency key.
    pub key: String,
    /// Signature over `canvass/request/v1` and the body's canonical JSON.
    pub signature: SignatureText,
}

/// What a moderator decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Whether it may be published.
    pub approved: bool,
    /// The rule it is refused under; needed when refusing. `GET /rules` lists them.
    #[serde(default)]
    pub rule: Option<String>,
    /// Why, in public words, 10 to 1,000 characters.
    pub reason: String,
}

/// The legal basis of withholding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Withholding {
    /// The law or order, in public words, 10 to 1,000 characters.
    pub basis: String,
}

/// Which requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFilter {
    /// Of one agency.
    pub agency: Option<AgencyId>,
    /// In one state.
    pub state: Option<RequestState>,
    /// Those that a moderator decided on, or those that none has.
    pub decided: Option<bool>,
    /// With this text in the code or the details.
    pub q: Option<String>,
    /// From behind this place on.
    pub after: Option<u64>,
    /// At most so many, up to 200.
    pub limit: Option<u32>,
}

fn view(request: &Versioned<Request>, check: Option<DraftCheck>) -> RequestView {
    let Request {
        id,
        agency,
        author,
        draft,
        signed,
        state,
        decision,
        created,
        decided,
        closes,
        ended,
        end_note,
        ..
    } = request.record.clone();
    let sequence = request.sequence;
    RequestView {
        id,
        agency,
        author,
        state,
        draft,
        signed,
        decision,
        created,
        decided,
        closes,
        ended,
        end_note,
        check,
        sequence,
    }
}

/// The body that an agency signs: a function of the record alone, so that it is the same each time it is asked for.
fn body(request: &Request, agency: &Agency, key: &RequestKey, checked: &Checked) -> Option<RequestBody> {
    let draft = &request.draft;
    Some(RequestBody {
        v: 1,
        id: request.id.clone(),
        agency: Asker { id: agency.id.clone(), name: agency.name.clone(), class: agency.class },
        code: checked.code.clone()?,
        incident: draft.incident,
        details: draft.details.trim().to_owned(),
        contact: draft.contact.clone(),
        area: draft.area.clone(),
        time_frame: checked.frame.clone()?,
        recipient: key.recipient.clone(),
        languages: draft.languages.clone(),
        active_days: draft.active_days,
        created: request.created,
    })
}

fn must_be(request: &Request, state: RequestState, remedy: &str) -> Result<(), CoreError> {
    if request.state == state {
        return Ok(());
    }
    Err(CoreError::state(
        format!("the request is {}, not {}", request.state.as_str(), state.as_str()),
        remedy,
    ))
}

/// Rules that a refusal may name: those about content, and those about who asks.
pub fn refusal_rules() -> Vec<(String, String)> {
    let content = ask::rules().iter().map(|rule| (rule.id.to_string(), rule.title.to_string()));
    let others = [
        ("proxy", "Asked for another body, or not the agency's own case"),
        ("class", "Asked by a class of agency that may not ask"),
        ("scope", "Area or time wider than the matter needs"),
        ("unclear", "Residents could not tell what is asked or why"),
    ];
    content.chain(others.map(|(id, title)| (id.to_owned(), title.to_owned()))).collect()
}

impl<R: Records> App<R> {
    fn judge(&self, draft: &RequestDraft, agency: &Agency, recipient: Option<&str>) -> Checked {
        ask::check(&AskInput {
            draft,
            class: agency.class,
            jurisdiction: &agency.jurisdiction,
            recipient,
            limits: &self.policy().ask,
            now: self.now(),
        })
    }

    async fn draft_check(
        &self,
        draft: &RequestDraft,
        agency: &Agency,
        own: &RequestId,
    ) -> Result<DraftCheck, CoreError> {
        let Checked { frame, code, area_sq_mi, minutes, mut problems, findings } =
            self.judge(draft, agency, None);
        let limit = self.policy().ask.requests_per_investigation;
        let used = match &code {
            Some(code) => {
                let key = Investigation::key_of(&agency.id, code);
                let found = self.records().get::<Investigation>(&key).await?;
                found.map_or(0, |found| found.record.requests.iter().filter(|id| *id != own).count())
            }
            None => 0,
        };
        let remaining = limit.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        if remaining == 0 {
            problems.push(used_up(limit));
        }
        if agency.state != AgencyState::Verified {
            problems.push(problem(
                "agency",
                "unverified",
                "the agency is not verified",
                "ask the operator of this Canvass to verify it",
            ));
        }
        let (time_frame, missing) = (frame, Vec::new());
        Ok(DraftCheck { area_sq_mi, minutes, code, time_frame, missing, problems, findings, remaining })
    }

    async fn request(&self, id: &RequestId) -> Result<Versioned<Request>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("request"))
    }

    async fn request_deed<A: Action>(
        &self,
        actor: &Actor,
        id: &RequestId,
    ) -> Result<(Versioned<Request>, Request, Intent<A>), CoreError> {
        let before = self.request(id).await?;
        let intent = self.allow::<A>(actor, Target::of(&before.record.agency, id), None).await?;
        let request = before.record.clone();
        Ok((before, request, intent))
    }

    fn actors_agency(actor: &Actor) -> Result<AgencyId, CoreError> {
        actor.agency.clone().ok_or_else(|| {
            CoreError::state("you belong to no agency", "sign in as a member of the agency that asks")
        })
    }

    /// Judges a draft without storing it; any of its fields may still be missing.
    ///
    /// # Errors
    /// When the actor may not draft requests.
    pub async fn check_draft(&self, actor: &Actor, form: &DraftForm) -> Result<DraftCheck, CoreError> {
        let id = Self::actors_agency(actor)?;
        self.gate().check::<Drafting>(actor, &Target::of(&id, &id))?;
        let agency = self.agency(&id).await?.record;
        let filled = form.filled(&agency.jurisdiction)?;
        let check = self.draft_check(&filled.draft, &agency, &RequestId::random(self.entropy())).await?;
        Ok(filled.judged(check))
    }

    /// Stores a new draft. It may still have problems; they come back with it.
    ///
    /// # Errors
    /// When the actor may not, or a text is far beyond any limit.
    pub async fn draft_request(&self, actor: &Actor, draft: RequestDraft) -> Result<RequestView, CoreError> {
        let agency = Self::actors_agency(actor)?;
        bounded(&draft)?;
        let id = RequestId::random(self.entropy());
        let intent = self.allow::<Drafting>(actor, Target::of(&agency, &id), None).await?;
        let agency = self.agency(&agency).await?.record;
        let request = Request {
            id,
            agency: agency.id.clone(),
            author: actor.member.clone(),
            draft,
            signed: None,
            state: RequestState::Draft,
            decision: None,
            moderator: None,
            created: self.now(),
            decided: None,
            closes: None,
            ended: None,
            end_note: None,
            leaves: Vec::new(),
            unpublished: false,
        };
        let check = self.draft_check(&request.draft, &agency, &request.id).await?;
        intent.with(|changes| changes.insert(&request)).commit(self.records()).await?;
        Ok(view(&Versioned { version: 1, sequence: 0, record: request }, Some(check)))
    }

    /// Changes a draft.
    ///
    /// # Errors
    /// When the actor may not, or it is no draft any more.
    pub async fn change_draft(
        &self,
        actor: &Actor,
        id: &RequestId,
        draft: RequestDraft,
    ) -> Result<RequestView, CoreError> {
        let (before, mut request, intent) = self.request_deed::<Drafting>(actor, id).await?;
        must_be(&request, RequestState::Draft, "a signed request can't change; draft another one")?;
        bounded(&draft)?;
        request.draft = draft;
        let agency = self.agency(&request.agency).await?.record;
        let check = self.draft_check(&request.draft, &agency, id).await?;
        intent.with(|changes| changes.update(&before, &request)).commit(self.records()).await?;
        Ok(view(&Versioned { record: request, ..before }, Some(check)))
    }

    /// Drops a draft.
    ///
    /// # Errors
    /// When the actor may not, or it is no draft any more.
    pub async fn drop_draft(&self, actor: &Actor, id: &RequestId) -> Result<(), CoreError> {
        let (before, request, intent) = self.request_deed::<Drafting>(actor, id).await?;
        must_be(
            &request,
            RequestState::Draft,
            "a published request can be marked as resolved; it can't be deleted",
        )?;
        intent.with(|changes| changes.delete(&before)).commit(self.records()).await?;
        Ok(())
    }

    /// One request.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn request_view(&self, actor: &Actor, id: &RequestId) -> Result<RequestView, CoreError> {
        let request = self.request(id).await?;
        self.gate().check::<RequestRead>(actor, &Target::of(&request.record.agency, id))?;
        let open = matches!(request.record.state, RequestState::Draft | RequestState::InModeration);
        let check = if open {
            let agency = self.agency(&request.record.agency).await?.record;
            Some(self.draft_check(&request.record.draft, &agency, id).await?)
        } else {
            None
        };
        Ok(view(&request, check))
    }

    /// Requests, newest first.
    ///
    /// # Errors
    /// When the actor may see none of those asked for.
    pub async fn requests(
        &self,
        actor: &Actor,
        filter: &RequestFilter,
    ) -> Result<Page<RequestView>, CoreError> {
        let agency = filter.agency.clone().or_else(|| actor.agency.clone());
        let target = agency.as_ref().map_or_else(|| Target::shared("requests"), |id| Target::of(id, id));
        self.gate().check::<RequestRead>(actor, &target)?;
        let mut query = Query::<Request>::new();
        if let Some(id) = &agency {
            query = query.with("agency", id);
        }
        if let Some(state) = filter.state {
            query = query.with("state", state.as_str());
        }
        let keep = |request: &Request| {
            let texts = [request.draft.code.as_str(), &request.draft.details];
            filter.decided.is_none_or(|wanted| request.decision.is_some() == wanted)
                && filter.q.as_deref().is_none_or(|wanted| has_text(wanted, texts))
        };
        let found = page_of(self.records(), query, (filter.after, filter.limit), keep).await?;
        let entries = found.entries.iter().map(|request| view(request, None)).collect();
        Ok(Page { entries, next: found.next })
    }

    /// What waits for a moderator, oldest first.
    ///
    /// # Errors
    /// When the actor is no moderator.
    pub async fn moderation_queue(&self, actor: &Actor) -> Result<Vec<RequestView>, CoreError> {
        self.gate().check::<RequestModerate>(actor, &Target::shared("requests"))?;
        let query = Query::<Request>::new().with("state", RequestState::InModeration.as_str()).limit(200);
        let mut queue = Vec::new();
        for request in self.records().list(query).await? {
            let agency = self.agency(&request.record.agency).await?.record;
            let check = self.draft_check(&request.record.draft, &agency, &request.record.id).await?;
            queue.push(view(&request, Some(check)));
        }
        Ok(queue)
    }

    /// The body that is to be signed on the agency's side.
    ///
    /// # Errors
    /// When the draft has problems, or its key is not made yet.
    pub async fn body_to_sign(&self, actor: &Actor, id: &RequestId) -> Result<RequestBody, CoreError> {
        let request = self.request(id).await?;
        self.gate().check::<Drafting>(actor, &Target::of(&request.record.agency, id))?;
        must_be(&request.record, RequestState::Draft, "it is signed already")?;
        let agency = self.agency(&request.record.agency).await?;
        Ok(self.sound_body(&request.record, &agency.record).await?.0)
    }

    async fn sound_body(
        &self,
        request: &Request,
        agency: &Agency,
    ) -> Result<(RequestBody, Versioned<RequestKey>), CoreError> {
        let key = self.records().get::<RequestKey>(request.id.as_str()).await?;
        let key = key.filter(|key| key.record.wrapped.is_some()).ok_or_else(|| {
            CoreError::state("the request has no key yet", "make it with `canvass agency request-key`")
        })?;
        let check = self.draft_check(&request.draft, agency, &request.id).await?;
        accept(check.problems)?;
        let checked = self.judge(&request.draft, agency, Some(&key.record.recipient));
        accept(checked.problems.clone())?;
        let body = body(request, agency, &key.record, &checked);
        let body = body.ok_or_else(|| {
            CoreError::field("draft", "incomplete", "the draft can't be read", "save it anew")
        })?;
        Ok((body, key))
    }

    /// Takes the agency's signature in and hands the request to the moderators. From now on it can't change.
    ///
    /// # Errors
    /// When it has problems, the investigation has no request left, or the signature does not hold.
    pub async fn submit_request(
        &self,
        actor: &Actor,
        id: &RequestId,
        submission: Submission,
    ) -> Result<RequestView, CoreError> {
        let (before, mut request, intent) = self.request_deed::<RequestSubmit>(actor, id).await?;
        must_be(&request, RequestState::Draft, "it was submitted already")?;
        let agency = self.agency(&request.agency).await?;
        let (body, key) = self.sound_body(&request, &agency.record).await?;
        let digest = Digest::of(&canonical(&body).unwrap_or_default());
        let Submission { digest: theirs, key: signer, signature } = submission;
        if digest != theirs {
            return Err(CoreError::field(
                "digest",
                "differs",
                "the body that was signed is not the draft as it stands",
                "fetch the body again, read it and sign anew",
            ));
        }
        let counts = agency.record.keys.iter().find(|each| each.id == signer && each.revoked.is_none());
        let Some(signing) = counts else {
            return Err(CoreError::field(
                "key",
                "unknown",
                "the agency has no such key that counts",
                "sign with a key that the ledger holds and that is not revoked",
            ));
        };
        if !signing.public.verifies(RequestBody::CONTEXT, &body, &signature) {
            return Err(CoreError::field(
                "signature",
                "signature",
                "the signature does not hold",
                "sign the body's canonical JSON under canvass/request/v1",
            ));
        }
        let (code, limit) = (body.code.clone(), self.policy().ask.requests_per_investigation);
        request.signed = Some(Signed { body, digest, key: signer, signature });
        request.state = RequestState::InModeration;
        let investigation = self.count_in(&request, &code, limit).await?;
        intent
            .detail(json!({ "digest": digest }))
            .with(|changes| {
                investigation(changes).update(&before, &request).depends_on(&agency).depends_on(&key)
            })
            .commit(self.records())
            .await?;
        Ok(view(&Versioned { record: request, ..before }, None))
    }

    /// The change that counts a request in its investigation.
    async fn count_in(
        &self,
        request: &Request,
        code: &str,
        limit: u32,
    ) -> Result<impl FnOnce(Changeset) -> Changeset + use<R>, CoreError> {
        let key = Investigation::key_of(&request.agency, code);
        let found = self.records().get::<Investigation>(&key).await?;
        let mut after = found.as_ref().map_or_else(
            || Investigation { agency: request.agency.clone(), code: code.to_owned(), requests: Vec::new() },
            |found| found.record.clone(),
        );
        if after.requests.len() >= limit as usize {
            return Err(CoreError::Invalid(vec![used_up(limit)]));
        }
        after.requests.push(request.id.clone());
        Ok(move |changes: Changeset| match &found {
            Some(before) => changes.update(before, &after),
            None => changes.insert(&after),
        })
    }

    /// Publishes or refuses a request. A moderator belongs to no agency, so none decides on their own.
    ///
    /// # Errors
    /// When the actor is no moderator, nothing waits, or a refusal names no rule.
    pub async fn moderate(
        &self,
        actor: &Actor,
        id: &RequestId,
        verdict: Verdict,
    ) -> Result<RequestView, CoreError> {
        let (before, mut request, intent) = self.request_deed::<RequestModerate>(actor, id).await?;
        must_be(&request, RequestState::InModeration, "only requests in moderation can be decided on")?;
        let mut problems = Vec::new();
        check_text(&mut problems, "reason", &verdict.reason, 10..=1_000);
        let known = |rule: &str| refusal_rules().iter().any(|(id, _)| id == rule);
        match &verdict.rule {
            None if !verdict.approved => problems.push(problem(
                "rule",
                "missing",
                "a refusal names the rule",
                "choose one that `GET /rules` lists",
            )),
            Some(rule) if !known(rule) => problems.push(problem(
                "rule",
                "unknown",
                "there is no such rule",
                "choose one that `GET /rules` lists",
            )),
            _ => {}
        }
        accept(problems)?;
        let signed = request.signed.clone();
        let signed =
            signed.ok_or_else(|| CoreError::state("the request is not signed", "submit it again"))?;
        let now = self.now();
        let decision = Decision {
            request: id.clone(),
            approved: verdict.approved,
            rule: verdict.rule,
            reason: verdict.reason.trim().to_owned(),
            at: now,
        };
        let mut leaves = vec![RequestsLeaf::RequestDecided {
            request: id.clone(),
            agency: request.agency.clone(),
            approved: decision.approved,
            digest: Digest::of(&canonical(&decision).unwrap_or_default()),
            at: now,
        }];
        if decision.approved {
            let closes = now.plus_days(signed.body.active_days);
            leaves.push(RequestsLeaf::RequestPublished {
                request: id.clone(),
                agency: request.agency.clone(),
                digest: signed.digest,
                key: signed.key.clone(),
                at: now,
                closes,
            });
            request.closes = Some(closes);
        }
        request.state = if decision.approved { RequestState::Published } else { RequestState::Refused };
        (request.decided, request.moderator) = (Some(now), Some(actor.member.clone()));
        let intent = intent.detail(json!({ "approved": decision.approved, "rule": decision.rule }));
        request.decision = Some(decision);
        let agency = self.agency(&request.agency).await?;
        if agency.record.state != AgencyState::Verified && request.state == RequestState::Published {
            return Err(CoreError::state(
                "the agency is not verified",
                "refuse the request, or wait until the operator has verified the agency",
            ));
        }
        let investigation =
            if request.state == RequestState::Refused { self.count_out(&request).await? } else { None };
        let intent = intent.with(|changes| {
            let changes = changes.depends_on(&agency);
            match &investigation {
                Some((before, after)) => changes.update(before, after),
                None => changes,
            }
        });
        self.finish_request(before, request, intent, &leaves).await
    }

    /// A refused request does not use up its investigation.
    async fn count_out(
        &self,
        request: &Request,
    ) -> Result<Option<(Versioned<Investigation>, Investigation)>, CoreError> {
        let Some(signed) = &request.signed else { return Ok(None) };
        let key = Investigation::key_of(&request.agency, &signed.body.code);
        let Some(before) = self.records().get::<Investigation>(&key).await? else { return Ok(None) };
        let mut after = before.record.clone();
        after.requests.retain(|each| *each != request.id);
        Ok(Some((before, after)))
    }

    /// Marks a published request as resolved.
    ///
    /// # Errors
    /// When the actor may not, or it is not published.
    pub async fn resolve_request(&self, actor: &Actor, id: &RequestId) -> Result<RequestView, CoreError> {
        let (before, mut request, intent) = self.request_deed::<RequestResolve>(actor, id).await?;
        must_be(&request, RequestState::Published, "only a published request can be resolved")?;
        let now = self.now();
        (request.state, request.ended) = (RequestState::Resolved, Some(now));
        let leaf = self.ended(&request, None);
        self.finish_request(before, request, intent, &[leaf]).await
    }

    /// Withholds the body of a request by law; that it existed, and on which basis it is withheld, stays public.
    ///
    /// # Errors
    /// When the actor may not, or it was never published.
    pub async fn withhold_request(
        &self,
        actor: &Actor,
        id: &RequestId,
        order: Withholding,
    ) -> Result<RequestView, CoreError> {
        let (before, mut request, intent) = self.request_deed::<RequestWithhold>(actor, id).await?;
        if !matches!(request.state, RequestState::Published | RequestState::Resolved | RequestState::Expired)
        {
            return Err(CoreError::state(
                format!("the request is {}", request.state.as_str()),
                "only what was published can be withheld",
            ));
        }
        let mut problems = Vec::new();
        check_text(&mut problems, "basis", &order.basis, 10..=1_000);
        accept(problems)?;
        (request.state, request.ended) = (RequestState::Withheld, Some(self.now()));
        let basis = order.basis.trim().to_owned();
        let leaf = self.ended(&request, Some(Digest::of(basis.as_bytes())));
        request.end_note = Some(basis);
        self.finish_request(before, request, intent, &[leaf]).await
    }

    /// The ledger entry of a request's end.
    pub(crate) fn ended(&self, request: &Request, basis: Option<Digest>) -> RequestsLeaf {
        RequestsLeaf::RequestState {
            request: request.id.clone(),
            agency: request.agency.clone(),
            state: request.state,
            basis,
            at: self.now(),
        }
    }

    pub(crate) async fn finish_request<A>(
        &self,
        before: Versioned<Request>,
        mut request: Request,
        intent: Intent<A>,
        leaves: &[RequestsLeaf],
    ) -> Result<RequestView, CoreError> {
        request.leaves.extend(leaves.iter().map(leaf_text));
        request.unpublished = true;
        intent
            .with(|changes| {
                leaves
                    .iter()
                    .fold(changes.update(&before, &request), |all, leaf| all.leaf(Log::Requests, leaf))
            })
            .commit(self.records())
            .await?;
        Ok(view(&Versioned { record: request, ..before }, None))
    }
}

fn used_up(limit: u32) -> FieldProblem {
    let message = format!("this investigation has made {limit} requests, which is all it may");
    problem("code", "used-up", &message, "work with what came, or resolve the investigation")
}

/// A draft may be wrong, but it must not be huge.
pub(crate) fn bounded(draft: &RequestDraft) -> Result<(), CoreError> {
    let texts = [
        ("details", &draft.details, 20_000),
        ("code", &draft.code, 200),
        ("start", &draft.start, 100),
        ("end", &draft.end, 100),
        ("zone", &draft.zone, 100),
        ("contact.name", &draft.contact.name, 500),
    ];
    for (field, text, most) in texts {
        if text.len() > most {
            return Err(CoreError::field(field, "length", "the text is far too long", "shorten it"));
        }
    }
    if draft.languages.len() > 20 || draft.languages.iter().any(|each| each.len() > 40) {
        return Err(CoreError::field(
            "languages",
            "length",
            "these are too many languages",
            "name at most five",
        ));
    }
    Ok(())
}
