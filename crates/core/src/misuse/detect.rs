//! The job: new records of acts make the histories of their agencies worth another look.

use std::collections::{BTreeMap, BTreeSet};

use canvass_misuse::{Act, Context, History, Params, detect};
use canvass_types::{AgencyId, Digest, Entropy, FindingId, MemberId, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    App, CoreError,
    access::{Job, Target},
    cases::load::up_to,
    plates::{RESULT, hits_of_results},
    ports::{Expect, Query, Records, RecordsExt, StoreError},
    records::{Agency, AuditBody, AuditRecord, Case, Finding, FindingState, OwnVehicles, Setting},
};

/// Name of the setting that says how far detection has come.
const CURSOR: &str = "misuse";
/// Most records of one agency that are looked at, newest first.
const MOST_RECORDS: usize = 50_000;
/// Most cases, agencies and members with vehicles that are read.
const MOST: usize = 5_000;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Place of the last record that was taken in.
    after: Option<u64>,
    /// Day on which all agencies were last looked at: hours and hit rates are judged when time has passed.
    day: String,
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Detected {
    /// New records of acts that it took in.
    pub records: usize,
    /// Findings that it raised.
    pub raised: u32,
    /// Open findings that grew.
    pub grown: u32,
    /// Whether more records wait.
    pub more: bool,
}

/// A finding's id: 128 bits of a digest in place of chance.
struct Bits([u8; 32]);

impl Entropy for Bits {
    fn fill(&self, buffer: &mut [u8]) {
        for (to, from) in buffer.iter_mut().zip(self.0.iter().cycle()) {
            *to = *from;
        }
    }
}

impl<R: Records> App<R> {
    /// Takes in at most `limit` new records and looks at the agencies that they touch, or, on a new day, at all. What it
    /// raised before is found again under the same id, so that a round can be repeated.
    ///
    /// # Errors
    /// The store's; the next round begins where this one did.
    pub async fn detect_misuse(&self, limit: u32) -> Result<Detected, CoreError> {
        let params = Params::shipped()
            .map_err(|error| CoreError::state(error.to_string(), "mend policies/misuse.toml"))?;
        let setting = self.records().get::<Setting>(CURSOR).await?;
        let cursor: Cursor = setting
            .as_ref()
            .and_then(|it| serde_json::from_value(it.record.value.clone()).ok())
            .unwrap_or_default();
        let new = self.records().list(Query::<AuditRecord>::new().after(cursor.after).limit(limit)).await?;
        let now = self.now();
        let today = now.day();
        let agencies: BTreeSet<AgencyId> = if cursor.day == today {
            let touched = new.iter().filter(|it| params.actions().contains(&it.record.body.action.as_str()));
            touched.filter_map(|it| it.record.body.actor_agency.clone()).collect()
        } else {
            let all = up_to(self.records(), Query::<Agency>::new(), MOST).await?;
            all.into_iter().map(|agency| agency.record.id).collect()
        };
        let mut detected =
            Detected { records: new.len(), more: new.len() >= limit as usize, ..Detected::default() };
        for agency in &agencies {
            self.look_at(&params, agency, now, &mut detected).await?;
        }
        let after = new.last().map(|last| last.sequence).or(cursor.after);
        let next = Cursor { after, day: today };
        if next != cursor {
            let value = serde_json::to_value(&next).unwrap_or_default();
            let record = Setting { name: CURSOR.into(), value };
            let expect = setting.map_or(Expect::Absent, |it| Expect::Version(it.version));
            let intent = self.system(Job::Housekeeping, Target::shared(CURSOR));
            intent.with(|changes| changes.put(&record, expect)).commit(self.records()).await?;
        }
        Ok(detected)
    }

    async fn look_at(
        &self,
        params: &Params,
        agency: &AgencyId,
        now: Time,
        detected: &mut Detected,
    ) -> Result<(), CoreError> {
        let zone = params.zones.get(&self.agency(agency).await?.record.subdivision);
        let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        let days = 2 * i64::from(params.window_days) + i64::from(params.hours.settle_days);
        let bodies = self.past_acts(params, agency, now.plus_seconds(-86_400 * days)).await?;
        let hits = hits_of_results(&bodies);
        let mut acts = Vec::with_capacity(bodies.len());
        for body in bodies.iter().filter(|body| body.action != RESULT) {
            acts.extend(self.act(agency, body, &zone, &hits).await?);
        }
        let context = self.misuse_context(agency, &acts).await?;
        let history = History { agency: agency.as_str(), acts: &acts, context: &context, until: now };
        for found in detect(params, &history) {
            self.raise(agency, &found, detected).await?;
        }
        Ok(())
    }

    /// Records of acts by members of an agency, on whosever matters, since a moment; of the actions that some rule looks at.
    async fn past_acts(
        &self,
        params: &Params,
        agency: &AgencyId,
        since: Time,
    ) -> Result<Vec<AuditBody>, CoreError> {
        let actions = params.actions();
        let (mut bodies, mut after, mut read) = (Vec::new(), None, 0);
        loop {
            let query = Query::<AuditRecord>::new().with("actor_agency", agency).newest_first().after(after);
            let part = self.records().list(query).await?;
            read += part.len();
            let end = part.len() < Query::<AuditRecord>::MOST as usize || read >= MOST_RECORDS;
            after = part.last().map(|last| last.sequence);
            let old = part.last().is_some_and(|last| last.record.body.at < since);
            let kept = part.into_iter().map(|it| it.record.body);
            let looked_at = |action: &str| actions.contains(&action) || action == RESULT;
            bodies.extend(kept.filter(|body| body.at >= since && looked_at(&body.action)));
            if end || old {
                return Ok(bodies);
            }
        }
    }

