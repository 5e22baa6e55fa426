"""Who plays what: the parts a genre has, given to the instruments there are, and parts for the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Final, NamedTuple, get_args

from resonate_resources.composition.composer.form import Laid
from resonate_resources.composition.genre import (
    Bass,
    Drums,
    GenreData,
    Melody,
    PartStyle,
    Percussion,
    genre_data,
)
from resonate_resources.composition.plan import Sound, Stem
from resonate_resources.composition.request import (
    Genre,
    Instrument,
    Metre,
    Playing,
    Request,
    Role,
    SectionName,
)
from resonate_resources.recordings.recording import AudioError

Style = Drums | Percussion | Bass | Melody | PartStyle
_EVERYWHERE: Final[tuple[SectionName, ...]] = get_args(SectionName)
_LEAST_RANGE: Final = 14  # semitones: less is no room for a part


class Able(NamedTuple):
    """stem, range in MIDI pitches of what sounds well, and roles an instrument takes, the likeliest first."""

    stem: Stem
    range: tuple[int, int]
    roles: tuple[Role, ...]


ABLE: Final[dict[Instrument, Able]] = {
    "drums": Able("drums", (27, 87), ("drums",)),
    "percussion": Able("drums", (27, 87), ("percussion",)),
    "bass": Able("bass", (28, 55), ("bass",)),
    "double_bass": Able("bass", (28, 55), ("bass",)),
    "synth_bass": Able("bass", (24, 55), ("bass",)),
    "808": Able("bass", (24, 48), ("bass",)),
    "piano": Able("piano", (28, 96), ("chords", "melody", "arpeggio", "countermelody")),
    "electric_piano": Able("piano", (36, 88), ("chords", "pad", "melody")),
    "organ": Able("other", (36, 88), ("pad", "chords", "melody")),
    "acoustic_guitar": Able("guitar", (40, 79), ("chords", "arpeggio", "melody")),
    "electric_guitar": Able("guitar", (40, 84), ("chords", "riff", "melody", "arpeggio")),
    "distorted_guitar": Able("guitar", (38, 84), ("riff", "chords", "melody")),
    "strings": Able("other", (36, 91), ("pad", "countermelody", "melody", "chords")),
    "violin": Able("other", (55, 93), ("melody", "countermelody")),
    "cello": Able("other", (36, 72), ("countermelody", "melody", "pad")),
    "brass": Able("other", (41, 79), ("chords", "countermelody", "melody")),
    "trumpet": Able("other", (55, 82), ("melody", "countermelody")),
    "saxophone": Able("other", (49, 81), ("melody", "countermelody")),
    "flute": Able("other", (60, 93), ("melody", "countermelody")),
    "clarinet": Able("other", (50, 84), ("melody", "countermelody")),
    "synth_lead": Able("other", (48, 91), ("melody", "riff", "countermelody")),
    "synth_pad": Able("other", (36, 88), ("pad",)),
    "pluck": Able("other", (48, 91), ("arpeggio", "riff", "chords", "melody")),
    "arpeggio": Able("other", (48, 91), ("arpeggio",)),
    "choir": Able("vocals", (45, 81), ("pad", "countermelody")),
    "vocals": Able("vocals", (52, 76), ("melody", "countermelody")),
    "bells": Able("other", (60, 96), ("arpeggio", "countermelody", "melody")),
    "harp": Able("other", (36, 91), ("arpeggio", "chords", "melody")),
    "marimba": Able("other", (48, 88), ("arpeggio", "riff", "melody", "chords")),
    "accordion": Able("other", (48, 84), ("chords", "melody", "pad", "countermelody")),
    "harmonica": Able("other", (60, 84), ("melody", "countermelody")),
    "banjo": Able("guitar", (48, 79), ("arpeggio", "chords", "melody")),
    "sitar": Able("other", (48, 79), ("melody", "riff", "arpeggio")),
}


class Slot(NamedTuple):
    """A part that a genre has. written: the metre of its grids."""

    role: Role
    sounds: tuple[Instrument, ...]
    register: tuple[int, int]
    energy: tuple[float, float]
    sections: tuple[SectionName, ...]
    style: Style
    written: Metre
    level: float = 0.0
    pan: float = 0.0


class Player(NamedTuple):
    """name: of its own in the plan."""

    name: str
    instrument: Instrument
    sound: Sound
    slot: Slot

    @property
    def register(self) -> tuple[int, int]:
        """Where slot and instrument meet; where they hardly do, the two octaves of the instrument nearest to it."""
        low, high = ABLE[self.instrument].range
        below, above = max(low, self.slot.register[0]), min(high, self.slot.register[1])
        if above - below >= _LEAST_RANGE:
            return below, above
        middle = sum(self.slot.register) // 2
        centre = min(max(middle, low + 12), max(low + 12, high - 12))
        return max(low, centre - 12), min(high, centre + 12)


def cast(
    data: GenreData, available: Sequence[Instrument], without: Collection[Instrument] | None = None
) -> tuple[Player, ...]:
    """Every available instrument with a part. without: refused; where it is given, the genre's parts that none of
    the available takes are played by its own instruments."""
    slots = _slots(data)
    taken: dict[int, Instrument] = {}
    for index, slot in enumerate(slots):
        fitting = [sound for sound in slot.sounds if sound in available and sound not in taken.values()]
        if fitting:
            taken[index] = fitting[0]
    for index, slot in enumerate(slots):  # a part whose own instruments are not there, taken by another
        fitting = [
            sound for sound in available if slot.role in ABLE[sound].roles and sound not in taken.values()
        ]
        if index not in taken and fitting:
            taken[index] = fitting[0]
    for index, slot in enumerate(slots):
        roles = {(slots[other].role, sound) for other, sound in taken.items()}
        if index not in taken:
            allowed = [s for s in slot.sounds if s in available or (without is not None and s not in without)]
            fitting = [s for s in allowed if (slot.role, s) not in roles]
            if fitting:
                taken[index] = fitting[0]
    pairs = [(slots[index], taken[index]) for index in sorted(taken)]
    for sound in available:
        if sound not in taken.values():
            pairs.append((_another(data, sound, {slot.role for slot, _ in pairs}), sound))
    return _named(pairs)


def cast_of(request: Request) -> tuple[Player, ...]:
    """Who plays what as it was asked for; as the genre has it, where it wasn't."""
    data = genre_data(request.genre)
    return as_told(data, request.players) if request.players else cast(data, request.instruments)


