//! Why servers usually say what they say: for each SQLSTATE that migrations meet, where to look first.

use crate::prove::cluster::Cluster;
use crate::prove::runner::RunFailure;

/// What to do about a failure: one sentence without a full stop.
///
/// SQLSTATEs are those of PostgreSQL's appendix A. `version` is `server_version_num`.
pub fn usual(failure: &RunFailure, version: u32) -> &'static str {
    let RunFailure { sqlstate, message, .. } = failure;
    let says = |words: &str| message.contains(words);
    match sqlstate.as_deref().unwrap_or_default() {
        "42501" if says("schema public") && version >= 150_000 => {
            "from 15 on only the owner of the database may create in schema public: connect as that owner, or make a schema of your own"
        }
        "42501" => "the role that migrates may not do this: grant it the right where the server is set up",
        "42P07" | "42701" | "42710" | "42P06" | "42723" => {
            "it is there already: two migrations make it, or the history begins after a snapshot that has it (give that with --schema)"
        }
        "42P01" if says("_migrations") || says("schema_") => {
            "the runner makes this table before the first migration: name a file that makes it with `setup` below [prove] in phasegate.toml"
        }
        "42P01" | "42703" | "42704" | "42883" | "3F000" if says("type") || says("function") || says("operator") => {
            "no migration before this one makes it: where an extension does, name it with `extensions` below [prove] in phasegate.toml"
        }
        "42P01" | "42703" | "42883" | "3F000" => {
            "no migration before this one makes it: where something else does, name a file that makes it with `setup` below [prove], or the \
             schema before the first migration with --schema"
        }
        "42704" if says("role") => {
            "the role is made outside of the migrations: name a file that makes it with `setup` below [prove] in phasegate.toml"
        }
        "42704" if says("configuration parameter") => {
            "a newer server has this setting, or the session is given it: name the server with --pg-version, or the setting with \
             `settings` below [prove]"
        }
        "42704" => "no migration before this one makes it",
        "55P03" => "another session holds the lock and lock_timeout ended the wait: the message says on what",
        "40P01" => {
            "two sessions wait for each other: start one runner at a time, and no CONCURRENTLY under a lock that others wait for"
        }
        "23502" => "a row would be without a value: give the column a default, or fill it before NOT NULL",
        "23505" => "two rows are equal in the key: remove the copies before the key is made",
        "23503" => "a row points to one that is not there: insert the other one first",
        "23514" => "a row is against the CHECK: mend the rows first",
        "25001" => "this cannot run in a transaction: give it a file of its own, in the runner's way out of its transaction",
        "25P02" => "an earlier statement of the same transaction failed and was ignored",
        "55P04" => "a value of an enum cannot be used in the transaction that adds it: use it in the next migration",
        "0A000" | "58P01" if says("extension") => {
            "the extension is not installed on the server: install its package, or take a container image that has it (--image)"
        }
        "0A000" => "this version of the server does not do that",
        "42601" => "the server's parser refuses it: a newer version's syntax, or a text that is no SQL",
        "57014" => "it took longer than the limit (--statement-timeout)",
        "53100" | "53400" => "it needs more disk than a disposable server is given",
        "57P01" | "57P02" | "08006" | "08003" => "the session was ended from outside",
        _ => "see what the server says, and run it by hand with --keep",
    }
}

/// The right that a refused statement wants, where it is one that the owner of a database has not.
pub fn missing_right(failure: &RunFailure, cluster: &Cluster<'_>) -> Option<&'static str> {
    let message = failure.message.to_ascii_lowercase();
    // A command's output has the SQLSTATE only where its author asked for it.
    let is_denied = match failure.sqlstate.as_deref() {
        Some(state) => state == "42501",
        None => message.contains("permission denied") || message.contains("must be superuser"),
    };
    if !is_denied || cluster.is_superuser() {
        return None;
    }
    let says = |words: &str| message.contains(words);
    Some(if says("superuser attribute") {
        "it wants a superuser: run it with --superuser where production does, or move it to where the server is set up"
    } else if says("create role")
        || says("createrole")
        || says("alter role")
        || says("drop role")
        || says("must have admin option")
    {
        if cluster.may_create_role() {
            "it wants a role's administration that its owner has not: make roles with `setup` below [prove] in phasegate.toml, or run it with --superuser"
        } else {
            "it wants CREATEROLE: --create-role gives it, which on 15 is nearly as much as a superuser has; or make the role outside of the migrations"
        }
    } else if says("create extension") || says("extension") {
        "it wants a superuser to make the extension: name it with `extensions` below [prove] in phasegate.toml"
    } else if says("superuser") {
        "it wants a superuser: run it with --superuser where production does, or move it to where the server is set up"
    } else if says("pg_") || says("event trigger") || says("foreign-data wrapper") || says("untrusted") || says("create database")
    {
        "it wants a right of administrators: run it with --superuser where production does, or move it to where the server is set up"
    } else {
        return None;
    })
}
