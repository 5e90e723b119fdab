"""Every piece of Python in the pages runs."""

import re

import pytest
import torch
from vectors import REPOSITORY

import sapagpu.torch

PAGES = ("python/README.md", "docs/interop.md", "docs/models.md")
PIECES = [
    (f"{page}-{number}", piece)
    for page in PAGES
    for number, piece in enumerate(
        re.findall(r"^```python\n(.*?)^```$", (REPOSITORY / page).read_text(), re.DOTALL | re.MULTILINE)
    )
]


@pytest.mark.parametrize("piece", [piece for _, piece in PIECES], ids=[name for name, _ in PIECES])
@pytest.mark.filterwarnings("ignore")
def test_piece_runs(piece, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parameters = sapagpu.torch.SapaUpsampler(128, 256).state_dict()
    torch.save({f"decode_head.up1.{name}": tensor for name, tensor in parameters.items()}, "segmenter.pth")
    torch.save(sapagpu.torch.NafUpsampler().state_dict(), "naf_release.pth")
    exec(compile(piece, "page", "exec"), {"__name__": "page"})


def test_pages_have_pieces():
    assert len(PIECES) >= len(PAGES)
