"""The LALAL.AI engine: stems made by a service that is paid by the minute, within caps that are never passed."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from resonate_resources.models.hosted.service import Patience, ServiceError, may_be_secret, secret
from resonate_resources.recipe import Engine, Json, Recipe
from resonate_resources.recordings.recording import Progress, Recording, Stems
from resonate_resources.separation.lalal.client import API, KEY_VARIABLE, NAME, LalalClient
from resonate_resources.separation.lalal.job import PRESETS, PaidJob, hash_of_work
from resonate_resources.separation.lalal.ledger import LalalCaps, Ledger

_LABELS: Mapping[int, Mapping[str, str]] = {
    2: {"vocals": "vocals", "other": "no_vocals"},
    4: {"vocals": "vocals", "drums": "drum", "bass": "bass", "other": "no_multistem"},
}
"""Stem name → the service's label. The last one is what is left when the others are taken out: it is not paid."""
_THIS_PROCESS = uuid.uuid4().hex


class LalalSeparator:
    """Has mono and stereo tracks parted into vocals and the rest (2), or vocals, drums, bass and the rest (4)."""

    notes: tuple[str, ...] = (
        "the track was sent to LALAL.AI, which takes the latest model that it has for these stems",
    )

    def __init__(
        self,
        database: str,
        *,
        stems: Literal[2, 4] = 4,
        caps: LalalCaps | None = None,
        run: str = _THIS_PROCESS,
        patience: Patience | None = None,
        api: str = API,
    ) -> None:
        """database: URL of the one in which all processes keep what was spent; "": nothing may be. run: what
        caps.per_run is for.

        Raises AudioError where the caps in the environment are no numbers.
        """
        self._labels = _LABELS[stems]
        self._paid = list(self._labels.values())[:-1]
        self._database = database
        self._ledger = Ledger(database, run, caps or LalalCaps.from_environment())
        self._patience = patience
        self._api = api

    def recipe(self) -> Recipe:
        settings: dict[str, Json] = {"api": "v1", "stems": [*self._paid], "splitter": "auto", **PRESETS}
        return Recipe.of(__name__, Engine("lalal", licence="LALAL.AI Terms of Service"), settings)

    def available(self) -> str | None:
        """Why it can't run, on one line; None where it can, as far as that is known without asking the service."""
        key = secret(KEY_VARIABLE)
        if not key:
            return f"no licence key ({KEY_VARIABLE} is not set)"
        if not may_be_secret(key):
            return f"what {KEY_VARIABLE} holds is no licence key"
        if not self._database:
            return "no database in which to count what is spent"
        return None

    def estimate_minutes(self, track: Recording) -> float:
        """What the service charges: seconds × paid stems ÷ 60. It counts whole seconds; we round them up."""
        return math.ceil(track.duration) * len(self._paid) / 60

    def spent_minutes(self) -> float:
        """Minutes spent or reserved in this run so far, by all processes that take part in it."""
        return self._ledger.spent_in_run()

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        if (reason := self.available()) is not None:
            raise ServiceError(NAME, reason)
        if track.channels > 2:
            raise ServiceError(
                NAME,
                f"takes mono and stereo, and {track.path.name} has {track.channels} channels; "
                "choose another engine",
            )
        work = hash_of_work(track, self._paid)
        with (
            self._ledger.alone(work),
            LalalClient(secret(KEY_VARIABLE), self._api, self._patience) as client,
            TemporaryDirectory(dir=into) as folder,
        ):
            job = self._ledger.reserve(work, self.estimate_minutes(track))
            return PaidJob(client, self._ledger, job, track, self._labels, Path(folder)).run(into, progress)
