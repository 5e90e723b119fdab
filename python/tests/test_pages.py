"""Every piece of Python in the pages runs."""

import re

import pytest
from vectors import REPOSITORY

PAGES = ("python/README.md", "docs/interop.md")
PIECES = [
    (f"{page}-{number}", piece)
    for page in PAGES
    for number, piece in enumerate(re.findall(r"^```python\n(.*?)^```$", (REPOSITORY / page).read_text(), re.DOTALL | re.MULTILINE))
]


@pytest.mark.parametrize("piece", [piece for _, piece in PIECES], ids=[name for name, _ in PIECES])
@pytest.mark.filterwarnings("ignore")
def test_piece_runs(piece, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(piece, "page", "exec"), {"__name__": "page"})


def test_pages_have_pieces():
    assert len(PIECES) >= len(PAGES)
