"""DDSP: notes one by one through a decoder that somebody trained on one instrument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from resonate_resources.models.torch_file import read_torch_file
from resonate_resources.models.weights import ModelError, models_directory, sha256_of_weights
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.cloning.ddsp.conditions import RELEASE_S, Course, loudness_of, pitch_of
from resonate_resources.regeneration.cloning.ddsp.decoder import Decoder, in_its_room
from resonate_resources.signal.resampling import at_rate

WEIGHTS, CONFIG = "state.pth", "config.yaml"
"""What ddsp_pytorch's `train.py` leaves in the folder of a run."""
LICENCE = "not stated in the files: its maker's; take it for non-commercial"
_SEED = 0
_FADE_S = 0.01


def directory() -> Path:
    """Where a user puts folders of trained decoders, under a name each."""
    return (models_directory() / "ddsp").absolute()


def unavailable() -> str | None:
    """Why it can't play, on one line; None if there is something that may be a model."""
    if _models():
        return None
    return f"ddsp: no model; put {WEIGHTS} and {CONFIG} of a run of ddsp_pytorch into {directory()}/NAME"


def _models() -> list[Path]:
    return sorted(directory().glob(f"*/{WEIGHTS}"))


def candidates(part: Part) -> list[Candidate]:
    """One of kind "ddsp" for each model in `directory`, whose notes swell and fade as the stem's; none for drums.

    Raises ModelError where there is no model, or one can't be used.
    """
    if (reason := unavailable()) is not None:
        raise ModelError(reason)
    if part.stem == "drums" or not part.notes or not part.recording.frames:
        return []
    return [_candidate(part, file) for file in _models()]


def read_decoder(weights: Path) -> Decoder:
    """The decoder of a file WEIGHTS, with CONFIG beside it. Raises ModelError."""
    import yaml

    config = weights.with_name(CONFIG)
    state = read_torch_file(weights)
    try:
        told = yaml.safe_load(config.read_text(encoding="utf-8"))["data"]
        mean, std = float(told["mean_loudness"]), float(told["std_loudness"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{config}: does not tell mean_loudness and std_loudness of its data ({reason})"
        ) from error
    try:
        decoder = Decoder(state, int(state["sampling_rate"]), int(state["block_size"]), mean, std)
        played = decoder.play(np.full(2, 220.0), np.full(2, mean), np.random.default_rng(_SEED))
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ModelError(f"{weights}: is no decoder of ddsp_pytorch's ({error})") from error
    if not np.isfinite(played).all():
        raise ModelError(f"{weights}: gives no numbers: is it whole?")
    return decoder


@dataclass(frozen=True)
class DdspInstrument:
    """course: how loudness goes in its notes."""

    decoder: Decoder
    course: Course
    sample_rate: int

    def sounding_until(self, note: Note) -> float:
        return note.offset_s + RELEASE_S + self.decoder.reverberation().size / self.decoder.sample_rate

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        """(2, frames), both channels alike; of notes that sound together each is played by itself."""
        rate = self.decoder.sample_rate
        length = ceil(frames * rate / self.sample_rate)
        played = np.zeros(length, np.float32)
        for note in notes:
            start = round(note.onset_s * rate)
            sound = self._sound(note)[: max(0, length - start)]
            played[start : start + sound.size] += sound
        played = in_its_room(played, self.decoder.reverberation(), length)
        blocks = at_rate([played[None]], rate, self.sample_rate, 1, frames)
        return np.repeat(np.concatenate(list(blocks), axis=1), 2, axis=0)

    def _sound(self, note: Note) -> Samples:
        loudness = self.course.of(note)
        pitch = pitch_of(note, loudness.size, self.course.frame_rate)
        sound = self.decoder.play(pitch, loudness, np.random.default_rng(_SEED))
        fade = round(_FADE_S * self.decoder.sample_rate)
        sound[-fade:] *= np.linspace(1, 0, fade)
        return sound.astype(np.float32)


def _candidate(part: Part, weights: Path) -> Candidate:
    decoder = read_decoder(weights)
    loudness = loudness_of(part.recording, decoder.sample_rate, decoder.block)
    course = Course.heard(loudness, part.notes, decoder.sample_rate / decoder.block)
    instrument = DdspInstrument(decoder, course, part.sample_rate)
    return Candidate(
        kind="ddsp",
        label=f"DDSP, {weights.parent.name}",
        licence=LICENCE,
        source=f"{weights.parent.name}, a model of the user's",
        instrument=instrument,
        leaving_out=instrument,
        settings={
            "weights": weights.parent.name,
            "weights_sha256": sha256_of_weights(weights),
            "seed": _SEED,
        },
    )
