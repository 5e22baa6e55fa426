"""Transcription's section of the brief."""

from __future__ import annotations

from pydantic import Field

from resonate_resources.brief.section import Section


class TranscriptionBrief(Section):
    """What is done with the notes that are heard."""

    clean_up: bool = Field(
        default=True, description="leave out short and weak notes that are not in the track's key"
    )
    bends: bool = Field(
        default=True, description="write glides and vibrato of the voice as pitch bends, not only its keys"
    )
