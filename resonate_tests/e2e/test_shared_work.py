"""More than one machine: one PostgreSQL, one bucket, and hosts that have a home and a DAGSTER_HOME each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import soundfile as sf

from resonate_assets.jobs import STAGES
from resonate_assets.targets import ON_REQUEST
from resonate_tests.e2e.test_postgres import REPOSITORY, postgresql
from resonate_tests.e2e.test_s3 import bucket, client, endpoint, keys_in
from resonate_tests.peer_encoders import Floats
from resonate_tests.postgresql_server import connect

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["bucket", "client", "endpoint", "postgresql"]


class Host:
    """A machine of its own, as far as files go: what it shares is the database and the bucket."""

    def __init__(self, folder: Path, shared: dict[str, str]) -> None:
        (folder / "dagster_home").mkdir(parents=True)
        shutil.copy(REPOSITORY / "docker" / "dagster.yaml", folder / "dagster_home")
        self.environment = {
            **os.environ,
            **shared,
            "DAGSTER_HOME": str(folder / "dagster_home"),
            "RESONATE_HOME": str(folder / "home"),
            "RESONATE_INBOX": "",
            "HOSTNAME": folder.name,
        }

    def process(self, song: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "resonate_studio.cli", "process", str(song), "--json"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = process.communicate(timeout=600)
    assert process.returncode == 0, out + errors
    (track,) = json.loads(out)["tracks"]
    return dict(track)


def attempts(client: S3Client, bucket: str) -> dict[str, set[str]]:
    """Stage → attempts at it that lie in the bucket."""
    found: dict[str, set[str]] = {}
    for key in keys_in(client, bucket, "library/artefacts/"):
        parts = key.removeprefix("library/artefacts/").split("/")
        if len(parts) >= 5:
            found.setdefault(parts[0], set()).add("/".join(parts[1:4]))
    return found


def test_two_hosts_share_the_work_and_do_nothing_twice(
    postgresql: dict[str, str],
    endpoint: str,
    client: S3Client,
    bucket: str,
    clips: list[Floats],
    tmp_path: Path,
) -> None:
    shared = {
        **postgresql,
        "RESONATE_DATABASE": "postgresql+psycopg2://{RESONATE_POSTGRES_USER}:{RESONATE_POSTGRES_PASSWORD}"
        "@{RESONATE_POSTGRES_HOST}:{RESONATE_POSTGRES_PORT}/{RESONATE_POSTGRES_DATABASE}".format(
            **postgresql
        ),
        "RESONATE_STORAGE": f"s3://{bucket}/library",
        "RESONATE_S3_ENDPOINT": endpoint,
    }
    one, two = Host(tmp_path / "one", shared), Host(tmp_path / "two", shared)
    songs = []
    for index, clip in enumerate(clips[:2]):
        songs.append(tmp_path / f"song {index}.wav")
        sf.write(songs[-1], clip, 44100)

    # Each its own track at the same time: neither takes the other for dead.
    first, second = [told(process) for process in (one.process(songs[0]), two.process(songs[1]))]
    assert set(first["assets"]) == set(second["assets"]) == set(STAGES)
    made = attempts(client, bucket)
    assert {stage: len(found) for stage, found in made.items()} == dict.fromkeys(
        [stage for stage in STAGES if stage not in ON_REQUEST], 2
    )  # the others have no files: none is asked for

    # What one host has made is found by the other.
    assert set(told(two.process(songs[0]))["assets"]) == set(STAGES)
    assert attempts(client, bucket) == made

    with connect(postgresql) as database, database.cursor() as cursor:
        cursor.execute("SELECT status, count(*) FROM runs GROUP BY status")
        assert {status for status, _ in cursor.fetchall()} == {"SUCCESS"}
