"""Numbers that are written as words, as digits."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from resonate_resources.composition.prompt.lexicon import any_of, lexicon
from resonate_resources.composition.prompt.text import Text

MINUS: Final = re.compile(r"(?:\bminus|\bnegative|(?:^|\s)-)\s*$")
NUMBER: Final = r"\d{1,6}(?:[.,]\d{1,3})?"
_CJK_DIGITS: Final = {digit: value for value, digit in enumerate("〇一二三四五六七八九")} | {
    "两": 2,
    "兩": 2,
    "零": 0,
}


def number(text: str) -> float:
    return float(text.replace(",", "."))


def write_numbers_as_digits(text: Text) -> None:
    """Where what they count comes next: `six` may mean another thing by itself."""
    for pattern, value_of in (
        (_spelled(), _spelled_value),
        (_cjk(), _cjk_value),
        (_after_minutes(), _spelled_value),
    ):
        for match in reversed(list(pattern.finditer(text.folded))):
            text.replace(match.start(1), match.end(1), str(value_of(match.group(1))))


@cache
def _spelled() -> re.Pattern[str]:
    numbers, joints = any_of("number"), r"(?:[\s-]+(?:and|et|und|y|e|en|i|и|ve)[\s-]+|[\s-]*)"
    counted = f"{any_of('unit')}|{any_of('section')}|{any_of('control', 'times')}|[x*](?![^\\W\\d_])"
    half = f"(?:{any_of('control', 'and_half')}[\\s-]*)?"
    return re.compile(
        rf"(?<![^\W_])(?!{any_of('metre')})({numbers}(?:{joints}{numbers})*)(?=[\s-]*{half}(?:{counted}))"
    )


@cache
def _after_minutes() -> re.Pattern[str]:
    """Seconds that aren't called so: une minute trente."""
    return re.compile(rf"(?<![^\W_]){any_of('unit', 'minute')}\s+({any_of('number')})(?![^\W_])")


@cache
def _values() -> dict[str, int]:
    return {phrase: int(word.value) for phrase, word in lexicon().phrases if word.kind == "number"}


def _spelled_value(text: str) -> int:
    whole, rest = 0, text
    while found := re.match(rf"[\s-]*(?:(?:and|et|und|y|e|en|i|и|ve)[\s-]+)?({any_of('number')})", rest):
        value = _values()[" ".join(re.split(r"[\s-]+", found.group(1)))]
        whole = (whole or 1) * value if value == 100 and whole < 10 else whole + value
        rest = rest[found.end() :]
    return whole


@cache
def _cjk() -> re.Pattern[str]:
    units = any_of("unit", "second", "minute", "hour", "bar", languages=("ja", "zh"))
    return re.compile(
        rf"(?<![一二三四五六七八九两兩十百])([一二三四五六七八九两兩十百]{{1,6}})(?=\s*(?:{units}|個?个?小节|回|遍|次|拍))(?!分[の之])(?!拍子)"
    )


def _cjk_value(text: str) -> int:
    whole, digit = 0, 0
    for letter in text:
        if letter in "十百":
            whole += (digit or 1) * (10 if letter == "十" else 100)
            digit = 0
        else:
            digit = _CJK_DIGITS[letter]
    return whole + digit
