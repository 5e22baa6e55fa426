"""From what was understood to a whole request: what nobody said is assumed from the genre, and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from random import Random
from typing import Final, get_args

from resonate_resources.composition.composer.chance import stream
from resonate_resources.composition.composer.form import PHRASE_BARS
from resonate_resources.composition.composer.metre import COMPOUND, quarters_per_minute
from resonate_resources.composition.composer.numerals import MINOR_MODES
from resonate_resources.composition.composer.players import as_told, cast
from resonate_resources.composition.genre import GenreData, genre_data
from resonate_resources.composition.likening import like
from resonate_resources.composition.plan import BEATS_A_BAR
from resonate_resources.composition.reference import Reference
from resonate_resources.composition.request import (
    FASTEST_BPM,
    LONGEST_S,
    SLOWEST_BPM,
    Asked,
    Energy,
    Genre,
    Instrument,
    Key,
    Metre,
    Mood,
    Reading,
    Request,
    Section,
    SectionName,
    Understanding,
)
from resonate_resources.recordings.recording import AudioError

_MINOR_MOODS: Final[frozenset[Mood]] = frozenset(
    {"sad", "dark", "melancholic", "tense", "mysterious", "aggressive"}
)
_MAJOR_MOODS: Final[frozenset[Mood]] = frozenset({"happy", "bright", "uplifting", "playful", "romantic"})
_LIVELY: Final[frozenset[Mood]] = frozenset({"energetic", "aggressive", "playful", "happy", "uplifting"})
_QUIET: Final[frozenset[Mood]] = frozenset({"calm", "sad", "dreamy", "melancholic", "romantic"})
_SUNG: Final[frozenset[Instrument]] = frozenset({"vocals"})
_NEARBY: Final = 0.05
"""How much faster or slower a piece may be to be of whole phrases, where no tempo is asked for."""
_USUAL_GENRE: Final[Genre] = "pop"
_USUAL_BARS: Final[dict[SectionName, int]] = {"intro": 4, "pre_chorus": 4, "outro": 4}  # of others, 8
_USUAL_ENERGY: Final[dict[SectionName, float]] = {
    "intro": 0.35, "verse": 0.5, "pre_chorus": 0.6, "chorus": 0.85, "bridge": 0.5, "build": 0.65, "drop": 0.95,
    "breakdown": 0.35, "solo": 0.8, "outro": 0.4,
}  # fmt: skip
_DISPENSABLE: Final[tuple[SectionName, ...]] = (
    "bridge", "solo", "breakdown", "pre_chorus", "outro", "intro", "verse", "build", "chorus", "drop",
)  # fmt: skip
"""Which sections a short piece does without, the first first."""


_A_FORM: Final = 3  # sections
_LEADS_TO: Final[Mapping[SectionName, tuple[SectionName, ...]]] = {
    "pre_chorus": ("chorus", "drop"), "build": ("drop", "chorus"), "verse": ("pre_chorus", "chorus", "drop"),
}  # fmt: skip


def complete(
    understanding: Understanding, seed: int, reference: Reference | None = None
) -> tuple[Request, tuple[Reading, ...]]:
    """The request, and where each of its fields is from: the understanding's readings, then those of the reference,
    which tells what words leave open, then what is assumed here.

    Contradictory and invalid fields are assumed anew. A length that is asked for is met to within a bar; refused
    instruments never play, not even where they were asked for, too. Raises AudioError where all are refused, for
    who can't play what they are to, and for sections that last too long.
    """
    asked = _without(understanding.asked, {*understanding.contradictory, *understanding.invalid}).whole()
    assumed: list[Reading] = []
    heard: tuple[Reading, ...] = ()
    if reference:
        asked, heard = reference.filled(asked)

    def assume(field: str, value: object) -> None:
        assumed.append(Reading(field=field, value=str(value), how="assumed"))

    genre = asked.genre or understanding.nearest_genre or _likeliest_genre(asked, stream(seed, "genre"))
    if asked.genre is None:
        assume("genre", genre)
    data = genre_data(genre)
    metre = asked.metre or data.metres[0]
    if asked.metre is None:
        assume("metre", metre)
    key = asked.key or _key(data, asked.mood, stream(seed, "key", genre))
    if asked.key is None:
        assume("key", key)
    bpm = _bpm(asked, data, metre, seed)
    if asked.bpm is None or asked.bpm[0] != asked.bpm[1]:
        assume("bpm", f"{bpm:g}")
    swing = data.swing[0] if asked.swing is None else max(data.swing) if asked.swing else 0.5
    if asked.swing is None:
        assume("swing", swing)
    told_form = bool(asked.sections) or _is_whole(asked.structure)
    form = _of_genre(reference.form, data) if reference and not told_form else ()
    bars = _bars(asked, data, bpm, metre, form)
    structure = asked.sections or _structure(asked, data, bars, stream(seed, "form", genre), form)
    whole_s = sum(section.bars for section in structure) * _bar_s(bpm, metre)
    if whole_s > LONGEST_S + (0 if asked.sections else _bar_s(bpm, metre)):  # a length is met to within a bar
        what = "sections" if asked.sections or asked.structure else "bars"
        raise AudioError(f"{what}: together they last longer than {LONGEST_S / 60:.0f} minutes")
    if asked.bars is None and not asked.sections:
        assume("bars", sum(section.bars for section in structure))
    if not told_form:
        assume("structure", ", ".join(f"{section.name} {section.bars}" for section in structure))
    as_told(data, asked.players)
    instruments = asked.instruments if asked.players else _instruments(asked, data)
    if added := [name for name in instruments if name not in asked.instruments]:
        assume("instruments", ", ".join(added))
    request = Request(
        title=_title(genre, asked.mood, key),
        genre=genre,
        bpm=bpm,
        key=key,
        metre=metre,
        swing=swing,
        structure=structure,
        instruments=instruments,
        players=asked.players,
        mood=asked.mood,
    )
    if reference:
        request, more = like(reference, request, asked, seed)
        heard += more
        if form:
            heard += tuple(
                reference.reading(each.field, each.value)
                for each in assumed
                if each.field == "structure" or (each.field == "bars" and asked.duration_s is None)
            )
    told = {reading.field for reading in heard}
    return request, (*understanding.readings, *heard, *(each for each in assumed if each.field not in told))


def _bpm(asked: Asked, data: GenreData, metre: Metre, seed: int) -> float:
    """The usual one, within what was asked for; of whole bars or phrases, where a length was asked for."""
    usual = _usual_bpm(data, metre, asked.mood, stream(seed, "tempo", data.name))
    bpm = usual if asked.bpm is None else min(max(usual, asked.bpm[0]), asked.bpm[1])
    if asked.bpm is None and asked.bars and asked.duration_s:
        return min(max(_bpm_of(asked.bars, asked.duration_s, metre), SLOWEST_BPM), FASTEST_BPM)
    if asked.duration_s and not asked.bars:
        return _squared(bpm, asked.duration_s, metre, asked.bpm)
    return bpm


def _without(asked: Asked, fields: set[str]) -> Asked:
    """Without those fields, as if nothing had been said of them."""
    return asked.model_copy(
        update={name: Asked.model_fields[name].default for name in fields & set(Asked.model_fields)}
    )


def _likeliest_genre(asked: Asked, chance: Random) -> Genre:
    """The one that moods, instruments, tempo, metre and swing point to; pop where nothing does."""
    scores = {name: _fitting(genre_data(name), asked) for name in get_args(Genre)}
    best = max(scores.values())
    if best <= 0:
        return _USUAL_GENRE
    return chance.choice([name for name in scores if scores[name] >= best - 1e-9])


def _fitting(data: GenreData, asked: Asked) -> float:
    own = {player.instrument for player in cast(data, (), ())}
    named = [1 + data.moods.index(mood) for mood in asked.mood if mood in data.moods]
    score = sum(2.0 - 0.1 * place for place in named)
    score += sum(2.0 if name in own else -0.5 for name in asked.instruments)
    score -= sum(name in own for name in asked.without)
    if asked.bpm:
        inside = asked.bpm[0] <= data.tempo[2] and asked.bpm[1] >= data.tempo[0]
        off = abs(sum(asked.bpm) / 2 / data.tempo[1] - 1)
        score += 1.5 - 3 * off if inside else -3.0
    if asked.metre:
        score += 2.0 - data.metres.index(asked.metre) if asked.metre in data.metres else -2.0
    if asked.swing:
        score += 3 * (data.swing[0] > 0.6)
    names = {section.name for form in data.forms for section in form}
    return score + sum(0.5 if name in names else -0.5 for name in set(asked.structure))


def _key(data: GenreData, mood: Sequence[Mood], chance: Random) -> Key:
    wants_minor = len(_MINOR_MOODS & set(mood)) - len(_MAJOR_MOODS & set(mood))
    modes = [mode for mode in data.modes if not wants_minor or (mode in MINOR_MODES) == (wants_minor > 0)]
    modes = modes or ["minor" if wants_minor > 0 else "major"]
    weights = [1 / (1 + 1.5 * place) for place in range(len(modes))]  # the usual mode, mostly
    return f"{chance.choice(data.tonics)} {chance.choices(modes, weights)[0]}"


def _usual_bpm(data: GenreData, metre: Metre, mood: Sequence[Mood], chance: Random) -> float:
    """Near the usual tempo, lively moods faster and quiet ones slower; of 7/8, eighths are counted."""
    slowest, usual, fastest = data.tempo
    lean = len(_LIVELY & set(mood)) - len(_QUIET & set(mood))
    towards = fastest if lean > 0 else slowest if lean < 0 else usual
    middle = usual + 0.4 * (towards - usual)
    bpm = min(max(round(middle + chance.uniform(-0.06, 0.06) * (fastest - slowest)), slowest), fastest)
    if metre in COMPOUND and data.metres[0] not in COMPOUND:
        bpm = round(bpm * 2 / 3)  # a beat of three eighths lasts longer than one of two
    return float(min(max(bpm * (2 if metre == "7/8" else 1), SLOWEST_BPM), FASTEST_BPM))


def _squared(bpm: float, duration_s: float, metre: Metre, asked: tuple[float, float] | None) -> float:
    """A tempo nearby at which the length is of whole phrases; the same, where that would be too far off."""
    low, high = asked or (max(bpm * (1 - _NEARBY), SLOWEST_BPM), min(bpm * (1 + _NEARBY), FASTEST_BPM))
    phrases = round(duration_s / _bar_s(bpm, metre) / PHRASE_BARS)
    if phrases:
        exact = _bpm_of(phrases * PHRASE_BARS, duration_s, metre)
        for near in (float(round(exact)), round(exact, 1)):
            if low <= near <= high and round(duration_s / _bar_s(near, metre)) == phrases * PHRASE_BARS:
                return near
    return bpm


def _bar_s(bpm: float, metre: Metre) -> float:
    return BEATS_A_BAR[metre] * 60 / quarters_per_minute(bpm, metre)


def _bpm_of(bars: int, duration_s: float, metre: Metre) -> float:
    quarters = bars * BEATS_A_BAR[metre]
    return round(quarters / quarters_per_minute(1, metre) * 60 / duration_s, 3)


def _bars(asked: Asked, data: GenreData, bpm: float, metre: Metre, form: Sequence[Section]) -> int:
    """Bars that were asked for; or of the length that was; or of the sections that were; or of the form that was
    given; or the usual ones."""
    if asked.bars is not None:
        return asked.bars
    bar_s = _bar_s(bpm, metre)
    if asked.duration_s is not None:
        return max(1, round(asked.duration_s / bar_s))
    if _is_whole(asked.structure):
        return sum(_own_bars(name, data) for name in asked.structure)
    if form:
        return sum(section.bars for section in form)
    whole = round(data.length_s / bar_s / data.unit)
    return max(1, whole) * data.unit


def _own_bars(name: SectionName, data: GenreData) -> int:
    return next(
        (section.bars for form in data.forms for section in form if section.name == name),
        _USUAL_BARS.get(name, 8),
    )


def _of_genre(form: Sequence[Section], data: GenreData) -> tuple[Section, ...]:
    """With drops for choruses, in genres that have those and no choruses."""
    names = {section.name for own in data.forms for section in own}
    if "chorus" in names or "drop" not in names:
        return tuple(form)
    return tuple(
        section.model_copy(update={"name": "drop"}) if section.name == "chorus" else section
        for section in form
    )


def _structure(
    asked: Asked, data: GenreData, bars: int, chance: Random, given: Sequence[Section]
) -> tuple[Section, ...]:
    """Sections of about so many bars together, of the form that is given, or one of the genre's; exactly, where a
    length was asked for (of sections that were asked for, at least one bar each)."""
    form = list(given or chance.choice(data.forms))
    if _is_whole(asked.structure):
        form = [_section(name, form, data) for name in asked.structure]
    else:
        form = _long_enough(_short_enough(form, bars), bars)
        for name in asked.structure:
            if name not in [section.name for section in form]:
                form.insert(_place_of(name, form), _section(name, form, data))
    sizes = [section.bars for section in form]
    if asked.bars is not None or asked.duration_s is not None:
        sizes = _fitted(sizes, max(bars, len(form)), data.unit)
    energies = _energies([section.energy for section in form], asked.energy, asked.mood)
    return tuple(
        Section(name=section.name, bars=size, energy=energy)
        for section, size, energy in zip(form, sizes, energies, strict=True)
    )


def _is_whole(structure: Sequence[SectionName]) -> bool:
    """Whether it is a form, and not what a form is to have in it, as "with a big drop" names."""
    return len(structure) >= _A_FORM


def _section(name: SectionName, form: Sequence[Section], data: GenreData) -> Section:
    """As the form has it, or the genre, or music at large."""
    return next(
        (section for section in form if section.name == name),
        Section(name=name, bars=_own_bars(name, data), energy=_USUAL_ENERGY[name]),
    )


def _place_of(name: SectionName, form: Sequence[Section]) -> int:
    """Where a section that a form lacks goes: an intro first, an outro last, what leads to something before the
    first of that, all else before the last of what is loudest."""
    if name == "intro":
        return 0
    names = [section.name for section in form]
    if name == "outro":
        return len(form)
    if name in _LEADS_TO:
        return next(
            (names.index(other) for other in _LEADS_TO[name] if other in names),
            len(form) - (names[-1] == "outro"),
        )
    loudest = max(section.energy for section in form)
    return max(place for place, section in enumerate(form) if section.energy == loudest)


def _short_enough(form: list[Section], bars: int) -> list[Section]:
    """Without sections that can be spared, until two thirds of what they usually last fits. Of a name the later go
    first; of drops the earlier, which no build leads to. Nor does a build stay that leads to nothing."""
    while len(form) > 1 and sum(section.bars for section in form) > 1.5 * bars:
        names = [section.name for section in form]
        repeated = [name for name in _DISPENSABLE if names.count(name) > 1]
        spared = repeated[0] if repeated else next(name for name in _DISPENSABLE if name in names)
        del form[names.index(spared) if spared == "drop" else len(names) - 1 - names[::-1].index(spared)]
    led_to = [*form[1:], None]
    kept = [
        section
        for section, after in zip(form, led_to, strict=True)
        if section.name not in ("build", "pre_chorus")
        or (after and after.name in ("drop", "chorus", "build"))
    ]
    return kept or form


def _long_enough(form: list[Section], bars: int) -> list[Section]:
    """The middle again, before the end, until no section has to be much longer than usual."""
    inner = [section for section in form if section.name not in ("intro", "outro")]
    again = cycle(inner)
    place = len(form) - (form[-1].name == "outro")
    while inner and sum(section.bars for section in form) < 0.7 * bars:
        form.insert(place, next(again))
        place += 1
    return form


def _fitted(usual: Sequence[int], bars: int, unit: int) -> list[int]:
    """The usual sizes, made longer or shorter by whole phrases until they are so many bars; what is less than a
    phrase is the last section's."""
    sizes = list(usual)
    for step in (max(unit, 8), PHRASE_BARS, 2, 1):
        if step < PHRASE_BARS and sizes[-1] + bars - sum(sizes) >= 1:
            sizes[-1] += bars - sum(sizes)
        while (missing := bars - sum(sizes)) >= step:
            grown = range(len(sizes)) if step >= PHRASE_BARS else [len(sizes) - 1]
            edges = (0, len(sizes) - 1)
            sizes[min(grown, key=lambda n: (sizes[n] / usual[n] + (n in edges), -usual[n], n))] += step
        while missing <= -step and max(sizes) > step:
            shrunk = [n for n in range(len(sizes)) if sizes[n] > step]
            sizes[max(shrunk, key=lambda n: (sizes[n] / usual[n], n))] -= step
            missing += step
    return sizes


