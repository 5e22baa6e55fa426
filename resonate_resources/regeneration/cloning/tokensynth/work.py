"""What TokenSynth's worker does with a job: notes to a codec's tokens, a passage at a time, and these to sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.models.latest import Latest, state_of
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Progress, Recording, Samples
from resonate_resources.regeneration.cloning.clap import CHECKPOINT, Timbres
from resonate_resources.regeneration.cloning.played import NoteRow, rows_of, write_played
from resonate_resources.regeneration.cloning.tokensynth.loading import load_codec, load_transformer
from resonate_resources.signal.mono import Mono

VERSION = "0.0.4"
"""Of the package."""
TRANSFORMER, CODEC = "token_synth_aug.pt", "dac_weights_44khz_8kbps_0.0.1.pt"
SEED = 0
TOP_K = 10
"""As the package's `quickstart.py` has it for timbres of recordings."""
RATE = 16_000
"""What it sounds at, and CLAP hears, by the package's `dac_decoder.py` and `clap.py`."""
PASSAGE_S = 5.0
"""It knows notes that end before; and makes as much sound."""
_MOST_NOTES = 120
"""Of a passage: four tokens each and 451 of sound go into 1024."""
_FRAME_S = 0.01
_ROUNDING = 1e-6  # what a difference of floats lacks


class TokenSynthWork:
    """Jobs as `played.PlayedByWorker.play` makes them. The networks and the latest timbre stay."""

    def __init__(self) -> None:
        self._transformers, self._codecs = Latest[Any](), Latest[Any]()
        self._timbres = Timbres()

    def __call__(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        models = Path(job["models"])
        track = Recording.open(Path(job["track"]))
        timbre = self._timbres.of(track, models / CHECKPOINT.name, narrow_to=RATE)
        files = models / TRANSFORMER, models / CODEC
        transformer = self._transformers.get(lambda: state_of(files[0]), lambda: load_transformer(files[0]))
        codec = self._codecs.get(lambda: state_of(files[1]), lambda: load_codec(files[1]))
        rows = rows_of(job)
        played = np.zeros(-(-int(job["frames"]) * RATE // int(job["sample_rate"])), np.float32)
        done = 0
        for start, notes in passages(rows):
            sound = _sound(transformer, codec, notes, timbre)
            at = round(start * RATE)
            sound = sound[: max(0, played.size - at)]
            played[at : at + sound.size] += sound
            done += len(notes)
            progress(done / len(rows))
        write_played(job, iter([played[None]]), RATE, "TokenSynth")
        return {}


def passages(rows: Sequence[NoteRow]) -> Iterator[tuple[float, list[NoteRow]]]:
    """When each passage begins, in seconds, and its notes in time from there; they end within it, or are cut.

    rows: by onset. Passages overlap where notes do; each note is in one.
    """
    latest = PASSAGE_S - _FRAME_S
    start, notes = 0.0, list[NoteRow]()
    for onset, offset, pitch, velocity in rows:
        fits = offset - start < latest or (notes and onset == start)
        if notes and (not fits or len(notes) == _MOST_NOTES):
            yield start, notes
            notes = []
        if not notes:
            start = onset
        notes.append((onset - start, min(offset - start, latest), pitch, velocity))
    if notes:
        yield start, notes


def tokens_of(notes: Sequence[NoteRow]) -> list[int]:
    """Four a note, as `get_tokens_from_midi` of the package: onset and offset in 10 ms, pitch, nearest velocity."""
    tokens: list[int] = []
    for onset, offset, pitch, velocity in notes:
        nearest = int(np.argmin(np.abs(np.array([25, 50, 100, 127]) - velocity)))
        begun, ended = (int(seconds / _FRAME_S + _ROUNDING) for seconds in (onset, offset))
        tokens += [1 + begun, 501 + ended, 1001 + pitch, 1129 + nearest]
    return tokens


def _sound(transformer: Any, codec: Any, notes: list[NoteRow], timbre: Any) -> Mono:
    """(frames,) at RATE of a passage."""
    import soxr
    import torch

    torch.manual_seed(SEED)
    transformer.current_length = 0  # else the package counts the passage before to this one's length
    with torch.no_grad():
        given = torch.tensor(tokens_of(notes)).reshape(1, -1)
        tokens = transformer.synthesize(timbre, given, top_k=TOP_K)
        if not tokens.shape[1]:
            return np.zeros(0, np.float32)
        sound = codec.decode(codec.quantizer.from_codes(tokens.permute(0, 2, 1))[0])[0, 0].cpu().numpy()
    if not np.isfinite(sound).all():
        raise ModelError("TokenSynth gives no numbers: are its files whole?")
    resampled: Samples = soxr.resample(sound.astype(np.float32), codec.sample_rate, RATE)
    return resampled
