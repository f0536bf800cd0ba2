//! Whom a local server runs as.

use super::ServerError;
use std::path::Path;
use std::process::{Command, Stdio};

/// User and group the server runs as, where it is not our own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub(super) user: u32,
    pub(super) group: u32,
}

impl Account {
    /// `None` where we may run a server ourselves: PostgreSQL refuses root, and root alone.
    ///
    /// Fails where we are root and nobody else is there.
    pub(super) fn needed() -> Result<Option<Account>, ServerError> {
        if rustix::process::geteuid().is_root() { Account::unprivileged().map(Some) } else { Ok(None) }
    }

    /// The first of the users that a server may run as; `id` asks whatever directory service the machine has.
    fn unprivileged() -> Result<Account, ServerError> {
        let number = |flag: &str, name: &str| -> Option<u32> {
            let output = Command::new("id").args([flag, name]).stderr(Stdio::null()).output().ok()?;
            std::str::from_utf8(&output.stdout).ok()?.trim().parse().ok()
        };
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Some(Account { user: number("-u", name)?, group: number("-g", name)? }))
            .filter(|account| account.user != 0)
            .ok_or(ServerError::NoUnprivilegedUser)
    }
}

/// Gives a file or directory to the account, where there is one.
pub(super) fn hand_over(path: &Path, account: Option<Account>) -> std::io::Result<()> {
    match account {
        Some(account) => std::os::unix::fs::lchown(path, Some(account.user), Some(account.group)),
        None => Ok(()),
    }
}
