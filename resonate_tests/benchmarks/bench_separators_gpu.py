"""RoFormer, MDX23C and VR models of their published sizes on a GPU: error, time and memory in every precision.

Run by the worker's Python, from the root of the repository:
`PYTHONPATH=. .venv/workers/audio-separator/bin/python -m resonate_tests.benchmarks.bench_separators_gpu`. It needs
nothing but the GPU: weights are random, the sound is made on the spot. Errors are of the worst stem, against
float32 on the same GPU and on the processor. Then whole tracks go through the engines' work, also with a model that
float16 can't hold, and with less of the GPU's memory than they need. Without a GPU it runs on the processor: use
`--narrow` and small numbers to try it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from audio_separator.separator.uvr_lib_v5.roformer.bs_roformer import DEFAULT_FREQS_PER_BANDS, BSRoformer
from audio_separator.separator.uvr_lib_v5.roformer.mel_band_roformer import MelBandRoformer
from audio_separator.separator.uvr_lib_v5.tfc_tdf_v3 import TFC_TDF_net
from audio_separator.separator.uvr_lib_v5.vr_network.nets import determine_model_capacity
from ml_collections import ConfigDict

from resonate_resources.models.audio_separator.array_models import ArrayModel
from resonate_resources.models.audio_separator.inversion import as_processors_invert
from resonate_resources.models.audio_separator.loading import load_model
from resonate_resources.models.audio_separator.work import CHUNK_SECONDS, SeparationWork
from resonate_resources.models.device import full_float_32, tensor_float_32
from resonate_resources.models.precision import largest_error_db
from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_tests.resources.models.audio_separator.tiny_models import (
    BS,
    MDX23C,
    MEL,
    RATE,
    SIX,
    SW,
    VR,
    save,
)

ON_GPU = torch.cuda.is_available()
GIGABYTE = 1e9


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", nargs="+", default=[MEL, BS, SW, VR, MDX23C])
    parser.add_argument("--seconds", type=float, default=60, help="of a whole track")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8], help="of MDX23C")
    parser.add_argument("--narrow", action="store_true")
    asked = parser.parse_args()
    print(f"{torch.cuda.get_device_name() if ON_GPU else 'processor'}, torch {torch.__version__}\n")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        make_models(directory, asked.narrow)
        print("| model | precision | ms per second of sound | peak GB | from float32 | from the processor |")
        print("|---|---|---|---|---|---|", flush=True)
        for model in asked.models:
            compare_precisions(directory, model, asked.batches)
        whole_tracks(directory, asked.models, asked.seconds)
        if ON_GPU:
            too_little_memory(directory)


def make_models(directory: Path, narrow: bool) -> None:
    """The architectures by the configurations that are published with them."""
    torch.manual_seed(0)
    spectrum = {"stft_n_fft": 2048, "stft_win_length": 2048, "mask_estimator_depth": 2, "flash_attn": True}
    common = {"stereo": True, "time_transformer_depth": 1, "freq_transformer_depth": 1, **spectrum}
    few = {"dim": 16, "depth": 1} if narrow else {}
    mel = {"dim": 384, "depth": 6, "num_stems": 1, "num_bands": 60, "stft_hop_length": 441, **common, **few}
    save(directory, MEL, MelBandRoformer(**mel), configured(mel, ["vocals", "other"], "vocals", 1101, 1))
    bands = {"freqs_per_bands": DEFAULT_FREQS_PER_BANDS}
    bs = {"dim": 512, "depth": 12, "num_stems": 1, "stft_hop_length": 441, **bands, **common, **few}
    bs_config = configured(bs, ["vocals", "other"], "vocals", 801, 2)
    save(directory, BS, BSRoformer(**bs), bs_config, BS.replace(".ckpt", ".yaml"))
    six = {"dim": 256, "depth": 12, "num_stems": 6, "stft_hop_length": 512, **bands, **common, **few}
    save(directory, SW, BSRoformer(**six), configured(six, SIX, None, 1101, 2))

    width = 8 if narrow else 128
    mdx23c = {
        "audio": {
            "chunk_size": 261120, "dim_f": 4096, "dim_t": 256, "hop_length": 1024, "n_fft": 8192, "num_channels": 2,
            "sample_rate": RATE,
        },
        "model": {
            "act": "gelu", "bottleneck_factor": 4, "growth": width, "norm": "InstanceNorm",
            "num_blocks_per_scale": 2, "num_channels": width, "num_scales": 5, "num_subbands": 4, "scale": [2, 2],
        },
        "training": {"instruments": ["Vocals", "Instrumental"], "target_instrument": None},
        "inference": {"batch_size": 1, "dim_t": 256, "num_overlap": 8},
    }  # fmt: skip
    network = TFC_TDF_net(ConfigDict(mdx23c), device=torch.device("cpu"))
    save(directory, MDX23C, network, mdx23c, "model_2_stem_full_band_8k.yaml")

    torch.save(determine_model_capacity(672 * 2, 123821).state_dict(), directory / VR)
    lists: dict[str, dict[str, Any]] = {
        f"{kind}_download_list": {} for kind in ("demucs", "vr", "mdx", "mdx_vip", "mdx23c", "roformer")
    }
    lists |= {"mdx_download_vip_list": {}, "mdx23c_download_vip_list": {}}
    lists["roformer_download_list"]["BS"] = {BS: BS.replace(".ckpt", ".yaml")}
    lists["mdx23c_download_list"]["MDX23C"] = {MDX23C: "model_2_stem_full_band_8k.yaml"}
    lists["vr_download_list"]["VR"] = VR
    by_hash = {md5_of_end(directory / VR): {"vr_model_param": "4band_44100", "primary_stem": "Vocals"}}
    for name, content in (
        ("download_checks.json", lists),
        ("vr_model_data.json", by_hash),
        ("mdx_model_data.json", {}),
    ):
        (directory / name).write_text(json.dumps(content))


def md5_of_end(path: Path) -> str:
    """By which audio-separator finds the parameters of a large file: its last ten thousand KiB count."""
    return hashlib.md5(path.read_bytes()[-10_000 * 1024 :]).hexdigest()


def configured(
    model: dict[str, Any], instruments: list[str], target: str | None, frames: int, overlap: int
) -> dict[str, Any]:
    return {
        "audio": {"chunk_size": 352800, "dim_t": 801, "hop_length": 441, "n_fft": 2048, "sample_rate": RATE},
        "model": model,
        "training": {"instruments": instruments, "target_instrument": target},
        "inference": {"batch_size": 1, "dim_t": frames, "num_overlap": overlap},
    }


def sound(frames: int) -> Samples:
    """Noise of all frequencies: what rounds in bands without a sound, RoFormers' norms would turn up."""
    return np.random.default_rng(0).normal(0, 0.1, (2, frames)).astype(np.float32)


