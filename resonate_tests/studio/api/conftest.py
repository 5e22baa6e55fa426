"""Fixtures: one home with one short track that went through every stage, and the application on it."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from PIL import Image
from starlette.testclient import TestClient

from resonate_assets.definitions import build_defs
from resonate_resources.recordings.recording import Recording
from resonate_resources.recordings.tags import Tags, write_tags
from resonate_studio.api.app import create_app
from resonate_studio.api.opened import Opened
from resonate_studio.home import open_instance, settings_for
from resonate_studio.processing import Processor
from resonate_studio.studio_server import serving

ADDRESS = "http://127.0.0.1:3100"
SECONDS = 3.0
RATE = 44_100


def chord(seconds: float = SECONDS, seed: int = 1) -> np.ndarray:
    """A minor chord that fades each half second, with a little noise: (frames, 2), another one for each seed."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * pitch * time) for pitch in (220.0 * seed, 261.63 * seed, 329.63 * seed))
    noise = np.random.default_rng(seed).normal(0, 0.01, (2, len(time)))
    return (0.15 * tone * np.exp(-4 * (time % 0.5)) + noise).T.astype(np.float32)


def wav(seed: int, seconds: float = 1.0) -> bytes:
    """A WAV file of its own content."""
    written = io.BytesIO()
    sf.write(written, chord(seconds, seed), RATE, format="WAV", subtype="PCM_16")
    return written.getvalue()


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("studio")
    file = folder / "song.flac"
    sf.write(file, chord(), RATE, subtype="PCM_16")
    picture = io.BytesIO()
    Image.new("RGB", (900, 600), (200, 30, 30)).save(picture, "PNG")
    write_tags(file, Tags(artist="Ünder", title="Sönne", artwork=picture.getvalue()))
    with pytest.MonkeyPatch.context() as patch:
        for name in (
            "RESONATE_STORAGE",
            "RESONATE_INBOX",
            "RESONATE_DATABASE",
            "DAGSTER_HOME",
            "RESONATE_HOME",
        ):
            patch.setenv(name, "")
        settings = settings_for(folder / "home")
        with open_instance(settings) as instance:
            processor = Processor(settings, instance)
            done = processor.process(file)
            assert done.error is None, done.error
            assert processor.update_library() is None
            defs = build_defs(settings)
            storage = defs.resources["storage"]  # type: ignore[index]
            yield Opened(settings, instance, storage, defs, "http://127.0.0.1:3000")


@pytest.fixture(scope="session")
def track(opened: Opened) -> str:
    """The key of the track that is done: named by its tags, and by its content."""
    return next(name for name in opened.instance.get_dynamic_partitions("tracks") if "nne" in name)


@pytest.fixture
def client(opened: Opened) -> Iterator[TestClient]:
    with TestClient(create_app(opened), base_url=ADDRESS) as made:
        yield made


@pytest.fixture
def address(opened: Opened) -> Iterator[str]:
    """Of a server that listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving(opened.settings, "127.0.0.1", port, instance=opened.instance) as found:
        yield found


@pytest.fixture
def original(opened: Opened, track: str) -> Recording:
    raw = opened.storage.artefacts.current("raw_track", track)
    assert raw is not None
    return raw.recording("track.wav")


def upload(client: TestClient, content: bytes, name: str = "song.wav", **fields: str) -> dict[str, str]:
    """What a job was accepted with."""
    answer = client.post("/api/v1/jobs", files={"file": (name, content)}, data=fields)
    assert answer.status_code == 202, answer.text
    found: dict[str, str] = answer.json()
    return found


def folder_is_empty(folder: Path) -> bool:
    return not folder.exists() or not [path for path in folder.rglob("*") if path.is_file()]
