"""A recording in whose style a piece is to be: read, profiled and analysed, beside the graph."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from resonate_resources.analysis.analysis import ANALYSIS
from resonate_resources.analysis.resource import AnalysisResource, Grid
from resonate_resources.composition.reference import Reference
from resonate_resources.composition.resource import HeardMusic
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.profile import Profile
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recordings.decoding import decoded, printable_name
from resonate_resources.recordings.recording import Recording, Samples, write_recording
from resonate_resources.signal.song_similarity import Passage, hear_passages, key_sections, similarity

LONGEST_S: Final = 480.0
"""What is read of a recording, from its beginning: a song is hardly longer."""
QUIETEST_LUFS, LOUDEST_LUFS = -36.0, -6.0
"""Of a master: see MasteringBrief."""


@dataclass(frozen=True)
class HeardReference:
    """passages: its key sections, to which what is composed is compared. recording: what was read of it."""

    reference: Reference
    passages: Sequence[Passage]
    recording: Recording

    @property
    def loudness_lufs(self) -> float:
        """As a master's target: within what masters may have."""
        assert self.reference.loudness_lufs is not None
        return min(max(self.reference.loudness_lufs, QUIETEST_LUFS), LOUDEST_LUFS)

    def hear(self, recording: Recording) -> HeardMusic:
        """What is composed, and how like the reference it is."""
        with TemporaryDirectory(dir=recording.path.parent) as folder:
            profile = profiled(recording, Path(folder))
        found = similarity(self.passages, _passages(recording, profile))
        return HeardMusic(profile.tempo_bpm, profile.key, found)


def hear_reference(file: Path, scratch: Path) -> HeardReference:
    """Raises AudioError, in one line, for what is no audio, and for audio without music. Memory does not grow with
    the file; of a long one the first eight minutes are read."""
    name = printable_name(file.name)
    recording, excerpt = _beginning(file, scratch / "reference.wav")
    profile = profiled(recording, scratch)
    facts = json.loads((scratch / "profile.json").read_text("utf-8"))
    Reference.of(name, facts, {}, excerpt=excerpt)  # what has no music needs no analysis
    AnalysisResource().analyse(recording, {"other": recording}, Grid.of(facts), scratch)
    analysis = json.loads((scratch / ANALYSIS).read_text("utf-8"))
    passages = _passages(recording, profile)
    seconds = sum(passage.seconds for passage in passages)
    onsets = (
        sum(passage.onsets_a_second * passage.seconds for passage in passages) / seconds if seconds else None
    )
    return HeardReference(Reference.of(name, facts, analysis, onsets, excerpt), passages, recording)


def profiled(recording: Recording, into: Path) -> Profile:
    return Profile.read(ProfilingResource().profile(recording, ProfileBrief(), into).files["profile.json"])


def _passages(recording: Recording, profile: Profile) -> list[Passage]:
    return hear_passages(recording, key_sections(profile.sections), profile.beats_s, profile.tempo_bpm)


def _beginning(file: Path, to: Path) -> tuple[Recording, bool]:
    """What is read of it, and whether there is more."""
    with decoded(file) as (rate, channels, blocks):
        longest = round(LONGEST_S * rate)
        more = False

        def first() -> Iterator[Samples]:
            nonlocal more
            left = longest
            for block in blocks:
                more = block.shape[1] > left
                yield block[:, :left]
                left -= block.shape[1]
                if more:
                    return

        with write_recording(to, rate, channels, longest) as writer:
            for block in first():
                writer.write(block)
    return writer.recording, more
