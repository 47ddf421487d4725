//! Reading what the operations on evidence begin with.

use canvass_types::{CaseId, ItemId, OfferId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    ports::{Query, Record, Records, RecordsExt, Versioned},
    records::{Case, Item, Offer},
};

/// Most items that one case has, so that one commit can close it.
pub const MOST_ITEMS: usize = 2_000;
/// Most offers of one request or portal that a case is looked up in.
pub(crate) const MOST_OFFERS: usize = 20_000;
/// Records read at a time.
const STEP: u32 = 500;
/// Records that one filtered page looks at, at most.
const MOST_SCANNED: usize = 10_000;
/// Entries of a page when no number is asked for, and the most that are given.
const PAGE: (u32, u32) = (50, 200);

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// Newest first.
    pub entries: Vec<T>,
    /// Give this as `after` for the following part; none at the end.
    pub next: Option<u64>,
}

/// All that a query meets, oldest first.
pub(crate) async fn every<R: Records, T: Record>(
    records: &R,
    query: Query<T>,
    most: usize,
) -> Result<Vec<Versioned<T>>, CoreError> {
    let found = up_to(records, query, most.saturating_add(1)).await?;
    if found.len() <= most {
        return Ok(found);
    }
    Err(CoreError::state(
        format!("{}: more than {most} records are asked for at once", T::KIND.table()),
        "narrow what you ask for",
    ))
}

/// The oldest of what a query meets.
pub(crate) async fn up_to<R: Records, T: Record>(
    records: &R,
    query: Query<T>,
    most: usize,
) -> Result<Vec<Versioned<T>>, CoreError> {
    let mut found: Vec<Versioned<T>> = Vec::new();
    loop {
        let after = found.last().map(|last| last.sequence);
        let part = records.list(query.clone().after(after).limit(STEP)).await?;
        let end = part.len() < STEP as usize;
        found.extend(part);
        if end || found.len() >= most {
            found.truncate(most);
            return Ok(found);
        }
    }
}

/// Whether one of the texts holds the wanted one, in capitals or not. A blank one is in every text.
pub(crate) fn has_text<'a>(wanted: &str, texts: impl IntoIterator<Item = &'a str>) -> bool {
    let wanted = wanted.trim().to_lowercase();
    texts.into_iter().any(|text| text.to_lowercase().contains(&wanted))
}

/// The part of a query's records that a filter keeps, newest first.
pub(crate) async fn page<R: Records, T: Record>(
    records: &R,
    query: Query<T>,
    part: (Option<u64>, Option<u32>),
    keep: impl Fn(&T) -> bool + Send + Sync,
) -> Result<Page<T>, CoreError> {
    let found = page_of(records, query, part, keep).await?;
    Ok(Page { entries: found.entries.into_iter().map(|row| row.record).collect(), next: found.next })
}

/// The same, with version and place of each record.
pub(crate) async fn page_of<R: Records, T: Record>(
    records: &R,
    query: Query<T>,
    (after, limit): (Option<u64>, Option<u32>),
    keep: impl Fn(&T) -> bool + Send + Sync,
) -> Result<Page<Versioned<T>>, CoreError> {
    let limit = limit.unwrap_or(PAGE.0).clamp(1, PAGE.1) as usize;
    let mut cursor = after;
    let mut page = Page { entries: Vec::new(), next: None };
    for _ in 0..MOST_SCANNED / STEP as usize {
        let part = records.list(query.clone().newest_first().after(cursor).limit(STEP)).await?;
        let end = part.len() < STEP as usize;
        for row in part {
            let sequence = row.sequence;
            if keep(&row.record) {
                if page.entries.len() == limit {
                    page.next = cursor;
                    return Ok(page);
                }
                page.entries.push(row);
            }
            cursor = Some(sequence);
        }
        if end {
            return Ok(page);
        }
    }
    page.next = cursor;
    Ok(page)
}

impl<R: Records> App<R> {
    pub(crate) async fn load_offer(&self, id: &OfferId) -> Result<Versioned<Offer>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("offer"))
    }

    pub(crate) async fn load_case(&self, id: &CaseId) -> Result<Versioned<Case>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("case"))
    }

    pub(crate) async fn load_item(&self, id: &ItemId) -> Result<Versioned<Item>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("item"))
    }

    pub(crate) async fn items_of_case(&self, case: &CaseId) -> Result<Vec<Versioned<Item>>, CoreError> {
        every(self.records(), Query::<Item>::new().with("case_id", case), MOST_ITEMS).await
    }

    pub(crate) async fn items_of_offer(&self, offer: &OfferId) -> Result<Vec<Versioned<Item>>, CoreError> {
        every(self.records(), Query::<Item>::new().with("offer", offer), MOST_ITEMS).await
    }

    /// Offers that belong to a case, or that an item of it came from. Whoever links an offer to a case also joins its
    /// destination to the case, so that it is found here.
    pub(crate) async fn offers_of_case(
        &self,
        case: &Case,
        items: &[Versioned<Item>],
    ) -> Result<Vec<Versioned<Offer>>, CoreError> {
        let mut found: Vec<Versioned<Offer>> = Vec::new();
        for destination in &case.destinations {
            let query = Query::<Offer>::new().with("destination", destination);
            let offers = every(self.records(), query, MOST_OFFERS).await?;
            found.extend(offers.into_iter().filter(|offer| offer.record.case.as_ref() == Some(&case.id)));
        }
        for item in items {
            if !found.iter().any(|offer| offer.record.id == item.record.offer) {
                found.push(self.load_offer(&item.record.offer).await?);
            }
        }
        Ok(found)
    }

    /// The case, when it is of this agency.
    pub(crate) async fn case_of(
        &self,
        agency: &canvass_types::AgencyId,
        id: &CaseId,
    ) -> Result<Versioned<Case>, CoreError> {
        let case = self.load_case(id).await?;
        if case.record.agency == *agency { Ok(case) } else { Err(CoreError::Hidden("case")) }
    }
}
