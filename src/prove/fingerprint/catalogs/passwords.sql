-- Whether there is one, where we may see that.
SELECT 'role' AS kind, quote_ident(r.rolname) AS name, r.rolpassword IS NOT NULL AS "password?"
FROM pg_authid r WHERE r.rolname !~ '^pg_' AND NOT {ours r.rolname};
