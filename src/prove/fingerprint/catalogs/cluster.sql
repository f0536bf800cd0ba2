-- What stands beside the databases. {ours} is true of the names of our own throw-away databases and their owner.
SELECT 'role' AS kind, quote_ident(r.rolname) AS name, r.rolsuper AS "superuser?", r.rolinherit AS "inherits?", r.rolcreaterole AS "creates roles?",
       r.rolcreatedb AS "creates databases?", r.rolcanlogin AS "logs in?", r.rolreplication AS "replicates?", r.rolbypassrls AS "bypasses row security?",
       nullif(r.rolconnlimit, -1) AS "connection limit", nullif(r.rolvaliduntil, 'infinity') AS "valid until"
FROM pg_roles r WHERE r.rolname !~ '^pg_' AND NOT {ours r.rolname};

-- What a migration gave to our own owner is what it did.
SELECT 'membership' AS kind, m.member::regrole || ' in ' || m.roleid::regrole || ' by ' || m.grantor::regrole AS name,
       m.inherit_option AS "inherits?", m.set_option AS "sets?", -- from 16
       m.admin_option AS "administers?"
FROM pg_auth_members m WHERE m.roleid >= 16384 OR m.member >= 16384;

SELECT 'setting' AS kind, concat(quote_ident(split_part(s.setting, '=', 1)), ' of ' || nullif(s.setrole, 0)::regrole,
         CASE s.setdatabase WHEN 0 THEN ' in the cluster' ELSE ' in database ' || quote_ident(d.datname) END) AS name,
       substr(s.setting, strpos(s.setting, '=') + 1) AS value
FROM (SELECT setrole, setdatabase, unnest(setconfig) AS setting FROM pg_db_role_setting) s
LEFT JOIN pg_database d ON d.oid = s.setdatabase
WHERE s.setdatabase = 0 OR d.datname <> current_database() AND NOT {ours d.datname};

SELECT 'tablespace' AS kind, quote_ident(t.spcname) AS name, t.spcowner::regrole AS owner,
       (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(t.spcoptions) o) AS options, t.spcacl AS privileges
FROM pg_tablespace t;

SELECT 'database' AS kind, quote_ident(d.datname) AS name, d.datdba::regrole AS owner, d.datallowconn AS "connections allowed?",
       d.datistemplate AS "template?", nullif(d.datconnlimit, -1) AS "connection limit",
       (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(d.datacl) a) AS privileges
FROM pg_database d WHERE d.datname <> current_database() AND NOT {ours d.datname};

SELECT 'parameter' AS kind, p.parname AS name, (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(p.paracl) a) AS privileges
FROM pg_parameter_acl p;

SELECT 'comment' AS kind, 'on ' || o.type || ' ' || o.identity AS name, d.description AS text
FROM pg_shdescription d, LATERAL pg_identify_object(d.classoid, d.objoid, 0) o
WHERE NOT (d.classoid = 'pg_database'::regclass AND (d.objoid = (SELECT oid FROM pg_database WHERE datname = current_database())
                                                     OR {ours o.name}));

SELECT 'replication slot' AS kind, quote_ident(s.slot_name) AS name, s.plugin, s.slot_type AS type, s.temporary AS "temporary?"
FROM pg_replication_slots s;

SELECT 'prepared transaction' AS kind, p.gid AS name, quote_ident(p.owner) AS owner FROM pg_prepared_xacts p;
