"""What leads from section to section in a rebuilt stem: sounds that are added to it, and strokes of a fill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from resonate_resources.instruments.transitions import made
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import BLOCK_FRAMES, Samples
from resonate_resources.regeneration.decisions import Transition
from resonate_resources.regeneration.matching import Levels

_LOUDEST_S: Final = (0.1, 0.5)  # from its loud end, that the level is of, as where it is found
_BOOM_S: Final = 0.3  # likewise of an impact
_LEAST: Final = 0.05  # of the power of a bar and band is the notes', whatever is added
_STROKES_A_BEAT: Final = 4
_FILLED_WITH: Final[Sequence[int]] = (
    50,
    48,
    47,
    45,
    43,
    41,
    40,
    38,
)  # General MIDI's toms from high to low, and snares
_USUAL_BEAT_S: Final = 0.5
_SOFTEST, _LOUDEST = 64, 112


def sounding(transitions: Sequence[Transition]) -> list[Transition]:
    """Those that are sounds of their own, by their start."""
    return sorted((each for each in transitions if each.kind != "fill"), key=lambda each: each.start_s)


def sounds(transitions: Sequence[Transition], frames: int, rate: int) -> Iterator[Samples]:
    """Consecutive blocks of (2, ≤ BLOCK_FRAMES), frames in all; no more is held than what sounds at a time."""
    waiting = sounding(transitions)
    ringing = np.zeros((2, 0), np.float32)
    for start in range(0, frames, BLOCK_FRAMES):
        length = min(BLOCK_FRAMES, frames - start)
        block = np.pad(ringing, ((0, 0), (0, max(0, length - ringing.shape[1]))))
        while waiting and (begins := round(waiting[0].start_s * rate) - start) < length:
            sound = _sound(waiting.pop(0), rate)
            block = np.pad(block, ((0, 0), (0, max(0, begins + sound.shape[1] - block.shape[1]))))
            block[:, begins : begins + sound.shape[1]] += sound
        yield block[:, :length]
        ringing = block[:, length:]


def added(blocks: Iterator[Samples], others: Iterator[Samples]) -> Iterator[Samples]:
    """The sum of two streams of one length, in the blocks of the first."""
    left = np.zeros((2, 0), np.float32)
    for block in blocks:
        while left.shape[1] < block.shape[1]:
            left = np.concatenate([left, next(others)], axis=1)
        yield block + left[:, : block.shape[1]]
        left = left[:, block.shape[1] :]


def without(levels: Levels, of_sounds: Levels) -> Levels:
    """What is left for the notes, of an original that has those sounds, too: they are noise, whose power adds."""
    return Levels(np.maximum(levels.power - of_sounds.power, _LEAST * levels.power), levels.hertz)


def with_fills(
    notes: Sequence[Note], transitions: Sequence[Transition], beats_s: Sequence[float]
) -> list[Note]:
    """The notes and, in place of those drums within each fill, sixteenths that grow louder, from the highest of the
    part's toms and snares to its lowest; of a part that has none, its most frequent stroke."""
    fills = [each for each in transitions if each.kind == "fill"]
    if not fills or not notes:
        return list(notes)
    struck = [note.pitch for note in notes]
    drums = [key for key in _FILLED_WITH if key in struck] or [max(set(struck), key=struck.count)]
    beat_s = float(np.median(np.diff(beats_s))) if len(beats_s) > 1 else _USUAL_BEAT_S
    kept = [
        note
        for note in notes
        if note.pitch not in drums or not any(each.start_s <= note.onset_s < each.end_s for each in fills)
    ]
    for each in fills:
        count = max(1, round((each.end_s - each.start_s) / beat_s * _STROKES_A_BEAT))
        step_s = (each.end_s - each.start_s) / count
        for index in range(count):
            onset_s = each.start_s + index * step_s
            done = index / max(1, count - 1)
            drum = drums[min(len(drums) - 1, int(index / count * len(drums)))]
            kept.append(Note(onset_s, onset_s + step_s, drum, round(_SOFTEST + (_LOUDEST - _SOFTEST) * done)))
    return sorted(kept)


def _sound(transition: Transition, rate: int) -> Samples:
    """(2, frames), as loud as it is to be where it is loudest."""
    seed = 0, round(transition.start_s * 1000)
    length_s = transition.end_s - transition.start_s
    kind, hertz = transition.kind, (transition.from_hz, transition.to_hz)
    assert kind != "fill"  # which is in the notes
    if kind == "downlifter":  # which is a riser, backwards
        hertz = hertz[::-1]
    sound = made(kind, length_s, seed, rate, *hertz, tone=0.0)
    near, far = (round(each * rate) for each in _LOUDEST_S)
    match kind:
        case "impact":
            part = sound[:, : round(_BOOM_S * rate)]
        case "downlifter":
            part = sound[:, near:far]
        case _:
            part = sound[:, -far:-near]
    part = part if part.size else sound  # of what is shorter
    level = np.sqrt(np.mean(np.square(part, dtype=np.float64)))
    return np.asarray(sound * (10 ** (transition.level_db / 20) / level), np.float32)
