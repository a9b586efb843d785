"""The parts of commands that change stored rows."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from app.backends.clickhouse.removal import ClickHouseRemoval
from app.backends.clickhouse.revisions import ClickHouseRevisions
from app.backends.kafka.single_records import KafkaRecordReading
from app.build.decoder import build_decoder
from app.domain.records import OneRecord
from app.domain.revisions import Place
from app.maintenance.reprocess import Reprocessing
from app.settings import Settings

_STATEMENT_SECS: Final = 600.0  # deleting rewrites parts of the table


@contextmanager
def reprocessing(settings: Settings, *, since_secs: int, until_secs: int | None) -> Iterator[Reprocessing]:
    """What stores rejected rows anew, of those with a Timestamp from `since_secs` to `until_secs` ago.

    Raises:
        TryAgainLater: ClickHouse does not answer.
    """
    with (
        closing(
            ClickHouseRevisions(
                settings.clickhouse, since_secs=since_secs, until_secs=until_secs, timeout_secs=_STATEMENT_SECS
            )
        ) as table,
        closing(KafkaRecordReading(settings.kafka)) as records,
    ):

        def read(place: Place) -> OneRecord | None:
            return records.read(place.topic_id, place.partition, place.offset)

        yield Reprocessing(table, read, build_decoder(settings))


@contextmanager
def removable_rows(settings: Settings) -> Iterator[ClickHouseRemoval]:
    """The table, as rows are removed from it.

    Raises:
        TryAgainLater: ClickHouse does not answer.
    """
    with closing(ClickHouseRemoval(settings.clickhouse, timeout_secs=_STATEMENT_SECS)) as table:
        yield table
