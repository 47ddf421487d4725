//! Laws of blobs.
