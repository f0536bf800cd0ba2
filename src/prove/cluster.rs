//! Databases to run migrations in: made as copies, thrown away, and the cluster around them put back as it was.
//!
//! Migrations come from merge requests: they run as a role that owns its database and is no superuser unless the user says so. What
//! they leave outside of their database (roles, other databases, tablespaces, settings of roles) is found and removed by
//! [`Cluster::reset`], so that no proof meets what another one left.

use super::idle::Idle;
use super::server::{Login, Secret, Server, ServerError};
use super::sessions;
use crate::sql::names::quote_identifier;
use postgres::Client;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// The role that owns the databases and runs the migrations.
pub const OWNER: &str = "phasegate_owner";
/// What every database of ours is called, with a number behind.
pub const PREFIX: &str = "phasegate_";
const BASE: &str = "phasegate_base";

/// What is there before the first migration, and what migrations may do.
#[derive(Clone, Debug, Default)]
pub struct ClusterOptions {
    /// The owner is a superuser.
    pub superuser: bool,
    /// The owner may make roles, also before version 16, where that is nearly as much as a superuser may.
    pub create_role: bool,
    /// Extensions that are made by the administrator.
    pub extensions: Vec<String>,
    /// Run by the owner; the name is for messages.
    pub set_up: Vec<SetUp>,
    /// Schemas that unqualified names are looked up in; empty leaves the server's default.
    pub search_path: Vec<String>,
    /// Settings of each database, as `ALTER DATABASE … SET` takes them.
    pub settings: Vec<(String, String)>,
    /// Milliseconds after which a statement is stopped, where the migration itself says nothing else.
    pub statement_timeout: u64,
}

/// A file that runs before the first migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetUp {
    pub name: String,
    pub sql: String,
}

/// A server made ready: an owner, and a database with all that migrations find.
#[derive(Debug)]
pub struct Cluster<'a> {
    server: &'a dyn Server,
    owner: Login,
    options: ClusterOptions,
    create_role: bool,
    next: AtomicUsize,
    before: Inventory,
    is_kept: AtomicBool,
    administrators: Idle,
}

/// What stands in a cluster beside the contents of databases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Inventory {
    roles: BTreeSet<String>,
    databases: BTreeSet<String>,
    tablespaces: BTreeSet<String>,
}

impl<'a> Cluster<'a> {
    /// Makes the owner, and the database that all others are copies of.
    ///
    /// Fails where the server says no, and where the set-up does: its file is named.
    pub fn prepare(server: &'a dyn Server, options: &ClusterOptions) -> Result<Cluster<'a>, ServerError> {
        let password =
            Secret::random().map_err(|source| ServerError::Io { action: "read", path: "/dev/urandom".into(), source })?;
        let mut cluster = Cluster {
            server,
            owner: Login::new(OWNER, password),
            create_role: options.create_role || server.version() >= 160_000,
            options: options.clone(),
            next: AtomicUsize::new(1),
            before: Inventory::default(),
            is_kept: AtomicBool::new(false),
            administrators: Idle::default(),
        };
        cluster.administer(|client| {
            run(client, "make the owner role", &format!("CREATE ROLE {OWNER}"))?;
            cluster.restore_owner(client)?;
            if !server.has_superuser() {
                // Who is no superuser gives a database only to a role that he is a member of.
                run(client, "become a member of the owner role", &format!("GRANT {OWNER} TO CURRENT_USER"))?;
            }
            run(client, "make a database", &format!("CREATE DATABASE {BASE} OWNER {OWNER}"))?;
            let limit = format!("ALTER DATABASE {BASE} SET statement_timeout = {}", options.statement_timeout);
            run(client, "limit the time of statements", &limit)
        })?;
        cluster.set_up(options)?;
        cluster.before = cluster.administer(Inventory::read)?;
        Ok(cluster)
    }

    fn set_up(&self, options: &ClusterOptions) -> Result<(), ServerError> {
        let base = Database { cluster: self, name: BASE.to_owned(), keep: true };
        let mut administrator = base.connect_as_administrator()?;
        for name in &options.extensions {
            let create = format!("CREATE EXTENSION IF NOT EXISTS {} CASCADE", quote_identifier(name));
            run(&mut administrator, &format!("make the extension {name}"), &create)?;
        }
        let mut owner = base.connect()?;
        for (name, value) in &options.settings {
            let set = format!("ALTER DATABASE {BASE} SET {} = '{}'", quoted_setting(name), value.replace('\'', "''"));
            let of_nobody = is_of_nobody(&mut administrator, name)?;
            run(if of_nobody { &mut administrator } else { &mut owner }, &format!("set {name}"), &set)?;
        }
        if !options.search_path.is_empty() {
            let schemas: Vec<String> = options.search_path.iter().map(|schema| quote_identifier(schema)).collect();
            run(&mut owner, "set search_path", &format!("ALTER DATABASE {BASE} SET search_path = {}", schemas.join(", ")))?;
        }
        for SetUp { name, sql } in &options.set_up {
            // A session of its own: what one file sets is gone with it, what a database is set to holds.
            run(&mut base.connect()?, &format!("run the set-up {name}"), sql)?;
        }
        Ok(())
    }

    /// What is there before the first migration.
    pub fn options(&self) -> &ClusterOptions {
        &self.options
    }

    pub fn server(&self) -> &'a dyn Server {
        self.server
    }

