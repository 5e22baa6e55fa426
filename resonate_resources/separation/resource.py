"""Separation as the graph sees it: what is wished for, one call."""

from __future__ import annotations

import hashlib
import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import dagster as dg

from resonate_resources.engine import Engine, Json, Product
from resonate_resources.recordings.recording import AudioError, Progress, Recording, Stems, silent
from resonate_resources.separation.account import Account
from resonate_resources.separation.attempts import Judge, Outcome, Quality, carry_out
from resonate_resources.separation.balance import measure_balance
from resonate_resources.separation.engines import Offer, look_at_machine, offers
from resonate_resources.separation.exact_sum import sum_exactly
from resonate_resources.separation.judging import JudgeOfStems, open_truth
from resonate_resources.separation.lalal.ledger import take_over
from resonate_resources.separation.pooled import Pooled
from resonate_resources.separation.router import EngineFacts, TrackFacts, Wish, plan, read_policy
from resonate_resources.separation.splicing import Span
from resonate_resources.storage.pools import in_pool

CODE_VERSION = "3"  # raised when results change
REPORT = "separation.json"
OLD_LEDGER = "lalal.sqlite"
"""In a home of an earlier version: where paid minutes were counted."""
_EXACT_DB = -120.0
"""Null depth of stems that sum to their track up to rounding."""


class SeparationResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Parts a track into stems by the engine, or the engines, that its policy finds best here and now.

    engine_name: "auto", or the only one to use, as name or name:model (`resonate engines` lists them).
    stem_count: 2 (vocals, other), 4 (drums and bass, too) or 6 (piano and guitar, too).
    priority: "vocals" where they are what counts. batch: whether the track is one of many.
    exact_sum: make the stems sum to the track, keeping what an engine gave in `raw/`.
    policy: a file like policy.toml, in its place. database: URL of the one in which paid minutes are counted and
    places are shared; without one nothing is paid. old_ledger: the file in which minutes were counted before.
    truth: a folder of the track's true stems, `<stem>.wav`: quality is measured, not predicted.
    """

    engine_name: str = "auto"
    stem_count: int = 4
    priority: Literal["none", "vocals"] = "none"
    batch: bool = False
    exact_sum: bool = True
    policy: str = ""
    database: str = ""
    old_ledger: str = ""
    truth: str = ""

    def engine(self) -> Engine:
        """The wish, the policy, and the engines that are there to fulfil it.

        How busy the machine is, and how many tracks there are, may change their order and so a result; one of
        another order is as good.
        """
        available: dict[str, Json] = {}
        for offer in self._offers():
            separator = offer.make()
            if separator.available() is None:
                available[offer.facts().label] = dict(separator.engine().settings)
        settings: dict[str, Json] = {
            "wish": {"engine": self.engine_name, "stems": self.stem_count, "priority": self.priority},
            "policy_sha256": hashlib.sha256(self._policy_text().encode()).hexdigest(),
            "available": available,
            "exact_sum": self.exact_sum,
            "truth": self.truth,
        }
        return Engine("router", settings)

    def separate(
        self, track: Recording, into: Path, progress: Progress = silent, *, megabytes: float = 0.0
    ) -> Product:
        """Write the stems of `track` into the empty directory `into`, and an account of how they came to be.

        megabytes: size of the user's file. The product names the engine that most of the stems are by.
        Measures: those of `Account`, and the processing time over the track's length.
        Raises AudioError where no engine can do it.
        """
        began = time.perf_counter()
        with TemporaryDirectory(dir=into) as folder:
            account = self._separate(track, Path(folder), progress, megabytes)
            files = _moved(account.stems, into, "")
            if account.raw is not None:
                files |= _moved(account.outcome.stems, into, "raw/")
        seconds = time.perf_counter() - began
        (into / REPORT).write_bytes(account.to_json())
        measures = account.measures()
        if track.frames:
            measures["real_time_factor"] = seconds / track.duration
        engine = account.outcome.separator.engine()
        return Product({**files, REPORT: into / REPORT}, measures, account.notes(), engine)

    def survey(self) -> list[EngineFacts]:
        """All engines in all numbers of stems, and why those that can't run can't."""
        return [offer.facts() for offer in offers(self.database)]

    def _separate(self, track: Recording, scratch: Path, progress: Progress, megabytes: float) -> Account:
        wish, policy = self._wish(), read_policy(self._policy_text())
        known = {offer.facts(track): offer for offer in self._offers()}
        judge = JudgeOfStems(open_truth(Path(self.truth), track) if self.truth else {}, scratch)
        outcome = carry_out(
            plan(TrackFacts(megabytes, track.duration), list(known), look_at_machine(), wish, policy),
            track,
            lambda engine: Pooled(known[engine].make(), known[engine].pool, self.database),
            self._on_cores(judge),
            # Who asks for one engine gets that one, be its quality what it may.
            policy.retry_below_db if wish.engine == "auto" else -math.inf,
            policy.instrumental,
            scratch,
            progress,
        )
        with in_pool(self.database, "cores"):
            return self._account(track, outcome, judge, scratch)

    def _account(self, track: Recording, outcome: Outcome, judge: Judge, scratch: Path) -> Account:
        balance = measure_balance(track, outcome.stems)
        if not self.exact_sum or balance.null_depth_db <= _EXACT_DB:
            return Account(outcome, outcome.stems, outcome.quality, balance, None)
        exact = scratch / "exact"
        exact.mkdir()
        stems = sum_exactly(track, outcome.stems, exact, silent)
        quality = judge(track, stems, Span(0, track.frames))
        return Account(outcome, stems, quality, measure_balance(track, stems), balance)

    def _on_cores(self, judge: Judge) -> Judge:
        def judged(track: Recording, stems: Stems, span: Span) -> Quality:
            with in_pool(self.database, "cores"):
                return judge(track, stems, span)

        return judged

    def _wish(self) -> Wish:
        return Wish(self.engine_name, self.stem_count, self.priority, self.batch)

    def _offers(self) -> list[Offer]:
        """Those that are in question: the others need not be asked whether they can run."""
        name = self.engine_name.partition(":")[0]
        if self.old_ledger:
            take_over(Path(self.old_ledger), self.database)
        found = offers(self.database)
        if name != "auto":
            return [offer for offer in found if offer.name == name] or found
        return [offer for offer in found if offer.stems == self.stem_count]

    def _policy_text(self) -> str:
        if not self.policy:
            return ""
        try:
            return Path(self.policy).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise AudioError(f"{self.policy}: the separation policy can't be read ({error})") from error


def _moved(stems: Stems, into: Path, prefix: str) -> dict[str, Path]:
    """Move stems out of the scratch folder; name in the product → where they are now."""
    (into / prefix).mkdir(exist_ok=True)
    return {
        f"{prefix}{name}.wav": stem.path.rename(into / prefix / f"{name}.wav") for name, stem in stems.items()
    }
