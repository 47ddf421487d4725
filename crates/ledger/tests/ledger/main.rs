//! The ledger from outside: vectors, properties, interoperation, failures of storage, and dishonest logs.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod common;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod growth;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod race;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod witness;
