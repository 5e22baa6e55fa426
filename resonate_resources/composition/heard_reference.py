"""A reference as it was heard: what is taken of it, and its key sections, to which what is composed is compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.composition.reference import Reference
from resonate_resources.recipe import Json
from resonate_resources.signal.song_similarity import Passage

QUIETEST_LUFS, LOUDEST_LUFS = -36.0, -6.0
"""Of a master: see MasteringBrief."""


@dataclass(frozen=True)
class HeardReference:
    """passages: its key sections, to which what is composed is compared."""

    reference: Reference
    passages: Sequence[Passage]

    @classmethod
    def of(
        cls,
        name: str,
        profile: Mapping[str, Any],
        analysis: Mapping[str, Any],
        passages: Sequence[Passage],
        excerpt: bool = False,
    ) -> HeardReference:
        """See `Reference.of`; how densely it is played is that of its passages."""
        seconds = sum(passage.seconds for passage in passages)
        onsets = sum(passage.onsets_a_second * passage.seconds for passage in passages)
        density = onsets / seconds if seconds else None
        return cls(Reference.of(name, profile, analysis, density, excerpt), passages)

    @property
    def loudness_lufs(self) -> float:
        """As a master's target: within what masters may have."""
        assert self.reference.loudness_lufs is not None
        return min(max(self.reference.loudness_lufs, QUIETEST_LUFS), LOUDEST_LUFS)

    def write(self, path: Path) -> None:
        """As JSON, which `read` reads."""
        told = {
            "reference": self.reference.model_dump(mode="json"),
            "passages": [_told(each) for each in self.passages],
        }
        path.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> HeardReference:
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            Reference.model_validate(told["reference"]), [_passage_of(each) for each in told["passages"]]
        )


def _told(passage: Passage) -> dict[str, Json]:
    arrays = {
        "spectrum": passage.spectrum,
        "chroma": passage.chroma,
        "groove": passage.groove,
    }
    return {
        "seconds": passage.seconds,
        "tempo_bpm": passage.tempo_bpm,
        "onsets_a_second": passage.onsets_a_second,
        **{name: None if each is None else each.tolist() for name, each in arrays.items()},
    }


def _passage_of(told: Mapping[str, Any]) -> Passage:
    arrays = {
        name: None if told[name] is None else np.array(told[name])
        for name in ("spectrum", "chroma", "groove")
    }
    return Passage(**{**told, **arrays})
