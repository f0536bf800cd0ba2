//! What a real server says: the only room that opens connections.
//!
//! [`server`] starts disposable servers; [`cluster`] makes databases on one, [`chain`] is the history to run there and [`runner`] what
//! runs it. [`proofs`] are what is proven, each with what [`stage`] hands it, and they answer in [`evidence`]; [`prover`] runs them
//! all, in [`lane`]s that go side by side.
//! [`observe`] reads a schema off a server and says what a statement changed in it, in the words
//! of [`crate::effect`]; [`replay`] runs a history statement by statement; [`judge`] holds a prediction against all that,
//! [`trace`] one about what statements cost. [`fingerprint`] describes a whole database, so that two states can be compared.

mod answer;
pub mod chain;
pub mod cluster;
mod disk;
pub mod evidence;
pub mod fingerprint;
mod idle;
pub mod judge;
mod judgement_report;
pub mod lane;
mod limit;
pub mod observe;
pub mod proofs;
pub mod prover;
pub mod replay;
pub mod rows;
pub mod runner;
pub mod server;
mod sessions;
pub mod stage;
pub mod trace;
mod trace_judgement;
