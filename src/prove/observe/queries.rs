//! One query per catalog; [`classes`] also reads the files of relations and indexes. They run with `pg_catalog` before all else on the
//! search path, so every user name comes out qualified.
//!
//! A query with a parameter reads the rows that are at most that old in transactions (`age(xmin)`): everything, or what the open
//! transaction has written. Users' objects have OIDs from 16384 on (`FirstNormalObjectId`), which spares the server its own; not where
//! tables are joined before anything is known of the age, as a plan made while there are few would loop over many later.

use super::catalogs::*;
use super::reader::{Part, Reader};
use imbl::OrdSet;
use postgres::{Error, Row};

/// The namespaces that are the user's; `n` is the row of `pg_namespace`.
macro_rules! user_schema {
    () => {
        "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    };
}

/// Grants in an access control list, the owner's own left out: `grantee=PRIVILEGE`, `*` for the grant option. NULL stays NULL.
macro_rules! grants {
    ($acl:literal, $owner:literal) => {
        concat!(
            "CASE WHEN ",
            $acl,
            " IS NOT NULL THEN ARRAY(SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee)::text END",
            " || '=' || g.privilege_type || CASE WHEN g.is_grantable THEN '*' ELSE '' END FROM aclexplode(",
            $acl,
            ") g WHERE g.grantee <> ",
            $owner,
            " ORDER BY 1) END"
        )
    };
}

/// A `"char"` column, cast to text: one ASCII letter, or empty where the catalog has a zero byte.
fn letter(row: &Row, at: usize) -> Result<char, Error> {
    Ok(row.try_get::<_, &str>(at)?.chars().next().unwrap_or(' '))
}

pub fn namespaces(reader: &mut Reader<'_>, part: Part, known: &mut Rows<Oid, Namespace>) -> Result<(), Error> {
    const QUERY: &str = concat!(
        "SELECT n.oid, n.nspname::text, quote_ident(n.nspname), pg_get_userbyid(n.nspowner)::text, ",
        grants!("n.nspacl", "n.nspowner"),
        " FROM pg_namespace n WHERE age(n.xmin) <= $1 AND ",
        user_schema!()
    );
    reader.part(part, known, QUERY, |row| {
        let privileges = Privileges { owner: row.try_get(3)?, stored: row.try_get(4)? };
        Ok((row.try_get(0)?, Namespace { name: row.try_get(1)?, quoted: row.try_get(2)?, privileges }))
    })
}

/// What has a name in `pg_class`: the relations, and where asked for the files of all, indexes among them. Those of members of
/// extensions are left out. True where it read an index.
pub fn classes(
    reader: &mut Reader<'_>,
    part: Part,
    known: &mut Rows<Oid, Class>,
    files: Option<&mut Rows<Oid, RelationFile>>,
) -> Result<bool, Error> {
    const QUERY: &str = concat!(
        "SELECT c.oid, c.relname::text, quote_ident(n.nspname) || '.' || quote_ident(c.relname), n.oid, c.relkind::text, ",
        "pg_get_userbyid(c.relowner)::text, c.relpersistence::text, c.relrowsecurity, c.relforcerowsecurity, ",
        "c.relreplident::text, c.relispartition, coalesce(p.partstrat::text, ''), ",
        grants!("c.relacl", "c.relowner"),
        ", coalesce(pg_relation_filenode(c.oid), 0::oid), coalesce(i.indrelid, 0::oid), coalesce(i.indisexclusion, false), ",
        "EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e' ",
        "AND d.objid = coalesce(i.indrelid, c.oid))",
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid ",
        "LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE c.oid IN (SELECT oid FROM pg_class WHERE oid >= 16384 AND age(xmin) <= $1 ",
        "UNION ALL SELECT indexrelid FROM pg_index WHERE indexrelid >= 16384 AND age(xmin) <= $1) AND ",
        user_schema!()
    );
    let rows = reader.rows(QUERY, &[&part.age()])?;
    let has = |kinds: &'static [char]| move |row: &&Row| letter(row, 4).is_ok_and(|kind| kinds.contains(&kind));
    let relations = rows.iter().filter(has(&['r', 'p', 'v', 'm', 'S', 'f', 'c']));
    part.take(known, relations, |row| {
        let class = Class {
            name: row.try_get(1)?,
            qualified: row.try_get(2)?,
            namespace: row.try_get(3)?,
            kind: letter(row, 4)?,
            privileges: Privileges { owner: row.try_get(5)?, stored: row.try_get(12)? },
            persistence: letter(row, 6)?,
            row_security: row.try_get(7)?,
            force_row_security: row.try_get(8)?,
            replica_identity: letter(row, 9)?,
            is_partition: row.try_get(10)?,
            partition_strategy: letter(row, 11)?,
        };
        Ok((row.try_get(0)?, class))
    })?;
    if let Some(files) = files {
        let counted = rows.iter().filter(|row| row.try_get(16).is_ok_and(|is_member: bool| !is_member));
        part.take(files, counted, |row| {
            let file = RelationFile {
                qualified: row.try_get(2)?,
                kind: letter(row, 4)?,
                file: row.try_get(13)?,
                table: row.try_get(14)?,
                excludes: row.try_get(15)?,
            };
            Ok((row.try_get(0)?, file))
        })?;
    }
    Ok(rows.iter().any(|row| has(&['i', 'I'])(&row)))
}

/// The server keeps `DEFAULT NULL` where the type has a length, and drops it where not; an INSERT gets NULL from both.
pub fn attributes(reader: &mut Reader<'_>, part: Part, known: &mut Rows<(Oid, i16), Attribute>) -> Result<(), Error> {
    const QUERY: &str = concat!(
        "SELECT a.attrelid, a.attnum, a.attname::text, quote_ident(a.attname), a.atttypid, a.atttypmod, ",
        "format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef, a.attidentity::text, a.attgenerated::text, ",
        "CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(ln.nspname) || '.' || quote_ident(l.collname) ELSE '' END, ",
        "a.ctid::text, coalesce(d.adbin::text LIKE '%:constisnull true%' AND pg_get_expr(d.adbin, d.adrelid) ~ '^NULL(::.*)?$', false), ",
        grants!("a.attacl", "c.relowner"),
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace ",
        "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum ",
        "JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation ",
        "LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace ",
        "WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attrelid >= 16384 AND age(a.xmin) <= $1 AND ",
        user_schema!()
    );
    reader.part(part, known, QUERY, |row| {
        let attribute = Attribute {
            name: row.try_get(2)?,
            quoted: row.try_get(3)?,
            type_oid: row.try_get(4)?,
            type_modifier: row.try_get(5)?,
            type_name: row.try_get(6)?,
            not_null: row.try_get(7)?,
            has_default: row.try_get(8)?,
            identity: row.try_get(9)?,
            generated: row.try_get(10)?,
            collation: row.try_get::<_, Option<String>>(11)?.unwrap_or_default(),
            row_version: row.try_get(12)?,
            default_is_null: row.try_get(13)?,
            grants: row.try_get(14)?,
        };
        Ok(((row.try_get(0)?, row.try_get(1)?), attribute))
    })
}

/// NOT NULL constraints (18) and constraint triggers are left out: the one is a property of the column, the other a trigger.
pub fn constraints(reader: &mut Reader<'_>, part: Part, known: &mut Rows<Oid, ConstraintRow>) -> Result<(), Error> {
    const QUERY: &str = concat!(
        "SELECT k.oid, k.conname::text, quote_ident(k.conname), k.contype::text, k.conrelid, k.contypid, ",
        "coalesce(k.conkey, '{}'), k.confrelid, k.convalidated, k.condeferrable, k.condeferred, ",
        "CASE k.contype WHEN 'f' THEN k.confdeltype::text ELSE '' END, CASE k.contype WHEN 'f' THEN k.confupdtype::text ELSE '' END, ",
        "coalesce(parent.conrelid = k.conrelid, false) ",
        "FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace LEFT JOIN pg_constraint parent ON parent.oid = k.conparentid ",
        "WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.oid >= 16384 AND age(k.xmin) <= $1 AND ",
        user_schema!()
    );
    reader.part(part, known, QUERY, |row| {
        let constraint = ConstraintRow {
            name: row.try_get(1)?,
            quoted: row.try_get(2)?,
            kind: letter(row, 3)?,
            relation: row.try_get(4)?,
            domain: row.try_get(5)?,
            columns: row.try_get(6)?,
            referenced: row.try_get(7)?,
            validated: row.try_get(8)?,
            deferrable: row.try_get(9)?,
            initially_deferred: row.try_get(10)?,
            on_delete: row.try_get(11)?,
            on_update: row.try_get(12)?,
            is_clone: row.try_get(13)?,
        };
        Ok((row.try_get(0)?, constraint))
    })
}

pub fn indexes(reader: &mut Reader<'_>, part: Part, known: &mut Rows<Oid, IndexRow>) -> Result<(), Error> {
    const QUERY: &str = concat!(
        "SELECT i.indexrelid, c.relname::text, quote_ident(n.nspname) || '.' || quote_ident(c.relname), i.indrelid, i.indisunique, ",
        "i.indisvalid, i.indkey::int2[], i.indnkeyatts, i.indpred IS NOT NULL, m.amname::text, ",
        "k.oid IS NOT NULL ",
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace ",
        "JOIN pg_am m ON m.oid = c.relam LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') ",
        "WHERE i.indexrelid IN (SELECT indexrelid FROM pg_index WHERE age(xmin) <= $1 ",
        "UNION ALL SELECT oid FROM pg_class WHERE relkind IN ('i', 'I') AND age(xmin) <= $1 ",
        "UNION ALL SELECT conindid FROM pg_constraint WHERE contype IN ('p', 'u', 'x') AND age(xmin) <= $1) AND ",
        user_schema!()
    );
    reader.part(part, known, QUERY, |row| {
        let index = IndexRow {
            name: row.try_get(1)?,
            qualified: row.try_get(2)?,
            relation: row.try_get(3)?,
            unique: row.try_get(4)?,
            valid: row.try_get(5)?,
            columns: row.try_get(6)?,
            key_columns: row.try_get(7)?,
            predicate: row.try_get(8)?,
            method: row.try_get(9)?,
            of_constraint: row.try_get(10)?,
        };
        Ok((row.try_get(0)?, index))
    })
}

pub fn triggers(reader: &mut Reader<'_>, part: Part, known: &mut Rows<Oid, TriggerRow>) -> Result<(), Error> {
    const QUERY: &str = concat!(
        "SELECT g.oid, g.tgname::text, quote_ident(g.tgname), g.tgrelid, g.tgtype, ",
        "CASE pn.nspname WHEN 'pg_catalog' THEN quote_ident(p.proname) ELSE quote_ident(pn.nspname) || '.' || quote_ident(p.proname) END, ",
        "g.tgenabled::text FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace ",
        "JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_namespace pn ON pn.oid = p.pronamespace ",
        "WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND age(g.xmin) <= $1 AND ",
        user_schema!()
    );
    reader.part(part, known, QUERY, |row| {
        let trigger = TriggerRow {
            name: row.try_get(1)?,
            quoted: row.try_get(2)?,
            relation: row.try_get(3)?,
            bits: row.try_get(4)?,
            function: row.try_get(5)?,
            enabled: row.try_get(6)?,
        };
        Ok((row.try_get(0)?, trigger))
    })
}

pub fn policies(reader: &mut Reader<'_>, part: Part, known: &mut Rows<Oid, PolicyRow>) -> Result<(), Error> {
    const QUERY: &str = "SELECT p.oid, p.polname::text, quote_ident(p.polname), p.polrelid, p.polcmd::text, p.polpermissive, \
        ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r)::text END FROM unnest(p.polroles) r ORDER BY 1) \
        FROM pg_policy p WHERE age(p.xmin) <= $1";
    reader.part(part, known, QUERY, |row| {
        let policy = PolicyRow {
            name: row.try_get(1)?,
            quoted: row.try_get(2)?,
            relation: row.try_get(3)?,
            command: letter(row, 4)?,
            permissive: row.try_get(5)?,
            roles: row.try_get(6)?,
        };
        Ok((row.try_get(0)?, policy))
    })
}

pub fn rules(reader: &mut Reader<'_>, part: Part, known: &mut Rows<Oid, RuleRow>) -> Result<(), Error> {
    const QUERY: &str = concat!(
        "SELECT r.oid, r.rulename::text, quote_ident(r.rulename), r.ev_class FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class ",
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.rulename <> '_RETURN' AND age(r.xmin) <= $1 AND ",
        user_schema!()
    );
    reader.part(part, known, QUERY, |row| {
        Ok((row.try_get(0)?, RuleRow { name: row.try_get(1)?, quoted: row.try_get(2)?, relation: row.try_get(3)? }))
    })
}

/// Row types, arrays, multiranges and shells are left out: they come and go with something else.
pub fn types(reader: &mut Reader<'_>, part: Part, known: &mut Rows<Oid, TypeRow>) -> Result<(), Error> {
    const QUERY: &str = concat!(
        "SELECT t.oid, quote_ident(n.nspname) || '.' || quote_ident(t.typname), t.typtype::text, pg_get_userbyid(t.typowner)::text, ",
        "coalesce(CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) WHEN 'r' THEN format_type(r.rngsubtype, NULL) END, ''), ",
        "t.typbasetype, t.typnotnull, t.typdefault IS NOT NULL FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace ",
        "LEFT JOIN pg_range r ON r.rngtypid = t.oid WHERE t.typtype IN ('e', 'd', 'r', 'b') AND t.typisdefined ",
        "AND NOT EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid) AND t.oid >= 16384 AND age(t.xmin) <= $1 AND ",
        user_schema!()
    );
    reader.part(part, known, QUERY, |row| {
        let found = TypeRow {
            qualified: row.try_get(1)?,
            kind: letter(row, 2)?,
            owner: row.try_get(3)?,
            base: row.try_get(4)?,
            base_oid: row.try_get(5)?,
            not_null: row.try_get(6)?,
            has_default: row.try_get(7)?,
        };
        Ok((row.try_get(0)?, found))
    })
}

pub fn labels(reader: &mut Reader<'_>, known: &mut Rows<Oid, LabelRow>) -> Result<(), Error> {
    const QUERY: &str = "SELECT oid, enumtypid, enumlabel::text, quote_ident(enumlabel), \
        (row_number() OVER (PARTITION BY enumtypid ORDER BY enumsortorder))::int4 FROM pg_enum";
    reader.whole(known, QUERY, |row| {
        let label =
            LabelRow { enum_type: row.try_get(1)?, label: row.try_get(2)?, quoted: row.try_get(3)?, position: row.try_get(4)? };
        Ok((row.try_get(0)?, label))
    })
}

/// What a type made for itself (the constructors of a range) is left out: it comes and goes with the type.
pub fn routines(reader: &mut Reader<'_>, part: Part, known: &mut Rows<Oid, RoutineRow>) -> Result<(), Error> {
    const QUERY: &str = concat!(
        "SELECT p.oid, quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || ",
        "array_to_string(ARRAY(SELECT format_type(a.type, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY a (type, position) ",
        "ORDER BY a.position), ', ') || ')', p.prokind::text, ",
        "CASE WHEN p.prokind = 'p' AND p.prorettype = 'void'::regtype THEN '' ELSE CASE WHEN p.proretset THEN 'SETOF ' ELSE '' END ",
        "|| format_type(p.prorettype, NULL) END, l.lanname::text, p.provolatile::text, p.prosecdef, ",
        "pg_get_userbyid(p.proowner)::text, ",
        grants!("p.proacl", "p.proowner"),
        ", quote_ident(n.nspname) || '.' || quote_ident(p.proname)",
        " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang ",
        "WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i') AND p.oid >= 16384 AND age(p.xmin) <= $1 AND ",
        user_schema!()
    );
    reader.part(part, known, QUERY, |row| {
        let routine = RoutineRow {
            qualified: row.try_get(9)?,
            signature: row.try_get(1)?,
            kind: row.try_get(2)?,
            returns: row.try_get::<_, Option<String>>(3)?.unwrap_or_default(),
            language: row.try_get(4)?,
            volatility: row.try_get(5)?,
            security_definer: row.try_get(6)?,
            privileges: Privileges { owner: row.try_get(7)?, stored: row.try_get(8)? },
        };
        Ok((row.try_get(0)?, routine))
    })
}

/// Indexes inherit from partitioned indexes too; only tables are wanted.
pub fn inherits(reader: &mut Reader<'_>, known: &mut Rows<(Oid, i32), Oid>) -> Result<(), Error> {
    const QUERY: &str = "SELECT i.inhrelid, i.inhseqno, i.inhparent FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
        WHERE c.relkind IN ('r', 'p', 'f') AND NOT i.inhdetachpending";
    reader.whole(known, QUERY, |row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?)))
}

