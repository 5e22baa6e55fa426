"""The synthetic cases of EBU Tech 3341 and Tech 3342, at 48 kHz. Those that are programmes are not at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.loudness import LoudnessMeter
from resonate_resources.signal.true_peak import TruePeakMeter

RATE = 48_000
SILENCE_DB = -200.0


@dataclass(frozen=True)
class Case:
    """expected between low and high, in the unit that `unit` names. listen gives a value for every signal."""

    name: str
    what: str
    unit: str
    expected: Sequence[float]
    below: float
    above: float
    signals: Callable[[], Iterator[Samples]]
    listen: Callable[[Samples], float]

    def read(self) -> list[float]:
        return [self.listen(signal) for signal in self.signals()]

    def passes(self, found: Sequence[float]) -> bool:
        return len(found) == len(self.expected) and all(
            expected - self.below <= value <= expected + self.above
            for expected, value in zip(self.expected, found, strict=True)
        )


def tone(levels_db: Sequence[tuple[float, float]], channels: Sequence[float] = (0.0, 0.0)) -> Samples:
    """1 kHz at (dBFS, seconds) one after the other; each channel with an offset in dB."""
    level = np.concatenate([np.full(round(seconds * RATE), 10 ** (db / 20)) for db, seconds in levels_db])
    wave = level * np.sin(2 * np.pi * 1000 * np.arange(level.size) / RATE)
    return np.stack([wave * 10 ** (offset / 20) for offset in channels]).astype(np.float32)


def _meter(samples: Samples) -> LoudnessMeter:
    meter = LoudnessMeter(RATE, samples.shape[0])
    meter.update(samples)
    return meter


def integrated(samples: Samples) -> float:
    return _meter(samples).integrated()


def momentary(samples: Samples) -> float:
    return _meter(samples).max_momentary()


def short_term(samples: Samples) -> float:
    return _meter(samples).max_short_term()


def loudness_range(samples: Samples) -> float:
    return _meter(samples).loudness_range()


def true_peak(samples: Samples) -> float:
    meter = TruePeakMeter(RATE, samples.shape[0])
    meter.update(samples)
    return meter.peak()


def _loudness(
    name: str, what: str, expected: float, signal: Samples, listen: Callable[[Samples], float]
) -> Case:
    return Case(f"3341, {name}", what, "LUFS", [expected], 0.1, 0.1, lambda: iter([signal]), listen)


def _peak(name: str, expected: float, wave: Callable[[], Samples]) -> Case:
    return Case(f"3341, {name}", "true peak", "dBTP", [expected], 0.4, 0.2, lambda: iter([wave()]), true_peak)


def _range(name: str, expected: float, levels_db: Sequence[tuple[float, float]]) -> Case:
    return Case(
        f"3342, {name}", "range", "LU", [expected], 1.0, 1.0, lambda: iter([tone(levels_db)]), loudness_range
    )


def _sine(divisor: float, degrees: float, amplitude: float) -> Callable[[], Samples]:
    """Edges of 10 ms, so that only the tone itself is measured."""

    def wave() -> Samples:
        sine = amplitude * np.sin(2 * np.pi * np.arange(RATE) / divisor + np.radians(degrees))
        edge = np.minimum(1.0, np.minimum(np.arange(RATE), np.arange(RATE)[::-1]) / 480)
        return np.asarray((sine * edge)[None], np.float32)

    return wave


def _burst(offset: float) -> Callable[[], Samples]:
    def wave() -> Samples:
        time = np.arange(2400) - 1200 - offset
        burst = np.cos(2 * np.pi * time / 6) * np.exp(-((time / 200) ** 2))  # 1 at time 0, and nowhere more
        return np.asarray(burst[None], np.float32)

    return wave


def _later(seconds: float, step: float) -> Callable[[], Iterator[Samples]]:
    """Twenty files: a tone of −23 after a silence that grows by a step."""
    return lambda: (tone([(SILENCE_DB, i * step), (-23, seconds), (SILENCE_DB, 1)]) for i in range(20))


def _louder(seconds: float, step: float) -> Callable[[], Iterator[Samples]]:
    """A file of twenty tones from −38 on, each a dB louder and a step later in its place; read after each."""

    def signals() -> Iterator[Samples]:
        levels: list[tuple[float, float]] = []
        for i in range(20):
            levels += [(SILENCE_DB, i * step), (-38 + i, seconds), (SILENCE_DB, seconds - i * step)]
            yield tone(levels)

    return signals


CASES = (
    _loudness("case 1", "integrated", -23, tone([(-23, 20)]), integrated),
    _loudness("case 2", "integrated", -33, tone([(-33, 20)]), integrated),
    _loudness("case 3", "integrated", -23, tone([(-36, 10), (-23, 60), (-36, 10)]), integrated),
    _loudness(
        "case 4", "integrated", -23, tone([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)]), integrated
    ),
    _loudness("case 5", "integrated", -23, tone([(-26, 20), (-20, 20.1), (-26, 20)]), integrated),
    _loudness("case 6", "integrated, 5.0", -23, tone([(0, 20)], (-28, -28, -24, -30, -30)), integrated),
    _loudness("case 9", "short-term", -23, tone([(-20, 1.34), (-30, 1.66)] * 5), short_term),
    Case("3341, case 10", "short-term", "LUFS", [-23] * 20, 0.1, 0.1, _later(3, 0.15), short_term),
    Case("3341, case 11", "short-term", "LUFS", range(-38, -18), 0.1, 0.1, _louder(3, 0.15), short_term),
    _loudness("case 12", "momentary", -23, tone([(-20, 0.18), (-30, 0.22)] * 25), momentary),
    Case("3341, case 13", "momentary", "LUFS", [-23] * 20, 0.1, 0.1, _later(0.4, 0.02), momentary),
    Case("3341, case 14", "momentary", "LUFS", range(-38, -18), 0.1, 0.1, _louder(0.4, 0.02), momentary),
    _peak("case 15", -6, _sine(4, 0, 0.5)),
    _peak("case 16", -6, _sine(4, 45, 0.5)),
    _peak("case 17", -6, _sine(6, 60, 0.5)),
    _peak("case 18", -6, _sine(8, 67.5, 0.5)),
    _peak("case 19", 3, _sine(4, 45, 1.41)),
    *(_peak(f"case {20 + i}", 0, _burst(i / 4)) for i in range(4)),
    _range("case 1", 10, [(-20, 20), (-30, 20)]),
    _range("case 2", 5, [(-20, 20), (-15, 20)]),
    _range("case 3", 20, [(-40, 20), (-20, 20)]),
    _range("case 4", 15, [(-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)]),
)


def as_markdown() -> str:
    """A row for each case: what was expected, what was read."""
    rows = ["| EBU Tech | measure | expected | allowed | read | |", "|---|---|---|---|---|---|"]
    for case in CASES:
        found = case.read()
        expected, read = (
            f"{values[0]:.1f}" if len(set(values)) == 1 else f"{values[0]:.1f} to {values[-1]:.1f}"
            for values in (list(case.expected), [round(value, 2) for value in found])
        )
        if len(found) > 1:
            worst = max(abs(a - b) for a, b in zip(case.expected, found, strict=True))
            read = f"{len(found)}, at most {worst:.2f} off"
        allowed = f"−{case.below:g}, +{case.above:g}"
        rows.append(
            f"| {case.name} | {case.what} | {expected} {case.unit} | {allowed} | {read} "
            f"| {'passes' if case.passes(found) else 'fails'} |"
        )
    return "\n".join(rows).replace("| -", "| −").replace("to -", "to −")


if __name__ == "__main__":
    print(as_markdown())
