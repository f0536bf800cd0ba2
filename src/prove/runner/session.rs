//! The sessions of one call of a runner, which can all be ended from outside.

use super::{Call, RunnerError};
use crate::prove::server::{Endpoint, ServerError};
use postgres::{Client, Config, NoTls};
use std::sync::{Mutex, PoisonError};

/// Opens sessions, and knows their servers' processes.
#[derive(Debug)]
pub struct Sessions<'a> {
    call: &'a Call<'a>,
    processes: Mutex<Vec<i32>>,
}

impl<'a> Sessions<'a> {
    pub fn of(call: &'a Call<'a>) -> Sessions<'a> {
        Sessions { call, processes: Mutex::new(Vec::new()) }
    }

    /// A new session as the owner, through what stands in between where there is something.
    pub fn open(&self) -> Result<Client, RunnerError> {
        let mut client = match self.call.through {
            None => self.call.database.connect()?,
            Some(endpoint) => connect(endpoint, self.call)?,
        };
        let row = client.query_one("SELECT pg_catalog.pg_backend_pid()", &[]);
        let process = row.and_then(|row| row.try_get(0)).map_err(connection("ask for the session's process"))?;
        self.processes.lock().unwrap_or_else(PoisonError::into_inner).push(process);
        Ok(client)
    }

    /// Ends all of them, by a session of the administrator's. Where none is to be had, the server is gone, and they with it.
    pub fn end(&self) {
        let processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let _ = self.call.database.cluster().administer(|administrator| {
            for process in processes {
                // One that ended by itself is what this wants.
                let _ = administrator.query("SELECT pg_catalog.pg_terminate_backend($1)", &[&process]);
            }
            Ok(())
        });
    }
}

/// For `map_err`.
pub fn connection(action: &'static str) -> impl FnOnce(postgres::Error) -> RunnerError {
    move |source| RunnerError::Connection { action, source }
}

fn connect(endpoint: &Endpoint, call: &Call<'_>) -> Result<Client, RunnerError> {
    let owner = call.database.cluster().owner();
    let mut config = Config::new();
    match endpoint {
        Endpoint::Unix { directory, port } => config.host_path(directory).port(*port),
        Endpoint::Tcp { host, port, .. } => config.host(host).port(*port),
    };
    config.user(&owner.user).password(owner.password.reveal()).dbname(call.database.name());
    let failed = |source| ServerError::Connection { action: format!("connect to database {}", call.database.name()), source };
    Ok(config.connect(NoTls).map_err(failed)?)
}
