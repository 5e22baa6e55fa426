"""Metres written as a fraction; those with names are in the lexicon."""

from __future__ import annotations

import re
from typing import Final, get_args

from resonate_resources.composition.prompt.text import Text
from resonate_resources.composition.request import Metre

_FRACTION: Final = re.compile(r"(?<![\d/.:])(\d{1,2})\s?/\s?(\d{1,2})(?![\d/])")
_SAYINGS: Final = ((24, 7), (50, 50), (9, 11))
_DENOMINATORS: Final = (1, 2, 4, 8, 16, 32)
METRES: Final[tuple[str, ...]] = get_args(Metre)


def read_metre(text: Text) -> None:
    for match in text.find(_FRACTION):
        beats, of = int(match.group(1)), int(match.group(2))
        metre = f"{beats}/{of}"
        if metre in METRES:
            text.state("metre", metre, *match.span())
        elif beats == 1 and of in _DENOMINATORS:
            text.take(*match.span())  # a note's length
        elif (beats, of) not in _SAYINGS and of != 10:
            text.refuse(
                "metre", *match.span(), f"no metre that can be composed in; there are {', '.join(METRES)}"
            )
