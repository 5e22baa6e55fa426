"""Stands in for the job API: by the same contract, with whatever library, jobs and answers a test says.

What the API itself does is not tried against this, but in resonate_tests/studio/api and resonate_tests/e2e.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import uvicorn
from fastapi import FastAPI, File, Form, Request, Response, UploadFile
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

from resonate_studio.api import models as m
from resonate_tests.studio.page.stand_in_composing import add_compositions, composed_of
from resonate_tests.studio.page.stand_in_restoring import Restored, add_briefs

PAGE = Path(m.__file__).parent / "page"
POLICY = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'"
"""No inline script, no inline style."""
WORST_FIRST = m.TrackState.__args__  # type: ignore[attr-defined]
KEYS = ("A minor", "C major", "F# minor", "Bb major", "E minor")


def summary(track: str, title: str, **facts: object) -> m.TrackSummary:
    """A track that is done, but for what is said of it."""
    known: dict[str, object] = {
        "artist": None,
        "duration_s": 201.4,
        "tempo_bpm": 120.2,
        "key": "A minor",
        "loudness_lufs": -14.0,
        "state": "done",
        "accepted": True,
        "reason": None,
        "score": 86.0,
        "stage": None,
        "progress": None,
        "place": None,
        "expected_seconds": None,
        "job_id": None,
        "added_at": "2026-11-26T10:00:00+00:00",
        "generated": False,
        "composed": None,
        "cover_url": None,
    }
    return m.TrackSummary.model_validate(known | facts | {"track": track, "title": title})


def many(number: int) -> list[m.TrackSummary]:
    """A library in which every state occurs."""
    found = []
    for at in range(number):
        state = "done" if at % 10 else WORST_FIRST[at // 10 % len(WORST_FIRST)]
        found.append(
            summary(
                f"song-{at:05d}",
                f"Song {at:05d}",
                artist=f"Artist {at % 97}",
                tempo_bpm=60.0 + at % 120,
                key=KEYS[at % len(KEYS)],
                duration_s=60.0 + at % 400,
                state=state,
                accepted=None if state not in ("done", "not accepted") else state == "done",
                score=None if state in ("failed", "waiting", "queued", "running") else 50.0 + at % 50,
                reason="the noise of the vocals was not lowered" if state == "not accepted" else None,
                generated=at % 13 == 0,
            )
        )
    return found


@dataclass
class StandIn:
    """What the page is told, and what it asked for."""

    tracks: list[m.TrackSummary] = field(default_factory=list)
    jobs: dict[UUID, m.Job] = field(default_factory=dict)
    rejected: list[m.Rejected] = field(default_factory=list)
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Name of a file → status and detail that its upload is answered with."""
    briefs: list[str | None] = field(default_factory=list)
    """What came along with uploads."""
    left_out: list[str] = field(default_factory=list)
    """Engines that are not installed."""
    removable_bytes: int = 310_000_000
    """Of earlier results of any age but older than half a year, of which there are none."""
    asked: list[str] = field(default_factory=list)
    """Method and path of every request but GET."""
    composed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Prompts that came without a file, and what came beside them."""
    composition_references: list[str] = field(default_factory=list)
    """Names of recordings that came along with prompts."""
    restored: Restored = field(default_factory=Restored)
    removed: list[tuple[str, bool]] = field(default_factory=list)
    cleared: list[float] = field(default_factory=list)
    waits: list[asyncio.Queue[str | None]] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = None
    address: str = ""

    def tell(self, event: str, data: str) -> None:
        """Over all event streams that are open, from any thread."""
        assert self.loop is not None
        for queue in list(self.waits):
            self.loop.call_soon_threadsafe(queue.put_nowait, f"event: {event}\ndata: {data}\n\n")

    def job(self, title: str, track: str | None = None, job_id: UUID | None = None, **facts: object) -> m.Job:
        """A job as it is from now on, told to the page."""
        known: dict[str, object] = {
            "status": "processing",
            "progress": 0.0,
            "stage": None,
            "fetching": None,
            "place": None,
            "expected_seconds": None,
            "reason": None,
            "asked_at": "2026-11-26T10:00:00+00:00",
            "ended_at": None,
            "track_url": None if track is None else f"/api/v1/tracks/{track}",
            "results": [],
        }
        job = m.Job.model_validate(
            known | facts | {"job_id": job_id or uuid4(), "title": title, "track": track}
        )
        self.jobs[job.job_id] = job
        self.tell("job", job.model_dump_json())
        return job

    def hang_up(self) -> None:
        """End all event streams."""
        for queue in list(self.waits):
            assert self.loop is not None
            self.loop.call_soon_threadsafe(queue.put_nowait, None)

    @property
    def listening(self) -> int:
        return len(self.waits)


def app_of(stand_in: StandIn) -> FastAPI:
    app = FastAPI()

    @app.middleware("http")
    async def note(request: Request, call_next):  # type: ignore[no-untyped-def]
        if request.method != "GET":
            stand_in.asked.append(f"{request.method} {request.url.path}")
        response = await call_next(request)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @app.get("/api/v1/health")
    def health() -> m.Health:
        return m.Health(
            version="0", runs=True, dagster_url="http://127.0.0.1:3000", inbox="inbox", read_only=False
        )

    @app.get("/api/v1/tracks")
    def tracks(
        search: str = "",
        state: m.TrackState | None = None,
        sort: str = "worst",
        descending: bool = False,
        offset: int = 0,
        limit: int = 100,
    ) -> m.TrackList:
        words = search.lower().split()
        found = [
            one
            for one in stand_in.tracks
            if state in (None, one.state)
            and all(word in f"{one.title} {one.artist} {one.key}".lower() for word in words)
        ]
        orders = {
            "worst": lambda one: (WORST_FIRST.index(one.state), one.score or 0),
            "title": lambda one: one.title,
            "artist": lambda one: one.artist or "",
            "tempo": lambda one: one.tempo_bpm or 0,
            "key": lambda one: one.key or "",
            "score": lambda one: one.score or 0,
            "added": lambda one: one.added_at or "",
        }
        found.sort(key=orders[sort], reverse=descending)
        states = {name: sum(one.state == name for one in stand_in.tracks) for name in WORST_FIRST}
        shown = found[offset : offset + limit]
        return m.TrackList(tracks=shown, total=len(found), states=states, left_out=stand_in.left_out)

    @app.delete("/api/v1/tracks/{track}", status_code=204)
    def remove(track: str, keep_exports: bool = False) -> None:
        stand_in.removed.append((track, keep_exports))
        stand_in.tracks = [one for one in stand_in.tracks if one.track != track]

    @app.post("/api/v1/tracks/{track}/process", status_code=202)
    def process(track: str) -> m.JobAccepted:
        return _accepted(stand_in, track, track)

    @app.get("/api/v1/tracks/{track}", response_model=None)
    def show(track: str) -> m.Track | JSONResponse:
        found = next((one for one in stand_in.tracks if one.track == track), None)
        if found is None:
            return JSONResponse({"detail": "there is no such track"}, 404)
        return track_of(found, stand_in)

    add_compositions(app)
    add_briefs(app, stand_in.restored)

    @app.get("/api/v1/tracks/{track}/peaks/original")
    def peaks(track: str, columns: int) -> Response:
        pairs = bytearray()
        for at in range(columns):
            height = int(100 * abs(math.sin(at / 9 + len(track) + int(track[-2:], 36))))
            pairs += bytes([(-height) % 256, height])
        return Response(bytes(pairs), media_type="application/octet-stream", headers={"X-Exact": "1"})

    @app.get("/api/v1/jobs")
    def jobs(active: bool = False) -> m.Jobs:
        shown = [
            one for one in stand_in.jobs.values() if not active or one.status in ("queued", "processing")
        ]
        return m.Jobs(jobs=shown)

    @app.post("/api/v1/jobs", status_code=202, response_model=None)
    async def upload(
        file: UploadFile | None = File(default=None),  # noqa: B008
        brief: str | None = Form(default=None),
        prompt: str = Form(default=""),
        composition: str = Form(default="{}"),
        composition_reference: UploadFile | None = File(default=None),  # noqa: B008
    ) -> m.JobAccepted | JSONResponse:
        if file is None:
            stand_in.composed.append((prompt, json.loads(composition)))
            if composition_reference is not None:
                stand_in.composition_references.append(composition_reference.filename or "")
            track = f"composed-{len(stand_in.composed)}"
            stand_in.tracks.append(
                summary(
                    track, prompt, state="queued", accepted=None, score=None, composed="composed by rules"
                )
            )
            return _accepted(stand_in, track, prompt)
        name = file.filename or ""
        stand_in.briefs.append(brief)
        if name in stand_in.refusals:
            status, detail = stand_in.refusals[name]
            return JSONResponse({"detail": detail}, status)
        track = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
        stand_in.tracks.append(summary(track, name, state="queued", accepted=None, score=None))
        return _accepted(stand_in, track, name)

    @app.post("/api/v1/jobs/{job_id}/cancel")
    def cancel(job_id: UUID) -> m.Job:
        job = stand_in.jobs[job_id].model_copy(
            update={"status": "cancelled", "ended_at": "2026-11-26T10:01:00+00:00"}
        )
        stand_in.jobs[job_id] = job
        stand_in.tell("job", job.model_dump_json())
        return job

    @app.post("/api/v1/jobs/{job_id}/retry", status_code=202)
    def retry(job_id: UUID) -> m.JobAccepted:
        job = stand_in.jobs[job_id]
        return _accepted(stand_in, job.track or "", job.title)

    @app.get("/api/v1/events")
    async def events() -> StreamingResponse:
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        stand_in.loop = asyncio.get_running_loop()
        stand_in.waits.append(queue)

        async def stream() -> AsyncIterator[str]:
            try:
                yield ": here\n\n"
                while (told := await queue.get()) is not None:
                    yield told
            finally:
                stand_in.waits.remove(queue)

        return StreamingResponse(stream(), media_type="text/event-stream")

    @app.get("/api/v1/rejections")
    def rejections() -> m.RejectedFiles:
        return m.RejectedFiles(files=stand_in.rejected)

    @app.get("/api/v1/cache")
    def cache(older_than_days: float) -> m.Cache:
        rows = [
            m.CacheRow(
                stage="stems", engine="spleeter", current_bytes=2_400_000_000, cached_bytes=310_000_000
            ),
            m.CacheRow(stage="master", engine="rules", current_bytes=640_000_000, cached_bytes=1_200_000_000),
        ]
        return m.Cache(
            rows=rows,
            current_bytes=3_040_000_000,
            cached_bytes=1_510_000_000,
            light_bytes=84_000_000,
            removable_bytes=0 if older_than_days > 31 else stand_in.removable_bytes,
        )

    @app.post("/api/v1/cache/clear")
    def clear(ask: m.CacheClear) -> m.CacheCleared:
        stand_in.cleared.append(ask.older_than_days)
        return m.CacheCleared(results=12, removed_bytes=1_510_000_000, passed_over=["song-00001"])

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> FileResponse:
        found = PAGE / path
        return FileResponse(found if path and found.is_file() else PAGE / "index.html")

    return app


def track_of(found: m.TrackSummary, stand_in: StandIn) -> m.Track:
    """Of one that is done and wasn't composed, recordings and stages; of others nothing is made yet."""
    restored = stand_in.restored if found.state == "done" and not found.composed else None
    number = int(found.track.removeprefix("composed-")) - 1 if found.composed else -1
    return m.Track(
        summary=found,
        source=found.title,
        composed=composed_of(*stand_in.composed[number]) if found.composed else None,
        music=None,
        versions=restored.versions() if restored else [],
        stages=restored.stages() if restored else [],
        quality=m.Quality(total=None, accepted=None, reasons=[], dimensions=[], measures=[]),
        warnings=[],
        missing_stages=[],
        measuring=False,
        dagster_url=None,
    )


def _accepted(stand_in: StandIn, track: str, title: str) -> m.JobAccepted:
    job = stand_in.job(title, track, status="queued", place=1, expected_seconds=90.0)
    return m.JobAccepted(job_id=job.job_id, status_url=f"/api/v1/jobs/{job.job_id}", track=track)


@contextlib.contextmanager
def running(stand_in: StandIn, port: int = 0) -> Iterator[StandIn]:
    """Served on a free port of this machine, or on that one."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        app_of(stand_in), log_config=None, log_level="warning", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the stand-in did not start"
        time.sleep(0.01)
    stand_in.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield stand_in
    finally:
        server.should_exit = True
        stand_in.hang_up()
        thread.join(10)
        listener.close()
