"""What the graph asks of each capability. Assets name these; installations choose who fulfils them.

How something is done does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from resonate_resources.analysis.resource import Grid
from resonate_resources.composition.engines.jasco.recording import HeardRecording
from resonate_resources.composition.heard_reference import HeardReference
from resonate_resources.composition.resource import Hear, Written
from resonate_resources.mastering.brief import MasteringBrief
from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.holdings import Worth
from resonate_resources.mixing.material import TrackFacts
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.quality.music import Music as KnownMusic
from resonate_resources.quality.resource import Judged
from resonate_resources.recipe import Json, Product, Recipe
from resonate_resources.recordings.music import Music
from resonate_resources.recordings.planned_music import PlannedMusic
from resonate_resources.recordings.recording import Progress, Recording, Stems
from resonate_resources.recordings.score import Score
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import TempoMap
from resonate_resources.regeneration.brief import RegenerationBrief
from resonate_resources.regeneration.facts import Heard
from resonate_resources.regeneration.resource import Judge
from resonate_resources.remixing.brief import RemixingBrief
from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.restoration.planning import Scope
from resonate_resources.separation.brief import SeparationBrief
from resonate_resources.separation.planning import Planned
from resonate_resources.transcription.brief import TranscriptionBrief

# Every method that makes something writes files into the existing, empty directory `into`, and raises AudioError.


class Composition(Protocol):
    """Makes a piece of music from words."""

    def compose(
        self,
        written: Written,
        title: str,
        into: Path,
        reference: HeardReference | None,
        recording: Recording | None,
    ) -> Product: ...

    def recipe(self, request: Path, style: Path | None) -> Recipe: ...

    def generate_from(
        self,
        request: Path,
        plan: Path,
        into: Path,
        hear: Hear,
        progress: Progress,
        style: Path | None,
        sounds: Path | None,
    ) -> Product: ...

    def score(self, plan: Path) -> Score: ...

    def planned_music(self, plan: Path) -> PlannedMusic: ...

    def recipe_anew(self, share: float) -> Recipe: ...

    def make_anew(
        self, restored: Recording, rebuilt: Recording, share: float, why: str, into: Path
    ) -> Product: ...

    def lacks_for_anew(self) -> str: ...

    def recipe_anew_by_model(self, share: float) -> Recipe: ...

    def make_anew_by_model(
        self, restored: Recording, heard: HeardRecording, share: float, why: str, into: Path
    ) -> Product: ...


class Separation(Protocol):
    """Parts a track into stems."""

    def given(self, stems: Stems, track: Recording, into: Path) -> Product: ...

    def plan(
        self, track: Recording, brief: SeparationBrief, *, megabytes: float, batch: bool = False
    ) -> Planned: ...

    def separate(self, planned: Planned, into: Path, progress: Progress) -> Product: ...


class Restoration(Protocol):
    """Mends a track, and its stems."""

    def recipe(self, brief: RestorationBrief, scope: Scope) -> Recipe: ...

    def accepts(self, made: Mapping[str, Json], brief: RestorationBrief, scope: Scope) -> bool: ...

    def restore_track(
        self,
        track: Recording,
        facts: Mapping[str, Any],
        brief: RestorationBrief,
        into: Path,
        progress: Progress,
    ) -> Product: ...

    def restore_stems(
        self,
        stems: Stems,
        facts: Mapping[str, Any],
        brief: RestorationBrief,
        into: Path,
        progress: Progress,
    ) -> Product: ...


class Profiling(Protocol):
    """Describes a track."""

    def recipe(self, brief: ProfileBrief) -> Recipe: ...

    def profile(
        self,
        track: Recording,
        brief: ProfileBrief,
        into: Path,
        progress: Progress,
        planned: PlannedMusic | None = None,
    ) -> Product: ...


class Analysing(Protocol):
    """Hears what the stems of a track do over time."""

    def recipe(self) -> Recipe: ...

    def analyse(
        self, track: Recording, stems: Stems, grid: Grid, into: Path, progress: Progress
    ) -> Product: ...


class Transcription(Protocol):
    """Hears notes."""

    def recipe(self, brief: TranscriptionBrief) -> Recipe: ...

    def transcribe(
        self, stems: Stems, music: Music, brief: TranscriptionBrief, into: Path, progress: Progress
    ) -> Product: ...

    def given(self, score: Score, into: Path) -> Product: ...


class Mixing(Protocol):
    """Plans a mix, and sums stems by the plan."""

    def plan_recipe(self, brief: MixingBrief) -> Recipe: ...

    def plan(
        self,
        stems: Stems,
        worth: Mapping[str, Sequence[Worth]],
        track: TrackFacts,
        brief: MixingBrief,
        into: Path,
        progress: Progress,
    ) -> Product: ...

    def recipe(self) -> Recipe: ...

    def mix(
        self, stems: Stems, plan: MixPlan, into: Path, progress: Progress, original: Recording | None
    ) -> Product: ...


class Mastering(Protocol):
    """Finishes a mix."""

    def recipe(self, brief: MasteringBrief) -> Recipe: ...

    def master(
        self,
        mix: Recording,
        original: Recording,
        brief: MasteringBrief,
        rough: float,
        tags: Tags,
        into: Path,
        progress: Progress,
        moved: Sequence[str],
    ) -> Product: ...


class Regeneration(Protocol):
    """Plays notes."""

    def recipe(self, brief: RegenerationBrief) -> Recipe: ...

    def regenerate(
        self,
        midi: Mapping[str, Path],
        stems: Stems,
        heard: Heard,
        brief: RegenerationBrief,
        into: Path,
        judge: Judge | None,
        progress: Progress,
    ) -> Product: ...

    def instruments(
        self,
        midi: Mapping[str, Path],
        stems: Stems,
        tempo: TempoMap,
        rebuilt: Mapping[str, Any],
        about: str,
        into: Path,
        progress: Progress,
    ) -> Product: ...


class Remixing(Protocol):
    """Makes material for remixes."""

    def recipe(self, brief: RemixingBrief) -> Recipe: ...

    def remix(
        self,
        recordings: Stems,
        profile: Mapping[str, Any],
        brief: RemixingBrief,
        into: Path,
        progress: Progress,
    ) -> Product: ...


class Quality(Protocol):
    """Scores recordings against a reference."""

    def recipe(self) -> Recipe: ...

    def score(
        self,
        reference: Recording,
        music: KnownMusic,
        stems: Stems,
        candidates: Mapping[str, Judged],
        into: Path,
        progress: Progress,
    ) -> Product: ...

    def judge_of(self, reference: Recording, music: KnownMusic, stems: Stems) -> Judge: ...
