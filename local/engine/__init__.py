"""ClickHouse's own engine (chDB) behind ClickHouse's HTTP protocol, as a process of its own.

`python -m local.engine.server --directory D --port P` serves it on the loopback address; `EngineServer` starts
that process. Clients talk to it as to a server: queries in the URL or the body, any format, parameters,
settings in the URL, lz4, zstd, gzip and deflate in both directions, numbered errors with a server's HTTP
status, query ids, deduplication tokens, one user, TLS.

What it does not do: sessions (temporary tables, `SET` that lasts), asynchronous inserts (they are taken
as ordinary ones), native block compression (`compress=1`), users beside the one, rights and quotas,
progress headers, files and external tables in a query, replication, the native TCP protocol. The engine
reads files of this machine when a query asks it to: whoever may query it is trusted with them. A body is
held in memory until it is complete. An answer in a format with header or footer (JSON, Arrow, Parquet ...)
is made whole before it is sent; Native, JSONEachRow, TSV, CSV and RowBinary are sent as they come. The id
of a query is kept in its `log_comment`; `system.processes` and `KILL QUERY` are read with that in mind.
"""
