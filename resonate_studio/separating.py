"""Files into stems, beside the graph: no track comes into being, only stems in a folder, and a cached result."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import click
import numpy as np
from sqlalchemy.exc import SQLAlchemyError

from resonate_resources.ingestion.intake import identify
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.encoding import encode_flac
from resonate_resources.recordings.limits import Limits
from resonate_resources.recordings.recording import (
    AudioError,
    Progress,
    Recording,
    Stems,
    silent,
    write_recording,
)
from resonate_resources.separation.brief import SeparationBrief
from resonate_resources.separation.resource import OLD_LEDGER, REPORT, SeparationResource
from resonate_resources.signal.true_peak import measure_sample_peak
from resonate_resources.storage.artefacts import Artefact, Artefacts, Read
from resonate_resources.storage.computing import computed
from resonate_resources.storage.heartbeats import alive
from resonate_resources.storage.sources import Source
from resonate_resources.storage.store import new_directory
from resonate_studio.outcome import Separated
from resonate_studio.terminal import store_of
from resonate_studio.trouble import trouble

STAGE = "separation"
"""Under which the cache keeps what was separated. Nothing counts as current there: all of it can be cleared."""

Format = Literal["wav", "flac"]


def separate_file(
    file: Path,
    separation: SeparationResource,
    brief: SeparationBrief,
    artefacts: Artefacts,
    out: Path,
    form: Format,
    progress: Progress,
    batch: bool = False,
) -> Separated:
    """Separate one file into a folder of its own in `out`. What is wrong with the file, the cache or `out` stands
    in the result. batch: whether it is one of many."""
    found = Separated(str(file))
    start = time.perf_counter()
    uri = str(file.absolute())
    try:
        limits = Limits.from_environment()
        source = identify(file, uri, limits)
        artefact, cached = stems_of(file, source, limits, separation, brief, batch, artefacts, progress)
        _tell(found, artefact, cached)
        # Files of one name from two folders must not meet in one.
        folder = out / f"{file.stem[:80]}_{source.sha256[:8]}"
        found.stems = _written(artefact, folder, form, found.notes)
    except AudioError as error:
        name = uri.rpartition("/")[2]
        text = str(error)
        found.error = text if text.startswith(name) else f"{name}: {text}"
        found.error = " ".join(found.error.split())
    except (OSError, SQLAlchemyError) as error:
        found.error = trouble(error, artefacts.store.location("").rstrip("/"))
    found.seconds = round(time.perf_counter() - start, 3)
    return found


def stems_of(
    file: Path,
    source: Source,
    limits: Limits,
    separation: SeparationResource,
    brief: SeparationBrief,
    batch: bool,
    artefacts: Artefacts,
    progress: Progress,
) -> tuple[Artefact, bool]:
    """The stems, and whether they were there already."""
    track = source.sha256[:16]  # whatever the file is called
    seen = alive(separation.database, STAGE, track, track) if separation.database else nullcontext()
    with seen, new_directory(artefacts.store, "decode") as folder:
        recording = decode(file, folder, limits=limits).recording
        planned = separation.plan(recording, brief, megabytes=source.size / 1e6, batch=batch)
        return computed(
            artefacts,
            lambda into: separation.separate(planned, into, progress),
            stage=STAGE,
            track=track,
            recipes=planned.recipes,
            reads=[Read("source", source.sha256, {"track": recording.sha256})],
        )


def stems_in(home: Path | None, file: Path) -> Stems:
    """A file's stems by the default brief, kept in a home's cache. What is wrong with the file or the home is one
    line: raises ClickException."""
    from resonate_studio.home import make_home, settings_for

    settings = settings_for(home)
    separation = SeparationResource(
        database=settings.database_url, old_ledger=str(settings.home / OLD_LEDGER)
    )
    limits = Limits.from_environment()
    where = ""
    try:
        make_home(settings)
        artefacts = Artefacts(store_of(home))
        where = artefacts.store.location("").rstrip("/")
        source = identify(file, str(file.absolute()), limits)
        stems, _ = stems_of(file, source, limits, separation, SeparationBrief(), False, artefacts, silent)
        return stems.stems()
    except AudioError as error:
        text = " ".join(str(error).split())
        raise click.ClickException(text if text.startswith(file.name) else f"{file.name}: {text}") from error
    except (OSError, SQLAlchemyError) as error:
        raise click.ClickException(trouble(error, where)) from error


def _tell(found: Separated, artefact: Artefact, cached: bool) -> None:
    report: Mapping[str, Any] = artefact.read_json(REPORT)
    found.engine, found.model = report["engine"], report["model"]
    found.quality = {
        name: {key: quality[key] for key in ("kind", "si_sdr_db", "error_db")}
        for name, quality in report["quality"].items()
    }
    found.attempts = [
        {
            "engine": attempt["engine"],
            "reason": attempt["reason"],
            "outcome": f"from the cache: {attempt['outcome']}" if cached else attempt["outcome"],
        }
        for attempt in report["attempts"]
    ]
    found.cost_minutes = 0.0 if cached else report["cost_minutes"]
    found.notes = [*report["notes"]]
    if cached:
        found.notes.append(f"from the cache: separated before, at {artefact.manifest.made_at}")


def _written(artefact: Artefact, folder: Path, form: Format, notes: list[str]) -> dict[str, str]:
    """The stems as files of the user's, and what an engine gave before they were made to sum, in `raw/`."""
    recordings = {
        name.removesuffix(".wav"): artefact.recording(name)
        for name in artefact.manifest.files
        if name.endswith(".wav")
    }
    (folder / "raw" if any("/" in name for name in recordings) else folder).mkdir(parents=True, exist_ok=True)
    if form == "wav":
        written = {
            name: Path(shutil.copyfile(recording.path, folder / f"{name}.wav"))
            for name, recording in recordings.items()
        }
    else:
        written = as_flac(recordings, folder, notes)
    return {name: str(path.absolute()) for name, path in written.items() if "/" not in name}


def as_flac(recordings: Mapping[str, Recording], folder: Path, notes: list[str]) -> dict[str, Path]:
    """At 24 bits. Where a stem is louder than that can hold, all are turned down alike."""
    peak_db = max(measure_sample_peak(recording) for recording in recordings.values())
    written = {}
    with TemporaryDirectory(dir=folder) as scratch:
        for name, recording in recordings.items():
            quieter = recording
            if peak_db > 0:
                quieter = _turned_down(recording, peak_db, Path(scratch) / f"{name.replace('/', '-')}.wav")
            written[name] = folder / f"{name}.flac"
            encode_flac(quieter, written[name])
    if peak_db > 0:
        notes.append(f"turned down by {peak_db:.2f} dB: FLAC holds nothing louder than full scale")
    return written


def _turned_down(recording: Recording, decibels: float, path: Path) -> Recording:
    gain = np.float32(10 ** (-decibels / 20))
    with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
        for block in recording.blocks():
            writer.write(gain * block)
    return writer.recording
