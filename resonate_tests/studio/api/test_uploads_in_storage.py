"""What comes through the page, where storage is on S3: any machine has it, and none of it stays on the studio's."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import dagster as dg
import pytest
from starlette.testclient import TestClient

from resonate_assets.definitions import build_defs
from resonate_assets.named_reference import find_reference
from resonate_assets.settings import Settings
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.resource import StorageResource
from resonate_studio.api.app import create_app
from resonate_studio.api.opened import Opened
from resonate_tests.e2e.test_s3 import endpoint
from resonate_tests.s3_policies import held_to
from resonate_tests.studio.api.conftest import ADDRESS, wav

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


__all__ = ["endpoint"]


class Machines:
    """A studio, with the rights of one, and beside it what others have: the bucket and the database."""

    def __init__(self, folder: Path, endpoint: str, instance: dg.DagsterInstance) -> None:
        self._s3: S3Client = boto3.client("s3", endpoint_url=endpoint)
        self._bucket = f"resonate-{uuid.uuid4().hex[:8]}"
        self._s3.create_bucket(Bucket=self._bucket)
        self._folder, self._endpoint = folder, endpoint
        storage = self.storage_at("studio")
        self.home = folder / "studio"
        self.client = TestClient(
            create_app(
                Opened(self._settings("studio"), instance, storage, self._defs, "http://127.0.0.1:3000")
            ),
            base_url=ADDRESS,
        )

    def storage_at(self, machine: str) -> StorageResource:
        """As a machine with a home of its own has it."""
        self._defs = build_defs(self._settings(machine))
        storage = self._defs.resources["storage"]  # type: ignore[index]
        assert isinstance(storage, StorageResource)
        return storage

    def kept(self) -> dict[str, bytes]:
        """Place below uploads → content."""
        there = self._s3.list_objects_v2(Bucket=self._bucket, Prefix="library/uploads/").get("Contents", ())
        return {
            each["Key"].removeprefix("library/uploads/"): self._s3.get_object(
                Bucket=self._bucket, Key=each["Key"]
            )["Body"].read()
            for each in there
        }

    def _settings(self, machine: str) -> Settings:
        return Settings(
            home=self._folder / machine,
            storage=f"s3://{self._bucket}/library",
            inbox=str(self._folder / "inbox"),
            bucket="",
            s3_endpoint=self._endpoint,
            database=f"sqlite:///{self._folder / 'resonate.sqlite'}",
        )


@pytest.fixture
def machines(tmp_path: Path, endpoint: str) -> Iterator[Machines]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield Machines(tmp_path, endpoint, instance)


def test_a_file_and_its_reference_are_had_by_another_machine_and_go_with_their_track(
    machines: Machines, tmp_path: Path
) -> None:
    files = {"file": ("song.wav", wav(71)), "reference_track": ("like this.wav", wav(72))}
    with held_to("web"):
        answer = machines.client.post("/api/v1/jobs", files=files)
    assert answer.status_code == 202, answer.text
    track = answer.json()["track"]
    assert sorted(name.split("/")[1] for name in machines.kept()) == ["like this.wav", "song.wav"]
    assert not [path for path in (machines.home / "uploads").rglob("*") if path.is_file()]

    with held_to("worker"):
        storage = machines.storage_at("worker")
        source = storage.sources.find(track)
        assert source is not None
        assert storage.local_copy(source.uri, tmp_path).read_bytes() == wav(71)
        brief = json.loads(storage.store.read(f"briefs/{track}.json") or b"")
        for _ in range(2):
            reference = Path(storage.at_hand(brief["mastering.reference"]))
            assert (reference.name, reference.read_bytes()) == ("like this.wav", wav(72))
        assert reference.is_relative_to(tmp_path / "worker")

    with held_to("web"):
        again = machines.client.post("/api/v1/jobs", files={"file": ("song.wav", wav(71))})
        assert (again.json()["track"], len(machines.kept())) == (track, 2)
        assert machines.client.delete(f"/api/v1/tracks/{track}").status_code == 204
    assert machines.kept() == {}


def test_words_and_the_recording_that_came_with_them_are_had_by_another_machine(
    machines: Machines, tmp_path: Path
) -> None:
    with held_to("web"):
        answer = machines.client.post(
            "/api/v1/jobs",
            files={"prompt": (None, "polka"), "composition_reference": ("Like this.wav", wav(73))},
        )
    assert answer.status_code == 202, answer.text
    with held_to("worker"):
        storage = machines.storage_at("worker")
        source = storage.sources.find(answer.json()["track"])
        assert source is not None
        words = json.loads(storage.local_copy(source.uri, tmp_path).read_text())
        found = find_reference(storage, words["reference"], source, tmp_path).at
        assert isinstance(found, Path)
        assert found.read_bytes() == wav(73)
        # Were such words ever to get there.
        for named in ("/etc/passwd", "../../tracks/other.json", "../song.wav", "s3://another/song.wav"):
            with pytest.raises(AudioError, match=r"^reference: "):
                find_reference(storage, named, source, tmp_path)


def test_a_form_that_is_refused_leaves_nothing(machines: Machines) -> None:
    files = {"file": ("song.wav", wav(74)), "reference_track": ("r.wav", b"nothing")}
    assert machines.client.post("/api/v1/jobs", files=files).status_code == 422
    assert machines.kept() == {}


def test_the_file_of_a_user_is_never_deleted(machines: Machines, tmp_path: Path) -> None:
    storage = machines.storage_at("studio")
    file = tmp_path / "song.wav"
    file.write_bytes(b"mine")
    storage.store.write("elsewhere/of-one/song.wav", b"mine")
    for uri in (str(file), storage.store.location("elsewhere/of-one/song.wav")):
        storage.forget_upload(uri)
    assert file.read_bytes() == storage.store.read("elsewhere/of-one/song.wav") == b"mine"
