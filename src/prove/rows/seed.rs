//! The user's own rows: files of SQL, each run once, as soon as the schema is there that it is for.

use super::super::server::error::described;
use postgres::{Client, Error};

/// Files that wait for their schema.
#[derive(Clone, Debug)]
pub struct Seeds<'a> {
    files: Vec<Waiting<'a>>,
}

#[derive(Clone, Debug)]
struct Waiting<'a> {
    name: &'a str,
    sql: &'a str,
    /// Why it did not run the last time; `None` once it ran.
    why: Option<String>,
    /// It ran in a database before this one.
    ran: bool,
}

impl<'a> Seeds<'a> {
    /// Files and their SQL, in the order in which they run.
    pub fn new(files: &'a [(String, String)]) -> Seeds<'a> {
        let waiting =
            |(name, sql): &'a (String, String)| Waiting { name, sql, why: Some("it was never tried".to_owned()), ran: false };
        Seeds { files: files.iter().map(waiting).collect() }
    }

    /// Tries every file that has not run yet; one that is refused leaves nothing and waits on.
    ///
    /// Fails where the connection does.
    pub fn run(&mut self, client: &mut Client) -> Result<(), Error> {
        for file in self.files.iter_mut().filter(|file| file.why.is_some()) {
            match client.batch_execute(file.sql) {
                Ok(()) => file.why = None,
                Err(error) if error.as_db_error().is_some() => {
                    file.why = Some(described(&error));
                    client.batch_execute("ROLLBACK")?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// In a database that never saw them they all wait again.
    pub fn again(&mut self) {
        for file in &mut self.files {
            file.ran |= file.why.is_none();
            file.why.get_or_insert_with(|| "it was not tried".to_owned());
        }
    }

    /// One sentence for each file whose rows are not there in the end.
    pub fn remarks(&self) -> Vec<String> {
        let remark = |file: &Waiting<'_>| {
            let when = if file.ran { "did not run again after a migration had failed on its rows" } else { "never ran" };
            Some(format!("The seed {} {when}: {}.", file.name, file.why.as_ref()?))
        };
        self.files.iter().filter_map(remark).collect()
    }
}
