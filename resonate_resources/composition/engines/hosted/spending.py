"""What a paid service is asked for: caps over all processes of this machine, counted before anything is sent.

Compositions are made beside the graph, without its database, so the count is a file beside the models. Days are
UTC.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from resonate_resources.models.hosted.caps import Caps
from resonate_resources.recordings.recording import AudioError


class ReplicateCaps(Caps):
    """Of music, all stems counted: a track of three minutes in five stems with its two retries, and twice as
    much."""

    service = "Replicate"
    variable = "RESONATE_REPLICATE_MINUTES_PER_"


class Spending:
    """What one run asks for, and with it all others of this day. clock: in place of the machine's."""

    def __init__(self, file: Path, caps: Caps, clock: Callable[[], datetime] | None = None) -> None:
        self._file, self._caps = file, caps
        self._clock = clock or (lambda: datetime.now(UTC))
        self.in_run = 0.0

    def count(self, minutes: float) -> None:
        """Before they are asked for. Raises CapReachedError, and AudioError where the count can't be kept."""
        self._caps.check("run", self.in_run, minutes)
        self._change(minutes)
        self.in_run += minutes

    def give_back(self, minutes: float) -> None:
        """The service began nothing."""
        self._change(-minutes)
        self.in_run -= minutes

    def _change(self, minutes: float) -> None:
        day = self._clock().date().isoformat()
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                text = file.read()
                kept = json.loads(text) if text else {}
                spent = float(kept.get(day, 0.0))
                if minutes > 0:
                    self._caps.check("day", spent, minutes)
                file.truncate(0)
                file.write(json.dumps({day: max(0.0, spent + minutes)}))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            told = " ".join(str(error).split())
            raise AudioError(
                f"{self._file}: what was spent can't be kept there ({told}); nothing is sent without that"
            ) from error