pub fn sequences(reader: &mut Reader<'_>, part: Part, known: &mut Rows<Oid, SequenceRow>) -> Result<(), Error> {
    const QUERY: &str = "SELECT s.seqrelid, format_type(s.seqtypid, NULL), d.refobjid, d.refobjsubid::int2 FROM pg_sequence s \
        LEFT JOIN LATERAL (SELECT o.refobjid, o.refobjsubid, o.xmin FROM pg_depend o WHERE o.classid = 'pg_class'::regclass \
        AND o.objid = s.seqrelid AND o.objsubid = 0 AND o.refclassid = 'pg_class'::regclass AND o.refobjsubid > 0 \
        AND o.deptype IN ('a', 'i') LIMIT 1) d ON true WHERE least(age(s.xmin), age(d.xmin)) <= $1";
    reader.part(part, known, QUERY, |row| {
        let owner = row.try_get::<_, Option<Oid>>(2)?.zip(row.try_get(3)?);
        Ok((row.try_get(0)?, SequenceRow { type_name: row.try_get(1)?, owner }))
    })
}

pub fn extensions(reader: &mut Reader<'_>, known: &mut Rows<Oid, ExtensionRow>) -> Result<(), Error> {
    const QUERY: &str = "SELECT e.oid, e.extname::text, quote_ident(e.extname), n.nspname::text \
        FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace";
    reader.whole(known, QUERY, |row| {
        Ok((row.try_get(0)?, ExtensionRow { name: row.try_get(1)?, quoted: row.try_get(2)?, schema: row.try_get(3)? }))
    })
}

