//! phasegate says whether PostgreSQL migrations can run while the previous release still serves.
//!
//! The modules, in the order the data flows:
//! [`source`] finds files, recognises the layout, orders them and reads tags; [`sql`] splits and parses with the server's own
//! parser and lowers every node to [`op`]; [`catalog`] replays the history and says what each statement does, as [`effect`];
//! [`rules`] judge effects in context and make a [`finding`]; [`report`] writes it, [`compare`] holds two of them against each other. [`config`] says what is in force, [`release`] what
//! is released already, [`allow`] and [`baseline`] silence findings; [`testimony`] is what a run saw. [`check`] is that whole way as one function, [`cli`] is the command line in front of it.
//!
//! [`prove`] runs a history on a real server and says what it saw.
//!
//! Invariants: facts are separate from judgement; nothing is silently skipped; there is one place to add a thing.

// Migrations are input: nothing in them may end the process. Only the command line speaks, through writers that it is given.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

pub mod allow;
pub mod baseline;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod compare;
pub mod config;
pub mod effect;
pub mod expr;
pub mod finding;
pub mod fingerprint;
pub mod op;
pub mod prove;
pub mod recipe;
pub mod release;
pub mod report;
pub mod rules;
pub mod source;
pub mod sql;
pub mod testimony;
pub mod versions;