PRECISIONS = ("float32", "TF32", "float16")


@contextmanager
def precision(name: str) -> Iterator[None]:
    """float16: where autocast has it, with TF32 for the rest, as the engines use it."""
    with (
        as_processors_invert(),
        full_float_32() if name == "float32" else tensor_float_32(),
        torch.autocast("cuda", torch.float16) if name == "float16" else nullcontext(),
    ):
        yield


def compare_precisions(directory: Path, name: str, batches: list[int]) -> None:
    """A chunk of the engine's length through one model in every precision. MDX23C meets the processor with an
    eighth of its windows, which would take that an hour otherwise, and has a row for every batch."""
    mix = sound(round(CHUNK_SECONDS * RATE) // 2048 * 2048)
    model = load_model(name, directory, name in (MEL, BS, SW), "cpu")
    published = rarely(model) if name == MDX23C else 0
    truth = stacked(model, mix)
    del model
    if not ON_GPU:
        print(f"| {name} | processor | | | | |", flush=True)
        return
    model = load_model(name, directory, name in (MEL, BS, SW))
    if name == MDX23C:
        rarely(model)
    outputs = {}
    for kind in PRECISIONS:
        with precision(kind):
            outputs[kind] = stacked(model, mix)
    if name == MDX23C:
        model._separator.overlap = published  # type: ignore[attr-defined]
    for kind in PRECISIONS:
        for batch in batches if name == MDX23C else [1]:
            if name == MDX23C:
                model.batch = batch
            torch.cuda.reset_peak_memory_stats()
            with precision(kind):
                seconds = fastest(lambda: stacked(model, mix))
            peak = torch.cuda.max_memory_allocated() / GIGABYTE
            print(
                f"| {name} | {kind}{f', batch of {batch}' if name == MDX23C else ''} "
                f"| {1000 * seconds / CHUNK_SECONDS:.1f} | {peak:.1f} "
                f"| {decibels(outputs[kind], outputs['float32'])} | {decibels(outputs[kind], truth)} |",
                flush=True,
            )


def rarely(model: ArrayModel) -> int:
    """Windows without overlap. Returns what it was."""
    separator = model._separator  # type: ignore[attr-defined]
    before, separator.overlap = separator.overlap, 1
    return int(before)


def stacked(model: ArrayModel, mix: Samples) -> Samples:
    """(1, stems, 2, frames)"""
    parts = model.separate(mix, model.level(mix))
    return np.stack([np.asarray(part, np.float32) for part in parts.values()])[None]


def decibels(outputs: Samples, exact: Samples) -> str:
    error = largest_error_db(outputs, exact)
    return "" if error is None or error == -np.inf else f"{error:.1f} dB"


def fastest(compute: Callable[[], object], times: int = 3) -> float:
    """Seconds of the fastest run, after one that is not counted. What comes of it is on the processor."""
    seconds = []
    for _ in range(times + 1):
        began = time.perf_counter()
        compute()
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:])


