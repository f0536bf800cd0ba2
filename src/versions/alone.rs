//! Which statements PostgreSQL refuses inside of a transaction block (25001), and what counts as one. Servers of every known version said
//! it: `tests/alone.rs` runs the witnesses in `alone.sql`, writes `alone.txt`, and compares.
//!
//! A message of several statements is a block for all of them: neither the first of them nor what follows a COMMIT in it is by itself.

use super::PostgresVersions;
use crate::op::{AlterTableCommand, ObjectKind, Op, ReindexKind};
use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("alone.txt");

/// Where a statement may stand, other than as a transaction of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Between BEGIN and COMMIT.
    Block,
    /// In a DO block, function or procedure.
    Function,
    /// The first of several statements in one simple-query message.
    BatchFirst,
    /// A later one of them.
    BatchLater,
    /// A later one of them, after a COMMIT.
    BatchAfterCommit,
}

impl Place {
    pub const ALL: [Place; 5] = [Place::Block, Place::Function, Place::BatchFirst, Place::BatchLater, Place::BatchAfterCommit];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Place::Block => "block",
            Place::Function => "function",
            Place::BatchFirst => "batch-first",
            Place::BatchLater => "batch-later",
            Place::BatchAfterCommit => "batch-after-commit",
        }
    }

    fn named(name: &str) -> Option<Place> {
        Self::ALL.into_iter().find(|place| place.name() == name)
    }
}

/// Makes the enum and the names of `alone.sql` from one list.
macro_rules! forms {
    ($($(#[$doc:meta])* $variant:ident $name:literal $words:literal)*) => {
        /// Statements that are refused somewhere, and those that one could mistake for them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Alone {
            $($(#[$doc])* $variant,)*
        }

        impl Alone {
            pub const ALL: &'static [Alone] = &[$(Alone::$variant),*];

            /// The name in `alone.sql`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Alone::$variant => $name,)*
                }
            }

            /// What it is in a message.
            pub fn words(self) -> &'static str {
                match self {
                    $(Alone::$variant => $words,)*
                }
            }
        }
    };
}

forms! {
    CreateIndexConcurrently "create-index-concurrently" "CREATE INDEX CONCURRENTLY"
    DropIndexConcurrently "drop-index-concurrently" "DROP INDEX CONCURRENTLY"
    /// Of an index, a table, or a partitioned one.
    ReindexConcurrently "reindex-concurrently" "REINDEX CONCURRENTLY"
    Reindex "reindex" "REINDEX"
    /// Of a partitioned table or index.
    ReindexPartitioned "reindex-partitioned" "REINDEX of a partitioned relation"
    /// REINDEX SCHEMA, DATABASE or SYSTEM.
    ReindexSchema "reindex-schema" "REINDEX of a schema or database"
    Vacuum "vacuum" "VACUUM"
    Analyze "analyze" "ANALYZE"
    Cluster "cluster" "CLUSTER"
    /// CLUSTER without a table.
    ClusterEverything "cluster-everything" "CLUSTER of all tables"
    ClusterPartitioned "cluster-partitioned" "CLUSTER of a partitioned table"
    DetachConcurrently "detach-concurrently" "DETACH PARTITION CONCURRENTLY"
    Detach "detach" "DETACH PARTITION"
    RefreshConcurrently "refresh-concurrently" "REFRESH MATERIALIZED VIEW CONCURRENTLY"
    AddEnumValue "add-enum-value" "ALTER TYPE ADD VALUE"
    Truncate "truncate" "TRUNCATE"
    DiscardAll "discard-all" "DISCARD ALL"
    DiscardOther "discard-other" "DISCARD"
    AlterSystem "alter-system" "ALTER SYSTEM"
    CreateDatabase "create-database" "CREATE DATABASE"
    DropDatabase "drop-database" "DROP DATABASE"
    /// ALTER DATABASE … SET TABLESPACE.
    MoveDatabase "move-database" "ALTER DATABASE SET TABLESPACE"
    AlterDatabase "alter-database" "ALTER DATABASE"
    CreateTablespace "create-tablespace" "CREATE TABLESPACE"
    DropTablespace "drop-tablespace" "DROP TABLESPACE"
    /// With a replication slot on the other server, as when nothing else is said.
    CreateSubscription "create-subscription" "CREATE SUBSCRIPTION with a slot"
    CreateSubscriptionWithoutSlot "create-subscription-without-slot" "CREATE SUBSCRIPTION without a slot"
    DropSubscription "drop-subscription" "DROP SUBSCRIPTION with a slot"
    /// Of one that has `slot_name = NONE`.
    DropSubscriptionWithoutSlot "drop-subscription-without-slot" "DROP SUBSCRIPTION without a slot"
    /// ALTER SUBSCRIPTION … REFRESH PUBLICATION.
    RefreshSubscription "refresh-subscription" "ALTER SUBSCRIPTION REFRESH PUBLICATION"
    /// ALTER SUBSCRIPTION … SET, ADD or DROP PUBLICATION, which refreshes unless it is told not to.
    SetSubscriptionPublication "set-subscription-publication" "ALTER SUBSCRIPTION with a refresh"
    SetSubscriptionPublicationWithoutRefresh "set-subscription-publication-without-refresh" "ALTER SUBSCRIPTION without a refresh"
    AlterSubscription "alter-subscription" "ALTER SUBSCRIPTION"
    /// COMMIT PREPARED, ROLLBACK PREPARED.
    CommitPrepared "commit-prepared" "COMMIT or ROLLBACK PREPARED"
}

