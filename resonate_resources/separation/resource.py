"""Separation as the graph sees it: a plan, which is looked up or carried out."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import AudioError, Progress, Recording, Stems, silent
from resonate_resources.separation.attempts import Outcome, carry_out
from resonate_resources.separation.balance import measure_balance
from resonate_resources.separation.brief import SeparationBrief
from resonate_resources.separation.engines import Offer, look_at_machine, offers
from resonate_resources.separation.exact_sum import sum_exactly
from resonate_resources.separation.judging import JudgeOfStems, open_truth
from resonate_resources.separation.lalal.ledger import take_over
from resonate_resources.separation.planning import Planned, plan_separation
from resonate_resources.separation.pooled import Pooled
from resonate_resources.separation.quality import measure_quality
from resonate_resources.separation.report import SeparationReport, measures_of, quality_json
from resonate_resources.separation.router import EngineFacts, read_policy
from resonate_resources.separation.splicing import Span
from resonate_resources.separation.trying import Judge, Quality
from resonate_resources.storage.pools import in_pool

QUALITY = "quality.json"
REPORT = "separation.json"
OLD_LEDGER = "lalal.sqlite"
"""In a home of an earlier version: where paid minutes were counted."""
_EXACT_DB = -120.0
"""Null depth of stems that sum to their track up to rounding."""


class SeparationResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Parts a track into stems by the engine, or the engines, that its policy finds best here and now.

    policy: a file like policy.toml, in its place. database: URL of the one in which paid minutes are counted and
    places are shared; without one nothing is paid. old_ledger: the file in which minutes were counted before.
    """

    policy: str = ""
    database: str = ""
    old_ledger: str = ""

    def plan(
        self, track: Recording, brief: SeparationBrief, *, megabytes: float = 0.0, batch: bool = False
    ) -> Planned:
        """Which engines, in what order. megabytes: size of the user's file; batch: whether it is one of many.

        Raises AudioError.
        """
        return plan_separation(
            track,
            brief,
            self._offers(brief),
            look_at_machine(),
            read_policy(self._policy_text()),
            megabytes=megabytes,
            batch=batch,
        )

    def separate(self, planned: Planned, into: Path, progress: Progress = silent) -> Product:
        """Write the stems into the empty directory `into`, what they are worth, and how they came to be.

        The product names the engine that most of the stems are by. Measures: those of `SeparationReport`, and the
        processing time over the track's length. Raises AudioError where no engine can do it.
        """
        began = time.perf_counter()
        with TemporaryDirectory(dir=into) as folder:
            report = self._separate(planned, Path(folder), progress)
            files = _moved(report.stems, into, "")
            if report.raw is not None:
                files |= _moved(report.outcome.stems, into, "raw/")
        seconds = time.perf_counter() - began
        (into / QUALITY).write_bytes(report.quality_json())
        (into / REPORT).write_bytes(report.to_json())
        measures = report.measures()
        if planned.track.frames:
            measures["real_time_factor"] = seconds / planned.track.duration
        return Product(
            {**files, QUALITY: into / QUALITY},
            measures,
            report.notes(),
            reports={REPORT: into / REPORT},
            engine=report.outcome.separator.recipe().engine,
            recipe=planned.recipe_of(report.outcome),
        )

    def given(self, stems: Stems, track: Recording, into: Path) -> Product:
        """The stems that a track was made from, as they are, each of them its own truth. Writes them and what they
        are worth into the empty directory `into`."""
        quality = measure_quality(stems, stems)
        balance = measure_balance(track, stems)
        files = {
            f"{name}.wav": Path(shutil.copy(stem.path, into / f"{name}.wav")) for name, stem in stems.items()
        }
        (into / QUALITY).write_bytes(quality_json(quality, balance))
        return Product(
            {**files, QUALITY: into / QUALITY},
            measures_of(quality, balance),
            ("the stems that the track was composed as: nothing was separated",),
        )

    def survey(self) -> list[EngineFacts]:
        """All engines in all numbers of stems, and why those that can't run can't."""
        return [offer.facts() for offer in offers(self.database)]

    def _separate(self, planned: Planned, scratch: Path, progress: Progress) -> SeparationReport:
        track, brief = planned.track, planned.brief
        judge = JudgeOfStems(open_truth(Path(brief.truth), track) if brief.truth else {}, scratch)
        outcome = carry_out(
            planned.plan,
            track,
            lambda engine: Pooled(planned.offers[engine].make(), planned.offers[engine].pool, self.database),
            self._on_cores(judge),
            planned.retry_below_db,
            planned.policy.instrumental,
            scratch,
            progress,
        )
        with in_pool(self.database, "cores"):
            return self._report(planned, outcome, judge, scratch)

    def _report(self, planned: Planned, outcome: Outcome, judge: Judge, scratch: Path) -> SeparationReport:
        track, brief = planned.track, planned.brief
        balance = measure_balance(track, outcome.stems)
        if not brief.exact_sum or balance.null_depth_db <= _EXACT_DB:
            return SeparationReport(outcome, outcome.stems, outcome.quality, balance, None)
        exact = scratch / "exact"
        exact.mkdir()
        stems = sum_exactly(track, outcome.stems, exact, silent)
        quality = judge(track, stems, Span(0, track.frames))
        return SeparationReport(outcome, stems, quality, measure_balance(track, stems), balance)

    def _on_cores(self, judge: Judge) -> Judge:
        def judged(track: Recording, stems: Stems, span: Span) -> Quality:
            with in_pool(self.database, "cores"):
                return judge(track, stems, span)

        return judged

    def _offers(self, brief: SeparationBrief) -> list[Offer]:
        """Those that are in question: the others need not be asked whether they can run."""
        name = brief.engine.partition(":")[0]
        if self.old_ledger:
            take_over(Path(self.old_ledger), self.database)
        found = offers(self.database)
        if name != "auto":
            return [offer for offer in found if offer.name == name] or found
        return [offer for offer in found if offer.stems == brief.stems]

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
