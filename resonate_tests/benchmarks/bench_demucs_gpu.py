"""Our Demucs engine on a GPU beside the stock `demucs` command there, and what a segment takes by the batch.

`python -m resonate_tests.benchmarks.bench_demucs_gpu` needs nothing but the GPU: models of the published size with
random weights and tracks of noise are made on the spot. `--tracks 50 --seconds 180 --batches 1 2 4 8 16 32` are its
defaults; `--stock-tracks 5` gives the stock command fewer. The limit is what a large product of matrices reaches in
bfloat16 on the same device. Without a GPU it runs on the processor: use `--narrow` and small numbers to try it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from resonate_resources.models.device import choose_device, tensor_float_32
from resonate_resources.models.precision import largest_error_db
from resonate_resources.separation.demucs.bag import Bag, load_checkpoint
from resonate_tests.benchmarks.bench_demucs import command, measured, random_track, save_models


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="htdemucs_ft", choices=["htdemucs", "htdemucs_ft", "htdemucs_6s"])
    parser.add_argument("--tracks", type=int, default=50)
    parser.add_argument("--stock-tracks", type=int)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--narrow", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        save_models(asked.model, directory / "models", asked.narrow)
        bag = Bag([load_checkpoint(path) for path in sorted((directory / "models").glob("*.th"))])
        limit = bfloat16_limit()
        work = by_batch(bag, asked.batches, limit)
        del bag
        if torch.cuda.is_available():
            torch.cuda.empty_cache()  # the two commands find the GPU as empty as this process can leave it
        side_by_side(asked, work, limit, directory)


def by_batch(bag: Bag, batches: list[int], limit: float) -> float:
    """Prints a table of batch sizes. Returns the floating-point operations of a segment."""
    device = choose_device()
    bag.to(device.kind)
    segment = torch.randn(1, 2, bag.segment) * 0.1
    exact = bag(segment, False)
    work = operations(bag, segment)
    name = torch.cuda.get_device_name() if device.kind == "cuda" else "processor"
    print(f"{name}: {limit / 1e12:.3g} TFLOP/s in bfloat16; {work / 1e9:.0f} GFLOP per segment, ", end="")
    print(f"{len(bag.sources)} sources; lower precision: {device.fast}\n")
    print(
        "| batch | precision | ms per segment | peak GB | TFLOP/s | of the limit |\n|---|---|---|---|---|---|"
    )
    for fast in (False, True) if device.fast else (False,):
        for batch in batches:
            segments = segment.expand(batch, -1, -1)
            if device.kind == "cuda":
                torch.cuda.reset_peak_memory_stats()
            try:
                with tensor_float_32() if fast else nullcontext():
                    seconds = fastest(lambda: bag(segments, fast)) / batch  # noqa: B023
            except torch.OutOfMemoryError:
                print(f"| {batch} | | does not fit | | | |")
                continue
            peak = torch.cuda.max_memory_allocated() / 1e9 if device.kind == "cuda" else float("nan")
            print(
                f"| {batch} | {device.fast if fast else 'float32'} | {1000 * seconds:.1f} | {peak:.1f} "
                f"| {work / seconds / 1e12:.2f} | {work / seconds / limit:.1%} |",
                flush=True,
            )
    if device.fast:
        error = largest_error_db(bag(segment, True).cpu().numpy(), exact.cpu().numpy())
        print(f"\n{device.fast} is {error:.1f} dB from float32")
    return work


def operations(bag: Bag, segment: torch.Tensor) -> float:
    """Of the matrix products and convolutions. Fused attentions would not all be counted."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            bag(segment, False)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return float(counter.get_total_flops())


def side_by_side(asked: argparse.Namespace, work: float, limit: float, directory: Path) -> None:
    tracks = [
        str(random_track(asked.seconds, directory / f"track{number}.wav", number).path)
        for number in range(asked.tracks)
    ]
    counts = {"stock": asked.stock_tracks or asked.tracks, "ours": asked.tracks}
    print("\n| engine | tracks | seconds | tracks per hour | peak GB of main memory |\n|---|---|---|---|---|")
    rates = {}
    for engine, count in counts.items():
        run = measured(command(engine, asked.model, directory) + tracks[:count], directory)
        rates[engine] = 3600 * count / run.wall_seconds
        print(
            f"| {engine} | {count} | {run.wall_seconds:.1f} | {rates[engine]:.0f} | {run.peak_gigabytes:.2f} |",
            flush=True,
        )
    # As many segments as an hour of tracks is long, without their overlaps, as fast as the limit allows.
    possible = 3600 * limit / (work * asked.seconds / 7.8)
    print(
        f"\nours ÷ stock: {rates['ours'] / rates['stock']:.1f}; {rates['ours'] / possible:.1%} of the limit"
    )
    print(run.output)


def bfloat16_limit(size: int = 8192) -> float:
    """FLOP/s of a product of square matrices, on the GPU; on a processor, of a small one."""
    on_gpu = torch.cuda.is_available()
    size = size if on_gpu else 1024
    left = torch.randn(size, size, dtype=torch.bfloat16, device="cuda" if on_gpu else "cpu")
    return 2 * size**3 / fastest(lambda: left @ left)


def fastest(compute: Callable[[], object], times: int = 5) -> float:
    """Seconds of the fastest run, after one that is not counted."""
    seconds = []
    with torch.inference_mode():
        for _ in range(times + 1):
            began = time.perf_counter()
            compute()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - began)
    return min(seconds[1:])


if __name__ == "__main__":
    main()
