"""Of the stand-in for the API: words, of which it understands a tempo, "techno" and nothing else."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from resonate_studio.api import composition_models as m

MODEL = "openai:small"
_LACKS = "musicgen: no weights; put the folder of facebook/musicgen-small there"


class Asked(m.Composition):
    reference: str = ""


def add_compositions(app: FastAPI) -> None:
    @app.post("/api/v1/compositions/understanding", response_model=None)
    def understand(asked: Asked) -> m.Understood | JSONResponse:
        if "refuse" in asked.prompt:
            return JSONResponse({"detail": "prompt: can't be composed"}, 422)
        return understood(asked)

    @app.get("/api/v1/compositions/engines")
    def engines() -> m.CompositionEngines:
        return m.CompositionEngines(
            engines=[
                m.CompositionEngine(
                    name="composer", label="composed by rules", licence="GPL-3.0-or-later", lacks=""
                ),
                m.CompositionEngine(name="jasco", label="AI-generated", licence="CC-BY-NC-4.0", lacks=""),
                m.CompositionEngine(
                    name="musicgen", label="AI-generated", licence="CC-BY-NC-4.0", lacks=_LACKS
                ),
            ],
            model=MODEL,
            genres=["pop", "techno", "deep_house"],
            modes=["major", "minor"],
            moods=["happy", "calm"],
            metres=["3/4", "4/4"],
            sections=["intro", "verse", "drop"],
            instruments=[
                m.CompositionInstrument(name="drums", roles=["drums"]),
                m.CompositionInstrument(name="electric_piano", roles=["chords", "pad", "melody"]),
                m.CompositionInstrument(name="flute", roles=["melody", "countermelody"]),
            ],
        )


def understood(asked: Asked) -> m.Understood:
    readings, said = [], dict(asked.asked)
    words = asked.prompt.replace(",", " ").split()
    if (tempo := re.search(r"(\d+) bpm", asked.prompt)) and "bpm" not in said:
        said["bpm"] = [float(tempo[1])] * 2
        readings.append(m.CompositionReading(field="bpm", value=tempo[1], how="stated", words=tempo[0]))
    if "techno" in words and "genre" not in said:
        said["genre"] = "techno"
        readings.append(m.CompositionReading(field="genre", value="techno", how="stated", words="techno"))
    readings += [
        m.CompositionReading(field=name, value="", how="stated", words="said beside the prompt")
        for name in asked.asked
        if said[name] is not None
    ]
    if asked.reference and "bpm" not in said:
        said["bpm"] = [96.0] * 2
        readings.append(m.CompositionReading(field="bpm", value="96", how="reference", words="Night"))
    assumed = {"genre": "pop", "key": "F# minor", "metre": "4/4", "bars": "32", "swing": "0.5"}
    for name, value in assumed.items():
        if said.get(name) is None:
            readings.append(m.CompositionReading(field=name, value=value, how="assumed", words=""))
    bpm = said.get("bpm", [100.0])[0]
    sections = said.get("sections") or [{"name": "drop", "bars": said.get("bars") or 32, "energy": 1.0}]
    bars = sum(section["bars"] for section in sections)
    players = said.get("players") or [
        {"instrument": "drums", "role": "drums"},
        {"instrument": "electric_piano", "role": "chords"},
    ]
    contradictory = ["key"] if "contradict" in words else []
    return m.Understood(
        readings=readings,
        contradictory=contradictory,
        invalid=[],
        not_understood=[word for word in words if word.startswith("qux")],
        remarks=[
            *([f"Read by {MODEL}"] if asked.by_model else []),
            *(["key: C major against D minor; none of them was taken"] if contradictory else []),
        ],
        asked=said,
        request={
            "title": f"{said.get('genre', 'pop').capitalize()} in F# minor",
            "genre": said.get("genre", "pop"),
            "bpm": bpm,
            "key": said.get("key", "F# minor"),
            "metre": said.get("metre", "4/4"),
            "structure": sections,
            "mood": said.get("mood", []),
        },
        players=[m.CompositionPlayer.model_validate(each) for each in players],
        duration_s=bars * 240 / bpm,
    )


def composed_of(prompt: str, beside: dict[str, Any]) -> m.Composed:
    asked = Asked(prompt=prompt, seed=beside["seed"], asked=beside["asked"])
    told = understood(asked)
    usual = {"title": "", "engine": "composer", "by_model": False, "reference": "", "reference_sounds": False}
    words = usual | beside | {"prompt": prompt}
    return m.Composed(
        label="composed by rules" + (", with sounds of a recording" if words["reference_sounds"] else ""),
        engine="composer",
        model=None,
        licence="GPL-3.0-or-later",
        seed=beside["seed"],
        words=m.CompositionWords.model_validate(words),
        by_plan=False,
        reference=None,
        sounds="bass, drums: sounds of Night; whose rights" if words["reference_sounds"] else "",
        readings=told.readings,
        not_understood=told.not_understood,
        remarks=told.remarks,
    )
