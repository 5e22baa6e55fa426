"""Machines of an installation that has many, on this one: processes with a home and a DAGSTER_HOME each."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg2  # type: ignore[import-untyped]

from resonate_resources.recordings.recording import Samples
from resonate_tests.cut_off import CutOff

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REPOSITORY = Path(__file__).parents[1]
_CONFIG = REPOSITORY / "docker" / "cluster" / "dagster.yaml"
_UNFINISHED = {"QUEUED", "STARTING", "STARTED", "CANCELING"}


class Machine:
    """As far as files go: what it shares with others are a database, a broker, a bucket and an inbox."""

    def __init__(
        self, folder: Path, shared: Mapping[str, str], *command: str, within: Sequence[str] = ()
    ) -> None:
        """within: what the command begins with where it is to run in a network of its own."""
        (folder / "dagster_home").mkdir(parents=True)
        shutil.copy(_CONFIG, folder / "dagster_home")
        self.folder, self._log = folder, folder / "log"
        environment = {
            **os.environ,
            **shared,
            "DAGSTER_HOME": str(folder / "dagster_home"),
            "RESONATE_HOME": str(folder / "home"),
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*within, sys.executable, "-m", "resonate_studio.cli", *command],
                env=environment,
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def kill(self) -> None:
        """Power is gone."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


class Machines:
    """What they share, and the machines."""

    def __init__(
        self,
        folder: Path,
        postgresql: Mapping[str, str],
        broker: str,
        s3: S3Client,
        bucket: str,
    ) -> None:
        """postgresql: the environment that tells `dagster.yaml` where it is. Makes Dagster's tables."""
        self.folder, self._postgresql, self._s3, self._bucket = folder, postgresql, s3, bucket
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        self.shared = {
            **postgresql,
            "RESONATE_DATABASE": "postgresql+psycopg2://{RESONATE_POSTGRES_USER}:{RESONATE_POSTGRES_PASSWORD}"
            "@{RESONATE_POSTGRES_HOST}:{RESONATE_POSTGRES_PORT}/{RESONATE_POSTGRES_DATABASE}".format(
                **postgresql
            ),
            "RESONATE_STORAGE": f"s3://{bucket}/library",
            "RESONATE_S3_ENDPOINT": s3.meta.endpoint_url,
            "RESONATE_BROKER": broker,
            "RESONATE_INBOX": str(self.inbox),
            "RESONATE_QUEUES": "cpu",
        }
        self.all: list[Machine] = []
        (folder / "migrating").mkdir()
        shutil.copy(_CONFIG, folder / "migrating")
        subprocess.run(
            [sys.executable, "-m", "dagster", "instance", "migrate"],
            env={**os.environ, **self.shared, "DAGSTER_HOME": str(folder / "migrating")},
            check=True,
            capture_output=True,
        )

    def start(self, *command: str, host: CutOff | None = None, **environment: str) -> Machine:
        folder, shared = self.folder / f"machine-{len(self.all)}", {**self.shared, **environment}
        if host is None:
            self.all.append(Machine(folder, shared, *command))
        else:
            self.all.append(Machine(folder, host.reached(shared), *command, within=host.within()))
        return self.all[-1]

    def end(self) -> None:
        for machine in self.all:
            if machine.process.poll() is None:
                machine.process.terminate()  # all at once: each may take its time
        for machine in self.all:
            machine.end()

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        """Of Dagster's database."""
        with (
            psycopg2.connect(
                host=self._postgresql["RESONATE_POSTGRES_HOST"],
                port=self._postgresql["RESONATE_POSTGRES_PORT"],
                user=self._postgresql["RESONATE_POSTGRES_USER"],
                password=self._postgresql["RESONATE_POSTGRES_PASSWORD"],
                dbname=self._postgresql["RESONATE_POSTGRES_DATABASE"],
            ) as database,
            database.cursor() as cursor,
        ):
            cursor.execute(query)
            return list(cursor.fetchall())

    def statuses(self) -> Counter[tuple[str, str]]:
        """(job, status) → runs."""
        return Counter((job, status) for job, status in self.asked("SELECT pipeline_name, status FROM runs"))

    def idle(self) -> bool:
        return not {status for _, status in self.statuses()} & _UNFINISHED

    def exported(self) -> set[str]:
        """Tracks whose exports count."""
        prefix = "library/artefacts/exports/"
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        keys = [item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", ())]
        return {key.split("/")[0] for key in keys if key.endswith("/manifest.json") and key.count("/") == 1}

    def read(self, key: str) -> bytes:
        """Of storage."""
        return self._s3.get_object(Bucket=self._bucket, Key=f"library/{key}")["Body"].read()

    def attempts(self, stage: str) -> dict[str, int]:
        """Track → how often a stage of it was computed."""
        prefix = f"library/artefacts/{stage}/"
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        keys = [item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", ())]
        made = {tuple(key.split("/")[:3]) for key in keys if key.count("/") >= 3}
        return dict(Counter(track for track, *_ in made))

    def wait_for(self, what: str, condition: Callable[[], bool], seconds: float = 600) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                logs = "\n".join(each.log[-2000:] for each in self.all)
                raise TimeoutError(f"{what}: not within {seconds:.0f} s\n{logs}")
            time.sleep(1)


def short_song(number: int, seconds: float = 6.0) -> Samples:
    """A bass, a chord and a pulse, (2, frames) at 44.1 kHz; each number its own."""
    rate = 44100
    at = np.arange(round(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * hertz * 2 ** (number / 120) * at) for hertz in (55.0, 220.0, 277.2, 329.6))
    pulse = np.random.default_rng(number).normal(size=len(at)) * np.exp(-30 * (at % 0.5))
    mono = 0.1 * tones + 0.1 * pulse
    return np.stack([mono, 0.8 * mono]).astype(np.float32)
