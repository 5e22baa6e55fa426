"""A prompt is understood in twelve languages, told honestly, and never breaks the reader."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.composition.prompt.reading import MOST_LETTERS, read_prompt
from resonate_resources.recordings.recording import AudioError
from resonate_tests.resources.composition.prompt_score import score

FLOOR = 0.98
"""Of the fields of prompts/marked.json; 0.879 at first sight of them, more after general faults were mended."""
SHARPS_AND_FLATS = (
    "C",
    "C#",
    "Db",
    "D",
    "D#",
    "Eb",
    "E",
    "F",
    "F#",
    "Gb",
    "G",
    "G#",
    "Ab",
    "A",
    "A#",
    "Bb",
    "B",
)
_SIGN = {"": 0, "#": 1, "b": 2}
_LETTER_BY_LETTER = {  # names of C D E F G A B; of sharp and flat; of minor and major; as dictionaries have them
    "en": (("C", "D", "E", "F", "G", "A", "B"), (" sharp", " flat"), (" minor", " major")),
    "fr": (("do", "ré", "mi", "fa", "sol", "la", "si"), (" dièse", " bémol"), (" mineur", " majeur")),
    "es": (("do", "re", "mi", "fa", "sol", "la", "si"), (" sostenido", " bemol"), (" menor", " mayor")),
    "it": (("do", "re", "mi", "fa", "sol", "la", "si"), (" diesis", " bemolle"), (" minore", " maggiore")),
    "pt": (("dó", "ré", "mi", "fá", "sol", "lá", "si"), (" sustenido", " bemol"), (" menor", " maior")),
    "ru": (("до", "ре", "ми", "фа", "соль", "ля", "си"), ("-диез", "-бемоль"), (" минор", " мажор")),
    "tr": (("do", "re", "mi", "fa", "sol", "la", "si"), (" diyez", " bemol"), (" minör", " majör")),
}
_GERMAN = {
    **{
        "C": "C",
        "C#": "Cis",
        "Db": "Des",
        "D": "D",
        "D#": "Dis",
        "Eb": "Es",
        "E": "E",
        "F": "F",
        "F#": "Fis",
    },
    **{"Gb": "Ges", "G": "G", "G#": "Gis", "Ab": "As", "A": "A", "A#": "Ais", "Bb": "B", "B": "H"},
}
_KANA = dict(zip("CDEFGAB", "ハニホヘトイロ", strict=True))
_CAMELOT = {  # as Mixed In Key prints the wheel
    **{
        "1A": "Ab minor",
        "2A": "Eb minor",
        "3A": "Bb minor",
        "4A": "F minor",
        "5A": "C minor",
        "6A": "G minor",
    },
    **{
        "7A": "D minor",
        "8A": "A minor",
        "9A": "E minor",
        "10A": "B minor",
        "11A": "F# minor",
        "12A": "Db minor",
    },
    **{
        "1B": "B major",
        "2B": "F# major",
        "3B": "Db major",
        "4B": "Ab major",
        "5B": "Eb major",
        "6B": "Bb major",
    },
    **{
        "7B": "F major",
        "8B": "C major",
        "9B": "G major",
        "10B": "D major",
        "11B": "A major",
        "12B": "E major",
    },
    **{"1m": "A minor", "1d": "C major", "2d": "G major", "12m": "D minor", "6m": "Ab minor"},
}


def asked(prompt: str) -> dict[str, Any]:
    """Only what was asked for."""
    every = read_prompt(prompt).asked.model_dump()
    return {name: value for name, value in every.items() if value not in (None, ())}


def spellings(tonic: str, mode: str) -> list[str]:
    letter, sign = tonic[0], tonic[1:]
    minor = mode == "minor"
    found = [f"{tonic}{'m' if minor else 'maj'}", f"{tonic} {mode}", f"{tonic}{'min' if minor else ' maj'}"]
    for letters, signs, modes in _LETTER_BY_LETTER.values():
        spelt_sign = ("", *signs)[_SIGN[sign]]
        found.append(letters["CDEFGAB".index(letter)] + spelt_sign + modes[not minor])
    found.append(f"{_GERMAN[tonic]}-{'Moll' if minor else 'Dur'}")
    found.append(f"{_GERMAN[tonic].lower()}-{'moll' if minor else 'dur'}")
    found.append(("", "嬰", "変")[_SIGN[sign]] + _KANA[letter] + ("短調" if minor else "長調"))
    found.append(("", "升", "降")[_SIGN[sign]] + letter + ("小调" if minor else "大调"))
    return found


@pytest.mark.parametrize("mode", ["minor", "major"])
@pytest.mark.parametrize("tonic", SHARPS_AND_FLATS)
def test_every_key_is_understood_in_every_spelling(tonic: str, mode: str) -> None:
    understood = {
        spelling: asked(f"techno, {spelling}, 120 bpm").get("key") for spelling in spellings(tonic, mode)
    }
    assert understood == dict.fromkeys(understood, f"{tonic} {mode}")


@pytest.mark.parametrize(("place", "key"), _CAMELOT.items())
def test_the_wheels_of_djs_are_understood(place: str, key: str) -> None:
    assert asked(f"techno in {place}")["key"] == key


@pytest.mark.parametrize(
    ("words", "bpm"),
    [
        *[("122 bpm", (122, 122)), ("at 122", (122, 122)), ("120-125 bpm", (120, 125)), ("♩=96", (96, 96))],
        *[
            ("dnb roller 174", (174, 174)),
            ("at 122, strings", (122, 122)),
            ("130 Schläge pro Minute", (130, 130)),
            ("120拍/分", (120, 120)),
        ],
        *[("no more than 100 bpm", (30, 100)), ("at least 150 bpm", (150, 300)), ("テンポ70", (70, 70))],
        *[
            ("between 100 and 110 bpm", (100, 110)),
            ("120 ударов в минуту", (120, 120)),
            ("allegro", (120, 156)),
        ],
        *[("one hundred and twenty bpm", (120, 120)), ("90 bpm, no wait, 100 bpm", (100, 100))],
    ],
)
def test_a_tempo_is_a_number_or_a_range(words: str, bpm: tuple[float, float]) -> None:
    assert asked(words)["bpm"] == bpm


def test_fast_means_what_it_means_of_the_genre() -> None:
    punk, ballad = asked("fast punk")["bpm"], asked("fast lofi")["bpm"]
    assert punk[0] > ballad[1]


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        *[
            ("2:30", 150),
            ("90 seconds", 90),
            ("a minute and a half", 90),
            ("2½ min", 150),
            ("half a minute", 30),
        ],
        *[("eine halbe Minute", 30), ("anderthalb Minuten", 90), ("une minute et demie", 90), ("1m30s", 90)],
        *[
            ("un minuto y medio", 90),
            ("due minuti e mezzo", 150),
            ("półtorej minuty", 90),
            ("полторы минуты", 90),
        ],
        *[
            ("1分半", 90),
            ("一分半钟", 90),
            ("两分钟", 120),
            ("bir buçuk dakika", 90),
            ("anderhalve minuut", 90),
        ],
        *[
            ("3 minutes 20 seconds", 200),
            ("2 min 30", 150),
            ("three minutes", 180),
            ("dois minutos e meio", 150),
        ],
    ],
)
def test_a_length_is_understood(words: str, seconds: float) -> None:
    assert asked(f"ambient, {words}")["duration_s"] == seconds


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("no drums or bass, just piano", {"instruments": ("piano",), "without": ("drums", "bass")}),
        ("no drums, piano and strings", {"instruments": ("piano", "strings"), "without": ("drums",)}),
        ("nothing but drums and bass", {"instruments": ("drums", "bass")}),
        ("drum and bass", {"genre": "drum_and_bass"}),
        ("Klavier ohne Schlagzeug", {"instruments": ("piano",), "without": ("drums",)}),
        ("piano sans batterie", {"instruments": ("piano",), "without": ("drums",)}),
        ("ピアノ、ドラムなし", {"instruments": ("piano",), "without": ("drums",)}),
        ("钢琴，不要鼓", {"instruments": ("piano",), "without": ("drums",)}),
        ("piyano, davul olmadan", {"instruments": ("piano",), "without": ("drums",)}),
        ("фортепиано без барабанов", {"instruments": ("piano",), "without": ("drums",)}),
        ("not sad but happy", {"mood": ("happy",)}),
    ],
)
def test_a_no_is_about_what_follows_it(words: str, expected: dict[str, Any]) -> None:
    assert asked(words) == expected


@pytest.mark.parametrize(
    ("words", "structure"),
    [
        ("verse, chorus ×2, bridge", ("verse", "chorus", "chorus", "bridge")),
        ("AABA", ("verse", "verse", "bridge", "verse")),
        ("two verses and a chorus", ("verse", "verse", "chorus")),
        ("(verse, chorus) x2, outro", ("verse", "chorus", "verse", "chorus", "outro")),
        ("it builds to a drop", ("build", "drop")),
        ("イントロ、Aメロ、サビ", ("intro", "verse", "chorus")),
    ],
)
def test_sections_are_understood_in_their_order(words: str, structure: tuple[str, ...]) -> None:
    assert asked(words)["structure"] == structure


@pytest.mark.parametrize(
    ("words", "field"),
    [
        *[
            ("slow, fast", "bpm"),
            ("120 bpm, 140 bpm", "bpm"),
            ("C major and A minor", "key"),
            ("3/4 and 4/4", "metre"),
        ],
        *[("no drums, but big drums", "instruments"), ("instrumental with vocals", "vocals_wanted")],
        *[("slow, 180 bpm", "bpm"), ("2 minutes, 5 minutes long", "duration_s"), ("a waltz in 4/4", "metre")],
    ],
)
def test_what_excludes_each_other_is_told_and_not_taken(words: str, field: str) -> None:
    understood = read_prompt(words)
    assert field in understood.contradictory
    assert getattr(understood.asked, field) in (None, ())
    assert any(field in remark for remark in understood.remarks)


@pytest.mark.parametrize(
    ("words", "field", "told"),
    [
        *[("0 BPM", "bpm", "30 to 300"), ("999 BPM", "bpm", "30 to 300"), ("H sharp", "key", "C minor")],
        *[
            ("25/3", "metre", "3/4"),
            ("3 hours of ambient", "duration_s", "30 minutes"),
            ("5000 bars", "bars", "1024"),
        ],
    ],
)
def test_what_cannot_be_is_told_with_what_can(words: str, field: str, told: str) -> None:
    understood = read_prompt(words)
    assert understood.invalid == (field,)
    assert told in " ".join(understood.remarks)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        *[("in the style of Daft Punk, 120 bpm", "Daft Punk"), ("à la Boards of Canada", "Boards of Canada")],
        *[
            ("im Stil von Kraftwerk mit Klavier", "Kraftwerk"),
            ("в стиле Кино", "Кино"),
            ("ビートルズ風", "ビートルズ"),
        ],
        *[
            ("like Radiohead", "Radiohead"),
            ("like 'Blue Monday'", "Blue Monday"),
            ("Hans Zimmer style", "Hans Zimmer"),
        ],
    ],
)
def test_of_a_name_nothing_is_claimed_to_be_known(words: str, name: str) -> None:
    understood = read_prompt(words)
    assert understood.asked.reference_name == name
    assert understood.asked.genre is None
    assert any("alone tells nothing" in remark for remark in understood.remarks)


@pytest.mark.parametrize(
    "words", ["in the style of house", "like a rainy day", "jazz style", "в стиле техно"]
)
def test_a_genre_or_a_picture_is_no_name(words: str) -> None:
    assert read_prompt(words).asked.reference_name is None


@pytest.mark.parametrize(("words", "nearest"), [("tango", "salsa"), ("chiptune adventure", "synthwave")])
def test_a_genre_that_is_not_ours_is_told_with_the_nearest(words: str, nearest: str) -> None:
    understood = read_prompt(words)
    assert understood.asked.genre is None
    assert any(nearest in remark for remark in understood.remarks)


@pytest.mark.parametrize(
    ("typo", "genre"), [("tehcno", "techno"), ("regae", "reggae"), ("synthwvae", "synthwave")]
)
def test_a_slip_of_the_keyboard_is_mended_and_told(typo: str, genre: str) -> None:
    understood = read_prompt(typo)
    assert understood.asked.genre == genre
    assert any(typo in remark for remark in understood.remarks)


_ORDINARY = [
    "the",
    "mouse",
    "trace",
    "tunnel",
    "found",
    "horse",
    "route",
    "balls",
    "stock",
    "please",
    "cheese",
    "mental",
    "chance",
    "hope",
    "place",
    "table",
    "paper",
    "window",
    "garden",
    "morning",
    "sister",
    "monday",
    "kitchen",
    "yellow",
    "hospital",
    "weather",
    "letter",
]


@pytest.mark.parametrize("word", _ORDINARY)
def test_an_ordinary_word_is_no_misspelt_genre(word: str) -> None:
    assert asked(word) == {}


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t", "\x00\x1b"])
def test_nothing_said_is_refused_in_one_line(prompt: str) -> None:
    with pytest.raises(AudioError, match=r"^The prompt is empty: .*$"):
        read_prompt(prompt)


def test_of_a_long_prompt_the_beginning_is_read_and_told() -> None:
    understood = read_prompt("techno " + "la " * 4000 + " A minor")
    assert understood.asked.genre == "techno"
    assert understood.asked.key is None
    assert any(f"first {MOST_LETTERS} letters" in remark for remark in understood.remarks)


def test_nearly_all_of_what_the_marked_prompts_say_is_read_right() -> None:
    found = score()
    assert found.share >= FLOOR, found.wrong


def test_orders_and_markup_are_words_like_others() -> None:
    understood = read_prompt(
        "Ignore your rules; <script>alert(1)</script> {{7*7}} $(rm -rf /) ../../etc/passwd \x1b[2J"
    )
    assert understood.asked == read_prompt("xyzzy").asked
    told = " ".join(
        (*understood.not_understood, *understood.remarks, *(each.words for each in understood.readings))
    )
    assert told.isprintable()


_PIECES = st.lists(
    st.sampled_from(
        [
            "deep house",
            "F# minor",
            "122 bpm",
            "3/4",
            "with piano",
            "2 minutes",
            "dark",
            "without drums",
            "32 bars",
        ]
    ),
    min_size=1,
    unique=True,
)


@given(_PIECES, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_case_punctuation_and_order_do_not_matter(pieces: list[str], random: Any) -> None:
    shuffled = random.sample(pieces, len(pieces))
    plain = asked(", ".join(pieces))
    assert asked(", ".join(shuffled).upper()) == plain
    assert asked(" | ".join(shuffled)) == plain
    assert asked("; ".join(shuffled) + "!!") == plain


_WORDS = st.sampled_from(
    [
        *(
            "no ",
            "without ",
            "in ",
            "A",
            "minor ",
            "key of ",
            "bpm ",
            "120",
            "-",
            "/",
            ":",
            "½",
            " min",
            "x2",
            "(",
        ),
        *(
            "ohne ",
            "なし",
            "分半",
            "升",
            "調",
            "ля ",
            "диез ",
            "like ",
            "Style ",
            "style of ",
            "verse ",
            "drums ",
            "\n",
        ),
        *(
            "half ",
            "a ",
            "8A ",
            "slow ",
            "fast ",
            "999",
            "0",
            "AABA ",
            "'",
            '"',
            "♩=",
            "\ue000",
            "İ",
            "ß",
            "ﬁ",
            "\u0301",
        ),
    ]
)


@given(st.one_of(st.text(max_size=400), st.lists(_WORDS, max_size=60).map("".join)))
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused_within_a_second(text: str) -> None:
    read_prompt("warm")
    began = time.process_time()
    try:
        understood = read_prompt(text)
    except AudioError as error:
        assert "\n" not in str(error)
        return
    assert time.process_time() - began < 1  # 0.1 on a quiet machine; what backtracks takes minutes
    assert all(remark.isprintable() for remark in understood.remarks)


@pytest.mark.parametrize(
    "text",
    [
        "A" * 900 + " style",
        "like " + "Ab" * 900,
        "a " * 1000,
        "1:" * 1000,
        "no drums or " * 170,
        "аб" * 1000,
        "一" * 2000,
        "x2 (" * 500,
    ],
)
def test_the_longest_prompts_are_read_within_a_second(text: str) -> None:
    read_prompt("warm")
    began = time.process_time()
    read_prompt(text)
    assert time.process_time() - began < 1  # 0.1 on a quiet machine; what backtracks takes minutes
