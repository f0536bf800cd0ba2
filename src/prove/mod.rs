//! What a real server says: the only room that opens connections.
//!
//! [`server`] starts disposable servers; [`observe`] reads a schema off one and says what a statement changed in it, in the words
//! of [`crate::effect`]; [`replay`] runs a history statement by statement; [`judge`] holds a prediction against all that,
//! [`trace`] one about what statements cost.

pub mod judge;
mod judgement_report;
pub mod observe;
pub mod replay;
pub mod server;
pub mod trace;