/// The places that refuse a form, for versions in a row.
type Refusals = Vec<(PostgresVersions, Vec<Place>)>;

static REFUSED: LazyLock<HashMap<&'static str, Refusals>> = LazyLock::new(|| {
    let mut refused: HashMap<&'static str, Refusals> = HashMap::new();
    for (name, versions, places) in TABLE.lines().filter_map(line_of) {
        refused.entry(name).or_default().push((versions, places));
    }
    refused
});

fn line_of(line: &'static str) -> Option<(&'static str, PostgresVersions, Vec<Place>)> {
    let mut words = line.split(' ');
    let (name, versions) = (words.next()?, words.next()?.parse().ok()?);
    let places = words.filter(|word| *word != "-").map(Place::named).collect::<Option<Vec<Place>>>()?;
    Some((name, versions, places))
}

impl Alone {
    /// True where one of these versions refuses it there.
    pub fn refused_in(self, place: Place, versions: PostgresVersions) -> bool {
        REFUSED
            .get(self.name())
            .into_iter()
            .flatten()
            .any(|(on, places)| on.oldest <= versions.newest && versions.oldest <= on.newest && places.contains(&place))
    }

    /// True where a file holds nothing but what `refuses` a transaction, and settings for it: whoever writes that has a runner that
    /// opens none. `None` among the operations is a statement that does not parse.
    pub fn are_kept_apart<'a>(operations: impl IntoIterator<Item = Option<&'a Op>>, refuses: impl Fn(&Op) -> bool) -> bool {
        let mut is_any = false;
        for op in operations {
            match op {
                Some(op) if refuses(op) => is_any = true,
                Some(Op::Set(_) | Op::Show) => {}
                Some(_) | None => return false,
            }
        }
        is_any
    }

    /// What an operation is in this respect; `None` for one that no transaction refuses. `is_partitioned`: its table or index is
    /// partitioned; where that is not known, false. Not told here: DROP SUBSCRIPTION, as no text says whether
    /// the subscription has a slot by then.
    pub fn of(op: &Op, is_partitioned: bool) -> Option<Alone> {
        match op {
            Op::CreateIndex(index) => index.concurrently.then_some(Alone::CreateIndexConcurrently),
            Op::Reindex { kind, concurrently, .. } => Some(match kind {
                ReindexKind::Schema | ReindexKind::System | ReindexKind::Database => Alone::ReindexSchema,
                ReindexKind::Index | ReindexKind::Table if *concurrently => Alone::ReindexConcurrently,
                ReindexKind::Index | ReindexKind::Table if is_partitioned => Alone::ReindexPartitioned,
                ReindexKind::Index | ReindexKind::Table => Alone::Reindex,
            }),
            Op::Vacuum { analyze_only, .. } => Some(if *analyze_only { Alone::Analyze } else { Alone::Vacuum }),
            Op::Cluster { relation } => Some(match relation {
                None => Alone::ClusterEverything,
                Some(_) if is_partitioned => Alone::ClusterPartitioned,
                Some(_) => Alone::Cluster,
            }),
            Op::AlterTable(alter) => alter.commands.iter().find_map(|command| match command {
                AlterTableCommand::DetachPartition { concurrently: true, .. } => Some(Alone::DetachConcurrently),
                _ => None,
            }),
            Op::Refresh { concurrently, .. } => concurrently.then_some(Alone::RefreshConcurrently),
            Op::Discard { all } => Some(if *all { Alone::DiscardAll } else { Alone::DiscardOther }),
            Op::AlterSettings { scope, .. } => (scope == "system").then_some(Alone::AlterSystem),
            Op::Drop { objects, concurrently, .. } => {
                let kind = objects.first()?.kind;
                match kind {
                    ObjectKind::Index if *concurrently => Some(Alone::DropIndexConcurrently),
                    _ => of_cluster_wide(kind, Alone::DropDatabase, Alone::DropTablespace),
                }
            }
            Op::CreateSubscription { makes_slot, .. } => {
                Some(if *makes_slot { Alone::CreateSubscription } else { Alone::CreateSubscriptionWithoutSlot })
            }
            Op::AlterSubscription { refreshes, .. } => {
                Some(if *refreshes { Alone::RefreshSubscription } else { Alone::AlterSubscription })
            }
            Op::CreateOther { object, .. } => of_cluster_wide(object.kind, Alone::CreateDatabase, Alone::CreateTablespace),
            Op::AlterOther { object, options } if object.kind == ObjectKind::Database => {
                let moves = options.iter().any(|(name, _)| name == "tablespace");
                Some(if moves { Alone::MoveDatabase } else { Alone::AlterDatabase })
            }
            Op::CreateSchema { .. }
            | Op::CreateTable(_)
            | Op::CreateTableAs(_)
            | Op::CreateView(_)
            | Op::CreateSequence { .. }
            | Op::AlterSequence { .. }
            | Op::AlterAllInTablespace
            | Op::CreateType { .. }
            | Op::CreateDomain { .. }
            | Op::AlterEnum { .. }
            | Op::AlterDomain { .. }
            | Op::CreateRoutine(_)
            | Op::AlterRoutine { .. }
            | Op::CreateAggregate { .. }
            | Op::CreateTrigger(_)
            | Op::CreateEventTrigger { .. }
            | Op::AlterEventTrigger { .. }
            | Op::CreateRule { .. }
            | Op::CreatePolicy(_)
            | Op::AlterPolicy(_)
            | Op::CreateExtension { .. }
            | Op::AlterExtension { .. }
            | Op::AlterOther { .. }
            | Op::Rename { .. }
            | Op::SetSchema { .. }
            | Op::SetOwner { .. }
            | Op::DependsOnExtension { .. }
            | Op::Comment { .. }
            | Op::SecurityLabel
            | Op::Grant(_)
            | Op::GrantRole { .. }
            | Op::CreateRole { .. }
            | Op::AlterRole { .. }
            | Op::DropRole { .. }
            | Op::DropOwned { .. }
            | Op::ReassignOwned { .. }
            | Op::CreatePublication { .. }
            | Op::AlterPublication { .. }
            | Op::Dml(_)
            | Op::Select(_)
            | Op::Truncate { .. }
            | Op::Copy { .. }
            | Op::Lock { .. }
            | Op::Transaction(_)
            | Op::Set(_)
            | Op::Show
            | Op::SetConstraints { .. }
            | Op::Call { .. }
            | Op::Do(_)
            | Op::Explain { .. }
            | Op::Session { .. }
            | Op::ImportForeignSchema { .. }
            | Op::Load { .. }
            | Op::Unclassified { .. } => None,
        }
    }
}

fn of_cluster_wide(kind: ObjectKind, database: Alone, tablespace: Alone) -> Option<Alone> {
    match kind {
        ObjectKind::Database => Some(database),
        ObjectKind::Tablespace => Some(tablespace),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::KNOWN;

    #[test]
    fn every_line_is_understood_and_every_form_has_one() {
        assert!(TABLE.lines().all(|line| line_of(line).is_some()));
        for form in Alone::ALL {
            assert!(REFUSED.contains_key(form.name()), "{}", form.name());
        }
        assert_eq!(REFUSED.len(), Alone::ALL.len());
    }

    #[test]
    fn a_message_of_several_statements_is_a_block_for_each_of_them() {
        for form in [Alone::CreateIndexConcurrently, Alone::DropIndexConcurrently, Alone::Vacuum, Alone::CreateDatabase] {
            for place in Place::ALL {
                assert!(form.refused_in(place, KNOWN), "{form:?} {place:?}");
            }
        }
        for form in [Alone::Reindex, Alone::Cluster, Alone::RefreshConcurrently, Alone::AddEnumValue, Alone::Truncate] {
            assert!(Place::ALL.into_iter().all(|place| !form.refused_in(place, KNOWN)), "{form:?}");
        }
    }
}
