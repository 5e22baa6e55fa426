"""The embedded engine: Spleeter's mask for voices, and masks from how sounds behave in time, pitch and panning."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from resonate_resources.models.chunks import separate_in_chunks
from resonate_resources.parallel import threads
from resonate_resources.recipe import Engine, Recipe
from resonate_resources.recordings.recording import Progress, Recording, Samples, Stems
from resonate_resources.separation.spectral import spleeter
from resonate_resources.separation.spectral.masks import STEMS, estimate_masks
from resonate_resources.separation.spectral.stft import Stft
from resonate_resources.separation.spectral.wiener import filtered

CHUNK_SECONDS = 20.0
"""About: the chunks of a track are equally long, 15 to 30 s. Some bars of context, as in fitting; half a
gigabyte of cues in stereo."""
FADE_SECONDS = 1.0
_CHUNK_VALUES = 6_000_000
"""Most values (frames × channels) at once: where there are more, fewer chunks at a time, and shorter ones."""


class SpectralSeparator:
    """Parts any track into vocals, drums, bass and other that sum to it.

    Without Spleeter's weights its own networks find the voice, too, less well, and `notes` says so.
    """

    notes: tuple[str, ...] = ()

    def available(self) -> str | None:
        """It always is."""
        return None

    def recipe(self) -> Recipe:
        if spleeter.why_missing():
            return Recipe.of(__name__, Engine("spectral", licence="GPL-3.0-or-later"))
        engine = Engine("spectral", spleeter.MODEL, f"GPL-3.0-or-later; {spleeter.MODEL}: {spleeter.LICENCE}")
        return Recipe.of(__name__, engine, {"weights_sha256": spleeter.SHA256})

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        missing = spleeter.why_missing()
        self.notes = (f"voices are found less well: {missing}",) if missing else ()
        rate = track.sample_rate
        lift = lift_of(track.blocks(rate))
        fade = round(FADE_SECONDS * rate)
        chunk = _chunk_frames(track, fade)
        return separate_in_chunks(
            track,
            lambda samples: separate_samples(samples, rate, lift),
            STEMS,
            into,
            chunk=chunk,
            fade=fade,
            progress=progress,
            at_once=max(1, min(threads(), _CHUNK_VALUES // (chunk * track.channels))),
        )


def _chunk_frames(track: Recording, fade: int) -> int:
    """Frames of a chunk: so many that the last one, which reaches back, has little to do again."""
    apart = track.frames - fade
    usual = round(CHUNK_SECONDS * track.sample_rate) - fade
    most = max(1, _CHUNK_VALUES // track.channels - fade)
    count = max(1, round(apart / usual), -(-apart // most))
    return max(1, -(-apart // count)) + fade


def lift_of(seconds: Iterable[Samples]) -> float | None:
    """`spleeter.lift` of a track, from its seconds of (channels, frames); None where the weights are not here."""
    if spleeter.why_missing():
        return None
    # Offsets are left out.
    return spleeter.lift(max((float(np.sqrt(block.var(axis=1).mean())) for block in seconds), default=0.0))


def separate_samples(samples: Samples, sample_rate: int, lift: float | None) -> dict[str, Samples]:
    """Stems of (channels, frames ≥ 1) at sample_rate (Hz), each of that shape; they sum to it up to rounding.

    lift: `lift_of` the track that they are of.
    """
    stft = Stft.for_rate(sample_rate)
    centred = samples - samples.mean(1, keepdims=True)  # an offset is nobody's sound: it stays in the rest
    spectra = stft.forward(centred)
    sung = None if lift is None else spleeter.sung_share(spectra, lift)
    masks = estimate_masks(centred, spectra, stft, sample_rate / stft.size, sung)
    stems: dict[str, Samples] = {}
    rest = samples.copy()
    for name, stem_spectra in zip(STEMS[:-1], filtered(spectra, masks), strict=False):
        stems[name] = stft.inverse(stem_spectra, samples.shape[1])
        rest -= stems[name]
    return {**stems, STEMS[-1]: rest}
