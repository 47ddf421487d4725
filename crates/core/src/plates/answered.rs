//! What an approved search may look for, what it found, and how that is told: one of these, as the question's kind says.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ConvoyFound, FoundConvoy, FoundPlaces, Granted, GrantedConvoy, GrantedPlaces, PlacesFound, PlatesFound,
    Reads, question::QuestionKind, reads::Found,
};
use crate::{
    App, CoreError,
    access::{PlateHistory, PlateSearch},
    footage::{FootageFound, GrantedFootage},
    ports::Records,
};

/// Leave to run an approved search once.
#[derive(Debug)]
pub enum GrantedQuestion {
    /// Reads by plate, camera and time.
    Search(Granted<PlateSearch>),
    /// Where one plate was.
    History(Granted<PlateHistory>),
    /// Which plates travelled with one.
    Convoy(GrantedConvoy),
    /// Which plates were at several places.
    Places(GrantedPlaces),
    /// Who and what cameras and evidence show.
    Footage(GrantedFootage),
}

/// What an approved search found in the store.
#[derive(Debug)]
pub enum FoundQuestion {
    /// Reads by plate, camera and time.
    Search(Found<PlateSearch>),
    /// Where one plate was.
    History(Found<PlateHistory>),
    /// Which plates travelled with one.
    Convoy(FoundConvoy),
    /// Which plates were at several places.
    Places(FoundPlaces),
    /// Who and what cameras and evidence show: looked for where sightings are, not among the reads.
    Footage(GrantedFootage),
}

/// What an approved search found: one of these, as its kind says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Answered {
    /// What kind of search.
    pub kind: QuestionKind,
    /// Reads, of a search or a history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<PlatesFound>,
    /// Company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convoy: Option<ConvoyFound>,
    /// Visitors of several places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<PlacesFound>,
    /// Moments of footage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footage: Option<FootageFound>,
}

impl Reads {
    /// Looks for what was granted, once.
    ///
    /// # Errors
    /// As the search's.
    pub fn run(&self, granted: GrantedQuestion) -> Result<FoundQuestion, CoreError> {
        Ok(match granted {
            GrantedQuestion::Search(granted) => FoundQuestion::Search(self.search(granted)?),
            GrantedQuestion::History(granted) => FoundQuestion::History(self.search(granted)?),
            GrantedQuestion::Convoy(granted) => FoundQuestion::Convoy(self.convoy(granted)?),
            GrantedQuestion::Places(granted) => FoundQuestion::Places(self.places(granted)?),
            GrantedQuestion::Footage(granted) => FoundQuestion::Footage(granted),
        })
    }
}

impl<R: Records> App<R> {
    /// What an approved search found, for people; and the record of how much it was.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn question_found(&self, found: FoundQuestion) -> Result<Answered, CoreError> {
        let (kind, reads, convoy, places) = match found {
            FoundQuestion::Footage(granted) => {
                let footage = Some(self.footage_found(granted).await?);
                let kind = QuestionKind::Footage;
                return Ok(Answered { kind, reads: None, convoy: None, places: None, footage });
            }
            FoundQuestion::Search(found) => {
                (QuestionKind::Search, Some(self.plates_found(found).await?), None, None)
            }
            FoundQuestion::History(found) => {
                (QuestionKind::History, Some(self.plates_found(found).await?), None, None)
            }
            FoundQuestion::Convoy(found) => {
                (QuestionKind::Convoy, None, Some(self.convoy_found(found).await?), None)
            }
            FoundQuestion::Places(found) => {
                (QuestionKind::Places, None, None, Some(self.places_found(found).await?))
            }
        };
        Ok(Answered { kind, reads, convoy, places, footage: None })
    }
}