def whole_tracks(directory: Path, models: list[str], seconds: float) -> None:
    """The second of two tracks, when the model is loaded."""
    track = write_samples(directory / "track.wav", sound(round(seconds * RATE)), RATE)
    print(
        f"\n| model, a track of {seconds:g} s | seconds | × real time | peak GB | notes |\n|---|---|---|---|---|"
    )
    for name in models:
        work = SeparationWork()
        job = job_of(directory, name, track.path)
        work(job, silent)
        if ON_GPU:
            torch.cuda.reset_peak_memory_stats()
        began = time.perf_counter()
        notes = work(job, silent)["notes"]
        took = time.perf_counter() - began
        peak = torch.cuda.max_memory_allocated() / GIGABYTE if ON_GPU else float("nan")
        print(f"| {name} | {took:.2f} | {seconds / took:.1f} | {peak:.1f} | {'; '.join(notes)} |", flush=True)
        if name == MEL:
            beyond_float16(work)
            print(f"| the same, beyond float16 | | | | {'; '.join(work(job, silent)['notes'])} |", flush=True)


def job_of(directory: Path, name: str, track: Path) -> dict[str, Any]:
    into = directory / "stems"
    into.mkdir(exist_ok=True)
    return {
        "model": name,
        "roformer": name in (MEL, BS, SW),
        "models": str(directory),
        "track": str(track),
        "into": str(into),
        "stems": ["vocals", "other"],
    }


def beyond_float16(work: SeparationWork) -> None:
    """The first layer's output a million times as large, which the norms after it take back in float32."""
    network = work._model._separator.model_run  # type: ignore[union-attr]
    with torch.no_grad():
        network.layers[0][0].layers[0][1].net[4].weight.mul_(1e6)


def too_little_memory(directory: Path) -> None:
    """What of the GPU's memory is left to the process, and what comes of a track."""
    total = torch.cuda.mem_get_info()[1]
    track = write_samples(directory / "short.wav", sound(5 * RATE), RATE)
    print("\n| model | GB allowed | batch before | after | notes |\n|---|---|---|---|---|")
    for name, batch, gigabytes in (
        (MEL, 1, 1.2),
        (MEL, 1, 0.5),
        (MEL, 1, total / GIGABYTE),
        (MDX23C, 8, 8.0),
    ):
        work = SeparationWork()
        job = job_of(directory, name, track.path)
        if name == MDX23C:
            work._ready(directory / name, False, "best").batch = batch
            work._batch = batch
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(min(1.0, gigabytes * GIGABYTE / total))
        try:
            notes = work(job, silent)["notes"]
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        after = work._model.batch  # type: ignore[union-attr]
        print(f"| {name} | {gigabytes:.1f} | {batch} | {after} | {'; '.join(notes)} |", flush=True)


if __name__ == "__main__":
    main()
