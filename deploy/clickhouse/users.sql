-- The users of the service, on a server of your own or in ClickHouse Cloud: `ingest` stores rows, makes the table and
-- migrates it; `reader` runs queries (CLICKHOUSE_READER_USER) and may change nothing.
-- Replace INGEST_PASSWORD and READER_PASSWORD, and run it as a user who may make users.

CREATE DATABASE IF NOT EXISTS logs;

CREATE USER IF NOT EXISTS ingest IDENTIFIED WITH sha256_password BY 'INGEST_PASSWORD';
GRANT SELECT, INSERT, CREATE TABLE, ALTER TABLE ON logs.* TO ingest;
-- Whether an insert or a deletion is still running, how full the disk is, and what `check` compares.
GRANT SELECT ON system.processes TO ingest;
GRANT SELECT ON system.mutations TO ingest;
GRANT SELECT ON system.disks TO ingest;
GRANT SELECT ON system.storage_policies TO ingest;
GRANT SELECT ON system.merge_tree_settings TO ingest;
GRANT SELECT ON system.replicated_merge_tree_settings TO ingest;
-- Only where several servers share an address (CLICKHOUSE_CLUSTER): GRANT READ ON REMOTE TO ingest

-- readonly = 2: queries set their limits themselves.
CREATE USER IF NOT EXISTS reader IDENTIFIED WITH sha256_password BY 'READER_PASSWORD' SETTINGS readonly = 2;
GRANT SELECT ON logs.* TO reader;
-- To end a query whose client has disconnected.
GRANT SELECT ON system.processes TO reader;