@cache
def roles_of(instrument: Instrument) -> tuple[Role, ...]:
    """What it can play: what it usually does, the likeliest first, then what any genre has it play."""
    slots = (slot for name in get_args(Genre) for slot in _slots(genre_data(name)))
    in_genres = (slot.role for slot in slots if instrument in slot.sounds)
    return tuple(dict.fromkeys((*ABLE[instrument].roles, *in_genres)))


def as_told(data: GenreData, players: Sequence[Playing]) -> tuple[Player, ...]:
    """Each in its role: in the genre's part for that, its own where it has one; else in a part of the kind. Raises
    AudioError for a role that an instrument doesn't take."""
    slots, pairs = _slots(data), []
    for playing in players:
        if playing.role not in (can := roles_of(playing.instrument)):
            name = playing.instrument.replace("_", " ")
            raise AudioError(f"players: {name} can't play {playing.role}; it can play {', '.join(can)}")
        parts = [slot for slot in slots if slot.role == playing.role]
        own = [slot for slot in parts if playing.instrument in slot.sounds]
        slot = next(iter([*own, *parts]), None)
        if slot is not None:
            slots.remove(slot)
        pairs.append((slot or _part(data, playing.instrument, playing.role), playing.instrument))
    return _named(pairs)


def sections_of(slot: Slot, sections: Sequence[Laid]) -> tuple[Laid, ...]:
    """Where a part plays: in sections of its kinds and energy; if there are none, in those nearest to it."""
    allowed = [section for section in sections if section.name in slot.sections] or list(sections)
    low, high = slot.energy
    inside = tuple(section for section in allowed if low <= section.energy <= high)
    if inside:
        return inside
    away = {section: max(low - section.energy, section.energy - high) for section in allowed}
    return tuple(section for section in allowed if away[section] <= min(away.values()) + 1e-9)


