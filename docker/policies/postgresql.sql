-- Two roles, in one database that nobody else has business in. Run once, by psql (14 or newer), as who may make roles:
--   RESONATE_POSTGRES_OWNER_PASSWORD=… RESONATE_POSTGRES_PASSWORD=… psql --dbname resonate --file postgresql.sql
-- resonate_owner makes and changes tables: `dagster instance migrate`, and Resonate's own at first use. It is used at an
-- upgrade, and else by nobody. resonate reads and writes rows: web, daemon, workers.

\set ON_ERROR_STOP on
\getenv owner_password RESONATE_POSTGRES_OWNER_PASSWORD
\getenv password RESONATE_POSTGRES_PASSWORD

CREATE ROLE resonate_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE resonate LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO resonate_owner, resonate;
GRANT USAGE, CREATE ON SCHEMA public TO resonate_owner;
GRANT USAGE ON SCHEMA public TO resonate;

ALTER DEFAULT PRIVILEGES FOR ROLE resonate_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO resonate;
ALTER DEFAULT PRIVILEGES FOR ROLE resonate_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO resonate;
