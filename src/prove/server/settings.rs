//! How every server that we start is set.

/// Temporary files of one session may not grow beyond this. A role that is no superuser cannot lift it.
pub const TEMP_FILE_LIMIT: &str = "4GB";

/// Durability is off: a crash loses a server that was going to be thrown away. Time zone and messages are fixed so that what a run
/// says does not depend on the machine. The sizes of the log are PostgreSQL's own defaults, which initdb lowers for small segments.
pub(super) const SETTINGS: [(&str, &str); 10] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("autovacuum", "off"),
    ("wal_level", "logical"),
    ("min_wal_size", "80MB"),
    ("max_wal_size", "1GB"),
    ("temp_file_limit", TEMP_FILE_LIMIT),
    ("TimeZone", "UTC"),
    ("lc_messages", "C"),
];
