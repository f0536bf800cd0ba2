//! What stands in a cluster that is not ours: whether it is nobody's, and what was made in it since.

use super::super::ServerError;
use postgres::Client;
use std::collections::BTreeSet;

/// Names of what belongs to a cluster as a whole, each with its kind: `role app`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    objects: BTreeSet<String>,
}

/// What changed in a cluster between two looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// There now and not before: `database app`, `role ada`.
    pub appeared: Vec<String>,
    /// There before and not now.
    pub vanished: Vec<String>,
}

const OBJECTS: &str = "\
    SELECT 'database ' || datname FROM pg_catalog.pg_database \
    UNION ALL SELECT 'role ' || rolname FROM pg_catalog.pg_roles \
    UNION ALL SELECT 'tablespace ' || spcname FROM pg_catalog.pg_tablespace \
    UNION ALL SELECT 'prepared transaction ' || gid FROM pg_catalog.pg_prepared_xacts \
    UNION ALL SELECT 'replication slot ' || slot_name FROM pg_catalog.pg_replication_slots";

/// What a cluster that nobody uses has not: `$1` is the database we may work from, `$2` who we are. A session of another is one
/// that has a user, since who is no superuser is not told what kind of process it is; one that is told sees replicas too.
const IN_THE_WAY: &str = "\
    SELECT 'database ' || datname FROM pg_catalog.pg_database \
    WHERE datname NOT IN ('postgres', 'template0', 'template1', $1) \
    UNION ALL SELECT 'role ' || rolname FROM pg_catalog.pg_roles \
    WHERE rolname !~ '^pg_' AND rolname <> $2 \
    UNION ALL SELECT 'tablespace ' || spcname FROM pg_catalog.pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global') \
    UNION ALL SELECT 'prepared transaction ' || gid FROM pg_catalog.pg_prepared_xacts \
    UNION ALL SELECT 'replication slot ' || slot_name FROM pg_catalog.pg_replication_slots \
    UNION ALL SELECT 'session of ' || coalesce(usename, '?') || coalesce(' in database ' || datname, '') \
    FROM pg_catalog.pg_stat_activity \
    WHERE pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL \
    AND coalesce(backend_type IN ('client backend', 'walsender'), datid IS NOT NULL)";

/// What somebody made in a database: everything that initdb makes has a number below 16384 (`FirstNormalObjectId` in the server's
/// `access/transam.h`).
const MADE_HERE: &str = "\
    SELECT 'schema ' || nspname FROM pg_catalog.pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_(toast_)?temp_' \
    UNION ALL SELECT 'relation ' || oid::regclass FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind NOT IN ('i', 'I', 't', 'c') \
    UNION ALL SELECT 'routine ' || oid::regprocedure FROM pg_catalog.pg_proc WHERE oid >= 16384 \
    UNION ALL SELECT 'type ' || oid::regtype FROM pg_catalog.pg_type \
    WHERE oid >= 16384 AND typrelid = 0 AND typelem = 0 \
    UNION ALL SELECT 'type ' || t.oid::regtype FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid = t.typrelid \
    WHERE c.oid >= 16384 AND c.relkind = 'c' \
    UNION ALL SELECT 'extension ' || extname FROM pg_catalog.pg_extension WHERE oid >= 16384 \
    UNION ALL SELECT 'event trigger ' || evtname FROM pg_catalog.pg_event_trigger \
    UNION ALL SELECT 'publication ' || pubname FROM pg_catalog.pg_publication \
    UNION ALL SELECT 'subscription ' || subname FROM pg_catalog.pg_subscription s \
    JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database() \
    UNION ALL SELECT 'foreign-data wrapper ' || fdwname FROM pg_catalog.pg_foreign_data_wrapper WHERE oid >= 16384 \
    UNION ALL SELECT 'operator ' || oid::regoperator FROM pg_catalog.pg_operator WHERE oid >= 16384 \
    UNION ALL SELECT 'collation ' || collname FROM pg_catalog.pg_collation WHERE oid >= 16384 \
    UNION ALL SELECT 'language ' || lanname FROM pg_catalog.pg_language WHERE oid >= 16384 \
    UNION ALL SELECT 'text search configuration ' || cfgname FROM pg_catalog.pg_ts_config WHERE oid >= 16384 \
    UNION ALL SELECT 'large object ' || oid FROM pg_catalog.pg_largeobject_metadata";

impl Standing {
    pub(super) fn read(client: &mut Client) -> Result<Standing, ServerError> {
        let rows = client.query(OBJECTS, &[]).map_err(failed)?;
        let objects = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed)?;
        Ok(Standing { objects })
    }

    /// From `self` to what stands there `now`.
    pub fn difference(&self, now: &Standing) -> Difference {
        Difference {
            appeared: now.objects.difference(&self.objects).cloned().collect(),
            vanished: self.objects.difference(&now.objects).cloned().collect(),
        }
    }
}

/// What in the cluster belongs to somebody, as far as it is no database's own.
pub(super) fn in_the_way(client: &mut Client, database: &str, user: &str) -> Result<Vec<String>, ServerError> {
    names(client.query(IN_THE_WAY, &[&database, &user]).map_err(failed)?)
}

/// What somebody made in the database of this connection.
pub(super) fn made_here(client: &mut Client) -> Result<Vec<String>, ServerError> {
    names(client.query(MADE_HERE, &[]).map_err(failed)?)
}

fn names(rows: Vec<postgres::Row>) -> Result<Vec<String>, ServerError> {
    let mut names: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed)?;
    names.sort();
    Ok(names)
}

fn failed(source: postgres::Error) -> ServerError {
    ServerError::Connection { action: "read what is in the cluster".to_owned(), source }
}
