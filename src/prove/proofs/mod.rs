//! The proofs, one file each, in the order in which they run.

mod help;
pub mod old_writes;
pub mod on_data;
mod walk;

use super::stage::Proof;

/// Every proof.
pub const PROOFS: &[&dyn Proof] = &[&on_data::OnData, &old_writes::OldWrites];
