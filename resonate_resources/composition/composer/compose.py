"""A plan from a request and a seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from resonate_resources.composition.composer.accompaniment import part_events
from resonate_resources.composition.composer.bass import bass_events, nearest
from resonate_resources.composition.composer.chance import stream
from resonate_resources.composition.composer.drums import KICK, drum_events, percussion_events
from resonate_resources.composition.composer.form import Laid, laid_out
from resonate_resources.composition.composer.grid import Event
from resonate_resources.composition.composer.harmony import Span, harmonise, told
from resonate_resources.composition.composer.humanising import played
from resonate_resources.composition.composer.melody import melody_events
from resonate_resources.composition.composer.metre import COMPOUND, quarters_per_minute
from resonate_resources.composition.composer.numerals import KeyOf, read_key
from resonate_resources.composition.composer.players import ABLE, Player, cast_of, sections_of
from resonate_resources.composition.composer.transitions import effects_between, ended, silenced, silences
from resonate_resources.composition.composer.voicing import voiced
from resonate_resources.composition.genre import (
    Bass,
    Drums,
    GenreData,
    Melody,
    PartStyle,
    Percussion,
    genre_data,
)
from resonate_resources.composition.plan import BEATS_A_BAR, Part, Plan
from resonate_resources.composition.request import Request

_FILTERED: Final = ("chords", "pad", "arpeggio", "riff")
_SINGLE: Final = ("bass", "melody", "countermelody")


def compose(request: Request, seed: int) -> Plan:
    """The same request and seed give the same plan. Every part draws from a stream of its own."""
    data = genre_data(request.genre)
    key = read_key(request.key)
    sections = laid_out(request)
    bpm = quarters_per_minute(request.bpm, request.metre)
    spans = harmonise(data, key, request.metre, bpm, sections, seed)
    players = cast_of(request)
    playing = _playing(players, sections)
    gaps = silences(data, request.metre, sections)
    unit = {"eighth": 0.5, "sixteenth": 0.25}[data.swing_unit]
    swinging = request.swing > 0.5 and request.metre not in (*COMPOUND, "7/8")
    kicks = _kicks(data, request, sections, spans, seed)
    parts = []
    for player in players:
        events = _events(player, request, data, key, playing[player.name], sections, spans, kicks, bpm, seed)
        if player.slot.role != "drums" and sections[-1].bars > 1:
            begins = sections[-1].end - BEATS_A_BAR[request.metre]
            events = ended(events, begins, sections[-1].end, _last_pitches(player, events, spans[-1], key))
        notes = played(
            silenced(events, gaps),
            data.human,
            request.swing,
            unit if swinging else None,
            sections,
            bpm,
            player.slot.role in _SINGLE,
            player.slot.role == "drums",
            stream(seed, "human", player.name),
        )
        slot = player.slot
        parts.append(
            Part(
                name=player.name,
                stem=ABLE[player.instrument].stem,
                role=slot.role,
                sound=player.sound,
                notes=notes,
                level=slot.level,
                pan=slot.pan,
            )
        )
    filtered = tuple(part.name for part in parts if part.role in _FILTERED)
    return Plan(
        title=request.title,
        genre=request.genre,
        seed=seed,
        bpm=bpm,
        metre=request.metre,
        key=request.key,
        swing=request.swing,
        sections=tuple(section.as_planned for section in sections),
        chords=told(spans),
        parts=tuple(parts),
        effects=effects_between(data, request.metre, sections, filtered),
        balance=request.balance,
    )


def _playing(players: Sequence[Player], sections: Sequence[Laid]) -> dict[str, tuple[Laid, ...]]:
    """Where each plays: all that the request names somewhere, if only where it is loudest. In a section that would
    have nobody with a pitch, those who hold the harmony play."""
    playing = {player.name: set(sections_of(player.slot, sections)) for player in players}
    loudest = max(sections, key=lambda section: section.energy)
    for own in playing.values():
        if not own:
            own.add(loudest)
    pitched = [player for player in players if player.slot.role not in ("drums", "percussion")]
    order = ("pad", "chords", "arpeggio", "riff", "bass", "melody", "countermelody")
    pitched.sort(key=lambda player: order.index(player.slot.role))
    for section in sections:
        if pitched and not any(section in playing[player.name] for player in pitched):
            playing[pitched[0].name].add(section)
    return {name: tuple(section for section in sections if section in own) for name, own in playing.items()}


def _kicks(
    data: GenreData, request: Request, sections: Sequence[Laid], spans: Sequence[Span], seed: int
) -> tuple[float, ...]:
    """Where the kick falls, whether drums play or not: the bass goes with it."""
    if data.drums is None:
        return ()
    events = drum_events(data.drums, data.metres[0], request.metre, sections, spans, seed)
    return tuple(event.onset for event in events if event.pitch == KICK)


def _events(
    player: Player,
    request: Request,
    data: GenreData,
    key: KeyOf,
    own: Sequence[Laid],
    sections: Sequence[Laid],
    spans: Sequence[Span],
    kicks: Sequence[float],
    bpm: float,
    seed: int,
) -> list[Event]:
    style, written, metre = player.slot.style, player.slot.written, request.metre
    match style:
        case Drums():
            return drum_events(style, written, metre, sections, spans, seed)
        case Percussion():
            return percussion_events(style.groove, written, metre, own, spans, seed)
        case Bass():
            return bass_events(style, player.register, written, metre, key, own, spans, kicks, seed)
        case Melody():
            contrasting = 3 if data.unit == 12 else 4
            return melody_events(style, player.register, written, metre, key, own, spans, contrasting, seed)
        case PartStyle():
            return part_events(
                style, player.register, written, metre, key, own, spans, bpm, player.name, seed
            )


def _last_pitches(player: Player, events: Sequence[Event], last: Span, key: KeyOf) -> tuple[int, ...]:
    """What a part holds at the end: the chord, or one note of it."""
    role, register = player.slot.role, player.register
    if role == "percussion":
        return ()
    before = events[-1].pitch if events else sum(register) // 2
    if role == "bass":
        return (nearest(before, {last.harmony.root}, register),)
    if role in ("melody", "countermelody"):
        wanted = key.tonic if role == "melody" else (key.tonic + last.harmony.tones[1]) % 12
        return (nearest(before, {wanted}, register),)
    style = player.slot.style
    voicing = style.voicing if isinstance(style, PartStyle) else "close"
    if role == "riff":
        return (nearest(before, {last.harmony.root}, register),)
    return voiced([last.harmony], register, voicing)[0]
