//! A database in which the history is applied unit by unit, as its runner applies it, so that a proof can look in between.
//!
//! The ledger is left out: a proof is about the SQL. The session stays the same from unit to unit, as a runner's does, unless a proof
//! has to give it up.

use crate::prove::cluster::Database;
use crate::prove::runner::{RunFailure, apply_unit};
use crate::prove::stage::{ProveError, Stage};
use postgres::Client;

#[derive(Debug)]
pub struct Walk<'a> {
    pub database: Database<'a>,
    client: Option<ClientInWalk>,
}

/// A connection, which cannot be printed.
struct ClientInWalk(Client);

impl std::fmt::Debug for ClientInWalk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Client")
    }
}

impl<'a> Walk<'a> {
    /// In a new database, before the first unit. The cluster is put back as it was first: roles of an earlier proof are gone.
    pub fn start(stage: &Stage<'a>) -> Result<Walk<'a>, ProveError> {
        // A database that another proof left holds what the roles own.
        drop(stage.memory.applied.take());
        stage.cluster.reset()?;
        Ok(Walk { database: stage.cluster.fresh()?, client: None })
    }

    /// The session that applies.
    pub fn client(&mut self) -> Result<&mut Client, ProveError> {
        let client = match self.client.take() {
            Some(client) => client,
            None => ClientInWalk(self.database.connect()?),
        };
        Ok(&mut self.client.insert(client).0)
    }

    /// Gives the session up, so that the database can be copied. The next one knows nothing of what was SET in it.
    pub fn leave(&mut self) {
        self.client = None;
    }

    /// Applies one unit. The inner error is the server's answer; the unit is undone as far as its transaction reaches.
    pub fn apply(&mut self, stage: &Stage<'_>, unit: usize) -> Result<Result<(), RunFailure>, ProveError> {
        let Some(of_chain) = stage.chain.units.get(unit) else { return Ok(Ok(())) };
        stage.progress.unit(&of_chain.id);
        let answer = apply_unit(self.client()?, of_chain)?;
        Ok(answer.map(|_| ()).map_err(|failure| RunFailure { unit: Some(unit), ..failure }))
    }
}
