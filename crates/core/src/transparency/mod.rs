//! What everybody may know of how this Canvass is set up: computed from records and policy, never declared. And the texts
//! in which agencies and the operator tell it in their words, held against it.

mod alerting;
mod hints;
mod settings;
mod summary;
mod texts;

pub use alerting::{CameraRate, HotlistShown};
pub use hints::Hint;
pub use settings::{Dimension, InForce, LiveSetting, SettingValue};
pub use summary::{
    AgencyTransparency, Counted, DeploymentTransparency, Given, Kept, LawShown, OpenContradiction,
    PublicText, RoleCount, RoleCounts, SharingShown, TextShown, Transparency, next_counts, summarise,
};
pub use texts::{Compared, LiveValue, MOST_TEXT, NewPolicyText, PolicyTextView, PolicyTexts};
