"""Language models that can conduct: at a server that speaks OpenAI's language, by LiteLLM, or on this machine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from resonate_resources.recordings.recording import AudioError

_TIMEOUT_S = 120.0  # for one answer; a large model on a processor takes that long
_MOST_TOKENS = 1024  # of one answer: a call of a tool takes a hundred, thinking before it the rest
_LONGEST = 300

_EXTRAS = {"openai": "openai", "litellm": "litellm", "transformers": "transformers"}
"""By whom models are asked → smolagents' extra for it."""


class ConductorError(AudioError):
    """The model did not do what it was asked. One line, and never its key."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"conductor: {reason}; mixing.conductor=rules needs no model")


@dataclass(frozen=True)
class ChosenModel:
    """name: `openai:`, `litellm:` or `transformers:`, and what the model is called there.

    server: address of the first two, where it is not the usual one. key_variable: the environment variable that
    holds the key. Raises ValueError, with one line, for what can't be meant.
    """

    name: str
    """RESONATE_CONDUCTOR_MODEL"""
    server: str = ""
    """RESONATE_CONDUCTOR_SERVER"""
    key_variable: str = ""
    """RESONATE_CONDUCTOR_KEY_VARIABLE"""

    def __post_init__(self) -> None:
        by, _, model = self.name.partition(":")
        if by not in _EXTRAS or not model:
            raise ValueError(
                f"RESONATE_CONDUCTOR_MODEL={self.name}: is no model; give openai:NAME (at any server that speaks "
                "OpenAI's language), litellm:NAME or transformers:NAME"
            )
        if self.server and not re.match(r"https?://[^/]", self.server):
            raise ValueError(
                f"RESONATE_CONDUCTOR_SERVER={self.server}: is no address; begin with https:// or http://"
            )
        if self.key_variable and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.key_variable):
            # It may be the key itself, which is never told.
            raise ValueError(
                "RESONATE_CONDUCTOR_KEY_VARIABLE: names no environment variable; give the name of the one that "
                "holds the key"
            )

    @property
    def by(self) -> str:
        return self.name.partition(":")[0]

    @property
    def model(self) -> str:
        return self.name.partition(":")[2]

    def key(self) -> str | None:
        """Raises ConductorError where a variable is named that is not there."""
        if not self.key_variable:
            return None
        if not os.environ.get(self.key_variable):
            raise ConductorError(f"{self.key_variable}, which is to hold the key for {self.name}, is not set")
        return os.environ[self.key_variable]

    def failed(self, error: BaseException) -> ConductorError:
        """What went wrong there, in one line, without the key."""
        told = f"{type(error).__name__}: {error}"
        for variable in filter(None, (self.key_variable, "OPENAI_API_KEY")):
            if key := os.environ.get(variable):
                told = told.replace(key, "…")
        return ConductorError(f"{self.name} did not answer ({one_line(told)})")


def make(chosen: ChosenModel) -> Any:
    """A Model of smolagents', at temperature 0. Raises ConductorError where it can't be had here."""
    import smolagents

    key = chosen.key()
    try:
        match chosen.by:
            case "openai":
                local = "none" if chosen.server and not key else key
                return smolagents.OpenAIModel(
                    chosen.model,
                    api_base=chosen.server or None,
                    api_key=local,
                    client_kwargs={"timeout": _TIMEOUT_S, "max_retries": 2},
                    temperature=0.0,
                    max_tokens=_MOST_TOKENS,
                )
            case "litellm":
                return smolagents.LiteLLMModel(
                    chosen.model,
                    api_base=chosen.server or None,
                    api_key=key,
                    temperature=0.0,
                    timeout=_TIMEOUT_S,
                    max_tokens=_MOST_TOKENS,
                )
            case _:
                return smolagents.TransformersModel(
                    chosen.model, max_new_tokens=_MOST_TOKENS, do_sample=False, trust_remote_code=False
                )
    except ModuleNotFoundError as error:
        raise missing(f"smolagents[{_EXTRAS[chosen.by]}]") from error
    except Exception as error:  # whatever a client or a checkpoint may raise
        raise chosen.failed(error) from error


def missing(what: str) -> ConductorError:
    return ConductorError(f"{what} is not installed: pip install '{what}==1.26.0'")


def one_line(text: object) -> str:
    return " ".join(str(text).split())[:_LONGEST]
