//! Nothing but the programs in `src/bin` is here.
