"""When a stage is rebuilt, and why."""

from __future__ import annotations

import dagster as dg

_Condition = dg.AutomationCondition

# A tick reads what was updated first, and what is under way a moment later. What was made in between is neither,
# for that one tick, and would be made again: on a busy machine two of three tracks had a stage made twice. So what
# was under way counts as that until its end has been seen. The cursor keeps the tracks under way, where
# `(~in_progress()).newly_true()` kept all others: 0.3 kB a track. What a cancelled run left unmade stays unsettled;
# the reconcile asks for it.
_is_unsettled = _Condition.in_progress().since(
    _Condition.newly_updated() | _Condition.execution_failed().newly_true()
)

# A track that comes between two ticks was never seen under way: a stage of it that was made while the tick looked
# was made again (three files at once, in two of three tries). Its run goes on until its exports are there.
_is_on_its_way = _Condition.asset_matches("exports", _Condition.in_progress())

# Of tracks that begin with a file, and are older than composing, nothing is there: it is not waited for.
_ORIGIN = dg.AssetSelection.assets("composition", "generated_stems")

# AutomationCondition.eager() ignores blocking checks that failed in earlier runs, and never fires on a new code
# version. This held through ten evaluated ticks; resonate_tests/assets/test_automation.py keeps it so.
rebuild = (
    (  # type: ignore[misc]  # Dagster's stubs give since_last_handled a self type that is too wide
        _Condition.newly_missing()
        | _Condition.any_deps_updated().replace("newly_updated", _Condition.data_version_changed())
        | _Condition.code_version_changed()
        | _Condition.execution_failed().newly_true()
    ).since_last_handled()
    & ~_Condition.any_deps_missing().ignore(_ORIGIN)
    & ~_Condition.any_deps_in_progress()
    & ~_Condition.in_progress()
    & ~_is_unsettled
    & ~_is_on_its_way
    & _Condition.all_deps_blocking_checks_passed()
).with_label("something it is made from changed")

# Tracks of a home that is older than briefs get one; new ones get theirs in the run that takes them in.
brief_again = (
    (  # type: ignore[misc]  # as above
        _Condition.newly_missing() | _Condition.code_version_changed()
    ).since_last_handled()
    & _Condition.asset_matches("raw_track", ~_Condition.missing())
    & ~_Condition.in_progress()
    & ~_is_unsettled
).with_label("the track has no brief, or briefs have changed")

# A source never changes (changed content is a new track), and a file that was rejected is not tried again.
redecode = (
    _Condition.code_version_changed().since_last_handled()  # type: ignore[misc]
    & ~_Condition.missing()
    & ~_Condition.in_progress()
).with_label("the decoder changed")
