//! The public role over real sockets: malformed uploads, stock clients, crashes, and what is never written down.

mod clients;
mod crash;
mod limits;
mod messages;
mod silence;
mod support;
mod vectors;