def _slots(data: GenreData) -> list[Slot]:
    written = data.metres[0]
    found = []
    if data.drums:
        found.append(_drums(data.drums, written))
    if data.percussion:
        found.append(_percussion(data.percussion, written))
    if data.bass:
        found.append(_bass(data.bass, written))
    for part in data.parts:
        slot = Slot(part.role, part.sounds, part.pitches, part.energy, part.sections, part, written)
        found.append(slot._replace(level=part.level, pan=part.pan))
    melody = data.melody
    found.append(
        Slot(
            "melody",
            melody.sounds,
            melody.pitches,
            melody.energy,
            melody.sections,
            melody,
            written,
            melody.level,
        )
    )
    return found


def _drums(drums: Drums, written: Metre) -> Slot:
    return Slot("drums", ("drums",), (27, 87), (0.0, 1.0), _EVERYWHERE, drums, written)


def _percussion(percussion: Percussion, written: Metre) -> Slot:
    return Slot(
        "percussion", ("percussion",), (27, 87), (0.3, 1.0), _EVERYWHERE, percussion, written, pan=0.3
    )


def _bass(bass: Bass, written: Metre) -> Slot:
    return Slot("bass", bass.sounds, bass.pitches, bass.energy, _EVERYWHERE, bass, written, bass.level)


def _another(data: GenreData, sound: Instrument, there: set[Role]) -> Slot:
    """A part for an instrument that the genre has none for: in a role nobody has yet, as far as it has such; a
    second melody is a counter-melody."""
    able = ABLE[sound]
    roles = [role for role in able.roles if role != "melody" or "melody" not in there] or ["countermelody"]
    return _part(data, sound, next((role for role in roles if role not in there), roles[0]))


def _part(data: GenreData, sound: Instrument, role: Role) -> Slot:
    """A part of a kind: the genre's, or one as pop has it."""
    able, pop, written = ABLE[sound], genre_data("pop"), data.metres[0]
    if role in ("drums", "percussion", "bass"):
        own = {"drums": data.drums, "percussion": data.percussion, "bass": data.bass}[role]
        written = written if own else pop.metres[0]
        if role == "drums":
            assert pop.drums
            return _drums(data.drums or pop.drums, written)
        if role == "percussion":
            assert pop.percussion
            return _percussion(data.percussion or pop.percussion, written)
        assert pop.bass
        return _bass(data.bass or pop.bass, written)
    if role == "melody":
        return _slots(data)[-1]
    alike = next((slot for slot in _slots(data) if slot.role == role), None)
    if alike:
        return alike._replace(register=able.range, pan=-alike.pan)
    part = PartStyle(
        role=role,
        sounds=(sound,),
        pitches=able.range,
        patterns={
            "chords": ("X---x---X---x---",),
            "arpeggio": ("1-2-3-4-5-4-3-2-",),
            "riff": ("X--x--x-X-x-x---",),
        }.get(role, ("~",)),
        energy=(0.4, 1.0),
    )
    return Slot(role, part.sounds, part.pitches, part.energy, part.sections, part, "4/4", pan=0.25)


def _named(pairs: Sequence[tuple[Slot, Instrument]]) -> tuple[Player, ...]:
    players: list[Player] = []
    for slot, instrument in pairs:
        sound: Sound = instrument
        if instrument == "drums":
            assert isinstance(slot.style, Drums)
            sound = slot.style.kit
        own = instrument.replace("_", " ")
        name = own if slot.role == instrument else f"{own} {slot.role}"
        count = sum(player.name.split(" #")[0] == name for player in players)
        players.append(Player(f"{name} #{count + 1}" if count else name, instrument, sound, slot))
    return tuple(players)