    /// A record as the rules see it; none when no member acted, or when it belongs to an act that has an earlier record.
    async fn act(
        &self,
        agency: &AgencyId,
        body: &AuditBody,
        zone: &TimeZone,
        found: &BTreeMap<String, u64>,
    ) -> Result<Option<Act>, CoreError> {
        // A search of plates has a record with each owner and for each page: they are one act.
        let search = body.detail.get("search").and_then(serde_json::Value::as_str);
        if search.is_some_and(|first| first != body.id.as_str()) {
            return Ok(None);
        }
        let Some(member) = &body.actor else { return Ok(None) };
        let target = if body.action.starts_with("plate.") {
            self.plate_target(agency, &body.subject).await?.to_string()
        } else {
            body.subject.clone()
        };
        let purpose = body.purpose.as_ref();
        let named = purpose.and_then(|purpose| purpose.case.clone());
        let hits = body.detail.get("hits").and_then(serde_json::Value::as_u64);
        let hits = hits.or_else(|| found.get(body.id.as_str()).copied());
        Ok(Some(Act {
            id: body.id.to_string(),
            at: body.at,
            offset: zone.to_offset(body.at.timestamp()).seconds() / 60,
            member: member.to_string(),
            action: body.action.clone(),
            target,
            case: body.case.as_ref().map(ToString::to_string).or(named),
            reason: purpose.map(|purpose| purpose.reason.clone()).filter(|reason| !reason.trim().is_empty()),
            hits: hits.map(|hits| u32::try_from(hits).unwrap_or(u32::MAX)),
        }))
    }

    /// Vehicles, and who works on which case: who opened it or has it assigned, and whoever acted on what belongs to it.
    async fn misuse_context(&self, agency: &AgencyId, acts: &[Act]) -> Result<Context, CoreError> {
        let mut context = Context::default();
        let vehicles = Query::<OwnVehicles>::new().with("agency", agency);
        for found in up_to(self.records(), vehicles, MOST).await? {
            let plates = found.record.vehicles.iter().map(|one| one.plate.to_string()).collect();
            context.vehicles.insert(found.record.member.to_string(), plates);
        }
        let named: BTreeSet<&str> = acts.iter().filter_map(|act| act.case.as_deref()).collect();
        let mut belonging: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for act in acts {
            if let Some(case) = act.case.as_ref().filter(|case| case.starts_with("cas_")) {
                belonging.entry(case.clone()).or_default().insert(act.member.clone());
            }
        }
        for found in up_to(self.records(), Query::<Case>::new().with("agency", agency), MOST).await? {
            let case = found.record;
            let mut who = belonging.remove(case.id.as_str()).unwrap_or_default();
            who.insert(case.by.to_string());
            who.extend(case.annotations.assignee.iter().map(ToString::to_string));
            let names = [Some(case.id.to_string()), case.code, Some(case.title)];
            for name in names.into_iter().flatten().filter(|name| named.contains(name.as_str())) {
                context.works.entry(name).or_default().extend(who.iter().cloned());
            }
        }
        Ok(context)
    }

    async fn raise(
        &self,
        agency: &AgencyId,
        found: &canvass_misuse::Finding,
        detected: &mut Detected,
    ) -> Result<(), CoreError> {
        // Under the agency's key: who knows a member's id can't tell from the ledger that there is a finding about them.
        let sealed = self.target_pseudonym(agency, &found.id.to_string()).await?;
        let id = FindingId::random(&Bits(Digest::of(sealed.as_str().as_bytes()).0));
        let Ok(member) = found.member.parse::<MemberId>() else { return Ok(()) };
        let audits = found.acts.iter().filter_map(|act| act.parse().ok()).collect();
        let mut finding = Finding {
            id,
            agency: agency.clone(),
            rule: found.rule,
            member,
            audits,
            score: found.score,
            why: found.why.clone(),
            first: found.first,
            last: found.last,
            raised: self.now(),
            state: FindingState::Open,
            handled: None,
        };
        let target = Target::of(agency, &finding.id);
        let committed = match self.records().get::<Finding>(finding.id.as_str()).await? {
            None => {
                detected.raised += 1;
                let detail = json!({ "rule": finding.rule, "score": finding.score });
                let intent = self.system(Job::FindingRaised, target).detail(detail);
                intent.with(|changes| changes.insert(&finding)).commit(self.records()).await
            }
            // What was answered for stays as it was answered.
            Some(known) if known.record.state != FindingState::Open => return Ok(()),
            Some(known) => {
                finding.raised = known.record.raised;
                if finding == known.record {
                    return Ok(());
                }
                detected.grown += 1;
                let intent = self.system(Job::Housekeeping, target);
                intent.with(|changes| changes.update(&known, &finding)).commit(self.records()).await
            }
        };
        match committed {
            // Somebody answered at the same moment, or another round raised it: theirs counts.
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
