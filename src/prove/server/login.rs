//! Who connects, and a password that no message shows.

use std::fmt;

/// A role and how it shows that it is that role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: Secret,
}

/// A password. It is printed as `***`, whatever prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// A password that nobody can guess: 32 hexadecimal digits of the system's random numbers.
    ///
    /// Fails where the system has none.
    pub fn random() -> std::io::Result<Secret> {
        let mut bytes = [0; 16];
        std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
        Ok(Secret(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The password itself, for a connection or the environment of a program, and for nothing that is shown or logged.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

impl Login {
    pub fn new(user: impl Into<String>, password: Secret) -> Login {
        Login { user: user.into(), password }
    }
}