    /// The role that migrations run as.
    pub fn owner(&self) -> &Login {
        &self.owner
    }

    /// The owner is a superuser.
    pub fn is_superuser(&self) -> bool {
        self.options.superuser
    }

    /// The owner may make roles.
    pub fn may_create_role(&self) -> bool {
        self.create_role || self.options.superuser
    }

    /// Everything stays as it is.
    pub fn keep(&self) {
        self.is_kept.store(true, Ordering::SeqCst);
    }

    /// Does something in a session of the administrator's in the maintenance database. It has to leave nothing in the session.
    pub fn administer<T>(&self, work: impl FnOnce(&mut Client) -> Result<T, ServerError>) -> Result<T, ServerError> {
        let mut client = match self.administrators.take() {
            Some(client) => client,
            None => self.server.connect_as(self.server.maintenance_database(), self.server.administrator())?,
        };
        let done = work(&mut client)?;
        self.administrators.put(client);
        Ok(done)
    }

    /// A database as the first migration finds it.
    pub fn fresh(&self) -> Result<Database<'_>, ServerError> {
        self.copy(BASE)
    }

    /// A copy of a database as it is now. Sessions in it are ended: the server copies only what nobody uses.
    pub fn copy_of(&self, database: &Database<'_>) -> Result<Database<'_>, ServerError> {
        database.end_sessions()?;
        self.copy(&database.name)
    }

    fn copy(&self, template: &str) -> Result<Database<'_>, ServerError> {
        let name = format!("{PREFIX}{}", self.next.fetch_add(1, Ordering::Relaxed));
        // Files are copied, which costs a checkpoint and no log: a disposable server does not wait for its disk.
        let create = format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER} STRATEGY file_copy");
        // Settings of a database are not copied with it: they are said again.
        const SETTINGS: &str = "SELECT unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting s \
             JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase WHERE d.datname = $1 AND s.setrole = 0";
        self.administer(|client| {
            let settings = client.query(SETTINGS, &[&template]).map_err(failed("read the settings of a database"))?;
            run(client, "make a database", &create)?;
            let database = Database { cluster: self, name, keep: false };
            for row in settings {
                let setting: String = row.try_get(0).map_err(failed("read the settings of a database"))?;
                let Some((setting, value)) = setting.split_once('=') else { continue };
                let value = value.replace('\'', "''");
                let set = format!("ALTER DATABASE {} SET {} = '{value}'", database.name, quoted_setting(setting));
                run(client, "set what the database was set to", &set)?;
            }
            Ok(database)
        })
    }

    /// Removes what migrations left beside their own database. Databases of ours must be gone by then.
    pub fn reset(&self) -> Result<(), ServerError> {
        self.administer(|client| {
            let now = Inventory::read(client)?;
            for database in now.databases.difference(&self.before.databases) {
                self.remove(client, database)?;
            }
            for tablespace in now.tablespaces.difference(&self.before.tablespaces) {
                run(client, "remove a tablespace", &format!("DROP TABLESPACE {}", quote_identifier(tablespace)))?;
            }
            self.restore_owner(client)?;
            let made: Vec<&String> = now.roles.difference(&self.before.roles).collect();
            for role in &made {
                // What it may do in databases that stay.
                run(client, "remove what a role owns", &format!("DROP OWNED BY {} CASCADE", quote_identifier(role)))?;
            }
            for role in made {
                run(client, "remove a role", &format!("DROP ROLE {}", quote_identifier(role)))?;
            }
            Ok(())
        })
    }

    /// The owner as it was made, whatever a migration did to it.
    fn restore_owner(&self, client: &mut Client) -> Result<(), ServerError> {
        let option = |holds: bool, word: &str| if holds { word.to_owned() } else { format!("NO{word}") };
        let statement = format!(
            "ALTER ROLE {OWNER} LOGIN {} {} NOCREATEDB CONNECTION LIMIT -1 VALID UNTIL 'infinity' PASSWORD '{}'; \
             ALTER ROLE {OWNER} RESET ALL",
            // Only a superuser may say so, even that somebody is none; then nobody else can have changed it either.
            if self.server.has_superuser() || self.options.superuser {
                option(self.options.superuser, "SUPERUSER")
            } else {
                String::new()
            },
            option(self.create_role, "CREATEROLE"),
            self.owner.password.reveal()
        );
        run(client, "make the owner role", &statement)
    }

    fn remove(&self, client: &mut Client, database: &str) -> Result<(), ServerError> {
        self.empty_for_removal(client, database)?;
        end_sessions(client, database)?;
        run(client, "remove a database", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote_identifier(database)))
    }

    /// What stops a database from being dropped, FORCE or not: prepared transactions, replication slots, subscriptions.
    fn empty_for_removal(&self, client: &mut Client, database: &str) -> Result<(), ServerError> {
        const ACTION: &str = "read what a database holds";
        let text = |row: &postgres::Row| row.try_get::<_, String>(0).map_err(failed(ACTION));
        let prepared = client
            .query("SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = $1", &[&database])
            .map_err(failed(ACTION))?;
        let subscriptions = client
            .query(
                "SELECT s.subname::text FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid \
                 WHERE d.datname = $1",
                &[&database],
            )
            .or_else(|error| if self.server.has_superuser() { Err(error) } else { Ok(Vec::new()) })
            .map_err(failed(ACTION))?;
        if !prepared.is_empty() || !subscriptions.is_empty() {
            let mut inside = self.server.connect_as(database, self.server.administrator())?;
            for row in &prepared {
                let gid = text(row)?.replace('\'', "''");
                run(&mut inside, "roll back a prepared transaction", &format!("ROLLBACK PREPARED '{gid}'"))?;
            }
            for row in &subscriptions {
                let name = quote_identifier(&text(row)?);
                let drop = format!(
                    "ALTER SUBSCRIPTION {name} DISABLE; ALTER SUBSCRIPTION {name} SET (slot_name = NONE); DROP SUBSCRIPTION {name}"
                );
                for statement in drop.split("; ") {
                    run(&mut inside, "remove a subscription", statement)?;
                }
            }
        }
        let slots =
            "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE database = $1";
        client.query(slots, &[&database]).map_err(failed("remove replication slots"))?;
        Ok(())
    }
}

