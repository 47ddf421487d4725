//! The region feed.