def _energies(usual: Sequence[float], course: Energy | None, mood: Sequence[Mood]) -> list[float]:
    last = max(1, len(usual) - 1)
    lean = 0.08 * (
        len({"energetic", "aggressive", "epic"} & set(mood)) - len({"calm", "sad", "dreamy"} & set(mood))
    )
    found = []
    for number, energy in enumerate(usual):
        gone = number / last
        wanted = {
            None: energy + lean,
            "rising": 0.3 * energy + 0.7 * (0.2 + 0.8 * gone),
            "falling": 0.3 * energy + 0.7 * (1.0 - 0.8 * gone),
            "low": 0.55 * energy,
            "high": 0.6 + 0.4 * energy,
            "wave": 0.4 * energy + 0.6 * (0.3 if number % 2 == 0 else 0.9),
        }[course]
        found.append(round(min(1.0, max(0.05, wanted)), 3))
    return found


def _instruments(asked: Asked, data: GenreData) -> tuple[Instrument, ...]:
    without: set[Instrument] = set(asked.without) | (_SUNG if asked.vocals_wanted is False else set())
    wanted = [name for name in asked.instruments if name not in without]
    if asked.vocals_wanted and "vocals" not in (*wanted, *without):
        wanted.append("vocals")
    players = cast(data, tuple(dict.fromkeys(wanted)), without)
    names = tuple(dict.fromkeys(player.instrument for player in players))
    if names:
        return names
    left: list[Instrument] = [name for name in ("piano", *get_args(Instrument)) if name not in without]
    if not left:
        raise AudioError("every instrument is refused; leave at least one to play")
    return (left[0],)


def _title(genre: Genre, mood: Sequence[Mood], key: Key) -> str:
    words = genre.replace("_", " ")
    return f"{mood[0].capitalize()} {words} in {key}" if mood else f"{words.capitalize()} in {key}"
