//! The proofs, one file each, in the order in which they run.

use super::stage::Proof;

/// Every proof.
pub const PROOFS: &[&dyn Proof] = &[];
