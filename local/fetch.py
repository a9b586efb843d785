"""`python -m local.fetch`: downloads both versions of Kafka, and prepares quick starts of the newer one.

Nobody has to run it: the first start of a stack downloads what it needs. Before many starts it pays.
"""

from __future__ import annotations

import sys

from local.errors import LocalError
from local.kafka import KRAFT_VERSION, ZOOKEEPER_VERSION
from local.kafka_jars import DEFAULT_CACHE, kafka_class_path
from local.kafka_warmup import warm_up


def main() -> int:
    """Download missing versions. Returns 1 if that fails, else 0."""
    try:
        for version in (KRAFT_VERSION, ZOOKEEPER_VERSION):
            kafka_class_path(version, DEFAULT_CACHE)
        warm_up(DEFAULT_CACHE)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
