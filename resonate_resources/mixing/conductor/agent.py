"""A language model at the desk: smolagents' ToolCallingAgent with the desk's two tools, and nothing else.

The models themselves are made in `model`; no code that a model writes is run.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from resonate_resources.mixing.conductor import prompt
from resonate_resources.mixing.conductor.desk import MIX, MOST_MOVES, Desk
from resonate_resources.mixing.conductor.model import ConductorError, make, missing
from resonate_resources.mixing.conductor.nuance import BANDS
from resonate_resources.models.language_model import ChosenModel, one_line

MOST_STEPS = 30
"""Answers of the model, those among them that are no use."""

_MOST_IDLE = 5  # answers without a call that a tool could take, one after the other: it will not learn


class ModelAgent:
    """Conducts by a model. model: one of smolagents', to be asked in the place of the chosen one."""

    def __init__(self, chosen: ChosenModel, model: Any = None) -> None:
        self.name = chosen.name
        self._chosen, self._model = chosen, model

    def conduct(self, desk: Desk, wish: str) -> str:
        """How it ended, where not by the model itself; the moves that it made until then count.

        Raises ConductorError where the model can't be had, does not answer, or never listened to the mix.
        """
        try:
            from smolagents import ActionStep, LogLevel, ToolCallingAgent
            from smolagents.agents import EMPTY_PROMPT_TEMPLATES
            from smolagents.utils import AgentGenerationError
        except ModuleNotFoundError as error:
            raise missing("smolagents") from error
        calls = _Calls(desk)
        agent = ToolCallingAgent(
            tools=calls.tools(),
            model=self._model or make(self._chosen),
            prompt_templates={**EMPTY_PROMPT_TEMPLATES, "system_prompt": prompt.SYSTEM_PROMPT},
            verbosity_level=LogLevel.OFF,
            max_tool_threads=1,
        )
        stems = tuple(target for target in desk.targets if target != MIX)
        idle, said, ended = 0, "", ""
        try:
            for step in agent.run(prompt.task(stems, wish), stream=True, max_steps=MOST_STEPS + 1):
                if not isinstance(step, ActionStep):
                    continue
                said = one_line(step.model_output or step.action_output or said)
                idle = 0 if calls.fresh() else idle + 1
                if step.is_final_answer:
                    break
                if desk.closed:
                    ended = f"{self.name}: its {MOST_MOVES} moves were made"
                elif idle >= _MOST_IDLE:
                    ended = f"{self.name}: no call in its last {_MOST_IDLE} answers; it said: {said}"
                elif step.step_number >= MOST_STEPS:
                    ended = f"{self.name}: not done after {MOST_STEPS} answers"
                if ended:
                    break
        except AgentGenerationError as error:
            raise ConductorError(self._chosen.failure(error.__cause__ or error)) from error
        if not calls.listened:
            raise ConductorError(f"{self.name} never listened to the mix; it said: {said or 'nothing'}")
        return ended


class _Calls:
    """The desk's two tools, as smolagents has them, and whether they were used."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()  # several calls in one answer come from a thread
        self._fresh = False
        self.listened = False

    def fresh(self) -> bool:
        """Whether there was a call since this was asked last."""
        fresh, self._fresh = self._fresh, False
        return fresh

    def analyze(self, target: str) -> str:
        with self._lock:
            told = self._desk.analyze_nuance(target).told()
            self._fresh = self.listened = True
            return json.dumps(told)

    def adjust(self, target: str, parameter: str, value_db: float, reason: str) -> str:
        with self._lock:
            move = self._desk.adjust_mixing_parameter(target, parameter, value_db, reason)
            self._fresh = True
            told = {"outcome": move.outcome, "why": move.told, "outside_db": round(move.after, 2)}
            return json.dumps(told)

    def tools(self) -> list[Any]:
        from smolagents import Tool

        analyze, adjust = self.analyze, self.adjust
        target = _of("string", prompt.TARGET.format(targets=", ".join(self._desk.targets)))

        class AnalyzeNuance(Tool):  # type: ignore[misc]  # smolagents has no types
            name = "analyze_nuance"
            description = prompt.ANALYZE
            inputs = {"target": target}  # noqa: RUF012
            output_type = "string"

            def forward(self, target: str) -> str:
                return analyze(target)

        class AdjustMixingParameter(Tool):  # type: ignore[misc]
            name = "adjust_mixing_parameter"
            description = prompt.ADJUST
            inputs = {  # noqa: RUF012
                "target": target,
                "parameter": _of("string", prompt.PARAMETER.format(bands=", ".join(BANDS))),
                "value_db": _of("number", prompt.VALUE),
                "reason": _of("string", prompt.REASON),
            }
            output_type = "string"

            def forward(self, target: str, parameter: str, value_db: float, reason: str) -> str:
                return adjust(target, parameter, value_db, reason)

        return [AnalyzeNuance(), AdjustMixingParameter()]


def _of(kind: str, description: str) -> dict[str, str]:
    return {"type": kind, "description": description}
