"""ClickHouse's own engine (chDB) behind ClickHouse's HTTP protocol, as a process of its own.

`python -m local.engine.server --directory D --port P` serves it on the loopback address; `EngineServer` starts
that process. Clients talk to it as to a server: queries in the URL or the body, any format, parameters,
settings in the URL, lz4, zstd, gzip and deflate in both directions, numbered errors with a server's HTTP
status, query ids, deduplication tokens, one user, TLS.

Not supported: sessions (temporary tables, `SET` that lasts), asynchronous inserts (they are run as ordinary ones),
native block compression (`compress=1`), more than one user, quotas, progress headers, external tables in a query,
replication, the native TCP protocol. Queries cannot use files, addresses or programs of this machine, and web pages
cannot send any. A body is held in memory until it is complete. A result in a format with header or footer (JSON, Arrow,
Parquet ...) is complete before it is sent; Native, JSONEachRow, TSV, CSV and RowBinary are streamed. The id of a query
is kept in its `log_comment`; `system.processes` and `KILL QUERY` are rewritten accordingly.
"""
