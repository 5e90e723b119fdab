#!/usr/bin/env python3
"""Guided upsampling beside OpenCV's filters: quality on photographs with known maps, and time of whole processes.

    python3 bench/guided/compare.py DATA --tool "dotnet PATH/SapaGpu.Cli.dll" [--ratios 4 8 16] [--time]

DATA has the folders masks, scenes and depth (NAME.jpg or .png beside NAME_mask.png, NAME_label.png, NAME_disparity.png). Maps are
made smaller and brought back: by the tool with its defaults, and by OpenCV's filters after bilinear interpolation, with parameters
that are best on all other photographs (left one out), each with its own choice for every kind and ratio. Needs numpy and OpenCV with
its contributed modules (python3-opencv).
"""
import argparse
import itertools
import pathlib
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np

KINDS = {"masks": "_mask", "scenes": "_label", "depth": "_disparity"}
BAND = 3
FILTERS = {
    "guided filter": (lambda photo, plane, radius, eps: cv2.ximgproc.guidedFilter(photo, plane, radius, eps * 255 ** 2),
                      lambda ratio: itertools.product([ratio // 2, ratio, 2 * ratio], [1e-4, 1e-3, 1e-2])),
    "fast global smoother": (lambda photo, plane, amount, sigma: cv2.ximgproc.fastGlobalSmootherFilter(
                                photo, plane, amount, sigma * 255),
                             lambda ratio: itertools.product([ratio ** 2 / 4, ratio ** 2], [0.02, 0.05])),
}


def cells(pixels, count):
    return (2 * np.arange(pixels) + 1) * count // (2 * pixels)


def means(plane, height, width):
    rows = np.searchsorted(cells(plane.shape[0], height), np.arange(height))
    columns = np.searchsorted(cells(plane.shape[1], width), np.arange(width))
    sums = np.add.reduceat(np.add.reduceat(plane.astype(np.float64), rows, 0), columns, 1)
    return sums / np.outer(np.diff(np.r_[rows, plane.shape[0]]), np.diff(np.r_[columns, plane.shape[1]]))


def shrink(kind, truth, height, width):
    """The small map."""
    if kind == "masks":
        return np.where(means(truth > 127, height, width) >= 0.5, 255, 0).astype(np.uint8)
    if kind == "scenes":
        classes = np.unique(truth)
        return classes[np.argmax([means(truth == c, height, width) for c in classes], 0)]
    known = means(truth > 0, height, width)
    return np.where(known >= 0.5, means(truth, height, width) / np.maximum(known, 1e-9), 0).astype(np.float32)


def near_edges(labels):
    edges = np.zeros(labels.shape, np.uint8)
    edges[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    edges[:-1] |= labels[1:] != labels[:-1]
    y, x = np.mgrid[-BAND:BAND + 1, -BAND:BAND + 1]
    return cv2.dilate(edges, (y * y + x * x <= BAND * BAND).astype(np.uint8)) > 0


def score(kind, result, truth, unit):
    """IoU, mean IoU within BAND pixels of edges, or mean absolute error in pixels."""
    if kind == "masks":
        a, b = result > 127, truth > 127
        return (a & b).sum() / (a | b).sum()
    if kind == "scenes":
        band = near_edges(truth)
        ious = []
        for c in np.union1d(truth[band], result[band]):
            a, b = (result == c) & band, (truth == c) & band
            ious.append((a & b).sum() / (a | b).sum())
        return np.mean(ious)
    known = (truth > 0) & (result > 0)
    return np.abs(result - truth)[known].mean() / unit


def by_opencv(kind, photo, small, function, parameters):
    height, width = photo.shape[:2]

    def up(plane):
        large = cv2.resize(plane.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        return function(photo, large, *parameters)

    if kind == "masks":
        return up(small)
    if kind == "scenes":
        classes = np.unique(small)
        return classes[np.argmax([up(small == c) for c in classes], 0)]
    known = up(small > 0)
    return np.where(known >= 0.5, up(small) / np.maximum(known, 1e-6), 0)


def by_tool(tool, folder, kind, photo, small):
    given, output = folder / "small.npy", folder / "result.npy"
    np.save(given, small)
    options = {"masks": ["--kind", "mask"], "scenes": ["--labels"], "depth": ["--unknown", "0"]}[kind]
    subprocess.run([*tool, "upsample", "--guide", photo, "--input", given, "--output", output, *options],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return np.load(output)


def left_one_out(rows, smallest):
    """The mean over photographs, each with the row that is best on all others."""
    rows = np.array(rows) * (-1 if smallest else 1)
    chosen = [rows[np.delete(rows, i, 1).mean(1).argmax(), i] for i in range(rows.shape[1])]
    return abs(np.mean(chosen))


def compare(data, tool, kind, ratio):
    suffix = KINDS[kind]
    ours, plain = [], []
    theirs = {name: [] for name in FILTERS}
    with tempfile.TemporaryDirectory() as temporary:
        for path in sorted((data / kind).glob(f"*{suffix}.png")):
            stem = path.name[:-len(suffix) - 4]
            photo_path = next(p for p in (path.with_name(stem + end) for end in (".jpg", ".png")) if p.exists())
            truth, photo = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), cv2.imread(str(photo_path))
            unit = 4 if stem in ("cones", "teddy") else 3
            small = shrink(kind, truth, -(-truth.shape[0] // ratio), -(-truth.shape[1] // ratio))
            ours.append(score(kind, by_tool(tool, pathlib.Path(temporary), kind, photo_path, small), truth, unit))
            plain.append(score(kind, by_opencv(kind, photo, small, lambda _, plane: plane, ()), truth, unit))
            for name, (function, grid) in FILTERS.items():
                theirs[name].append([
                    score(kind, by_opencv(kind, photo, small, function, parameters), truth, unit) for parameters in grid(ratio)])
    figures = [np.mean(plain), *(left_one_out(np.transpose(rows), kind == "depth") for rows in theirs.values()), np.mean(ours)]
    print(f"| {kind} | {ratio} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |", flush=True)


def time_processes(data, tool, columns, rows):
    """A map to a photo of 4000x3000, reading and writing PNG."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        path = sorted((data / "masks").glob("*_mask.png"))[0]
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        photo = cv2.imread(str(path).replace("_mask.png", ".jpg"))
        cv2.imwrite(str(folder / "photo.png"), cv2.resize(photo, (4000, 3000), interpolation=cv2.INTER_CUBIC))
        small = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / "small.png"), np.where(small > 127, 255, 0).astype(np.uint8))
        program = (
            "import cv2; p=cv2.imread('photo.png'); s=cv2.imread('small.png',0); "
            "cv2.imwrite('opencv.png',cv2.ximgproc.guidedFilter(p,cv2.resize(s,(4000,3000)),12,65))")
        commands = {
            "OpenCV's guided filter": [sys.executable, "-c", program],
            "sapagpu upsample": [*tool, "upsample", "--guide", "photo.png", "--input", "small.png", "--output", "ours.png"],
        }
        times = {name: [] for name in commands}
        for _ in range(5):
            for name, command in commands.items():
                start = time.perf_counter()
                subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                times[name].append(time.perf_counter() - start)
        for name, seconds in times.items():
            print(f"{columns}x{rows}, {name}: median {np.median(seconds):.2f} s, least {min(seconds):.2f} s, of {len(seconds)} runs by turns")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--tool", default="sapagpu", help="the command, with the paths it needs from any folder")
    parser.add_argument("--ratios", type=int, nargs="*", default=[4, 8, 16])
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--time", action="store_true", help="measure time too")
    arguments = parser.parse_args()
    tool = arguments.tool.split()
    if arguments.ratios:
        print("| map | ratio | bilinear | " + " | ".join(FILTERS) + " | SapaGpu |")
        print("| --- " * (len(FILTERS) + 4) + "|")
    for kind, ratio in itertools.product(arguments.kinds, arguments.ratios):
        compare(arguments.data, tool, kind, ratio)
    if arguments.time:
        for columns, rows in ((256, 256), (500, 375)):
            time_processes(arguments.data, tool, columns, rows)


if __name__ == "__main__":
    main()
