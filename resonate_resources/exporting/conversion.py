"""Stems in another form than stages keep them in: all of them at once, as one gain holds for all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Lock

from resonate_resources.exporting.label import Level
from resonate_resources.exporting.sound_format import SoundFormat, Written
from resonate_resources.recordings.recording import silent
from resonate_resources.recordings.tags import Tags
from resonate_resources.signal.levels import levels_of
from resonate_resources.storage.artefacts import Artefact


class Conversion:
    """Of the files of an artefact that are its stems, their sum among them where there is one; made when the first
    of them is asked for."""

    def __init__(self, stems: Artefact, names: Sequence[str], sound: SoundFormat) -> None:
        self._stems, self._names, self.sound = stems, names, sound
        self._lock = Lock()
        self._written: Written | None = None

    def digest(self) -> str:
        """SHA-256 of what decides a file besides its own stem: the form, and how loud the others are."""
        told = [asdict(self.sound), [self._stems.manifest.files[name].sha256 for name in self._names]]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def take(self, name: str, path: Path) -> Level:
        """Put the stem of that file (`vocals.wav`) to path; its level. Raises AudioError."""
        with self._lock:
            if self._written is None:
                folder = path.parent / f"stems-{id(self)}"
                folder.mkdir()
                stems = {name.removesuffix(".wav"): self._stems.recording(name) for name in self._names}
                self._written = self.sound.write(stems, Tags(), folder, silent)
        self._written.files[name.removesuffix(".wav")].rename(path)
        levels, gain_db = levels_of(self._stems.recording(name)), self._written.gain_db
        return Level(levels.loudness.integrated_lufs + gain_db, levels.true_peak_dbtp + gain_db)

    def notes(self) -> tuple[str, ...]:
        """On what is other than asked for; none where nothing was made."""
        return self._written.notes if self._written else ()
