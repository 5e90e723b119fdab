"""Brings a folder of small maps to the size of their photos, in processes or on machines that Dask keeps.

    PYTHONPATH=python python3 python/samples/dask_folder.py photos maps results --kind labels --workers 2

Photos and maps are images of the same name. What is there already is left alone, so that a run goes on where another
ended. A file appears when it is complete, and the file of a worker that dies is done by another one. With --scheduler
the work goes to a cluster that is running, whose workers see the folders. Workers are spawned, as Dask does by itself:
.NET does not survive fork.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Iterator

import numpy
from distributed import Client, Future, LocalCluster, as_completed
from PIL import Image

# How often a file is tried whose worker died or failed.
TRIES = 5


def upsample_file(photo: str, map: str, result: str, kind: str) -> str:
    """Upsamples one map and returns the name of the result."""
    import sapagpu

    guide = numpy.asarray(Image.open(photo).convert("RGB"))
    large = sapagpu.upsample(numpy.asarray(Image.open(map)), guide, kind)
    part = f"{result}.{os.getpid()}.part"
    Image.fromarray(large).save(part, format="png")
    os.replace(part, result)
    return result


def jobs(photos: Path, maps: Path, results: Path) -> Iterator[tuple[str, str, str]]:
    """Photo, map and result of every map that has no result yet."""
    photo_of = {photo.stem: photo for photo in photos.iterdir()}
    for map in sorted(maps.iterdir()):
        result = results / f"{map.stem}.png"
        if map.stem not in photo_of:
            raise FileNotFoundError(f"{map} has no photo of its name in {photos}.")
        if not result.exists():
            yield str(photo_of[map.stem]), str(map), str(result)


def start(client: Client, photos: Path, maps: Path, results: Path, kind: str) -> list[Future]:
    """Queues all files, and returns what is to come."""
    results.mkdir(parents=True, exist_ok=True)
    return [client.submit(upsample_file, *job, kind, pure=False, retries=TRIES) for job in jobs(photos, maps, results)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("maps", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--kind", default="labels", help="mask, labels, depth or image")
    parser.add_argument("--workers", type=int, default=2, help="processes on this machine")
    parser.add_argument("--scheduler", help="the address of a cluster, such as tcp://host:8786")
    options = parser.parse_args()
    cluster = options.scheduler or LocalCluster(options.workers, threads_per_worker=1, dashboard_address=None)
    with Client(cluster) as client:
        futures = start(client, options.photos, options.maps, options.results, options.kind)
        for done, future in enumerate(as_completed(futures), 1):
            print(f"{done} of {len(futures)}: {future.result()}")
    if not options.scheduler:
        cluster.close()


if __name__ == "__main__":
    main()
