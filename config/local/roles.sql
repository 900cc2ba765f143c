-- The two roles of Etalon in the database that this runs in, as its superuser. Safe to run twice.
-- etalon_owner owns the schema and migrates. etalon_app runs the product and owns nothing.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'etalon_owner') THEN
        CREATE ROLE etalon_owner LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'etalon_app') THEN
        CREATE ROLE etalon_app LOGIN;
    END IF;
    EXECUTE format('ALTER DATABASE %I OWNER TO etalon_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO etalon_app', current_database());
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO etalon_app;
GRANT ALL ON SCHEMA public TO etalon_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE etalon_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO etalon_app;
ALTER DEFAULT PRIVILEGES FOR ROLE etalon_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO etalon_app;
