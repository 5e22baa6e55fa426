"""The demo: a song whose truth is known, and how near each stage comes to it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from resonate_resources.recordings.midi import read_notes
from resonate_resources.recordings.recording import Recording, Stems
from resonate_resources.signal.bandwidth import detect_bandwidth
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.si_sdr import measure_si_sdr
from resonate_resources.signal.true_peak import measure_true_peak
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_studio.demo_song import Composition, compose, record_on_phone, render

if TYPE_CHECKING:
    from rich.table import Table

ONSET_TOLERANCE_S = 0.05
"""As in MIREX note tracking."""


@dataclass(frozen=True)
class DemoTruth:
    """A phone recording of the demo song, and what it was made from."""

    recording: Path
    composition: Composition
    stems: Stems
    """What each stem contributed to the recording."""

    @property
    def folder(self) -> Path:
        """Where the stems are, as `<stem>.wav`."""
        return next(iter(self.stems.values())).path.parent

    def table(self, artefacts: Artefacts, track: str) -> Table:
        """Before, after and truth, of the artefacts that were made of the recording."""
        from rich.table import Table

        table = Table("measure", "recording", "stage", "result", "truth", box=None, title="against the truth")
        stems, restored = _current(artefacts, "stems", track), _current(artefacts, "restored_stems", track)
        before = Recording.open(self.recording)
        for name, truth in self.stems.items():
            as_mix = measure_si_sdr(before, truth)
            after = measure_si_sdr(stems.stems()[name], truth)
            better = measure_si_sdr(restored.stems()[name], truth)
            table.add_row(f"{name}, SI-SDR", f"{as_mix:.1f} dB", "stems", f"{after:.1f} dB", "")
            table.add_row("", "", "restored_stems", f"{better:.1f} dB", "")
        floor_before, floor_after = (noise_floor(made.stems()["vocals"]) for made in (stems, restored))
        table.add_row(
            "vocals, noise floor", f"{floor_before:.1f} dBFS", "restored_stems", f"{floor_after:.1f} dBFS", ""
        )
        profile = _current(artefacts, "profile", track).read_json("profile.json")
        composed = self.composition
        table.add_row(
            "tempo", "", "profile", f"{profile['tempo_bpm']:.1f} BPM", f"{composed.tempo_bpm:.1f} BPM"
        )
        table.add_row("key", "", "profile", str(profile["key"]), composed.key)
        score = bass_onset_f(_current(artefacts, "midi", track).path("bass.mid"), composed)
        table.add_row("bass line, onset F", "", "midi", f"{score:.2f}", "1.00")
        master = _current(artefacts, "master", track).recording("master.wav")
        for label, measure, unit in (
            ("loudness", lambda recording: measure_loudness(recording).integrated_lufs, "LUFS"),
            ("true peak", measure_true_peak, "dBTP"),
            ("bandwidth", lambda recording: detect_bandwidth(recording).upper_hz, "Hz"),
        ):
            table.add_row(
                label, f"{measure(before):.1f} {unit}", "master", f"{measure(master):.1f} {unit}", ""
            )
        return table


def make_demo(directory: Path) -> DemoTruth:
    """Compose, render, and record on a phone, into a directory. Equal every time, so a second demo is cached."""
    song_directory, phone_directory = directory / "song", directory / "phone"
    for part in (song_directory, phone_directory):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    song = render(compose(seed=1), song_directory)
    phone = record_on_phone(song, phone_directory)
    recording = directory / "demo song on a phone.wav"
    shutil.copyfile(phone.mix.path, recording)
    return DemoTruth(recording, song.composition, phone.stems)


def noise_floor(recording: Recording) -> float:
    """Level of the quietest twentieth of a recording's 50 ms frames that are not digital silence, in dBFS."""
    size = recording.sample_rate // 20
    powers = [
        np.mean(
            np.square(block[:, : block.shape[1] // size * size].reshape(block.shape[0], -1, size)),
            axis=(0, 2),
        )
        for block in recording.blocks(size * 256)
        if block.shape[1] >= size
    ]
    sounding = np.concatenate(powers)
    sounding = sounding[sounding > 0]
    return float(10 * np.log10(np.percentile(sounding, 5))) if sounding.size else float("-inf")


def bass_onset_f(midi: Path, composition: Composition) -> float:
    """F-measure of note onsets of a bass line against the composed one, within 50 ms."""
    import mir_eval

    played = [note.onset_s for note in read_notes(midi)]
    composed = [note.onset_s for note in composition.notes["bass"]]
    return float(
        mir_eval.onset.f_measure(np.sort(composed), np.sort(np.array(played)), window=ONSET_TOLERANCE_S)[0]
    )


def _current(artefacts: Artefacts, stage: str, track: str) -> Artefact:
    artefact = artefacts.current(stage, track)
    if artefact is None:
        raise FileNotFoundError(f"{stage}: there is no artefact of {track}")
    return artefact
