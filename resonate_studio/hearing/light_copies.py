"""What the page hears and sees of versions: found in the light store, or made and kept there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.loudness import measure_loudness
from resonate_studio.api.models import Spectrum
from resonate_studio.hearing import alignment, peaks, segments, spectra, spectrogram
from resonate_studio.hearing.behind import Behind
from resonate_studio.hearing.light_store import LightStore, beginning_of, named

_LOUDNESS_VERSION = 1
"""Part of the name of what is kept: raised when loudness comes out otherwise."""


@dataclass(frozen=True)
class Sound:
    """A recording, and the SHA-256 of its file as its manifest has it: hashing gigabytes takes seconds."""

    recording: Recording
    sha256: str


class LightCopies:
    """Of any version; from any thread. Raises IndexError for a segment or tile that there is not."""

    def __init__(self, store: LightStore) -> None:
        self.store = store
        self._outlines, self._measures = Behind("peaks"), Behind("measures")
        """Of each its own: a waveform is looked at while one waits, and measuring three hours takes a minute."""

    def segment(self, sound: Sound, number: int) -> bytes:
        """Ogg Opus, see segments.encode_segment."""
        return self.store.read_or_make(
            segment_name(sound, number), lambda: segments.encode_segment(sound.recording, number).data
        )

    def tile(self, sound: Sound, zoom: int, number: int) -> bytes:
        """WebP, see spectrogram.draw_tile."""
        return self.store.read_or_make(
            tile_name(sound, zoom, number), lambda: spectrogram.draw_tile(sound.recording, zoom, number)
        )

    def spectrum(self, a: Sound, b: Sound, start_s: float, end_s: float | None) -> Spectrum:
        """See spectra.compare_spectra."""

        def make() -> bytes:
            return (
                spectra.compare_spectra(a.recording, b.recording, start_s, end_s).model_dump_json().encode()
            )

        return Spectrum.model_validate_json(
            self.store.read_or_make(spectrum_name(a, b, start_s, end_s), make)
        )

    def known_spectrum(self, a: Sound, b: Sound, start_s: float, end_s: float | None) -> Spectrum | None:
        """The same where it was compared before."""
        kept = self.store.read(spectrum_name(a, b, start_s, end_s))
        return None if kept is None else Spectrum.model_validate_json(kept)

    def peaks(self, sound: Sound, start: int, stop: int, columns: int) -> peaks.Peaks:
        """See peaks.peaks_of; the outline is made in the background where there is none yet."""
        outline = self.store.read(_outline_name(sound))
        found = peaks.peaks_of(sound.recording, start, stop, columns, outline)
        if not found.exact:
            name = _outline_name(sound)
            self._outlines.add(name, lambda: self.store.write(name, peaks.make_outline(sound.recording)))
        return found

    def offset_s(self, original: Sound, version: Sound) -> float:
        """See alignment.offset_seconds; takes a second where it was not measured before."""
        return self._measured(
            _offset_name(original, version),
            lambda: alignment.offset_seconds(original.recording, version.recording),
        )

    def loudness_lufs(self, sound: Sound) -> float:
        """Integrated, by BS.1770; −inf of silence. Reads all of it where it was not measured before."""
        return self._measured(
            _loudness_name(sound), lambda: measure_loudness(sound.recording).integrated_lufs
        )

    def offset_soon(self, original: Sound, version: Sound) -> Soon:
        """The same as offset_s where it was measured before; else it is, behind what is answered."""
        return self._soon(_offset_name(original, version), lambda: self.offset_s(original, version))

    def loudness_soon(self, sound: Sound) -> Soon:
        """The same as loudness_lufs, likewise."""
        return self._soon(_loudness_name(sound), lambda: self.loudness_lufs(sound))

    def _measured(self, name: str, measure: Callable[[], float]) -> float:
        return float(json.loads(self.store.read_or_make(name, lambda: json.dumps(measure()).encode())))

    def _soon(self, name: str, measure: Callable[[], float]) -> Soon:
        kept = self.store.read(name)
        if kept is not None:
            return Soon(float(json.loads(kept)))
        self._measures.add(name, measure)
        return Soon(None, pending=not self._measures.has_failed(name))


@dataclass(frozen=True)
class Soon:
    """value: None where it is not known; pending: whether it is worth asking again."""

    value: float | None
    pending: bool = False


def segment_name(sound: Sound, number: int) -> str:
    return _named(sound, "segment", segments.OPUS_VERSION, number)


def tile_name(sound: Sound, zoom: int, number: int) -> str:
    return _named(sound, "tile", spectrogram.TILE_VERSION, zoom, number)


def spectrum_name(a: Sound, b: Sound, start_s: float, end_s: float | None) -> str:
    return _named(a, "spectrum", spectra.SPECTRA_VERSION, b.sha256, start_s, end_s)


def _outline_name(sound: Sound) -> str:
    return _named(sound, "outline", peaks.PEAKS_VERSION)


def _offset_name(original: Sound, version: Sound) -> str:
    return _named(original, "offset", alignment.ALIGNMENT_VERSION, version.sha256)


def _loudness_name(sound: Sound) -> str:
    return _named(sound, "loudness", _LOUDNESS_VERSION)


def _named(sound: Sound, kind: str, *made_from: str | int | float | None) -> str:
    return f"{beginning_of(sound.sha256)}-{named(kind, sound.sha256, *made_from)}"
