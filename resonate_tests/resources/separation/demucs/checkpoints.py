"""HT Demucs models with random weights, in files as the hub has them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from demucs.htdemucs import HTDemucs
from demucs.states import get_state

SOURCES = ["drums", "bass", "other", "vocals"]
_PUBLISHED = {"bottom_channels": 512, "dconv_mode": 3, "segment": Fraction(39, 5)}
"""What differs from the class's own settings in the published files (and in the package's `grids/mmi.py`)."""


def full_size(seed: int = 0, sources: list[str] = SOURCES, **settings: object) -> HTDemucs:
    """The architecture of `htdemucs`: 42 million parameters, in half precision the 84 MB of its published file."""
    return random_model(seed, sources, **_PUBLISHED | settings)


def small(seed: int = 0, sources: list[str] = SOURCES) -> HTDemucs:
    """All of its parts, few of each."""
    return full_size(
        seed, sources, channels=8, bottom_channels=32, t_layers=3, t_heads=2, segment=Fraction(3, 2)
    )


def random_model(seed: int, sources: list[str] = SOURCES, **settings: object) -> HTDemucs:
    torch.manual_seed(seed)
    return HTDemucs(sources=list(sources), **settings).eval()


def package(model: HTDemucs) -> dict[str, object]:
    """What `demucs.states.serialize_model` gives (it needs omegaconf, which only training does)."""
    args, kwargs = model._init_args_kwargs
    return {
        "klass": HTDemucs,
        "args": args,
        "kwargs": kwargs,
        "state": get_state(model, None, half=True),
        "training_args": {"lr": np.float64(3e-4), "dset": {"samplerate": 44100}},
    }


def publish(content: object, directory: Path, signature: str = "model") -> str:
    """Save as on the hub: under the signature and the hash, which together are the name that is returned."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    saved = by_numpy_1(buffer.getvalue())
    name = f"{signature}-{hashlib.sha256(saved).hexdigest()[:8]}.th"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(saved)
    return name


def by_numpy_1(saved: bytes) -> bytes:
    """The checkpoint as NumPy 1 would have had it pickled: its scalars were in another module."""
    pickled = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved)) as source, zipfile.ZipFile(pickled, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith("data.pkl"):
                content = content.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
            target.writestr(entry.filename, content)
    return pickled.getvalue()
