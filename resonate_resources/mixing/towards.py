"""Levels of stems, tone and width towards those of another recording."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.mixing.plan import EVEN, Octaves, Section
from resonate_resources.recordings.recording import AudioError, Recording, Samples, Stems
from resonate_resources.signal.octaves import OCTAVES_HZ, OctaveSpectra

Floats = npt.NDArray[np.float64]

GAIN_DB, TONE_DB = 12.0, 9.0
"""The most that stems, and octaves of all together, are moved."""
WIDTH_DB = 4.0

# How far each usually is from where it should be, and how well levels of two recordings agree where all is well:
# what weighs the parts of the fit against each other.
_GAIN_OFF_DB, _TONE_OFF_DB, _BEND_DB = 6.0, 4.0, 3.0
_AGREED_DB, _OTHER_PIECE_DB = 0.3, 3.0
_FAINT_DB, _CLEAR_DB = -50.0, -30.0  # of an octave in a second, against the strongest of all
_SAME_PIECE, _SECONDS, _FAINT = 0.8, 4, 1e-5
_ONE_SIDED = 0.98
_WHOLE_S = 3.0  # what is shorter counts by its part of that, as in mastering
_SHORTEST_S, _LEAST_DB = 4.0, 0.25  # of sections whose width is told, and what is moved on top
_NO_SIDE_DB, _SIDE_DB = -40.0, -25.0  # side against mid: under the first there is none


@dataclass(frozen=True)
class Heard:
    """Energies by second and octave, (seconds, octaves); of a stereo sum, those of its side in the same shape, and
    how far each octave leans to one channel, (octaves,), from −1, all in the right, to 1, all in the left.
    seconds: how long it is."""

    energy: Floats
    side: Floats | None
    lean: Floats | None = None
    seconds: float = math.inf

    @property
    def silent(self) -> bool:
        return not self.energy.any()

    def between(self, start_s: float, stop_s: float) -> Heard:
        """Of the seconds that are in it as a whole, or nearly so."""
        seconds = slice(round(start_s), round(stop_s))
        side = None if self.side is None else self.side[seconds]
        return Heard(self.energy[seconds], side, self.lean)


def heard(recording: Recording) -> Heard:
    """Read once, in blocks."""
    return heard_together({"": recording})[1]


def heard_together(stems: Stems) -> tuple[dict[str, Heard], Heard]:
    """Stems of equal shape, and their sum. Read once, in blocks."""
    first = next(iter(stems.values()))
    spectra = OctaveSpectra(first.sample_rate)
    energies: dict[str, list[Floats]] = {name: [] for name in stems}
    whole, side, left = [], [], []
    for blocks in zip(*(stem.blocks(first.sample_rate) for stem in stems.values()), strict=True):
        for name, own in zip(stems, blocks, strict=True):
            energies[name].append(_energy(spectra, own))
        total = np.sum(blocks, axis=0)
        whole.append(_energy(spectra, total))
        if len(total) == 2:
            side.append(_energy(spectra, (total[:1] - total[1:]) / np.float32(math.sqrt(2))))
            left.append(_energy(spectra, total[:1]))
    heard = {name: Heard(np.array(energy), None) for name, energy in energies.items()}
    if not side:
        return heard, Heard(np.array(whole), None, seconds=first.duration)
    energy = np.sum(whole, axis=0)
    lean = 2 * np.sum(left, axis=0) / np.maximum(energy, 1e-30) - 1
    return heard, Heard(np.array(whole), np.array(side), lean, first.duration)


def _energy(spectra: OctaveSpectra, block: Samples) -> Floats:
    """(octaves,). Windows overlap, so that no stroke is lost between two of them."""
    shifted = block[:, spectra.size // 2 :]
    parts = [block] if not shifted.size else [block, shifted]
    energies = [np.square(np.abs(spectra.frames(part))).sum(axis=(0, 1)) for part in parts]
    return spectra.by_octave(np.mean(energies, axis=0))


@dataclass(frozen=True)
class Towards:
    """What brings a mix to the levels, tone and width of a reference.

    gains_db: of the stems that are not silent. width_db: of all together, by octave. sections: what their widths
    want on top. same_piece: the reference is a recording of the same piece. parts (stems, times, octaves) and
    wanted (times, octaves) are held against each other. counts: 0 to 1, how far mix and reference are long
    enough to tell; gains and widths are already of that part.
    """

    gains_db: Mapping[str, float]
    width_db: Octaves
    sections: tuple[Section, ...]
    same_piece: bool
    parts: Floats
    wanted: Floats
    counts: float = 1.0

    def tone_db(self, gains_db: Mapping[str, float]) -> Octaves:
        """Of all stems together, once these are their gains."""
        gains = np.array([gains_db[name] for name in self.gains_db])
        _, tone = _fitted(self.parts, self.wanted, self.same_piece, gains)
        return tuple((self.counts * tone).tolist())


def towards(
    stems: Mapping[str, Heard],
    mix: Heard,
    reference: Heard,
    sections: Sequence[tuple[float, float]] = (),
) -> Towards:
    """Of the same piece, second is held against second, and width by section; of another, the whole against the
    whole, which tells little of levels. sections: when those of the mix start and end, in s. Raises AudioError for
    a silent reference, or silent stems.
    """
    if reference.silent:
        raise AudioError("mixing.reference: is silent; give a recording with sound")
    names = [name for name, stem in stems.items() if not stem.silent]
    if not names:
        raise AudioError("mixing.balance=reference: the track is silent, and has no levels to be moved")
    parts, wanted = np.array([stems[name].energy for name in names]), reference.energy
    parts = parts * (mix.energy / np.maximum(parts.sum(axis=0), 1e-30))  # stems don't quite add up by power
    same = False
    if abs(parts.shape[1] - len(wanted)) <= 1 and len(wanted) >= _SECONDS:
        seconds = min(parts.shape[1], len(wanted))
        held, against = parts[:, :seconds], wanted[:seconds]
        gains, _ = _fitted(held, against, same=True)
        same = _together(np.tensordot(10 ** (gains / 10), held, axes=1), against)
    if not same:
        held, against = parts.mean(axis=1, keepdims=True), wanted.mean(axis=0, keepdims=True)
        gains, _ = _fitted(held, against, same=False)
    counts = min(1.0, min(mix.seconds, reference.seconds) / _WHOLE_S)
    width_db = _width(mix, reference)
    own = _sections(mix, reference, sections, width_db) if same else ()
    return Towards(
        dict(zip(names, (counts * gains).tolist(), strict=True)),
        tuple(counts * width for width in width_db),
        own,
        same,
        held,
        against,
        counts,
    )


def _together(own: Floats, other: Floats) -> bool:
    """Whether both are loud and soft at the same times in the same octaves."""
    weights = other.sum(axis=0) / other.sum()
    a, b = (10 * np.log10(each + _FAINT * each.max()) for each in (own, other))
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    likeness = (weights * a * b).sum() / np.sqrt((weights * a * a).sum() * (weights * b * b).sum() + 1e-12)
    return bool(likeness > _SAME_PIECE)


def _fitted(parts: Floats, wanted: Floats, same: bool, given: Floats | None = None) -> tuple[Floats, Floats]:
    """Gains of the parts (stems,), those that are given or others, and a tone of all (octaves,), in dB, with which
    they sound as wanted at any level: least squares in dB, held near nothing as far as nothing else is told."""
    from scipy.optimize import least_squares

    stems, octaves = len(parts), len(OCTAVES_HZ)
    strongest = float(wanted.max())
    level_db = 10 * np.log10(wanted / strongest + 1e-12)
    clear = ((level_db - _FAINT_DB) / (_CLEAR_DB - _FAINT_DB)).clip(0, 1)
    agreed_db = _AGREED_DB if same else _OTHER_PIECE_DB
    weights = np.sqrt(clear / max(1.0, len(wanted) / 10)) / agreed_db  # seconds are not independent
    floor = 1e-6 * parts.sum(axis=0).max()

    def off(at: Floats) -> Floats:
        gains, tone, level = at[:stems] if given is None else given, at[stems:-1], at[-1]
        sum_db = 10 * np.log10(np.tensordot(10 ** (gains / 10), parts, axes=1) + floor) + tone
        loss = weights * (sum_db - 10 * np.log10(wanted + 1e-6 * strongest) - level)
        return np.concatenate(
            [loss.ravel(), at[:stems] / _GAIN_OFF_DB, tone / _TONE_OFF_DB, np.diff(tone, 2) / _BEND_DB]
        )

    start = np.zeros(stems + octaves + 1)
    start[-1] = 10 * np.log10(parts.sum(axis=0).mean() / wanted.mean())
    found = least_squares(off, start).x
    gains, tone = found[:stems], found[stems:-1]
    tone = tone - np.average(tone, weights=clear.mean(axis=0) + 1e-9)
    return np.clip(gains - gains.mean(), -GAIN_DB, GAIN_DB), np.clip(tone, -TONE_DB, TONE_DB)


def _sections(
    mix: Heard, reference: Heard, sections: Sequence[tuple[float, float]], whole_db: Octaves
) -> tuple[Section, ...]:
    """Those that want another width than the whole, by what is theirs alone."""
    found = []
    for start_s, stop_s in sections:
        if stop_s - start_s < _SHORTEST_S:
            continue
        own, other = (heard.between(start_s, stop_s) for heard in (mix, reference))
        more = tuple((np.array(_width(own, other)) - whole_db).tolist())
        if max(map(abs, more)) >= _LEAST_DB:
            found.append(Section(start_s=start_s, stop_s=stop_s, width_db=more))
    return tuple(found)


def _width(own: Heard, other: Heard) -> Octaves:
    """The reference's side against its mid less the mix's, where both have a side, and what sounds does not lean to
    one channel: that is a place, and no width."""
    if own.side is None or own.lean is None or other.side is None or other.lean is None:
        return EVEN
    ratios = []
    for each in (own, other):
        side = np.asarray(each.side).sum(axis=0)
        mid = np.maximum(each.energy.sum(axis=0) - side, 1e-30)
        ratios.append(10 * np.log10(side / mid + 1e-12))
    present = [((ratio - _NO_SIDE_DB) / (_SIDE_DB - _NO_SIDE_DB)).clip(0, 1) for ratio in ratios]
    width = (ratios[1] - ratios[0]).clip(-WIDTH_DB, WIDTH_DB) * present[0] * present[1]
    for lean in (own.lean, other.lean):
        width = width * (1 - np.square(lean) / _ONE_SIDED).clip(0, 1)
    return tuple(width.tolist())
