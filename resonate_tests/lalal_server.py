"""A local stand-in for LALAL.AI's API v1, written from its public OpenAPI description, with faults to order.

Its separation is a known truth: vocals are 1/2 of the track, drums 1/4, bass 1/8, and the rest is what is left.
"""

from __future__ import annotations

import io
import json
import threading
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile as sf
import soxr

from resonate_tests.hosted_server import Answer, HostedServer, Request, served

KEY = "k-5e1f0c9a77b24dd38f6a-secret"
PARTS = {"vocals": 0.5, "drum": 0.25, "bass": 0.125}
_STEM_SEPARATOR = {
    "vocals", "drum", "piano", "bass", "electric_guitar", "acoustic_guitar", "synthesizer", "strings", "wind",
}  # fmt: skip
_MULTISTEM = _STEM_SEPARATOR - {"synthesizer", "strings", "wind"}
_PRESETS = {
    "splitter",
    "dereverb_enabled",
    "encoder_format",
    "stem",
    "stem_list",
    "multivocal",
    "extraction_level",
}


@dataclass
class Source:
    """An uploaded file."""

    samples: Any
    rate: int
    suffix: str


@dataclass
class Task:
    """A split that was begun and charged."""

    source: str
    stems: list[str]
    checks: int = 0


class LalalServer(HostedServer):
    """State of the service, and what it should do next."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.api = f"{address}/api/v1/"
        self.minutes_left = 1000.0
        self.charged = 0.0
        self.checks_until_ready = 2
        self.begins_at_once = True
        self.length_factor = 1.0
        """What it finds a file to be longer than it is."""
        self.output_rate: int | None = None
        self.output_channels: int | None = None
        self.task_error: Any = None
        self.sources: dict[str, Source] = {}
        self.tasks: dict[str, Task] = {}
        self._keys: dict[str, str] = {}
        self._lock = threading.Lock()

    def paths(self) -> list[str]:
        """Below the API."""
        return [_below(request.path) for request in self.requests]

    def kind(self, path: str) -> str:
        return "files" if path.startswith("/files/") else _below(path)

    def answer(self, request: Request) -> Answer:
        """Do what is asked, as the description has it."""
        if request.headers.get("X-License-Key") != KEY:
            return Answer(403, {"detail": "Provide license key in 'X-License-Key' header"})
        with self._lock:
            path = _below(request.path)
            if path == "upload/":
                return self._upload(request.headers, request.body)
            return self._post(path, json.loads(request.body))

    def _post(self, path: str, body: Any) -> Answer:
        match path:
            case "limits/minutes_left/":
                return Answer(200, {"minutes_left": self.minutes_left})
            case "split/stem_separator/":
                return self._split(body, [body["presets"].get("stem")], _STEM_SEPARATOR)
            case "split/multistem/":
                return self._split(body, body["presets"].get("stem_list", []), _MULTISTEM)
            case "check/":
                return Answer(200, {"result": {task: self._check(task) for task in body["task_ids"]}})
            case "delete/":
                return Answer(200 if self.sources.pop(body["source_id"], None) else 400, {})
        return Answer(404, {"detail": "Not Found"})

    def _upload(self, headers: Mapping[str, str], body: bytes) -> Answer:
        disposition = headers.get("Content-Disposition", "")
        if not disposition.startswith("attachment; filename="):
            return Answer(422, {"detail": [{"loc": ["header", "Content-Disposition"], "type": "missing"}]})
        name = disposition.partition("filename=")[2]
        samples, rate = sf.read(io.BytesIO(body), always_2d=True)
        source_id = str(uuid.uuid4())
        self.sources[source_id] = Source(samples, rate, name.rpartition(".")[2])
        duration = round(len(samples) / rate * self.length_factor)
        return Answer(
            200,
            {"id": source_id, "name": name, "size": len(body), "duration": duration, "expires": 1761217415},
        )

    def _split(self, body: Mapping[str, Any], stems: list[str], known: set[str]) -> Answer:
        presets, key = body["presets"], body["idempotency_key"]
        if not stems or set(stems) - known or set(presets) - _PRESETS or uuid.UUID(key).version != 4:
            return Answer(
                422, {"detail": [{"loc": ["body", "presets"], "msg": "wrong", "type": "value_error"}]}
            )
        if key in self._keys:
            if self.begins_at_once:
                used = {"detail": "Idempotency key has already been used.", "code": "idempotency_key_used"}
                return Answer(400, used)
            return Answer(200, {"task_id": self._keys[key]})
        source = self.sources.get(body["source_id"])
        if source is None:
            return Answer(400, {"detail": "The file has already been deleted."})
        task_id = self._keys[key] = str(uuid.uuid4())
        self.tasks[task_id] = Task(body["source_id"], stems)
        self.charged += len(source.samples) / source.rate * len(stems) / 60
        return Answer(200, {"task_id": task_id})

    def _check(self, task_id: str) -> dict[str, Any]:
        task = self.tasks.get(task_id)
        if task is None:
            return {"status": "server_error", "error": "Failed to extract information about task"}
        task.checks += 1
        state = {"source_id": task.source, "presets": {"task_type": "split"}}
        if self.task_error is not None:
            return {**state, "status": "error", "error": self.task_error}
        if task.checks <= self.checks_until_ready:
            return {
                **state,
                "status": "progress",
                "progress": 100 * (task.checks - 1) // self.checks_until_ready,
            }
        rest = f"no_{task.stems[0]}" if len(task.stems) == 1 else "no_multistem"
        tracks = [
            {"type": kind, "label": label, "url": self.api.replace("api/v1/", f"files/{task_id}/{label}")}
            for kind, label in [*(("stem", stem) for stem in task.stems), ("back", rest)]
        ]
        return {**state, "status": "success", "result": {"tracks": tracks, "duration": 1}}

    def file(self, path: str) -> bytes:
        """FLAC of a track of a result."""
        task_id, label = path.split("/")[-2:]
        task = self.tasks[task_id]
        source = self.sources[task.source]
        part = 1 - sum(PARTS[stem] for stem in task.stems) if label.startswith("no_") else PARTS[label]
        samples, rate = source.samples * part, source.rate
        if self.output_rate:
            samples, rate = soxr.resample(samples, rate, self.output_rate, "VHQ"), self.output_rate
        if self.output_channels:
            samples = np.repeat(samples.mean(axis=1, keepdims=True), self.output_channels, axis=1)
        target = io.BytesIO()
        sf.write(target, samples, rate, format="FLAC", subtype="PCM_24")
        return target.getvalue()


def lalal_server() -> AbstractContextManager[LalalServer]:
    """Serve on a free port of this machine for as long as the block lasts."""
    return served(LalalServer)


def _below(path: str) -> str:
    return path.removeprefix("/api/v1/").removeprefix("/")
