"""`python -m tests.golden` regenerates the files; the commit must explain the difference."""

from tests.golden.corpus import FILES, FOLDER

for name, render in FILES.items():
    (FOLDER / name).write_text(render(), encoding="utf-8")
