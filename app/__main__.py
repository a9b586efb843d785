"""The entry point: reads the settings, then runs the service until it is stopped, or one command."""

from __future__ import annotations

import gc
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from app.console import say_error

if TYPE_CHECKING:
    from app.settings import Settings


def main(arguments: list[str]) -> int:
    """Run the service, or the given command. Returns the exit code."""
    # Imported late, here and below: a command does not need what the service imports, and the other way round.
    if not arguments:
        gc.disable()  # until the service runs: of what is imported and built nothing is garbage
        _leave_out("numpy", "pandas")
        return _with_settings(_serve)
    from app.client import arguments as client
    from app.commands.arguments import parse

    options = parse(arguments)
    if options.command in client.NAMES:
        from app.client.commands import run

        return run(options, os.environ)
    if options.command == "send":
        from app.client.send import run as send

        return send(options, os.environ)
    if options.command == "token":  # with settings that may still be wrong for lack of one
        from app.commands.token import token

        return token(options, os.environ)
    return _with_settings(partial(_run, options))


def _leave_out(*packages: str) -> None:
    """Have these packages count as not installed.

    Arrow and ClickHouse's client import them where others have installed them, for a fifth of a second and 40 MB, and
    then do nothing with them.
    """
    sys.modules.update(dict.fromkeys(packages))  # type: ignore[arg-type]  # what Python's import understands


def _with_settings(run: Callable[[Settings, Sequence[str]], int]) -> int:
    """The exit code of `run`, which is called with the settings and `misspelt`, or that of wrong settings.

    `misspelt` are sentences about variables without effect.
    """
    # Arrow reads it when it is imported. Its own allocators keep what was freed, tens of megabytes of each insert; the
    # system's is configured not to (`app.serve.configure_memory`).
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    from app.environment import misspelt, read_settings
    from app.errors import BadSettings

    try:
        return run(read_settings(os.environ), misspelt(os.environ))
    except BadSettings as error:
        say_error("The settings are wrong, nothing was started:")
        for problem in error.problems:
            say_error(f"  {problem}")
        return 2


def _run(options: Namespace, settings: Settings, misspelt: Sequence[str]) -> int:
    """Run the command of these options.

    Raises:
        BadSettings: what it needs cannot be built from the settings.
    """
    if options.command == "check":
        from app.commands.check import check

        return check(settings, misspelt)
    if options.command == "audit":
        from app.commands.audit import audit_topics

        return audit_topics(settings, since_secs=options.since, as_json=options.json)
    if options.command == "rejected":
        from app.commands.rejected import list_rejected

        return list_rejected(settings, since_secs=options.since, until_secs=options.until, limit=options.limit)
    if options.command == "reprocess":
        from app.commands.reprocess import reprocess

        return reprocess(settings, since_secs=options.since, until_secs=options.until, limit=options.limit)
    if options.command == "delete":
        from app.commands.delete import delete

        return delete(settings, user=options.user, with_mentions=options.mentions, is_confirmed=options.yes)
    if options.command == "retention":
        from app.commands.retention import retention

        return retention(settings, is_applied=options.apply)
    if options.command == "explain":
        from app.commands.explain import explain

        return explain(settings, options)
    if options.command == "migrate":
        from app.commands.migrate import migrate_table

        return migrate_table(settings.clickhouse, is_for_old_rows=options.materialize)
    if options.command == "schema":
        from app.commands.schema import print_schema

        return print_schema(settings.clickhouse, cluster=options.cluster)
    return _serve(settings, misspelt)  # after `--`, which is no command


def _serve(settings: Settings, misspelt: Sequence[str]) -> int:
    """Run the service; its end is that of the process, except where it cannot be built.

    Raises:
        BadSettings: the service cannot be built from the settings.
    """
    from app.build.service import build
    from app.preflight.access_checks import exposure
    from app.preflight.certificate_checks import unverified
    from app.preflight.receive_checks import unsigned
    from app.preflight.syslog_checks import syslog_exposure
    from app.serve import serve

    sentences = [exposure(settings), syslog_exposure(settings), unsigned(settings)]
    warnings = [*misspelt, *filter(None, sentences), *unverified(settings)]
    exit_code = serve(settings, build(settings), warnings=warnings)
    # What clients register for the end of the interpreter waits for their connections, after the time to stop is over;
    # threads that still run can crash it.
    sys.stdout.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
