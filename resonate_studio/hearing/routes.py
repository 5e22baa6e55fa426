"""Routes of what is heard and seen of a track: segments, waveforms, tiles, spectra, notes, listening tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, Literal

import soundfile as sf
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from resonate_resources.recordings.recording import AudioError
from resonate_studio.api.hearable import VersionName, artefact_of
from resonate_studio.api.models import (
    LATEST_S,
    AbxRecord,
    AbxRecords,
    AbxResult,
    Notes,
    Spectrum,
    TrackKey,
    VersionId,
)
from resonate_studio.api.opened import Opened, OpenedHome
from resonate_studio.api.problems import ProblemError, answers, not_found
from resonate_studio.api.serving import Served
from resonate_studio.hearing import abx, segments, spectrogram
from resonate_studio.hearing.light_copies import (
    LightCopies,
    Sound,
    segment_name,
    tile_name,
)
from resonate_studio.hearing.notes import notes_of
from resonate_studio.hearing.turns import Turns

router = APIRouter(tags=["hearing"])

_COLUMNS_MAX = 4096
_UNCHANGED = 304

Seconds = Annotated[float, Query(ge=0, le=LATEST_S, allow_inf_nan=False)]
Until = Annotated[float | None, Query(ge=0, le=LATEST_S, allow_inf_nan=False)]
"""The end where it is left out."""


class Hearing:
    """Of one home: its light copies, and whose turn it is to have some made."""

    def __init__(self, copies: LightCopies) -> None:
        self.copies, self.turns = copies, Turns()


_opening = threading.Lock()


def hearing_of(request: Request, served: Served) -> Hearing:
    """Made at the first request."""
    state = request.app.state
    with _opening:
        if not hasattr(state, "hearing"):
            state.hearing = Hearing(served.copies)
        found: Hearing = state.hearing
        return found


TheHearing = Annotated[Hearing, Depends(hearing_of)]


def sound_of(home: Opened, track: str, version: str) -> Sound:
    """Raises ProblemError, 404, where there is no such version, or its file is gone."""
    recording = home.version_recording(track, version)
    name = VersionName.parse(version)
    artefact = artefact_of(home.storage, track, name) if name else None
    file = name.file(artefact.manifest.files) if name and artefact else None
    if artefact is None or file is None:  # removed since the line above
        raise not_found(f"there is no version {version} of this track")
    return Sound(recording, artefact.manifest.files[file].sha256)


_SAME: dict[int | str, dict[str, Any]] = {_UNCHANGED: {"description": "The one that was had before"}}


def _binary(media_type: str) -> dict[str, Any]:
    return {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}


async def _light(
    request: Request,
    hearing: Hearing,
    name: str,
    make: Callable[[], bytes],
    media_type: str,
    headers: dict[str, str] | None = None,
) -> Response:
    """What is kept under a name or made. The name stands for its bytes: who has them already is told so."""
    tag = f'"{name[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", **(headers or {})}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=_UNCHANGED, headers=headers)
    with _that_is_there():
        data = await hearing.turns.take(request, lambda: hearing.copies.store.read(name), make)
    return Response(data, media_type=media_type, headers=headers)


@contextmanager
def _that_is_there() -> Iterator[None]:
    """A file that went, or is being removed, is none. Raises ProblemError, 404."""
    try:
        yield
    except (OSError, AudioError, sf.LibsndfileError) as error:
        raise not_found("its file is gone or was changed; process the track again") from error
    except IndexError as error:
        raise not_found("the version ends before that") from error


def _stretch(start_s: float, end_s: float | None, duration_s: float) -> tuple[float, float]:
    """Within a version, and not empty. Raises ProblemError, 422."""
    end_s = duration_s if end_s is None else min(end_s, duration_s)
    if start_s >= end_s:
        raise ProblemError(422, "start_s: the stretch is empty, or begins where the version has ended")
    return start_s, end_s


@router.get(
    "/tracks/{track}/audio/{version}/{n}",
    response_class=Response,
    responses={200: _binary(segments.MEDIA_TYPE), **_SAME, **answers(404)},
)
async def segment(
    home: OpenedHome,
    hearing: TheHearing,
    request: Request,
    track: TrackKey,
    version: VersionId,
    n: Annotated[int, Path(ge=0, le=1_000_000)],
    codec: Literal["opus"] = "opus",  # noqa: ARG001 — the one there is, for the present
) -> Response:
    """Five seconds of sound, from n · 240,000 on at 48 kHz, as Ogg Opus.

    X-Lead-Frames come before them and are to be left out, X-Frames are the segment's own, and what follows is to be
    left out; X-Total-Frames: of the whole version.
    """
    sound = await run_in_threadpool(sound_of, home, track, version)
    with _that_is_there():
        frames = segments.segment_frames(sound.recording, n)
    return await _light(
        request,
        hearing,
        segment_name(sound, n),
        lambda: hearing.copies.segment(sound, n),
        segments.MEDIA_TYPE,
        {
            "X-Lead-Frames": str(segments.LEAD_FRAMES),
            "X-Frames": str(frames),
            "X-Total-Frames": str(segments.frames_at_rate(sound.recording)),
        },
    )


@router.get(
    "/tracks/{track}/peaks/{version}",
    response_class=Response,
    responses={200: _binary("application/octet-stream"), **answers(404)},
)
async def waveform(
    home: OpenedHome,
    hearing: TheHearing,
    request: Request,
    track: TrackKey,
    version: VersionId,
    start_s: Seconds = 0.0,
    end_s: Until = None,
    columns: Annotated[int, Query(ge=1, le=_COLUMNS_MAX)] = 1000,
) -> Response:
    """Lowest and highest sample of each column, as pairs of int8, full scale ±127.

    X-Exact: 0 as long as not every sample was seen: ask again in a few seconds. X-Start-S, X-End-S: what it shows.
    """
    sound = await run_in_threadpool(sound_of, home, track, version)
    start_s, end_s = _stretch(start_s, end_s, sound.recording.duration)
    rate = sound.recording.sample_rate
    start = min(int(start_s * rate), sound.recording.frames - 1)
    stop = max(start + 1, min(round(end_s * rate), sound.recording.frames))
    with _that_is_there():
        found = await hearing.turns.take(
            request, lambda: None, lambda: hearing.copies.peaks(sound, start, stop, columns)
        )
    told = {
        "X-Exact": "1" if found.exact else "0",
        "X-Start-S": f"{start_s:.6f}",
        "X-End-S": f"{end_s:.6f}",
        "Cache-Control": "private, no-cache",
    }
    return Response(found.extremes.tobytes(), media_type="application/octet-stream", headers=told)


@router.get(
    "/tracks/{track}/spectrogram/{version}/{zoom}/{tile}",
    response_class=Response,
    responses={200: _binary(spectrogram.MEDIA_TYPE), **_SAME, **answers(404)},
)
async def spectrogram_tile(
    home: OpenedHome,
    hearing: TheHearing,
    request: Request,
    track: TrackKey,
    version: VersionId,
    zoom: Annotated[int, Path(ge=0, le=spectrogram.ZOOM_MAX)],
    tile: Annotated[int, Path(ge=0, le=10_000_000)],
) -> Response:
    """A picture of 512 × 192 pixels: 5 s at zoom 0, twice as much at each further one; 40 Hz to 20 kHz,
    logarithmic, from the bottom up. X-Tile-Seconds: how much it shows, X-Tiles: how many there are at that zoom."""
    sound = await run_in_threadpool(sound_of, home, track, version)
    tiles = spectrogram.tile_count(sound.recording, zoom)
    if tile >= tiles:
        raise not_found("the version ends before that")
    return await _light(
        request,
        hearing,
        tile_name(sound, zoom, tile),
        lambda: hearing.copies.tile(sound, zoom, tile),
        spectrogram.MEDIA_TYPE,
        {"X-Tile-Seconds": f"{spectrogram.tile_seconds(zoom):g}", "X-Tiles": str(tiles)},
    )


@router.get("/tracks/{track}/spectrum", responses=answers(404))
async def spectrum(
    home: OpenedHome,
    hearing: TheHearing,
    request: Request,
    track: TrackKey,
    a: VersionId,
    b: VersionId,
    start_s: Seconds = 0.0,
    end_s: Until = None,
) -> Spectrum:
    """Two versions by octave at equal loudness, whole or in a stretch."""
    first = await run_in_threadpool(sound_of, home, track, a)
    second = await run_in_threadpool(sound_of, home, track, b)
    shortest = min(first.recording.duration, second.recording.duration)
    start_s, end_s = (round(at, 3) for at in _stretch(start_s, end_s, shortest))
    with _that_is_there():
        return await hearing.turns.take(
            request,
            lambda: hearing.copies.known_spectrum(first, second, start_s, end_s),
            lambda: hearing.copies.spectrum(first, second, start_s, end_s),
        )


@router.get("/tracks/{track}/notes/{stem}", responses=answers(404))
def notes(home: OpenedHome, track: TrackKey, stem: Annotated[str, Path(pattern=r"^[a-z_]{1,32}$")]) -> Notes:
    """What was written down of a stem."""
    midi = home.storage.artefacts.current("midi", track)
    if midi is None or f"{stem}.mid" not in midi.manifest.files:
        raise not_found(f"there are no notes of {stem}")
    tempo = midi.manifest.measures.get("tempo_bpm")
    with _that_is_there():
        return notes_of(midi.path(f"{stem}.mid"), stem, float(tempo) if tempo else None)


@router.get("/tracks/{track}/abx", responses=answers(404))
def listening_tests(home: OpenedHome, track: TrackKey) -> AbxRecords:
    """Results of listening tests, the first one first."""
    _known(home, track)
    return abx.records_of(home.storage.store, track)


@router.post("/tracks/{track}/abx", status_code=201, responses=answers(404))
def keep_listening_test(home: OpenedHome, track: TrackKey, result: AbxResult) -> AbxRecord:
    """Keep the result of one. The versions are kept by what they are now, and not by what they will be."""
    if result.end_s is not None and result.end_s <= result.start_s:
        raise ProblemError(422, "end_s: is not behind start_s")
    heard = {"a": _as_of_now(home, track, result.a), "b": _as_of_now(home, track, result.b)}
    return abx.keep(home.storage.store, track, result.model_copy(update=heard))


@router.get(
    "/tracks/{track}/abx/export",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}, "application/json": {}}}, **answers(404)},
)
def export_listening_tests(
    home: OpenedHome,
    track: TrackKey,
    format: Literal["csv", "json"] = "csv",  # noqa: A002 — as the query has it
) -> Response:
    """All of them as a file."""
    _known(home, track)
    records = abx.records_of(home.storage.store, track)
    text = abx.as_csv(records) if format == "csv" else records.model_dump_json(indent=1)
    media_type = "text/csv" if format == "csv" else "application/json"
    name = f'attachment; filename="{track}-listening-tests.{format}"'
    return Response(text, media_type=media_type, headers={"Content-Disposition": name})


def _known(home: Opened, track: str) -> None:
    if home.storage.artefacts.current("raw_track", track) is None:
        raise not_found(f"there is no track {track} that could be heard")


def _as_of_now(home: Opened, track: str, version: str) -> str:
    """The version's name with its key."""
    name = VersionName.parse(version)
    artefact = artefact_of(home.storage, track, name) if name else None
    if name is None or artefact is None or name.file(artefact.manifest.files) is None:
        raise not_found(f"there is no version {version} of this track")
    return str(replace(name, key=artefact.manifest.key))
