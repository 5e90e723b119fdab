"""The test vectors of the repository, and where SAPAGPU_DATA says those beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Iterator

import numpy
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# What the vectors hold as [B, H, W, C].
CHANNELS_LAST = {"sim", "atn", "attention", "sapa_i", "sapa_b", "sapa_g", "sapa_cat"}


class Case:
    """A case: inputs, parameters, expected output and gradients, all in double precision."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        description = json.loads((folder / "case.json").read_text())
        self.op: str = description["op"]
        self.params: dict[str, Any] = description["params"]
        self.tensors = {tensor["name"]: tensor for tensor in description["tensors"]}
        self.checkpoints: list[dict[str, str]] = description.get("checkpoints", [])

    def __repr__(self) -> str:
        return self.folder.name

    def read(self, name: str, dtype: str = "float64") -> numpy.ndarray:
        """A tensor; maps as views [B, C, H, W], channels-last where the file is."""
        tensor = self.tensors[name]
        array = numpy.load(self.folder / tensor["file"]).astype(dtype)
        is_map = array.ndim == 4 and tensor["role"] != "parameter" and not name.endswith((".weight", ".bias"))
        return array.transpose(0, 3, 1, 2) if is_map and self.op in CHANNELS_LAST else array

    def names(self, role: str) -> list[str]:
        return [name for name, tensor in self.tensors.items() if tensor["role"] == role]

    def check(self, name: str, actual: Any, at_least: float = 0) -> None:
        """Compares a result with what is expected, by the bound of its type, or a wider one."""
        expected = self.read(name)
        actual = numpy.asarray(actual)
        assert actual.size == expected.size, (name, actual.shape, expected.shape)
        actual, exact = actual.reshape(expected.shape), actual.dtype == numpy.float64
        size = max(1.0, float(numpy.abs(expected).max()))
        noise = self.tensors[name].get("float32_error", 0)
        bound = 1e-10 * size if exact else max(1e-5 * size, 20 * noise, at_least)
        numpy.testing.assert_allclose(actual, expected, rtol=0, atol=bound, err_msg=f"{self}: {name}")


def _folders() -> Iterator[Path]:
    yield REPOSITORY / "tests" / "vectors"
    data = os.environ.get("SAPAGPU_DATA")
    if data and (Path(data) / "golden" / "index.json").exists():
        yield Path(data) / "golden"


def _cases(root: Path) -> Iterator[Case]:
    for entry in json.loads((root / "index.json").read_text())["cases"]:
        yield Case(root / entry["folder"])


def cross_cases() -> list[Case]:
    """The cases of operators across resolutions, where SAPAGPU_DATA has them."""
    root = Path(os.environ.get("SAPAGPU_DATA", "")) / "golden-cross"
    return list(_cases(root)) if (root / "index.json").exists() else []


ALL = [case for root in _folders() for case in _cases(root)]


def cases(*operators: str) -> Any:
    """Parametrises a test by the cases of some operators."""
    chosen = [case for case in ALL if case.op in operators]
    assert chosen, operators
    return pytest.mark.parametrize("case", chosen, ids=[f"{case.folder.parent.name}-{case}" for case in chosen])
