"""The brief of a track: one typed document, a section a stage."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from resonate_resources.exporting.brief import ExportsBrief
from resonate_resources.mastering.brief import MasteringBrief
from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.regeneration.brief import RegenerationBrief
from resonate_resources.remixing.brief import RemixingBrief
from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.separation.brief import SeparationBrief
from resonate_resources.transcription.brief import TranscriptionBrief


class Brief(BaseModel):
    """What is wanted of one track. Each capability owns its section; later ones add theirs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    separation: SeparationBrief = SeparationBrief()
    restoration: RestorationBrief = RestorationBrief()
    profile: ProfileBrief = ProfileBrief()
    transcription: TranscriptionBrief = TranscriptionBrief()
    mixing: MixingBrief = MixingBrief()
    mastering: MasteringBrief = MasteringBrief()
    regeneration: RegenerationBrief = RegenerationBrief()
    remixing: RemixingBrief = RemixingBrief()
    exports: ExportsBrief = ExportsBrief()

    @classmethod
    def read(cls, path: Path) -> Brief:
        """Raises pydantic's ValidationError for a file that is no brief."""
        return cls.model_validate(json.loads(path.read_bytes()))

    def to_json(self) -> bytes:
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False).encode()
