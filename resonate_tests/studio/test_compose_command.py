from __future__ import annotations

import hashlib
import json
from pathlib import Path

import mutagen
import pyloudnorm
import pytest
import soundfile as sf
from click.testing import CliRunner

from resonate_studio.cli import main
from resonate_studio.processing import stages_from

WORDS = "house, 124 bpm, F minor, 10 seconds, <b>no piano</b>"


def run(*words: object) -> tuple[int, str, str]:
    """Exit status, what was printed, and what was told beside it."""
    result = CliRunner().invoke(main, ["compose", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    out = tmp_path_factory.mktemp("compose") / "out"
    code, output, error = run(WORDS, "--seed", 4, "--out", out, "--json")
    assert code == 0, error
    return out, json.loads(output)


def test_words_become_a_track_with_what_was_made_of_them(made: tuple[Path, dict[str, object]]) -> None:
    _, told = made
    assert {"request", "engine", "seed", "mix", "master", "stems", "qa", "seconds"} <= told.keys()
    request = told["request"]
    assert (request["genre"], request["key"], request["bpm"]) == ("house", "F minor", 124)  # type: ignore[index]
    assert "piano" not in request["instruments"]  # type: ignore[index]
    assert set(told["stems"]) >= {"vocals", "drums", "bass", "other"}  # type: ignore[call-overload]
    files = told["files"]
    assert all(Path(path).is_file() for path in files.values())  # type: ignore[attr-defined]
    assert {"all.mid", "plan.json", "composition.json"} <= files.keys()  # type: ignore[attr-defined]


def test_the_master_is_24_bit_48_khz_at_its_loudness(made: tuple[Path, dict[str, object]]) -> None:
    out, told = made
    about = sf.info(out / "master.wav")
    assert (about.samplerate, about.subtype, about.channels) == (48_000, "PCM_24", 2)
    samples, rate = sf.read(out / "master.wav")
    assert abs(pyloudnorm.Meter(rate).integrated_loudness(samples) + 14) <= 0.5
    assert abs(len(samples) / rate - 10) <= 4 * 60 / 124
    assert all(verdict["passed"] for verdict in told["qa"].values()), told["qa"]  # type: ignore[attr-defined]


def test_every_recording_says_what_composed_it(made: tuple[Path, dict[str, object]]) -> None:
    out, _ = made
    for path in out.rglob("*.wav"):
        comment = str(mutagen.File(path).tags.getall("COMM")[0])  # type: ignore[attr-defined]
        assert "Composed by rules" in comment
        assert "seed 4" in comment
        assert "house, 124 bpm" in comment


def test_the_same_words_and_seed_give_the_same_bytes_and_another_seed_another_piece(
    made: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    out, _ = made

    def digest(folder: Path) -> str:
        return hashlib.sha256((folder / "master.wav").read_bytes()).hexdigest()

    assert run(WORDS, "--seed", 4, "--out", tmp_path / "again")[0] == 0
    assert digest(tmp_path / "again") == digest(out)
    assert run(WORDS, "--seed", 5, "--out", tmp_path / "other")[0] == 0
    assert digest(tmp_path / "other") != digest(out)


def test_a_plan_is_played_as_it_is(made: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    out, _ = made
    plan = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    plan["parts"] = [part for part in plan["parts"] if part["stem"] != "drums"]
    edited = tmp_path / "edited.json"
    edited.write_text(json.dumps(plan), encoding="utf-8")
    code, output, error = run("--plan", edited, "--out", tmp_path / "out", "--json")
    assert code == 0, error
    assert json.loads(output)["tries"] == 1
    samples, _ = sf.read(tmp_path / "out" / "drums.wav")
    assert not samples.any()


def test_options_count_whatever_the_words_say(tmp_path: Path) -> None:
    code, output, error = run(
        "techno at 130 bpm",
        "--bpm",
        138,
        "--key",
        "D minor",
        "--duration",
        8,
        "--out",
        tmp_path / "out",
        "--json",
    )
    assert code == 0, error
    request = json.loads(output)["request"]
    assert (request["bpm"], request["key"]) == (138, "D minor")


def test_a_reference_plays_by_its_own_sounds_where_that_is_asked_for(
    made: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    reference = ("--reference", made[0] / "master.wav", "--reference-sounds", "--home", tmp_path / "home")
    out = tmp_path / "out"
    code, output, error = run("techno", *reference, "--duration", 8, "--out", out, "--json")
    assert code == 0, error
    report = json.loads((out / "composition.json").read_text())
    assert report["label"] == "composed by rules, with sounds of a recording"
    recorded = {name for name, each in report["instruments"].items() if each["source"] == "master.wav"}
    assert any("bass" in name for name in recorded)
    others = [
        each["instead_of"]
        for name, each in report["instruments"].items()
        if name not in {*recorded, "transitions"}
    ]
    assert all("recording" in why for why in others)  # in the place of whose sound the composer's is
    assert {report["instruments"][name]["licence"] for name in recorded} == {"the recording's"}
    told = [line for line in json.loads(output)["notes"] if "whoever holds the rights" in line]
    assert len(told) == 1
    assert all(name in told[0] for name in recorded)
    comment = str(mutagen.File(out / "master.wav").tags.getall("COMM")[0])  # type: ignore[attr-defined]
    assert "with sounds of a recording" in comment


def test_what_words_leave_open_is_as_in_a_reference(
    made: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    """The reference is house at 124 BPM in F minor."""
    out, _ = made
    reference = ("--reference", out / "master.wav", "--duration", 8, "--out", tmp_path / "out", "--json")
    code, output, error = run("techno", *reference)
    assert code == 0, error
    told = json.loads(output)
    assert told["request"]["genre"] == "techno"
    assert told["request"]["bpm"] == pytest.approx(124, abs=0.5)
    heard = {reading["field"]: reading for reading in told["from_reference"]}
    assert {"bpm", "balance"} <= heard.keys()
    assert "genre" not in heard
    assert {reading["words"] for reading in heard.values()} == {"master.wav"}
    similarity = told["qa"]["similarity"]
    assert similarity["passed"] == (float(similarity["detail"].split(",")[0]) >= 0.85)


def test_an_engine_that_lacks_its_weights_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    code, output, error = run("house", "--engine", "musicgen", "--out", tmp_path / "out")
    assert code == 1
    assert "musicgen: " in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert not output


def test_what_a_model_made_says_so_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from resonate_tests.resources.composition.engines.tiny_musicgen import save
    from resonate_tests.resources.composition.sound.plans import house

    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    save(tmp_path / "musicgen-small")
    whole = house(2)
    pads = whole.model_copy(update={"parts": whole.parts[4:5], "effects": (), "seed": 9})
    (tmp_path / "pads.json").write_text(pads.model_dump_json())
    out = tmp_path / "out"
    code, output, error = run(
        "--plan", tmp_path / "pads.json", "--engine", "musicgen", "--out", out, "--json"
    )
    assert code == 0, error
    told = json.loads(output)
    assert told["label"] == "AI-generated"
    assert told["engine"] == {"name": "musicgen", "model": "musicgen-small", "licence": "CC-BY-NC-4.0"}
    comments = {str(mutagen.File(path).tags.getall("COMM")[0]) for path in out.rglob("*.wav")}  # type: ignore[attr-defined]
    assert len(comments) == 1
    for said in ("AI-generated: Resonate", "musicgen musicgen-small (CC-BY-NC-4.0)", "seed 9"):
        assert said in comments.copy().pop()
    assert "AI-generated" in (out / "all.mid").read_bytes().decode("latin-1")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([""], "empty"),
        (["  \n "], "empty"),
        (["house", "--bpm", 0], "bpm"),
        (["house", "--bpm", 999], "bpm"),
        (["house", "--key", "H sharp"], "key"),
        (["house", "--duration", 10_800], "duration"),
        (["house", "--engine", "mozart"], "mozart"),
        (["house", "--plan", __file__], "--plan"),
        (["--plan", __file__], "is no plan"),
        (["--plan", "/nowhere.json"], "nowhere"),
        (["house", "--reference", __file__], "test_compose_command.py"),
        (["house", "--reference", "/nowhere.wav"], "nowhere"),
        (["house", "--reference-loudness"], "--reference"),
        (["house", "--reference-sounds"], "--reference"),
    ],
)
def test_what_can_not_be_is_one_line_and_nothing_is_written(
    words: list[object], told: str, tmp_path: Path
) -> None:
    code, output, error = run(*words, "--out", tmp_path / "out")
    assert code in (1, 2)
    assert told in error
    assert len(error.strip().splitlines()) <= 4  # of a usage error
    assert "Traceback" not in error + output
    assert not (tmp_path / "out").exists()


def test_what_is_made_anew_may_begin_with_the_composition() -> None:
    anew = stages_from("composition")
    assert anew[:2] == ["composition", "generated_stems"]
    assert {"raw_track", "stems", "master", "exports"} < set(anew)
    assert "brief" not in anew
