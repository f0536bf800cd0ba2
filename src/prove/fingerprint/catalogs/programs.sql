-- Schemas, types, routines and what is made of them. NULLIF of a regproc is a number: the cast comes after it.
SELECT 'schema' AS kind, quote_ident(n.nspname) AS name, n.nspowner::regrole AS owner
FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND (n.oid >= 16384 OR n.nspname = 'public')
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e');

-- What a type made for itself (the constructors of a range) comes and goes with it.
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind,
       p.oid::regprocedure AS name,
       p.proowner::regrole AS owner,
       CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE
         concat_ws(', ', pg_get_function_arguments(p.oid) || ' returns ' || format_type(p.prorettype, NULL),
           'kind ' || a.aggkind::text, 'sfunc ' || a.aggtransfn, 'stype ' || format_type(a.aggtranstype, NULL),
           'sspace ' || nullif(a.aggtransspace, 0), 'initcond ' || a.agginitval, 'finalfunc ' || nullif(a.aggfinalfn::oid, 0)::regproc,
           'finalfunc_extra ' || nullif(a.aggfinalextra, false), 'finalfunc_modify ' || a.aggfinalmodify::text,
           'combinefunc ' || nullif(a.aggcombinefn::oid, 0)::regproc, 'serialfunc ' || nullif(a.aggserialfn::oid, 0)::regproc,
           'deserialfunc ' || nullif(a.aggdeserialfn::oid, 0)::regproc, 'msfunc ' || nullif(a.aggmtransfn::oid, 0)::regproc,
           'minvfunc ' || nullif(a.aggminvtransfn::oid, 0)::regproc, 'mstype ' || format_type(nullif(a.aggmtranstype, 0), NULL),
           'minitcond ' || a.aggminitval, 'mfinalfunc ' || nullif(a.aggmfinalfn::oid, 0)::regproc,
           'sortop ' || nullif(a.aggsortop, 0)::regoperator, 'parallel ' || p.proparallel::text) END AS definition
FROM pg_proc p LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
WHERE {own pg_proc p pronamespace}
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i');

-- Without the row types of tables, the arrays of all types and the multiranges of ranges.
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END AS kind,
       format_type(t.oid, NULL) AS name,
       t.typowner::regrole AS owner,
       CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'c' THEN 'composite' WHEN 'r' THEN 'range' WHEN 'b' THEN 'base'
         WHEN 'p' THEN 'shell' END AS variety,
       (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels,
       CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS base,
       CASE WHEN t.typtype = 'd' THEN t.typnotnull END AS "not null?",
       t.typdefault AS default,
       CASE WHEN t.typtype = 'd' AND t.typcollation <> 0 THEN t.typcollation::regcollation END AS collation,
       CASE t.typtype WHEN 'r' THEN (SELECT concat_ws(', ', format_type(r.rngsubtype, NULL), nullif(r.rngcollation, 0)::regcollation,
           quote_ident(o.opcname), nullif(r.rngcanonical::oid, 0)::regproc, nullif(r.rngsubdiff::oid, 0)::regproc, format_type(r.rngmultitypid, NULL))
         FROM pg_range r JOIN pg_opclass o ON o.oid = r.rngsubopc WHERE r.rngtypid = t.oid) END AS range,
       CASE t.typtype WHEN 'b' THEN concat_ws(', ', t.typinput, t.typoutput, nullif(t.typreceive::oid, 0)::regproc, nullif(t.typsend::oid, 0)::regproc,
         nullif(t.typmodin::oid, 0)::regproc, nullif(t.typmodout::oid, 0)::regproc, nullif(t.typanalyze::oid, 0)::regproc,
         t.typlen::text, t.typbyval::text, t.typalign::text, t.typcategory::text, t.typispreferred::text, t.typdelim::text) END AS functions,
       CASE t.typtype WHEN 'b' THEN t.typstorage END AS storage
FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typtype <> 'm' AND (t.typtype <> 'c' OR c.relkind = 'c') AND t.typsubscript <> 'array_subscript_handler'::regproc
  AND {own pg_type t typnamespace};

SELECT 'event trigger' AS kind, quote_ident(t.evtname) AS name, t.evtowner::regrole AS owner, t.evtevent AS event,
       t.evtfoid::regprocedure AS function, (SELECT string_agg(g, ', ' ORDER BY g) FROM unnest(t.evttags) g) AS tags,
       CASE t.evtenabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END AS fires
FROM pg_event_trigger t WHERE {own pg_event_trigger t -};

SELECT 'cast' AS kind, format_type(c.castsource, NULL) || ' as ' || format_type(c.casttarget, NULL) AS name,
       nullif(c.castfunc, 0)::regprocedure AS function,
       CASE c.castcontext WHEN 'e' THEN 'explicit' WHEN 'a' THEN 'assignment' ELSE 'implicit' END AS context,
       CASE c.castmethod WHEN 'f' THEN 'function' WHEN 'i' THEN 'inout' ELSE 'binary' END AS method
FROM pg_cast c
WHERE {own pg_cast c -} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid AND d.deptype = 'i');

SELECT 'transform' AS kind, format_type(t.trftype, NULL) || ' for ' || l.lanname AS name,
       nullif(t.trffromsql::oid, 0)::regproc AS "from sql", nullif(t.trftosql::oid, 0)::regproc AS "to sql"
FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE {own pg_transform t -};

