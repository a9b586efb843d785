"""The users of deploy/gcp and deploy/clickhouse, as the real engine reads their files: `make vm-trials`.

An engine of its own is started in a folder with these files, which takes a second or two.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from local.paths import ROOT

pytestmark = pytest.mark.skipif("VM_TRIALS" not in os.environ, reason="starts an engine: make vm-trials")

SERVER = "<clickhouse><users_config>users.xml</users_config><path>data/</path></clickhouse>"
DEFAULTS = """<clickhouse>
<profiles><default/></profiles><quotas><default/></quotas>
<users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
<access_management>1</access_management></default></users>
</clickhouse>"""
PROGRAM = """
import json, chdb
connection = chdb.connect(":memory:?config-file=config.xml")
grants = [connection.query(f"SHOW GRANTS FOR {name}", "TSV") for name in ("reader", "grafana")]
print(json.dumps([grant.bytes().decode() for grant in grants]))
"""


def test_the_engine_gives_users_the_rights_of_their_files_and_no_others(tmp_path: Path) -> None:
    users = ElementTree.fromstring(DEFAULTS)  # noqa: S314 - our own text
    for name in ("gcp/clickhouse/reader", "clickhouse/grafana"):
        root = ElementTree.parse(ROOT / f"deploy/{name}.xml").getroot()  # noqa: S314 - our own file
        for section in root:
            constraints = section.find("*/constraints")
            if constraints is not None:  # the engine allows `changeable_in_readonly` only as a server
                section[0].remove(constraints)
            target = users.find(section.tag)
            assert target is not None
            target.extend(section)
    ElementTree.ElementTree(users).write(tmp_path / "users.xml")
    (tmp_path / "config.xml").write_text(SERVER)
    passwords = {"CLICKHOUSE_READER_PASSWORD": "one", "GRAFANA_CLICKHOUSE_PASSWORD": "another"}

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=os.environ | passwords, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == [
        "GRANT SELECT ON logs.* TO reader\nGRANT SELECT ON system.processes TO reader\n",
        "GRANT SELECT ON logs.* TO grafana\n",
    ]