/// Members of extensions: few, and found by an index.
pub fn members(reader: &mut Reader<'_>, known: &mut OrdSet<(Oid, Oid)>) -> Result<(), Error> {
    const QUERY: &str =
        "SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND objid >= 16384";
    let members = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let now = reader.rows(QUERY, &[])?.iter().map(members).collect::<Result<OrdSet<_>, Error>>()?;
    if now != *known {
        *known = now;
    }
    Ok(())
}

/// Columns that the open transaction dropped: their rows stay, as places that nobody uses.
pub fn dropped_attributes(reader: &mut Reader<'_>, age: i32, known: &mut Rows<(Oid, i16), Attribute>) -> Result<(), Error> {
    const QUERY: &str = "SELECT attrelid, attnum FROM pg_attribute WHERE attisdropped AND attrelid >= 16384 AND age(xmin) <= $1";
    for row in reader.rows(QUERY, &[&age])? {
        known.remove(&(row.try_get(0)?, row.try_get(1)?));
    }
    Ok(())
}

pub fn publications(reader: &mut Reader<'_>, known: &mut Rows<String, PublicationRow>) -> Result<(), Error> {
    const QUERY: &str = "SELECT p.pubname::text, p.puballtables, \
        ARRAY(SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_publication_rel r \
        JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.prpubid = p.oid ORDER BY 1), \
        ARRAY(SELECT n.nspname::text FROM pg_publication_namespace r JOIN pg_namespace n ON n.oid = r.pnnspid \
        WHERE r.pnpubid = p.oid ORDER BY 1) FROM pg_publication p";
    reader.whole(known, QUERY, |row| {
        let publication = PublicationRow { all_tables: row.try_get(1)?, tables: row.try_get(2)?, schemas: row.try_get(3)? };
        Ok((row.try_get(0)?, publication))
    })
}

pub fn roles(reader: &mut Reader<'_>, known: &mut Rows<Oid, String>) -> Result<(), Error> {
    const QUERY: &str = "SELECT oid, quote_ident(rolname) FROM pg_roles WHERE rolname !~ '^pg_'";
    reader.whole(known, QUERY, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}
