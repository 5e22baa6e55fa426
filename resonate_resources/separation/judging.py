"""How good stems are: measured against the truth where a track's is known, predicted where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from resonate_resources.recordings.recording import AudioError, Recording, Stems
from resonate_resources.separation.prediction.predictor import predict_quality
from resonate_resources.separation.quality import StemQuality, measure_quality
from resonate_resources.separation.splicing import Span, cut_out
from resonate_resources.signal.summing import sum_recordings

STEM_NAMES = ("vocals", "drums", "bass", "other", "piano", "guitar")
_REST = "other"


def open_truth(folder: Path, track: Recording) -> Stems:
    """True stems of a track, `<stem>.wav` in a folder. Raises AudioError: none there, or of another shape."""
    paths = {name: folder / f"{name}.wav" for name in STEM_NAMES}
    truth = {name: Recording.open(path) for name, path in paths.items() if path.exists()}
    if not truth:
        raise AudioError(f"{folder}: holds no true stems (<stem>.wav)")
    for name, stem in truth.items():
        if (stem.sample_rate, stem.channels, stem.frames) != (
            track.sample_rate,
            track.channels,
            track.frames,
        ):
            raise AudioError(f"{folder / name}.wav: rate, channels or length differ from the track's")
    return truth


class JudgeOfStems:
    """Judges stems of a track, or of a span of it; the truth may be of none, of some or of all of them."""

    def __init__(self, truth: Stems, scratch: Path) -> None:
        self._truth, self._scratch = truth, scratch

    def __call__(self, part: Recording, stems: Stems, span: Span) -> dict[str, StemQuality]:
        """stems of `part`, which is this span of the track. Reads everything once or twice, in blocks."""
        measured = measure_quality(stems, self._true_stems(tuple(stems), part, span))
        return measured if measured.keys() >= stems.keys() else {**predict_quality(part, stems), **measured}

    def _true_stems(self, names: tuple[str, ...], part: Recording, span: Span) -> Mapping[str, Recording]:
        """Of the stems that are known: what was not parted from it belongs to `other`."""
        known = {name: stem for name, stem in self._truth.items() if name in names}
        rest = [stem for name, stem in self._truth.items() if name not in names]
        if set(names) - self._truth.keys() - {_REST}:
            known.pop(_REST, None)  # it holds what is parted from it here
        elif rest:
            whole = [known[_REST], *rest] if _REST in known else rest
            path = self._scratch / f"true-{_REST}-of-{'-'.join(names)}.wav"
            known[_REST] = Recording.open(path) if path.exists() else sum_recordings(whole, path)
        if part.frames == next(iter(self._truth.values()), part).frames:
            return known
        return {
            name: cut_out(stem, span, self._scratch / f"true-{name}-{span.start}-{span.stop}.wav")
            for name, stem in known.items()
        }
