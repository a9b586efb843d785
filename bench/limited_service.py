"""`python -m bench.limited_service`: the service, but each instance stores a fixed number of records per second.

So a group of them on one machine behaves as one of which each member has a machine of its own. Each insert, and each
partition that is assigned, is noted in a file.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

from app.build.service import build
from app.domain.records import Partition, Position
from app.environment import read_settings
from app.pipeline.batch import Batch
from app.pipeline.delivery import Delivered, Delivery
from app.pipeline.task import Pause, Steps
from app.serve import serve

RATE_VARIABLE: Final = "BENCH_RECORDS_PER_SEC"
JOURNAL_VARIABLE: Final = "BENCH_JOURNAL"


class LimitedDelivery(Delivery):
    """Delivers no more than `rate` rows per second, on average; notes every batch that is stored.

    The wait comes before the lease, as the time that decoding takes does: a lease is not held for longer.
    """

    rate = float(os.environ.get(RATE_VARIABLE, "inf"))
    journal = Path(os.environ.get(JOURNAL_VARIABLE, os.devnull))

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._free_at = self._clock()

    def recover(self, partition: Partition, position: Position) -> Steps[int]:
        """See `Delivery`; it is called for every partition that is assigned."""
        self._note(assigned=str(partition))
        return super().recover(partition, position)

    def deliver(self, batch: Batch) -> Steps[Delivered]:
        """See `Delivery`."""
        if (wait_secs := self._free_at - self._clock()) > 0:
            yield Pause(wait_secs)
        self._free_at = self._clock() + batch.rows.num_rows / self.rate
        delivered = yield from super().deliver(batch)
        self._note(rows=batch.rows.num_rows)
        return delivered

    def _note(self, **what: object) -> None:
        with self.journal.open("a") as journal:
            journal.write(json.dumps({"at": time.time(), **what}) + "\n")


def main() -> int:
    """Run the service as `python -m app` does, with this delivery. Returns the exit code."""
    settings = read_settings(os.environ)
    return serve(settings, build(settings, new_delivery=LimitedDelivery))


if __name__ == "__main__":
    sys.exit(main())
