"""`python -m tests.golden` writes the files anew; the difference belongs into the commit that explains it."""

from tests.golden.corpus import FILES, FOLDER

for name, render in FILES.items():
    (FOLDER / name).write_text(render(), encoding="utf-8")
