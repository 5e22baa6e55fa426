"""Prompts that ask for each genre in many ways: moods, keys, tempi, twelve languages; and the marked ones.

All pieces are 20 to 30 s long, so that two hundred can be made. Templates and words were written before any of
them was composed; nothing in them was changed since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import get_args

from resonate_resources.composition.genre import genre_data
from resonate_resources.composition.request import Genre

MARKED = Path(__file__).parents[2] / "resources" / "composition" / "prompts" / "marked.json"
_SHORTEST_S, _LONGEST_S = 20, 30

_SENTENCES = {
    "en": "{mood} {genre}{key}{tempo}, {seconds} seconds",
    "de": "{genre}, {mood}{key}{tempo}, {seconds} Sekunden lang",
    "fr": "un morceau de {genre} {mood}{key}{tempo}, {seconds} secondes",
    "es": "una pieza de {genre} {mood}{key}{tempo}, {seconds} segundos",
    "it": "un brano {genre} {mood}{key}{tempo}, {seconds} secondi",
    "pt": "uma faixa de {genre} {mood}{key}{tempo}, {seconds} segundos",
    "nl": "{genre}, {mood}{key}{tempo}, {seconds} seconden",
    "pl": "utwór {genre}, {mood}{key}{tempo}, {seconds} sekund",
    "ru": "{genre}, {mood}{key}{tempo}, {seconds} секунд",
    "ja": "{mood}{genre}{key}{tempo}、{seconds}秒",
    "zh": "{mood}{genre}{key}{tempo}，{seconds}秒",
    "tr": "{mood} {genre}{key}{tempo}, {seconds} saniye",
}
_MOODS = {
    "en": ("happy", "sad", "dark", "dreamy"),
    "de": ("fröhlich", "traurig", "düster", "verträumt"),
    "fr": ("joyeux", "triste", "sombre", "rêveur"),
    "es": ("alegre", "triste", "oscura", "tranquila"),
    "it": ("allegro", "triste", "cupo", "sognante"),
    "pt": ("alegre", "triste", "escura", "calma"),
    "nl": ("vrolijk", "droevig", "donker", "dromerig"),
    "pl": ("wesoły", "smutny", "mroczny", "spokojny"),
    "ru": ("весёлый", "грустный", "мрачный", "спокойный"),
    "ja": ("明るい", "悲しい", "暗い", "穏やかな"),
    "zh": ("欢快的", "悲伤的", "黑暗的", "平静的"),
    "tr": ("neşeli", "hüzünlü", "karanlık", "sakin"),
}
_KEYS = {
    "en": ", in {tonic} {mode}", "de": ", in {tonic}-{mode}", "fr": ", en {tonic} {mode}",
    "es": ", en {tonic} {mode}", "it": ", in {tonic} {mode}", "pt": ", em {tonic} {mode}",
    "nl": ", in {tonic} {mode}", "pl": ", {tonic}-{mode}", "ru": ", {tonic} {mode}", "ja": "、{tonic}{mode}",
    "zh": "，{tonic}{mode}", "tr": ", {tonic} {mode}",
}  # fmt: skip
_SOLFEGE = ("do", "ré", "mi", "fa", "sol", "la", "si")
_TONICS = {
    "de": "CDEFGAH", "fr": _SOLFEGE, "es": ("do", "re", *_SOLFEGE[2:]), "it": ("do", "re", *_SOLFEGE[2:]),
    "pt": ("dó", "ré", "mi", "fá", "sol", "lá", "si"), "pl": "CDEFGAH",
    "ru": ("до", "ре", "ми", "фа", "соль", "ля", "си"), "ja": "ハニホヘトイロ",
}  # fmt: skip
_MODES = {
    "en": ("major", "minor"), "de": ("Dur", "Moll"), "fr": ("majeur", "mineur"), "es": ("mayor", "menor"),
    "it": ("maggiore", "minore"), "pt": ("maior", "menor"), "nl": ("majeur", "mineur"), "pl": ("dur", "moll"),
    "ru": ("мажор", "минор"), "ja": ("長調", "短調"), "zh": ("大调", "小调"), "tr": ("majör", "minör"),
}  # fmt: skip
_CHURCH_MODES = ("dorian", "phrygian", "lydian", "mixolydian")
_LATIN = "CDEFGAB"


@dataclass(frozen=True)
class Prompt:
    """genre, bpm, key: what it says, None where it says nothing of it; of marked prompts all None (their marks are
    judged by `prompt_score`)."""

    text: str
    seed: int
    kind: str
    genre: Genre | None = None
    bpm: int | None = None
    key: str | None = None


def generated(count: int, seed: int) -> list[Prompt]:
    """Genres in turn, languages by chance, every second in English. The same count and seed give the same."""
    genres, chance = get_args(Genre), Random(f"prompts {seed}")
    return [_prompt(genres[number % len(genres)], seed + number, chance) for number in range(count)]


def _prompt(genre: Genre, seed: int, chance: Random) -> Prompt:
    language = "en" if chance.random() < 0.5 else chance.choice(sorted(_SENTENCES))
    slowest, _, fastest = genre_data(genre).tempo
    bpm = round(chance.uniform(slowest, fastest)) if chance.random() < 0.6 else None
    key = said = None
    if chance.random() < 0.6:
        tonic, mode = chance.randrange(7), chance.choice(("major", "minor"))
        named = _MODES[language][mode == "minor"]
        if language == "en" and chance.random() < 0.3:
            mode = named = chance.choice(_CHURCH_MODES)
        key = f"{_LATIN[tonic]} {mode}"
        said = _KEYS[language].format(tonic=_TONICS.get(language, _LATIN)[tonic], mode=named)
    text = _SENTENCES[language].format(
        genre=genre.replace("_", " "),
        mood=chance.choice(_MOODS[language]),
        key=said or "",
        tempo=f", {bpm} bpm" if bpm else "",
        seconds=chance.randint(_SHORTEST_S, _LONGEST_S),
    )
    return Prompt(text, seed, language, genre, bpm, key)


def marked(seed: int) -> list[Prompt]:
    """The hundred prompts with marks, in their order."""
    prompts = json.loads(MARKED.read_text(encoding="utf-8"))
    return [Prompt(prompt["text"], seed + prompt["id"], f"marked, {prompt['kind']}") for prompt in prompts]
