"""What the page hears and sees of versions: found in the light store, or made and kept there."""

from __future__ import annotations

import json
import logging
import queue
import threading
from dataclasses import dataclass

from resonate_resources.recordings.recording import Recording
from resonate_studio.api.models import Spectrum
from resonate_studio.hearing import alignment, peaks, segments, spectra, spectrogram
from resonate_studio.hearing.light_store import LightStore, named

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sound:
    """A recording, and the SHA-256 of its file as its manifest has it: hashing gigabytes takes seconds."""

    recording: Recording
    sha256: str


class LightCopies:
    """Of any version; from any thread. Raises IndexError for a segment or tile that there is not."""

    def __init__(self, store: LightStore) -> None:
        self.store = store
        self._wanted: queue.SimpleQueue[Sound] = queue.SimpleQueue()
        self._under_way: set[str] = set()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

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
            self._make_outline(sound)
        return found

    def offset_s(self, original: Sound, version: Sound) -> float:
        """See alignment.offset_seconds; takes a second where it was not measured before."""

        def measure() -> bytes:
            return json.dumps(alignment.offset_seconds(original.recording, version.recording)).encode()

        return float(json.loads(self.store.read_or_make(_offset_name(original, version), measure)))

    def known_offset_s(self, original: Sound, version: Sound) -> float | None:
        """The same where it was measured before."""
        kept = self.store.read(_offset_name(original, version))
        return None if kept is None else float(json.loads(kept))

    def _make_outline(self, sound: Sound) -> None:
        """One after the other: reading three hours takes seconds. The thread does not keep the process."""
        with self._starting:
            if sound.sha256 in self._under_way:
                return
            self._under_way.add(sound.sha256)
            self._wanted.put(sound)
            if self._thread is None:
                self._thread = threading.Thread(target=self._make_outlines, name="peaks", daemon=True)
                self._thread.start()

    def _make_outlines(self) -> None:
        while True:
            sound = self._wanted.get()
            try:
                self.store.write(_outline_name(sound), peaks.make_outline(sound.recording))
            except Exception:  # the file may be gone by now; the next one is another
                _log.exception("%s: no waveform could be made", sound.recording.path.name)
            finally:
                with self._starting:
                    self._under_way.discard(sound.sha256)


def segment_name(sound: Sound, number: int) -> str:
    return named("segment", segments.OPUS_VERSION, sound.sha256, number)


def tile_name(sound: Sound, zoom: int, number: int) -> str:
    return named("tile", spectrogram.TILE_VERSION, sound.sha256, zoom, number)


def spectrum_name(a: Sound, b: Sound, start_s: float, end_s: float | None) -> str:
    return named("spectrum", spectra.SPECTRA_VERSION, a.sha256, b.sha256, start_s, end_s)


def _outline_name(sound: Sound) -> str:
    return named("outline", peaks.PEAKS_VERSION, sound.sha256)


def _offset_name(original: Sound, version: Sound) -> str:
    return named("offset", alignment.ALIGNMENT_VERSION, original.sha256, version.sha256)
