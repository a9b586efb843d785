"""Keeps statements of clients to the tables of the engine: no files and no addresses of this machine.

The engine itself holds most of it: its user has the rights that `USERS` lists, and none to read or write a source.
Three things it does not check, because chDB is a library for trusted callers: INTO OUTFILE, the function `file` and
objects of Python. They are refused here, by their names.
"""

from __future__ import annotations

import re

from local.engine.errors import ACCESS_DENIED, EngineError

# Everything that the service, its migrations and the tests need. CREATE DICTIONARY is not among it, since the source of
# a dictionary can be an address. FILE is granted for a name that no file has: the engine then lets our own
# INSERT ... FROM INFILE pass, and still refuses the table function. DISK is for backups, on the one disk that they may
# use; other disks would need a setting of the engine that it does not have.
USERS = """<clickhouse>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <users><default>
        <password></password>
        <networks><ip>::1</ip><ip>127.0.0.1</ip></networks>
        <profile>default</profile>
        <quota>default</quota>
        <grants>
            <query>GRANT SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP, UNDROP TABLE,
                TRUNCATE, OPTIMIZE, BACKUP, CHECK, KILL QUERY, SYSTEM, dictGet, INTROSPECTION ON *.*</query>
            <query>GRANT TABLE ENGINE ON MergeTree, TABLE ENGINE ON ReplacingMergeTree,
                TABLE ENGINE ON SummingMergeTree, TABLE ENGINE ON AggregatingMergeTree,
                TABLE ENGINE ON Memory, TABLE ENGINE ON Null</query>
            <query>GRANT READ ON FILE('no such file')</query>
            <query>GRANT READ, WRITE ON DISK</query>
        </grants>
    </default></users>
</clickhouse>
"""
# `clusterAllReplicas` needs it, and so any address can be read: only for tests, which start such a server themselves.
USERS_OF_CLUSTER = USERS.replace("</grants>", "    <query>GRANT READ ON REMOTE</query>\n        </grants>")

_GAP = r"(?:\s|/\*.*?\*/|--[^\n]*\n|\#[^\n]*\n)*"
_REFUSED = re.compile(
    rf"""\b(?:INFILE|OUTFILE)\b
       | \b(?:file|python|executable)[`"\u201d]?{_GAP}\(
       | \bdisk{_GAP}={_GAP}disk{_GAP}\(
       | \\\w*[`"\u201d]{_GAP}\(""",  # a quoted name whose escapes could spell one of these
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


def refuse_files(sql: str) -> None:
    """Let statements pass that use nothing but tables.

    The text is searched as it is, strings and comments included: a lexer that differed from the engine's in one rule
    could be deceived. The values of a query come as parameters, which are no part of the text.

    Raises:
        EngineError: the statement names a function or a clause that reads or writes files or objects of the process.
    """
    found = _REFUSED.search(sql)
    if found:
        reason = f"{found[0]!r} is refused here, even within a string: it could read or write files of this machine."
        raise EngineError.refused(ACCESS_DENIED, reason, "ACCESS_DENIED")
