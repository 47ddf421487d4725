//! The server side of Canvass, told apart by role: what a role may touch is decided by what it is handed at start.
//!
//! [`public`] faces the street: it serves static files and takes sealed uploads into a write-only spool, and holds no
//! database credentials. The private role is the agency desk ([`routes`]) and the [`jobs`] that bring what was sent in,
//! and what was decided out. [`serve`](serve()) starts either or both; [`operator`] holds what an operator does by hand.

pub mod asked;
pub mod auth;
pub mod config;
pub mod desk;
pub mod extract;
mod files;
pub mod health;
pub mod jobs;
pub mod keys;
mod keysfile;
pub mod ledgers;
mod oidc;
pub mod operator;
mod outbound;
mod pace;
pub mod pages;
mod plates;
pub mod problem;
pub mod public;
mod reading;
mod refusal;
pub mod routes;
mod rules_repair;
mod serve;
pub mod telemetry;
pub mod tls;
mod uploads;

pub use canvass_notices::{MailConfig, PushConfig};
pub use config::{BaseMap, Identity, Role, ServeConfig, Tls, Witness};
pub use oidc::{Oidc, ProviderConfig, ProvidersError, read_providers};
pub use routes::openapi;
pub use serve::{Peer, Running, ServeError, serve};