impl Drop for Cluster<'_> {
    /// Nothing of ours stays on a server that stays. What cannot be removed is found by whoever looks at the server next.
    fn drop(&mut self) {
        if self.is_kept.load(Ordering::SeqCst) {
            return;
        }
        let _ = self.reset();
        let _ = self.administer(|client| self.remove(client, BASE));
        let _ = self.administer(|client| run(client, "remove the owner role", &format!("DROP ROLE IF EXISTS {OWNER}")));
    }
}

impl Inventory {
    fn read(client: &mut Client) -> Result<Inventory, ServerError> {
        let mut names = |query: &str| -> Result<BTreeSet<String>, ServerError> {
            let rows = client.query(query, &[]).map_err(failed("read what is in the cluster"))?;
            rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed("read what is in the cluster"))
        };
        Ok(Inventory {
            roles: names("SELECT rolname::text FROM pg_catalog.pg_roles")?,
            databases: names("SELECT datname::text FROM pg_catalog.pg_database")?,
            tablespaces: names("SELECT spcname::text FROM pg_catalog.pg_tablespace")?,
        })
    }
}

/// A database of ours, gone when this is dropped.
#[derive(Debug)]
pub struct Database<'a> {
    cluster: &'a Cluster<'a>,
    name: String,
    keep: bool,
}

impl<'a> Database<'a> {
    /// Needs no quotes in SQL.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn cluster(&self) -> &'a Cluster<'a> {
        self.cluster
    }

    /// A new connection as the owner.
    pub fn connect(&self) -> Result<Client, ServerError> {
        self.cluster.server.connect_as(&self.name, &self.cluster.owner)
    }

    /// A new connection as the administrator.
    pub fn connect_as_administrator(&self) -> Result<Client, ServerError> {
        self.cluster.server.connect_as(&self.name, self.cluster.server.administrator())
    }

    /// Ends every session in it.
    pub fn end_sessions(&self) -> Result<(), ServerError> {
        self.cluster.administer(|client| end_sessions(client, &self.name))
    }

    /// Leaves it where it is, for the user to look at.
    pub fn keep(mut self) -> String {
        self.keep = true;
        self.name.clone()
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        // A server that is gone took the database with it; else the next reset meets it and says what is wrong.
        let _ = self.cluster.administer(|client| self.cluster.remove(client, &self.name));
    }
}

/// How long a session may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database is copied and dropped only while nobody is in it.
fn end_sessions(client: &mut Client, database: &str) -> Result<(), ServerError> {
    sessions::end(client, "datname = $1", &[&database], PATIENCE).map_err(failed("end the sessions of a database"))
}

/// `app.name` is two identifiers with a dot between.
fn quoted_setting(name: &str) -> String {
    name.split('.').map(quote_identifier).collect::<Vec<_>>().join(".")
}

/// True for a setting of the application's own (`app.tenant`), which means nothing to the server and which only a superuser may give a
/// database; false for the server's own and those of extensions, some of which run code.
fn is_of_nobody(client: &mut Client, name: &str) -> Result<bool, ServerError> {
    const EXTENSION: &str =
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE pg_catalog.starts_with(name, $1))";
    let Some((prefix, _)) = name.split_once('.') else { return Ok(false) };
    let row = client.query_one(EXTENSION, &[&prefix]).map_err(failed("look for an extension"))?;
    row.try_get(0).map(|is_known: bool| !is_known).map_err(failed("look for an extension"))
}

fn run(client: &mut Client, action: &str, sql: &str) -> Result<(), ServerError> {
    client.batch_execute(sql).map_err(failed(action))
}

fn failed(action: &str) -> impl FnOnce(postgres::Error) -> ServerError + use<> {
    let action = action.to_owned();
    move |source| ServerError::Connection { action, source }
}
