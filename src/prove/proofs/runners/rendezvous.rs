//! Runners meet before and after their first DDL: an event trigger holds each until all others are there too, or wait for a lock.
//!
//! Before the command, so that all of them have looked whether the object is there when the first makes it; after it and before its
//! commit, so that the others run into what is not committed. A runner that takes a lock first loses no time: the others wait for that
//! lock, which counts as being there, and so does asking for an advisory lock again and again, as long as that was the last that was
//! asked. Who polls for a row loses some, up to [`PATIENCE`] at each of [`MEETINGS`]. Who has not connected yet is
//! waited for longer: a process takes its time to start on a busy machine.
//!
//! Each meeting has a lock of its own, so that who has not woken up from the last one does not count as being at the next.
//!
//! Event triggers do not fire for roles and databases: for those see [`super::hold`]. Only a superuser can make one.

use crate::prove::cluster::Database;
use crate::prove::stage::{ProveError, while_proving};
use postgres::Client;
use std::sync::{Mutex, PoisonError};

/// How many commands of each session are held, before and after.
const MEETINGS: usize = 6;
/// Milliseconds for which a command is held at most once all runners have a session.
const PATIENCE: usize = 700;
/// Milliseconds for which all runners of a round are held together, once they have sessions: one that polls for its lock would wait at
/// each file.
const ALTOGETHER: usize = 8_000;
/// Milliseconds for which it is held at most while one has none.
const PATIENCE_AT_START: usize = 10_000;

/// A database in which runners meet.
pub struct Rendezvous(Mutex<Client>);

impl Rendezvous {
    pub fn install(database: &Database<'_>, runners: usize) -> Result<Rendezvous, ProveError> {
        let mut client = database.connect_as_administrator()?;
        let sql = format!(
            "CREATE SCHEMA phasegate_rendezvous;
             GRANT USAGE ON SCHEMA phasegate_rendezvous TO PUBLIC;
             CREATE SEQUENCE phasegate_rendezvous.open MINVALUE 0 START 0;
             CREATE SEQUENCE phasegate_rendezvous.spent MINVALUE 0 START 0;
             CREATE SEQUENCE phasegate_rendezvous.running MINVALUE -1000 MAXVALUE 1000 START {runners} INCREMENT -1;
             SELECT nextval('phasegate_rendezvous.open'), nextval('phasegate_rendezvous.running');
             CREATE FUNCTION phasegate_rendezvous.meet() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
                 SET search_path = pg_catalog SET lock_timeout = 0 SET statement_timeout = 0 AS $$
             DECLARE
                 meeting int := coalesce(nullif(current_setting('phasegate.meeting', true), ''), '0')::int + 1;
                 patience timestamptz := clock_timestamp() + interval '{PATIENCE_AT_START} milliseconds';
                 all_are_connected timestamptz;
                 spent int;
                 connected int;
                 here int;
                 opened int;
                 expected int;
             BEGIN
                 IF meeting > {MEETINGS} OR current_setting('application_name') = 'phasegate administrator' THEN RETURN; END IF;
                 SELECT last_value INTO spent FROM phasegate_rendezvous.spent;
                 IF spent > {ALTOGETHER} THEN RETURN; END IF;
                 PERFORM set_config('phasegate.meeting', meeting::text, false);
                 PERFORM pg_advisory_lock_shared(1885890401, meeting);
                 LOOP
                     SELECT count(*) INTO here FROM (
                         SELECT l.pid FROM pg_locks l
                         WHERE (l.locktype = 'advisory' AND l.classid = 1885890401 AND l.objid::int >= meeting AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
                            OR (NOT l.granted AND l.pid IN (SELECT pid FROM pg_stat_get_activity(NULL) a WHERE a.datid = (SELECT oid FROM pg_database WHERE datname = current_database())))
                         UNION SELECT a.pid FROM pg_stat_activity a
                         WHERE a.datname = current_database() AND a.state = 'idle' AND a.query ~* 'pg_try_advisory_lock'
                     ) AS those_who_wait;
                     SELECT last_value INTO opened FROM phasegate_rendezvous.open;
                     SELECT last_value INTO expected FROM phasegate_rendezvous.running;
                     EXIT WHEN opened >= meeting OR clock_timestamp() > patience;
                     SELECT count(*) INTO connected FROM pg_stat_activity
                         WHERE datname = current_database() AND backend_type = 'client backend'
                             AND application_name <> 'phasegate administrator';
                     IF connected >= expected AND all_are_connected IS NULL THEN
                         all_are_connected := clock_timestamp();
                         patience := clock_timestamp() + interval '{PATIENCE} milliseconds';
                     END IF;
                     IF here >= expected THEN
                         PERFORM setval('phasegate_rendezvous.open', greatest(meeting, opened));
                         EXIT;
                     END IF;
                     PERFORM pg_sleep(0.005);
                     PERFORM pg_stat_clear_snapshot();
                 END LOOP;
                 PERFORM pg_advisory_unlock_shared(1885890401, meeting);
                 SELECT last_value INTO spent FROM phasegate_rendezvous.spent;
                 PERFORM setval('phasegate_rendezvous.spent',
                     spent + coalesce((extract(epoch FROM clock_timestamp() - all_are_connected) * 1000)::int, 0));
             END $$;
             CREATE EVENT TRIGGER phasegate_meet_before ON ddl_command_start EXECUTE FUNCTION phasegate_rendezvous.meet();
             CREATE EVENT TRIGGER phasegate_meet_after ON ddl_command_end EXECUTE FUNCTION phasegate_rendezvous.meet();"
        );
        client
            .batch_execute("SET application_name = 'phasegate administrator'")
            .map_err(while_proving("prepare a rendezvous"))?;
        client.batch_execute(&sql).map_err(while_proving("prepare a rendezvous"))?;
        Ok(Rendezvous(Mutex::new(client)))
    }

    /// Nobody waits for a runner that is over.
    pub fn one_has_ended(&self) -> Result<(), ProveError> {
        let mut client = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        client.batch_execute("SELECT nextval('phasegate_rendezvous.running')").map_err(while_proving("keep a rendezvous"))
    }

    /// The database is as it was without it.
    pub fn remove(self) -> Result<(), ProveError> {
        const SQL: &str = "DROP EVENT TRIGGER phasegate_meet_before; DROP EVENT TRIGGER phasegate_meet_after; \
             SET client_min_messages = error; DROP SCHEMA phasegate_rendezvous CASCADE";
        let mut client = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        client.batch_execute(SQL).map_err(while_proving("end a rendezvous"))
    }
}
