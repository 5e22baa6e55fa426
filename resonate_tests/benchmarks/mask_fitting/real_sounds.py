"""Real voices and real drums from Debian's packages, each in a part for fitting and a part for judging.

Voices: `klettres-data` (letters and syllables of 20 languages, a speaker each, 44.1 kHz) and
`asterisk-core-sounds-*-g722` (sentences of five speakers, 16 kHz). Drums: `hydrogen-drumkits` (recorded and
electronic kits) and the loops of `sonic-pi-samples`. $RESONATE_RECORDINGS names a folder of further voices, one
a file, in `fitted/` and `judged/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr

RATE = 44100
SHARE = Path("/usr/share")
LETTERS = SHARE / "klettres"
SENTENCES = SHARE / "asterisk" / "sounds"
KITS = SHARE / "hydrogen" / "data" / "drumkits"
LOOPS = SHARE / "sonic-pi" / "samples"

JUDGED_VOICES = frozenset({"hu", "lt", "pt_BR", "uk", "it_IT_m_Carlo", "ru_RU_f_IvrvoiceRU"})
JUDGED_KITS = frozenset({"The Black Pearl 1.0", "Millo_MultiLayered3"})
JUDGED_LOOPS = frozenset({"loop_amen_full", "loop_garzul", "loop_tabla"})
_DRUM_LOOPS = (
    *("loop_amen", "loop_breakbeat", "loop_compus", "loop_industrial", "loop_mehackit1", "loop_mehackit2"),
    *("loop_mika", "loop_perc1", "loop_perc2", "loop_safari", "loop_weirdo"),
)

Audio = npt.NDArray[np.float64]
Random = np.random.Generator

_PIECES = {  # key of General MIDI → what files of such a sound are called in one kit or another
    36: r"bd|kick|bassdrum",
    38: r"sn(?!_p)|sd|snare",
    37: r"rim|rs_|stick",
    39: r"clap",
    42: r"chh|hh_|hhclosed|hihat-closed|closehihat|hat.*cl|hat_ring|hh_0",
    46: r"ohh|ho_|hhopen|hihat-open|openhat|hat.*op|hh3",
    49: r"cc_|crash|cra_|cymb",
    51: r"rd_|ride|rc_",
    45: r"ft_|floortom|tom.?low|tm2|t2_",
    48: r"t1_|tom.?(mid|1)|tm_|tom_0[12]",
    50: r"tom.?hi|tom_0[34]|t1_",
}


@cache
def speakers(judged: bool) -> list[tuple[str, tuple[Path, ...]]]:
    """Name and recordings of every speaker of that part."""
    found: list[tuple[str, tuple[Path, ...]]] = []
    for place in (*LETTERS.iterdir(), *SENTENCES.iterdir()):
        files = [file for kind in ("*/*.ogg", "**/*.g722") for file in sorted(place.glob(kind))]
        files = [file for file in files if file.stat().st_size > 6000 and "silence" not in file.parts]
        if len(files) > 10 and (place.name in JUDGED_VOICES) == judged:
            found.append((place.name, tuple(files)))
    if folder := os.environ.get("RESONATE_RECORDINGS"):
        part = Path(folder) / ("judged" if judged else "fitted")
        found += [(file.stem, (file,)) for file in sorted(part.glob("*.wav"))] * 3
    return sorted(found)


def speaker(rng: Random, judged: bool) -> tuple[str, tuple[Path, ...]]:
    """Name and recordings of one of them."""
    everybody = speakers(judged)
    return everybody[rng.integers(len(everybody))]


def spoken(rng: Random, frames: int, judged: bool) -> Audio:
    """(frames,): one of the speakers, take after take with rests, a little faster or slower, of even level."""
    _, files = speaker(rng, judged)
    out = np.zeros(frames)
    speed = 2 ** rng.uniform(-0.2, 0.2)
    rest = float(rng.choice((0.03, 0.1, 0.4)))
    at = int(rng.uniform(0, 2) * RATE)
    while at < frames:
        take = read(files[rng.integers(len(files))])
        if len(take) > frames:
            take = take[rng.integers(len(take) - frames) :]
        take = soxr.resample(take, RATE * speed, RATE)
        level = np.sqrt(np.mean(np.square(take)) + 1e-12)
        part = take[: frames - at] / level * 0.1 * rng.uniform(0.7, 1.3)
        out[at : at + len(part)] += part
        at += len(part) + int(rng.exponential(rest) * RATE) + 1
    return out


@lru_cache(maxsize=400)
def read(file: Path) -> Audio:
    """A recording as (frames,) at 44.1 kHz, without silence before and after."""
    if file.suffix == ".g722":
        with av.open(str(file), format="g722") as container:
            heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]) / 32768
        rate = 16000
    else:
        heard, rate = sf.read(file, always_2d=True)
        heard = heard.mean(1)
    samples = soxr.resample(heard, rate, RATE) if rate != RATE else heard
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max(initial=1e-9))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples


@cache
def kits(judged: bool) -> list[dict[int, list[Path]]]:
    """Of every kit the files of its pieces, by key of General MIDI."""
    found = []
    for place in sorted(KITS.iterdir()):
        if (place.name in JUDGED_KITS) != judged:
            continue
        files = [
            file for file in sorted(place.iterdir()) if file.suffix in (".flac", ".wav", ".aiff", ".aif")
        ]
        kit = {
            key: [file for file in files if re.search(names, file.stem, re.IGNORECASE)]
            for key, names in _PIECES.items()
        }
        kit = {key: chosen for key, chosen in kit.items() if chosen}
        if {36, 38, 42} <= kit.keys():
            found.append(kit)
    return found


def struck(hits: Iterable[tuple[float, int, float]], rng: Random, frames: int, judged: bool) -> Audio:
    """(2, frames): hits (second, key, velocity 0…1) on a kit's own recordings, its pieces panned."""
    choice = kits(judged)
    kit = choice[rng.integers(len(choice))]
    take = {key: files[rng.integers(len(files))] for key, files in kit.items()}
    pan = {key: 0.0 if key in (36, 38) else rng.uniform(-0.6, 0.6) for key in take}
    gain = {key: 10 ** (rng.normal(0, 3) / 20) for key in take}
    out = np.zeros((2, frames))
    for second, key, velocity in hits:
        near = min(take, key=lambda known: abs(known - key))
        sound = _stereo(take[near])
        start = int(second * RATE)
        part = sound[:, : max(0, frames - start)] * velocity * gain[near]
        out[0, start : start + part.shape[1]] += part[0] * min(1, 1 - pan[near])
        out[1, start : start + part.shape[1]] += part[1] * min(1, 1 + pan[near])
    return out


def looped(rng: Random, frames: int, tempo_bpm: float, judged: bool) -> Audio:
    """(2, frames): a recorded loop again and again, at a rate that puts a whole number of beats into it."""
    names: Sequence[str] = sorted(JUDGED_LOOPS) if judged else _DRUM_LOOPS
    sound = _stereo(LOOPS / f"{names[rng.integers(len(names))]}.flac")
    seconds = sound.shape[1] / RATE
    beats = max(1, round(seconds * tempo_bpm / 60))
    wanted = beats * 60 / tempo_bpm
    at_tempo = soxr.resample(sound.T, RATE * seconds / wanted, RATE).T
    return np.tile(at_tempo, -(-frames // at_tempo.shape[1]))[:, :frames]


@lru_cache(maxsize=400)
def _stereo(file: Path) -> Audio:
    samples, rate = sf.read(file, always_2d=True)
    samples = soxr.resample(samples, rate, RATE) if rate != RATE else samples
    samples = samples.T[:2] if samples.shape[1] > 1 else np.repeat(samples.T, 2, 0)
    return samples / (np.abs(samples).max() + 1e-9)
