//! Runners on a real server: the built-in one as each layout's own, the user's command, and the proxy in front of either.
//! Without a server these tests fail, they are not skipped.

#[path = "runner/built_in.rs"]
mod built_in;
#[path = "runner/command.rs"]
mod command;
#[path = "runner/pipeline.rs"]
mod pipeline;
#[path = "runner/proxy.rs"]
mod proxy;
#[path = "runner/stage.rs"]
mod stage;
