"""The samples of many processes: what several compute is what one does, also when a process is killed."""

import os
import signal
import sys

import numpy
import pytest
from programs import run
from vectors import REPOSITORY

import sapagpu

SAMPLES = REPOSITORY / "python" / "samples"


def test_training_in_two_processes_is_training_in_one():
    output = run(
        f"""
        import sys
        sys.path.insert(0, {str(SAMPLES)!r})
        import ddp_training
        if __name__ == "__main__":
            print(*ddp_training.largest_difference(processes=2, steps=6))
        """,
        head="",
        environment={"PYTHONPATH": os.pathsep.join([str(REPOSITORY / "python"), str(SAMPLES)])},
    )
    difference, moved = map(float, output.split())
    assert difference < 1e-6 and moved > 1e-3


@pytest.fixture
def folders(tmp_path):
    image = pytest.importorskip("PIL.Image")
    random = numpy.random.default_rng(4)
    for name in ("photos", "maps"):
        (tmp_path / name).mkdir()
    for i in range(12):
        rows, columns = numpy.mgrid[:96, :128]
        disc = (rows - random.integers(30, 60)) ** 2 + (columns - random.integers(40, 90)) ** 2 < 30**2
        photo = (
            numpy.where(disc[..., None], [220, 90, 40], [40, 110, 200]) + random.integers(0, 20, (96, 128, 1))
        ).astype("u1")
        image.fromarray(photo).save(tmp_path / "photos" / f"{i}.png")
        image.fromarray(disc[4::8, 4::8].astype("u1") * 7).save(tmp_path / "maps" / f"{i}.png")
    return tmp_path


@pytest.mark.filterwarnings("ignore")
def test_killed_worker_loses_nothing(folders, monkeypatch):
    distributed = pytest.importorskip("distributed")
    image = pytest.importorskip("PIL.Image")
    # Workers load the package and the sample by themselves.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY / "python"), str(SAMPLES)]))
    monkeypatch.setattr(sys, "path", [str(SAMPLES), *sys.path])
    import dask_folder

    photos, maps, results = (folders / name for name in ("photos", "maps", "results"))
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            workers = client.run(os.getpid)
            assert len(workers) == 2
            futures = dask_folder.start(client, photos, maps, results, "labels")
            next(iter(distributed.as_completed(futures)))
            os.kill(next(iter(workers.values())), signal.SIGKILL)
            # A worker whose memory is gone computes what it held once more, which replaces the file.
            client.gather(futures)
    assert not list(dask_folder.jobs(photos, maps, results))
    for i in range(12):
        photo, small, large = (image.open(folder / f"{i}.png") for folder in (photos, maps, results))
        expected = sapagpu.upsample(numpy.asarray(small), numpy.asarray(photo), "labels")
        numpy.testing.assert_array_equal(numpy.asarray(large), expected)
    assert len(list(results.glob("*.png"))) == 12
