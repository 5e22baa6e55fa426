"""A recording in whose style a piece is to be: heard from its file, or told by what was made of it as a track; and
how like it is what was composed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from resonate_resources.analysis.analysis import ANALYSIS
from resonate_resources.analysis.resource import Grid
from resonate_resources.capabilities import Analysing, Profiling
from resonate_resources.composition.heard_reference import HeardReference
from resonate_resources.composition.reference import Reference
from resonate_resources.composition.resource import HeardMusic
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.profile import Profile
from resonate_resources.recordings.decoding import decoded, printable_name
from resonate_resources.recordings.recording import Recording, Samples, silent, write_recording
from resonate_resources.signal.song_similarity import Passage, hear_passages, key_sections, similarity

LONGEST_S: Final = 480.0
"""What is read of a recording, from its beginning: a song is hardly longer."""
PROFILE: Final = "profile.json"
REFERENCE: Final = "reference.wav"
"""What was read of it, in the scratch folder that it was heard in."""


def hear_reference(
    file: Path, scratch: Path, profiling: Profiling, analysing: Analysing, name: str = ""
) -> HeardReference:
    """name: what it is called, where that is not the file's name. Raises AudioError, in one line, for what is no
    audio, and for audio without music. Memory does not grow with the file; of a long one the first eight minutes
    are read."""
    name = printable_name(name or file.name)
    recording, excerpt = _beginning(file, scratch / REFERENCE)
    profile = profiled(profiling, recording, scratch)
    facts = json.loads((scratch / PROFILE).read_text("utf-8"))
    Reference.of(name, facts, {}, excerpt=excerpt)  # what has no music needs no analysis
    analysing.analyse(recording, {"other": recording}, Grid.of(facts), scratch, silent)
    analysis = json.loads((scratch / ANALYSIS).read_text("utf-8"))
    return HeardReference.of(name, facts, analysis, passages_of(recording, profile), excerpt)


def heard_by(profiling: Profiling, reference: HeardReference | None, mix: Recording) -> HeardMusic:
    """What is composed: tempo and key, as the profile of any track has them, and how like the reference it is."""
    with TemporaryDirectory(dir=mix.path.parent) as folder:
        profile = profiled(profiling, mix, Path(folder))
    found = similarity(reference.passages, passages_of(mix, profile)) if reference else None
    return HeardMusic(profile.tempo_bpm, profile.key, found)


def profiled(profiling: Profiling, recording: Recording, into: Path) -> Profile:
    return Profile.read(profiling.profile(recording, ProfileBrief(), into, silent).files[PROFILE])


def passages_of(recording: Recording, profile: Profile) -> list[Passage]:
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
