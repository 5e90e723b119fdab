"""Trains a network with SAPA in several processes by PyTorch's DistributedDataParallel, and says how far the parameters
are from those of one process that saw the whole batch.

    PYTHONPATH=python python3 python/samples/ddp_training.py --processes 2 --steps 20

Processes are spawned: .NET does not survive fork.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from torch import distributed, multiprocessing, nn
from torch.nn.functional import mse_loss
from torch.nn.parallel import DistributedDataParallel

from sapagpu.torch import SapaUpsampler

BATCH, CHANNELS, SIZE = 4, 8, 12


class Network(nn.Module):
    """A layer before the upsampler and one after it."""

    def __init__(self) -> None:
        super().__init__()
        self.before = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.upsampler = SapaUpsampler(3, CHANNELS, embedding_channels=16)
        self.after = nn.Conv2d(CHANNELS, 1, 1)

    def forward(self, photo: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        return self.after(self.upsampler(photo, self.before(features)))


def new_network() -> Network:
    torch.manual_seed(1)
    return Network()


def train(network: nn.Module, steps: int, rank: int, processes: int) -> None:
    """Every step sees a new batch, of which a process takes its part."""
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    generator = torch.Generator().manual_seed(2)
    for _ in range(steps):
        maps = (
            torch.randn(BATCH, 3, 2 * SIZE, 2 * SIZE, generator=generator),
            torch.randn(BATCH, CHANNELS, SIZE, SIZE, generator=generator),
            torch.randn(BATCH, 1, 2 * SIZE, 2 * SIZE, generator=generator),
        )
        photo, features, target = (map.chunk(processes)[rank] for map in maps)
        optimiser.zero_grad()
        mse_loss(network(photo, features), target).backward()
        optimiser.step()


def work(rank: int, processes: int, steps: int, folder: str) -> None:
    """One of the processes; the first writes the parameters."""
    torch.set_num_threads(1)
    meeting_point = (Path(folder) / "meeting_point").as_uri()
    distributed.init_process_group("gloo", init_method=meeting_point, rank=rank, world_size=processes)
    network = DistributedDataParallel(new_network())
    train(network, steps, rank, processes)
    if rank == 0:
        torch.save(network.module.state_dict(), Path(folder) / "trained.pth")
    distributed.destroy_process_group()


def largest_difference(processes: int, steps: int) -> tuple[float, float]:
    """How far parameters are from those of one process, and how far training moved them."""
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(work, (processes, steps, folder), nprocs=processes)
        together = torch.load(Path(folder) / "trained.pth")
    alone = new_network()
    train(alone, steps, rank=0, processes=1)
    first = new_network().state_dict()
    pairs = [(together[name], tensor, first[name]) for name, tensor in alone.state_dict().items()]
    return (
        max(float((one - other).abs().max()) for one, other, _ in pairs),
        max(float((other - start).abs().max()) for _, other, start in pairs),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2, help=f"a divisor of {BATCH}, the images of a batch")
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    if options.processes < 1 or BATCH % options.processes != 0:
        parser.error(f"--processes must be a divisor of {BATCH}")
    difference, moved = largest_difference(options.processes, options.steps)
    print(
        f"Training moved parameters by up to {moved:.3g}; {options.processes} processes differ from one by "
        f"{difference:.1e}."
    )


if __name__ == "__main__":
    main()
