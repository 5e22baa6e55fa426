"""The chosen language model, as smolagents asks it."""

from __future__ import annotations

from typing import Any

from resonate_resources.models.language_model import ChosenModel
from resonate_resources.recordings.recording import AudioError

_TIMEOUT_S = 120.0  # for one answer; a large model on a processor takes that long
_MOST_TOKENS = 1024  # of one answer: a call of a tool takes a hundred, thinking before it the rest

_EXTRAS = {"openai": "openai", "litellm": "litellm", "transformers": "transformers"}
"""By whom models are asked → smolagents' extra for it."""


class ConductorError(AudioError):
    """The model did not do what it was asked. One line, and never its key."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"conductor: {reason}; mixing.conductor=rules needs no model")


def make(chosen: ChosenModel) -> Any:
    """A Model of smolagents', at temperature 0. Raises ConductorError where it can't be had here."""
    import smolagents

    if chosen.by not in _EXTRAS:
        raise ConductorError(f"{chosen.name} can't be asked for mixes; {', '.join(_EXTRAS)} can")
    try:
        key = chosen.key()
    except AudioError as error:
        raise ConductorError(str(error)) from None
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
        raise ConductorError(chosen.failure(error)) from error


def missing(what: str) -> ConductorError:
    return ConductorError(f"{what} is not installed: pip install '{what}==1.26.0'")
