//! What usually helps, by SQLSTATE.

/// Where a migration fails because tables hold rows.
pub fn help_on_data(sqlstate: &str) -> &'static str {
    match sqlstate {
        "23502" => {
            "give the new column a default, or add it nullable, fill it in batches and SET NOT NULL in a later migration; before SET NOT \
             NULL on an old column UPDATE the rows that hold NULL"
        }
        "23503" => {
            "delete or correct the rows that refer to nothing first, or add the foreign key NOT VALID and validate it later"
        }
        "23505" => "merge or remove the duplicates first; a default that every row gets is no value for a unique column",
        "23514" => "correct the rows first, or add the constraint NOT VALID and validate it once they are",
        "23P01" => "remove the rows that exclude each other first",
        "55006" => {
            "run the change of the rows and the change of the table in migrations of their own, or SET CONSTRAINTS ALL IMMEDIATE between"
        }
        "0A000" => "the server does not do this with rows or what hangs on them: take the change apart",
        "21000" => "the query meets more than one row: say which is meant, with a condition or LIMIT 1",
        "P0001" => "the statement raises this itself where it meets rows: see what it looks for",
        "57014" => "the statement takes too long with rows: take it apart into batches",
        "22P02" | "22007" | "22003" | "22001" | "22008" | "22P03" | "22018" => {
            "convert in steps: a new column, filled with what can be converted (USING with a CASE for the rest), then the old one goes"
        }
        _ if sqlstate.starts_with("22") => "say what becomes of values that do not fit, with a CASE or a condition",
        _ => "make it independent of what the tables hold, or change the rows first",
    }
}
