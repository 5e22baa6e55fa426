"""A local stand-in for Replicate's HTTP API v1, written from its public reference, with faults to order."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import soundfile as sf

from resonate_tests.hosted_server import Answer, HostedServer, Request, served

TOKEN = "r8_5e1f0c9a77b24dd38f6a-secret"
RATE = 32_000


class ReplicateServer(HostedServer):
    """State of the service, and what it should do next: by "begin", "ask", "cancel" and "files"."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.api = f"{address}/v1/"
        self.begun: dict[str, Any] = {}
        self.cancelled: list[str] = []
        self.asked: dict[str, int] = defaultdict(int)
        self.ends_as: dict[str, Any] = {"status": "succeeded"}
        self.seconds_missing = 0.0

    def kind(self, path: str) -> str:
        return _kind(path)[0]

    def answer(self, request: Request) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Answer(401, {"detail": f"Unauthenticated: {request.headers.get('Authorization')}"})
        kind, name = _kind(request.path)
        match kind:
            case "begin":
                given = json.loads(request.body)
                number = f"p{len(self.begun)}"
                self.begun[number] = given
                return Answer(201, {"id": number, "status": "starting", "input": given["input"]})
            case "cancel":
                self.cancelled.append(name)
                return Answer(200, {"id": name, "status": "canceled"})
        self.asked[name] += 1
        if self.asked[name] < 3:
            return Answer(200, {"id": name, "status": "processing", "output": None, "error": None})
        file = f"{self.address}/files/{name}.wav"
        return Answer(200, {"id": name, "output": file, "error": None, **self.ends_as})

    def file(self, path: str) -> bytes:
        """A tone of another pitch for each, in stereo, 16 bit."""
        name = _kind(path)[1]
        frames = round((self.begun[name]["input"]["duration"] - self.seconds_missing) * RATE)
        time = np.arange(frames) / RATE
        hertz = 220 * (1 + int(name[1:]))
        sound = np.stack([np.sin(2 * np.pi * hertz * time), 0.5 * np.sin(2 * np.pi * hertz * time)], axis=1)
        kept = io.BytesIO()
        sf.write(kept, 0.5 * sound, RATE, format="WAV", subtype="PCM_16")
        return kept.getvalue()


def replicate_server() -> AbstractContextManager[ReplicateServer]:
    """Serve on a free port of this machine for as long as the block lasts."""
    return served(ReplicateServer)


def _kind(path: str) -> tuple[str, str]:
    parts = path.strip("/").split("/")
    if parts[0] == "files":
        return "files", parts[1].removesuffix(".wav")
    if len(parts) == 2:
        return "begin", ""
    return ("cancel" if len(parts) == 4 else "ask"), parts[2]
