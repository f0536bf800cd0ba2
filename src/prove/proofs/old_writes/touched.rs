//! Which relations a unit may have changed for their old clients.
//!
//! Every catalog row carries the transaction that wrote it. A relation whose own rows (columns, defaults, constraints, indexes, triggers,
//! policies, rules) are all the same is the same; what else can change a statement (routines, types, sequences, schemas, settings,
//! publications) makes all relations count, unless it is new. Views and partitions count with what they stand on, both sides of a
//! foreign key count together, and a relation with triggers, rules or policies whenever anything changed: their code reaches anywhere.

use super::super::super::stage::{ProveError, while_proving};
use super::Oid;
use postgres::{Client, Error};
use std::collections::{BTreeMap, BTreeSet};

/// The catalogs at one moment.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    relations: BTreeMap<Oid, String>,
    /// What relations share, one for each object.
    shared: BTreeMap<String, String>,
}

impl Digest {
    pub fn read(client: &mut Client) -> Result<Digest, ProveError> {
        read(client).map_err(while_proving("read the catalogs"))
    }

    pub fn relations(&self) -> impl Iterator<Item = Oid> {
        self.relations.keys().copied()
    }

    pub fn has(&self, relation: Oid) -> bool {
        self.relations.contains_key(&relation)
    }

    /// Relations of either moment that may behave otherwise now.
    pub fn touched_since(&self, before: &Digest, client: &mut Client) -> Result<BTreeSet<Oid>, ProveError> {
        let all = || self.relations().chain(before.relations()).collect::<BTreeSet<Oid>>();
        let is_strict = |name: &str| name.starts_with("publication") || name.starts_with("setting");
        let gone = before.shared.iter().any(|(name, row)| self.shared.get(name) != Some(row));
        let strict = self.shared.keys().any(|name| is_strict(name) && !before.shared.contains_key(name));
        if gone || strict {
            return Ok(all());
        }
        let mut touched: BTreeSet<Oid> =
            all().into_iter().filter(|oid| self.relations.get(oid) != before.relations.get(oid)).collect();
        if touched.is_empty() {
            return Ok(touched);
        }
        let links = links(client).map_err(while_proving("read what depends on what"))?;
        touched.extend(links.with_code);
        loop {
            let count = touched.len();
            for (from, to) in &links.pairs {
                if touched.contains(from) {
                    touched.insert(*to);
                }
            }
            if touched.len() == count {
                return Ok(touched);
            }
        }
    }
}

