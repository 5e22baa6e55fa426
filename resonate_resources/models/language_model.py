"""Which language model is asked, where, and by which key: one for all that ask."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

from resonate_resources.recordings.recording import AudioError

_LONGEST = 300
_PROVIDERS: Final = (
    *("openai", "litellm", "transformers"),
    *("anthropic", "cohere", "google", "groq", "huggingface", "mistral", "ollama", "openrouter", "xai"),
)
"""Before the colon of a model's name: what smolagents or pydantic-ai can ask. Who asks says which it can't."""


@dataclass(frozen=True)
class ChosenModel:
    """name: its provider's, `:`, and what the model is called there.

    server: its address, where it is not the provider's usual one. key_variable: the environment variable that
    holds the key. Raises ValueError, with one line, for what can't be meant.
    """

    name: str
    """RESONATE_CONDUCTOR_MODEL"""
    server: str = ""
    """RESONATE_CONDUCTOR_SERVER"""
    key_variable: str = ""
    """RESONATE_CONDUCTOR_KEY_VARIABLE"""

    def __post_init__(self) -> None:
        if self.by not in _PROVIDERS or not self.model:
            raise ValueError(
                f"RESONATE_CONDUCTOR_MODEL={self.name}: is no model; give openai:NAME (at any server that speaks "
                f"OpenAI's language), or one of {', '.join(_PROVIDERS[1:])} before the colon"
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
        """Raises AudioError where a variable is named that is not there."""
        if not self.key_variable:
            return None
        if not os.environ.get(self.key_variable):
            raise AudioError(f"{self.key_variable}, which is to hold the key for {self.name}, is not set")
        return os.environ[self.key_variable]

    def failure(self, error: BaseException) -> str:
        """What went wrong there, in one line, without the key."""
        told = f"{type(error).__name__}: {error}"
        for variable in filter(None, (self.key_variable, f"{self.by.upper()}_API_KEY")):
            if key := os.environ.get(variable):
                told = told.replace(key, "…")
        return f"{self.name} did not answer ({one_line(told)})"


def one_line(text: object) -> str:
    """Without what would move a terminal's cursor."""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return " ".join(printable.split())[:_LONGEST]
