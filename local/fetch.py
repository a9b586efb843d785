"""`python -m local.fetch`: downloads both versions of Kafka now, so that the first start of a stack need not wait."""

from __future__ import annotations

import sys

from local.errors import LocalError
from local.kafka import KRAFT_VERSION, ZOOKEEPER_VERSION
from local.kafka_jars import DEFAULT_CACHE, kafka_class_path


def main() -> int:
    """Download missing versions. Returns 1 if that fails, else 0."""
    try:
        for version in (KRAFT_VERSION, ZOOKEEPER_VERSION):
            kafka_class_path(version, DEFAULT_CACHE)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
