"""The command line of the Kafka client, which is installed with the service: for commands that people are to run."""

import os
import shlex
import shutil
import sys

from app.settings import KafkaSettings

_FILES = {"ssl_cafile": "ssl_ca_file", "ssl_certfile": "ssl_cert_file", "ssl_keyfile": "ssl_key_file"}


def admin_command(settings: KafkaSettings) -> str:
    """`python -m kafka.admin` and how it connects and logs in as the service does.

    No password is in it: the shell takes it from the environment. The client cannot get tokens (OAUTHBEARER) by itself.
    """
    words = [python(), "-m", "kafka.admin", "-b", shlex.quote(settings.bootstrap_servers)]
    if settings.security_protocol != "PLAINTEXT":
        words += ["-S", settings.security_protocol]
    if settings.sasl_mechanism:
        words += ["-M", settings.sasl_mechanism]
    if settings.sasl_username:
        words += ["-U", shlex.quote(settings.sasl_username), "-P", '"$KAFKA_SASL_PASSWORD"']
    for option, name in _FILES.items():
        if path := getattr(settings, name):
            words += ["-C", shlex.quote(f"{option}={path}")]
    if settings.security_protocol.endswith("SSL") and not settings.ssl_check_hostname:
        words += ["-C", "ssl_check_hostname=False"]
    return " ".join(words)


def python(executable: str = sys.executable, folder: str = os.curdir) -> str:
    """How a shell in this folder calls the Python that runs: `python`, as in the image, or its path."""
    if shutil.which("python") == executable:
        return "python"
    path = os.path.relpath(executable, folder)
    return shlex.quote(executable if path.startswith(os.pardir) else path)
