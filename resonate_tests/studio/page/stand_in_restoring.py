"""Of the stand-in for the API: a track that was restored, and made anew beside it where its brief asks for that."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from resonate_studio.api import models as m

LABEL = "played anew from its notes"


class Restored:
    """What is wanted of tracks, and what was asked to be changed in it."""

    def __init__(self) -> None:
        self.wanted: dict[str, Any] = {"restoration.mode": "restore", "restoration.blend": 0.5}
        self.changes: list[dict[str, Any]] = []
        self.label, self.snr_db = LABEL, 12.4

    def brief(self) -> m.Brief:
        return m.Brief(
            values=[
                m.BriefValue(name=name, value=value, origin="this track", built_in=False)
                for name, value in self.wanted.items()
            ]
        )

    def versions(self) -> list[m.Version]:
        made = [("original", "Original", "original"), ("restored_track", "Original, restored", "original")]
        if self.wanted["restoration.mode"] != "restore":
            made.append(("generated_track:generated", "Made anew", "regenerated"))
        return [
            m.Version.model_validate(
                {
                    "id": name,
                    "label": label,
                    "group": group,
                    "stem": None,
                    "duration_s": 20.0,
                    "sample_rate": 48_000,
                    "channels": 2,
                    "loudness_lufs": -16.0,
                    "loudness_range_lu": None,
                    "true_peak_dbtp": None,
                    "bandwidth_hz": None,
                    "offset_s": 0.0,
                    "gain_db": None,
                    "generated": name.startswith("generated") and self.label == "AI-generated",
                    "current": True,
                    "made_at": "2026-11-26T10:00:00",
                    "settings": {},
                    "url": f"/api/v1/files/{name}",
                }
            )
            for name, label, group in made
        ]

    def stages(self) -> list[m.StageReport]:
        measures: dict[str, dict[str, Any]] = {"profile": {"snr_db": self.snr_db}, "restored_track": {}}
        mode, blend = self.wanted["restoration.mode"], self.wanted["restoration.blend"]
        if mode != "restore":
            measures["generated_track"] = {"share": blend if mode == "blend" else 1.0, "label": self.label}
        return [
            m.StageReport(
                stage=stage,
                engine="rules",
                seconds=1.0,
                made_at="2026-11-26T10:00:00",
                changed=None,
                warnings=[],
                notes=[],
                measures=found,
                steps=None,
                picture_url=None,
                results=[],
                dagster_url=None,
            )
            for stage, found in measures.items()
        ]


def add_briefs(app: FastAPI, restored: Restored) -> None:
    @app.get("/api/v1/tracks/{track}/brief")
    def show(track: str) -> m.Brief:
        return restored.brief()

    @app.patch("/api/v1/tracks/{track}/brief")
    def change(track: str, change: m.BriefChange) -> m.BriefChanged:
        restored.changes.append(change.set)
        restored.wanted |= change.set
        return m.BriefChanged(brief=restored.brief(), stages=["generated_track"], job=None)