SELECT 'operator' AS kind, o.oid::regoperator AS name, o.oprowner::regrole AS owner, format_type(o.oprresult, NULL) AS result,
       o.oprcode AS function, nullif(o.oprcom, 0)::regoperator AS commutator, nullif(o.oprnegate, 0)::regoperator AS negator,
       o.oprcanmerge AS "merges?", o.oprcanhash AS "hashes?",
       nullif(o.oprrest::oid, 0)::regproc AS restrict, nullif(o.oprjoin::oid, 0)::regproc AS join
FROM pg_operator o WHERE {own pg_operator o oprnamespace};

SELECT 'operator class' AS kind, quote_ident(n.nspname) || '.' || quote_ident(o.opcname) || ' using ' || m.amname AS name,
       o.opcowner::regrole AS owner, quote_ident(fn.nspname) || '.' || quote_ident(f.opfname) AS family,
       format_type(o.opcintype, NULL) AS type, format_type(nullif(o.opckeytype, 0), NULL) AS storage, o.opcdefault AS "default?"
FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace JOIN pg_am m ON m.oid = o.opcmethod
JOIN pg_opfamily f ON f.oid = o.opcfamily JOIN pg_namespace fn ON fn.oid = f.opfnamespace
WHERE {own pg_opclass o opcnamespace};

-- Also the families of the server that somebody added to.
SELECT 'operator family' AS kind, quote_ident(n.nspname) || '.' || quote_ident(f.opfname) || ' using ' || m.amname AS name,
       f.opfowner::regrole AS owner,
       (SELECT string_agg(concat_ws(' ', a.amopstrategy, a.amopopr::regoperator, a.amoppurpose::text), ', '
                          ORDER BY a.amopstrategy, a.amopopr::regoperator::text)
        FROM pg_amop a WHERE a.amopfamily = f.oid AND a.oid >= 16384) AS operators,
       (SELECT string_agg(concat_ws(' ', a.amprocnum, a.amproc, format_type(a.amproclefttype, NULL), format_type(a.amprocrighttype, NULL)),
                          ', ' ORDER BY a.amprocnum, a.amproc::text, format_type(a.amproclefttype, NULL))
        FROM pg_amproc a WHERE a.amprocfamily = f.oid AND a.oid >= 16384) AS functions
FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod
WHERE {own pg_opfamily f opfnamespace};

SELECT 'collation' AS kind, c.oid::regcollation AS name, c.collowner::regrole AS owner, c.collprovider AS provider,
       c.collisdeterministic AS "deterministic?", nullif(c.collencoding, -1) AS encoding,
       concat_ws(', ', c.collcollate, c.collctype) AS locale,
       c.colliculocale AS "icu locale", -- before 17
       c.colllocale AS "icu locale", -- from 17
       c.collicurules AS rules, -- from 16
       c.collversion AS version
FROM pg_collation c WHERE {own pg_collation c collnamespace};

SELECT 'conversion' AS kind, quote_ident(n.nspname) || '.' || quote_ident(c.conname) AS name, c.conowner::regrole AS owner,
       pg_encoding_to_char(c.conforencoding) AS from, pg_encoding_to_char(c.contoencoding) AS to, c.conproc AS function,
       c.condefault AS "default?"
FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace WHERE {own pg_conversion c connamespace};

SELECT 'text search configuration' AS kind, c.oid::regconfig AS name, c.cfgowner::regrole AS owner,
       quote_ident(n.nspname) || '.' || quote_ident(p.prsname) AS parser,
       (SELECT string_agg(concat_ws(' ', m.maptokentype, m.mapdict::regdictionary), ', ' ORDER BY m.maptokentype, m.mapseqno)
        FROM pg_ts_config_map m WHERE m.mapcfg = c.oid) AS mapping
FROM pg_ts_config c JOIN pg_ts_parser p ON p.oid = c.cfgparser JOIN pg_namespace n ON n.oid = p.prsnamespace
WHERE {own pg_ts_config c cfgnamespace};

SELECT 'text search dictionary' AS kind, d.oid::regdictionary AS name, d.dictowner::regrole AS owner,
       quote_ident(n.nspname) || '.' || quote_ident(t.tmplname) AS template, d.dictinitoption AS options
FROM pg_ts_dict d JOIN pg_ts_template t ON t.oid = d.dicttemplate JOIN pg_namespace n ON n.oid = t.tmplnamespace
WHERE {own pg_ts_dict d dictnamespace};

SELECT 'text search parser' AS kind, quote_ident(n.nspname) || '.' || quote_ident(p.prsname) AS name,
       concat_ws(', ', p.prsstart, p.prstoken, p.prsend, p.prsheadline, p.prslextype) AS functions
FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace WHERE {own pg_ts_parser p prsnamespace};

SELECT 'text search template' AS kind, quote_ident(n.nspname) || '.' || quote_ident(t.tmplname) AS name,
       concat_ws(', ', t.tmplinit, t.tmpllexize) AS functions
FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace WHERE {own pg_ts_template t tmplnamespace};

SELECT 'language' AS kind, quote_ident(l.lanname) AS name, l.lanowner::regrole AS owner, l.lanpltrusted AS "trusted?",
       concat_ws(', ', l.lanplcallfoid::regproc, l.laninline::regproc, l.lanvalidator::regproc) AS functions
FROM pg_language l WHERE {own pg_language l -};

SELECT 'access method' AS kind, quote_ident(a.amname) AS name, a.amhandler AS handler FROM pg_am a WHERE {own pg_am a -};
