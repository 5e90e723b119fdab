"""The wheel: built, installed into an environment of its own, and used from there."""

import os
import subprocess
import sys
import zipfile

import pytest
from vectors import REPOSITORY

PROGRAM = """
import numpy, sapagpu, sys
assert sapagpu.__file__.startswith(sys.prefix), sapagpu.__file__
ones = numpy.ones((1, 2, 4, 4), "float32")
assert sapagpu.window_attention(ones, ones, ones, border="masked").round(5).min() == 1
import torch, sapagpu.torch
module = sapagpu.torch.SapaUpsampler(3, 8)
assert module(torch.rand(1, 3, 8, 8), torch.rand(1, 8, 4, 4)).shape == (1, 8, 8, 8)
print(sapagpu.version())
"""


@pytest.fixture(scope="module")
def wheel():
    pytest.importorskip("build")
    python = REPOSITORY / "python"
    subprocess.run(
        [str(python / "build.sh")], check=True, capture_output=True, env={**os.environ, "PYTHON": sys.executable}
    )
    (found,) = (python / "dist").glob("*.whl")
    return found


def test_wheel_holds_what_it_needs(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "py.typed",
        "lib/sapagpu/SapaGpu.Native.dll",
        "lib/sapagpu/SapaGpu.Native.runtimeconfig.json",
        "torch/__init__.py",
    ):
        assert f"sapagpu/{name}" in names
    assert any(name.startswith("sapagpu/lib/libsapagpu.") for name in names)
    assert any(name.endswith("/NOTICE") for name in names) and any(name.endswith("/LICENSE") for name in names)
    assert wheel.name.startswith("sapagpu-") and "-py3-none-" in wheel.name and not wheel.name.endswith("-any.whl")


def test_wheel_installs_and_runs(wheel, tmp_path):
    environment = tmp_path / "environment"
    subprocess.run(
        [sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", str(environment)], check=True
    )
    python = str(environment / "bin" / "python")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", str(wheel)],
        check=True,
        capture_output=True,
    )
    settings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SAPAGPU_LIBRARY")}
    done = subprocess.run([python, "-c", PROGRAM], cwd=tmp_path, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in wheel.name
