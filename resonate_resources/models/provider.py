"""A language model that is chosen, as one of pydantic-ai's."""

from __future__ import annotations

from typing import Any

from resonate_resources.models.language_model import ChosenModel
from resonate_resources.recordings.recording import AudioError


def make(chosen: ChosenModel) -> Any:
    """A Model of pydantic-ai's. Raises AudioError where its package is not installed, its key not set, or it can't
    be asked from here; otherwise whatever a provider may raise."""
    from pydantic_ai.models import infer_model
    from pydantic_ai.providers import infer_provider_class

    key = chosen.key()
    given = {"api_key": key} if key else {}
    try:
        if chosen.by in ("openai", "litellm") and chosen.server:
            from pydantic_ai.models.openai import OpenAIChatModel
            from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

            provider = OpenAICompatibleProvider("server", base_url=chosen.server, **given)
            return OpenAIChatModel(chosen.model, provider=provider)
        if chosen.by in ("litellm", "transformers"):
            raise AudioError(
                f"{chosen.name} can't be asked this; give openai:NAME and the address of a server"
            )
        if chosen.server:
            given["base_url"] = chosen.server
        return infer_model(chosen.name, lambda by: infer_provider_class(by)(**given))
    except ImportError as error:
        raise missing(f"pydantic-ai-slim[{chosen.by}]") from error


def missing(what: str) -> AudioError:
    return AudioError(f"{what} is not installed: pip install '{what}==2.68.0'")