/// `n` is the row of `pg_namespace`.
macro_rules! user_schema {
    () => {
        "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    };
}

fn read(client: &mut Client) -> Result<Digest, Error> {
    const RELATIONS: &str = concat!(
        "SELECT c.oid, concat_ws('|', c.xmin, c.ctid, ",
        "(SELECT string_agg(concat(x.attnum, ':', x.xmin, x.ctid), ',' ORDER BY x.attnum) FROM pg_catalog.pg_attribute x WHERE x.attrelid = c.oid), ",
        "(SELECT string_agg(concat(x.xmin, x.ctid), ',' ORDER BY x.oid) FROM pg_catalog.pg_attrdef x WHERE x.adrelid = c.oid), ",
        "(SELECT string_agg(concat(x.xmin, x.ctid), ',' ORDER BY x.oid) FROM pg_catalog.pg_constraint x WHERE x.conrelid = c.oid), ",
        "(SELECT string_agg(concat(x.xmin, x.ctid), ',' ORDER BY x.indexrelid) FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid), ",
        "(SELECT string_agg(concat(x.xmin, x.ctid), ',' ORDER BY x.oid) FROM pg_catalog.pg_trigger x WHERE x.tgrelid = c.oid), ",
        "(SELECT string_agg(concat(x.xmin, x.ctid), ',' ORDER BY x.oid) FROM pg_catalog.pg_policy x WHERE x.polrelid = c.oid), ",
        "(SELECT string_agg(concat(x.xmin, x.ctid), ',' ORDER BY x.oid) FROM pg_catalog.pg_rewrite x WHERE x.ev_class = c.oid), ",
        "(SELECT string_agg(concat(x.xmin, x.ctid), ',' ORDER BY x.inhparent) FROM pg_catalog.pg_inherits x WHERE x.inhrelid = c.oid), ",
        "(SELECT string_agg(concat(x.xmin, x.ctid), ',' ORDER BY x.inhrelid) FROM pg_catalog.pg_inherits x WHERE x.inhparent = c.oid)) ",
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ",
        "WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't' AND ",
        user_schema!(),
        " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid ",
        "AND e.deptype = 'e')"
    );
    // Row types of tables change with them and are theirs.
    const SHARED: &str = concat!(
        "SELECT 'routine ' || p.oid, concat(p.xmin, p.ctid) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE ",
        user_schema!(),
        " UNION ALL SELECT 'type ' || t.oid, concat(t.xmin, t.ctid) FROM pg_catalog.pg_type t ",
        "JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype IN ('e', 'd', 'r', 'm', 'b') AND t.typcategory <> 'A' AND ",
        user_schema!(),
        " UNION ALL SELECT 'attribute ' || c.oid || ' ' || a.attnum, concat(a.xmin, a.ctid) FROM pg_catalog.pg_class c ",
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid ",
        "WHERE c.relkind = 'c' AND ",
        user_schema!(),
        " UNION ALL SELECT 'label ' || e.oid, concat(e.xmin, e.ctid) FROM pg_catalog.pg_enum e",
        " UNION ALL SELECT 'check ' || k.oid, concat(k.xmin, k.ctid) FROM pg_catalog.pg_constraint k WHERE k.contypid <> 0",
        " UNION ALL SELECT 'checks ' || t.oid, (SELECT pg_catalog.count(*) FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid)::text ",
        "FROM pg_catalog.pg_type t WHERE t.typtype = 'd' AND t.oid >= 16384",
        " UNION ALL SELECT 'sequence ' || c.oid, concat(c.xmin, c.ctid, s.xmin, s.ctid) FROM pg_catalog.pg_class c ",
        "JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid",
        " UNION ALL SELECT 'schema ' || n.oid, concat(n.xmin, n.ctid) FROM pg_catalog.pg_namespace n WHERE ",
        user_schema!(),
        " UNION ALL SELECT 'operator ' || o.oid, concat(o.xmin, o.ctid) FROM pg_catalog.pg_operator o WHERE o.oid >= 16384",
        " UNION ALL SELECT 'cast ' || k.oid, concat(k.xmin, k.ctid) FROM pg_catalog.pg_cast k WHERE k.oid >= 16384",
        " UNION ALL SELECT 'publication ' || p.oid, concat(p.xmin, p.ctid) FROM pg_catalog.pg_publication p",
        " UNION ALL SELECT 'publication of ' || p.oid, concat(p.xmin, p.ctid) FROM pg_catalog.pg_publication_rel p",
        " UNION ALL SELECT 'setting ' || s.setdatabase || ' ' || s.setrole, s.setconfig::text FROM pg_catalog.pg_db_role_setting s ",
        "JOIN pg_catalog.pg_database d ON s.setdatabase IN (0, d.oid) WHERE d.datname = pg_catalog.current_database()"
    );
    let mut digest = Digest::default();
    for row in client.query(RELATIONS, &[])? {
        digest.relations.insert(row.try_get(0)?, row.try_get(1)?);
    }
    for row in client.query(SHARED, &[])? {
        digest.shared.insert(row.try_get(0)?, row.try_get(1)?);
    }
    Ok(digest)
}

struct Links {
    /// The second counts when the first does.
    pairs: Vec<(Oid, Oid)>,
    /// Relations with triggers, rules or policies.
    with_code: Vec<Oid>,
}

fn links(client: &mut Client) -> Result<Links, Error> {
    const PAIRS: &str = "SELECT d.refobjid, w.ev_class FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid \
         WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid >= 16384 \
         AND d.refobjid <> w.ev_class \
         UNION SELECT w.ev_class, d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid \
         WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid >= 16384 \
         AND w.ev_type <> '1' \
         UNION SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits UNION SELECT inhparent, inhrelid FROM pg_catalog.pg_inherits";
    const WITH_CODE: &str = "SELECT tgrelid FROM pg_catalog.pg_trigger WHERE NOT tgisinternal \
         UNION SELECT polrelid FROM pg_catalog.pg_policy UNION SELECT ev_class FROM pg_catalog.pg_rewrite WHERE ev_type <> '1' AND ev_class >= 16384";
    let pairs =
        client.query(PAIRS, &[])?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, Error>>()?;
    let with_code = client.query(WITH_CODE, &[])?.iter().map(|row| row.try_get(0)).collect::<Result<_, Error>>()?;
    Ok(Links { pairs, with_code })
}
