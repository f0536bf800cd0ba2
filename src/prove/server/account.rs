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

    /// The first of the users that a server may run as.
    fn unprivileged() -> Result<Account, ServerError> {
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Account::listed(name).or_else(|| Account::known_to_the_system(name)))
            .filter(|account| account.user != 0)
            .ok_or(ServerError::NoUnprivilegedUser)
    }

    /// From the system's own list, which costs no process.
    fn listed(name: &str) -> Option<Account> {
        let list = std::fs::read_to_string("/etc/passwd").ok()?;
        let line = list.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2);
        Some(Account { user: numbers.next()?.parse().ok()?, group: numbers.next()?.parse().ok()? })
    }

    /// From whatever directory service the machine has.
    fn known_to_the_system(name: &str) -> Option<Account> {
        let number = |flag: &str| -> Option<u32> {
            let output = Command::new("id").args([flag, name]).stderr(Stdio::null()).output().ok()?;
            std::str::from_utf8(&output.stdout).ok()?.trim().parse().ok()
        };
        Some(Account { user: number("-u")?, group: number("-g")? })
    }
}

/// Gives a file or directory to the account, where there is one.
pub(super) fn hand_over(path: &Path, account: Option<Account>) -> std::io::Result<()> {
    match account {
        Some(account) => std::os::unix::fs::lchown(path, Some(account.user), Some(account.group)),
        None => Ok(()),
    }
}
