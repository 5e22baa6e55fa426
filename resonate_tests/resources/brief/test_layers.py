"""Briefs: later layers win, every value knows where it is from, and what can't be used is one line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.brief.brief import Brief
from resonate_resources.brief.layers import (
    BUILT_IN,
    BriefError,
    Layer,
    nested,
    parse_setting,
    parse_toml,
    resolve,
)


def test_without_any_layer_all_is_built_in() -> None:
    resolved = resolve([])
    assert resolved.brief == Brief()
    assert {origin for _, _, origin in resolved.rows()} == {BUILT_IN}


def test_later_layers_win_and_each_value_knows_where_it_is_from() -> None:
    home = parse_toml(
        "[mastering]\ntarget_lufs = -16\nformats = ['wav']\n[mixing]\npreset = 'conservative'\n", "home"
    )
    song = parse_toml("[mastering]\ntarget_lufs = -9\n", "song.brief.toml")
    resolved = resolve([home, song])
    assert resolved.brief.mastering.target_lufs == -9
    assert resolved.brief.mastering.formats == ("wav",)
    told = {name: origin for name, _, origin in resolved.rows()}
    assert told["mastering.target_lufs"] == "song.brief.toml"
    assert told["mastering.formats"] == told["mixing.preset"] == "home"
    assert told["mastering.ceiling_dbtp"] == BUILT_IN


def test_tables_are_merged_entry_by_entry() -> None:
    resolved = resolve(
        [
            Layer("home", {"mixing": {"gains_db": {"vocals": 2, "drums": 1.0}}}),
            Layer("set", nested({"mixing.gains_db.vocals": -1.5})),
        ]
    )
    assert resolved.brief.mixing.gains_db == {"vocals": -1.5, "drums": 1.0}
    assert resolved.brief.mixing.wished_db("drums") == 1.0
    told = {name: (value, origin) for name, value, origin in resolved.rows()}
    assert told["mixing.gains_db.vocals"] == ("-1.5", "set")
    assert told["mixing.gains_db.drums"] == ("1.0", "home")
    assert "mixing.gains_db" not in told


def test_null_undoes_what_an_outer_place_says() -> None:
    home = parse_toml("[profile]\ntempo_bpm = 120\nkey = 'Bbm'\n", "home")
    resolved = resolve([home, Layer("set", nested(dict([parse_setting("profile.tempo_bpm= null")])))])
    assert resolved.brief.profile.tempo_bpm is None
    assert resolved.brief.profile.key == "Bb minor"
    assert ("profile.tempo_bpm", "null", "set") in list(resolved.rows())
    with pytest.raises(BriefError, match=r"mastering\.target_lufs: null can't be used"):
        resolve([Layer("set", nested({"mastering.target_lufs": None}))])


@given(
    st.floats(-36, -6),
    st.sampled_from(["conservative", "balanced", "aggressive"]),
    st.sampled_from([2, 4, 6]),
)
def test_a_brief_reads_back_as_it_was_written(target: float, preset: str, stems: int) -> None:
    layer = {
        "mastering": {"target_lufs": target},
        "mixing": {"preset": preset},
        "separation": {"stems": stems},
    }
    brief = resolve([Layer("x", layer)]).brief
    assert Brief.model_validate(json.loads(brief.to_json())) == brief


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[mastering]\ntarget_lufs = -90", r"mastering\.target_lufs: -90 can't be used"),
        ("[mastering]\ntarget_lufs = 'loud'", r"mastering\.target_lufs: \"loud\" can't be used"),
        ("[mastering]\ntarget_lufs = true", r"mastering\.target_lufs: true can't be used"),
        ("[separation]\nstems = 4.0", r"separation\.stems: 4\.0 can't be used \(is no whole number\)"),
        (
            "[separation]\ntruth = 'stems'",
            r"separation\.truth: \"stems\" can't be used \(is no absolute path\)",
        ),
        (
            "[mastering]\nreference = 'song.flac'",
            r"mastering\.reference: \"song\.flac\" can't be used \(is no absolute path\)",
        ),
        ("[mastering]\nreference_amount = 1.5", r"mastering\.reference_amount: 1\.5 can't be used"),
        ("[mastering]\nformats = 'wav'", r"mastering\.formats: \"wav\" can't be used \(a list is written"),
        (f"[separation]\nstems = {'9' * 5000}", "is no TOML"),
        (f"[profile]\nhints = {'[' * 3000}", "is no TOML"),
        ("[mastering]\ntarget_lufs = nan", r"mastering\.target_lufs: NaN can't be used"),
        (
            "[mastering]\nloudness = -9",
            r"mastering\.loudness: there is no such setting; there are preset, compress, target_lufs",
        ),
        (
            "[mastring]\ntarget_lufs = -9",
            r"mastring: there is no such setting; there are separation, restoration",
        ),
        ("[mastering]\nformats = []", r"mastering\.formats: \[\] can't be used"),
        ("[mastering]\nformats = ['ogg']", r"mastering\.formats\.0: \"ogg\" can't be used"),
        ("[separation]\nstems = 5", r"separation\.stems: 5 can't be used"),
        ("[separation]\nstems = '4'", r"separation\.stems: \"4\" can't be used"),
        ("[mixing.gains_db]\nvocals = 99", r"mixing\.gains_db\.vocals: 99 can't be used"),
        ("[mixing.gains_db]\nkazoo = 1", r"mixing\.gains_db\.kazoo"),
        ("[profile]\nkey = 'H minor'", r"profile\.key: \"H minor\" can't be used \(is no key"),
        ("[profile]\ntempo_bpm = 9", r"profile\.tempo_bpm: 9 can't be used"),
        ("mastering = 3", "settings stand in sections"),
        ("[mastering\n", "is no TOML"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_names_place_and_value(text: str, told: str) -> None:
    with pytest.raises(BriefError, match=told) as error:
        resolve([parse_toml(text, "brief.toml")])
    assert str(error.value).startswith("brief.toml: ")
    assert "\n" not in str(error.value)


def test_settings_of_the_command_line_are_toml_values_or_text() -> None:
    assert parse_setting("mastering.target_lufs=-9") == ("mastering.target_lufs", -9)
    assert parse_setting('mastering.formats=["wav", "mp3"]') == ("mastering.formats", ["wav", "mp3"])
    assert parse_setting("mixing.preset=aggressive") == ("mixing.preset", "aggressive")
    assert parse_setting("profile.key=A minor") == ("profile.key", "A minor")
    assert parse_setting("profile.hints=a=b") == ("profile.hints", "a=b")
    for wrong in ("mastering.target_lufs", "target_lufs=-9", "="):
        with pytest.raises(BriefError, match=r"section\.name=value"):
            parse_setting(wrong)
