"""Words, or a plan, into a track: composed, heard, mastered and checked, beside the graph."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from resonate_assets.referencing import heard_by
from resonate_resources.composition.engines.engine import CompositionEngine
from resonate_resources.composition.heard_reference import HeardReference
from resonate_resources.composition.labels import tags_of
from resonate_resources.composition.plan import Plan
from resonate_resources.composition.qa import qa_of_master
from resonate_resources.composition.resource import MIX, REPORT, CompositionResource
from resonate_resources.mastering.brief import MasteringBrief
from resonate_resources.mastering.resource import MasteringResource
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import Recording
from resonate_resources.recordings.tags import write_tags

MASTER: Final = "master.wav"
TARGET_LUFS: Final = -14.0  # R4 of the requirements
_LIMITING_DB: Final = 6.0  # our own mix, not finished music: as far as a rough recording may be limited


@dataclass(frozen=True)
class Composed:
    """files: name → path. report: composition.json. qa: of music and master, name → passed and detail."""

    files: Mapping[str, Path]
    report: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def qa(self) -> Mapping[str, Mapping[str, Any]]:
        return self.report["qa"]  # type: ignore[no-any-return]


def compose(
    composition: CompositionResource,
    plans: Iterable[Plan],
    told: Mapping[str, Json],
    title: str,
    into: Path,
    engine: CompositionEngine | None = None,
    reference: HeardReference | None = None,
    target_lufs: float = TARGET_LUFS,
) -> Composed:
    """Stems, parts, MIDI, mix and a 24-bit master of that loudness, all of them labelled. Raises AudioError."""
    hear = partial(heard_by, ProfilingResource(), reference)
    made = composition.generate(plans, told, into, hear, engine=engine)
    report = json.loads(made.reports[REPORT].read_text(encoding="utf-8"))
    tags = tags_of(title, report)
    mix = Recording.open(made.files[MIX])
    mastering = into / "mastering"
    mastering.mkdir()
    brief = MasteringBrief(target_lufs=target_lufs, limiting_db=_LIMITING_DB, sample_rate=48_000, bits=24)
    mastered = MasteringResource().master(mix, mix, brief, 0.0, tags, mastering)
    master = mastered.files[MASTER]
    verdicts = qa_of_master(Recording.open(master), target_lufs)
    report["qa"] |= {name: asdict(verdict) for name, verdict in verdicts.items()}
    made.reports[REPORT].write_text(json.dumps(report, indent=1, ensure_ascii=False), encoding="utf-8")
    for name, path in made.files.items():
        if name.endswith(".wav"):
            write_tags(path, tags, {})
    files = {MASTER: master, **made.files, **made.reports}
    notes = (
        *made.notes,
        *mastered.notes,
        *(f"{name}: {verdict.detail}" for name, verdict in verdicts.items() if not verdict.passed),
    )
    return Composed(files, report, notes)
