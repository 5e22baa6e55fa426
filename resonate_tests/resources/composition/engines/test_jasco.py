"""JASCO with networks of its real architecture, small and random, without a network connection."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.composition.engines.alignment import OffGridError
from resonate_resources.composition.engines.jasco.checkpoint import Checkpoint, blurred, folder_of, load
from resonate_resources.composition.engines.jasco.engine import Jasco, chords_of, melody_of
from resonate_resources.composition.engines.jasco.leading import (
    Chord,
    ChordList,
    Tone,
    melody_by_frame,
)
from resonate_resources.composition.engines.jasco.network import Network, guided, shapes
from resonate_resources.composition.engines.jasco.settings import Settings
from resonate_resources.composition.engines.jasco.solving import Latents, solved
from resonate_resources.composition.engines.jasco.windows import FADE_S, KNOWN_S, Leading, music
from resonate_resources.composition.plan import Plan
from resonate_resources.composition.sound.automation import total_s
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_tests.resources.composition.sound import plans

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from resonate_tests.resources.composition.engines.tiny_jasco import (  # noqa: E402
    TEXT_WIDTH,
    chord_numbers,
    configuration,
    save,
)

RATE = 32_000
C = Chord(0.0, 0, frozenset({0, 4, 7}), 0)
F_SHARP_MINOR = Chord(0.0, 6, frozenset({6, 9, 1}), 6)
PLAIN = Leading("house, 120 bpm", [C], None, [])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save(folder, "jasco-chords-drums-melody-400M", melody=True)
    return folder


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, models: Path) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("RESONATE_MODELS", str(models))


@pytest.fixture(scope="module")
def checkpoint(models: Path) -> Iterator[Checkpoint]:
    yield load(models / "jasco-chords-drums-melody-400M")
    load.cache_clear()


def sound(checkpoint: Checkpoint, leading: Leading, seconds: float = 10.0, seed: int = 1) -> Samples:
    return np.concatenate([*music(checkpoint, leading, seconds, seed)], axis=1)


def without_drums(bars: int = 1) -> Plan:
    plan = plans.house(bars)
    parts = tuple(part for part in plan.parts if part.name in ("Pad", "Piano"))
    return plan.model_copy(update={"parts": parts, "effects": ()})


# What it makes


def test_a_plan_s_music_is_other_and_other_stems_are_silent(tmp_path: Path) -> None:
    plan = without_drums()
    rendered = Jasco().generate(plan, tmp_path, 1)
    frames = round(total_s(plan) * 48_000)
    for stem in (*rendered.stems.values(), rendered.mix):
        assert (stem.sample_rate, stem.channels, stem.frames) == (48_000, 2, frames)
    assert {name: bool(stem.read().any()) for name, stem in rendered.stems.items()} == {
        "vocals": False,
        "drums": False,
        "bass": False,
        "other": True,
        "piano": False,
    }
    np.testing.assert_allclose(rendered.stems["other"].read(), rendered.mix.read(), atol=1e-6)
    told = rendered.instruments["other"]
    assert told.label == "AI-generated: house, piano, synth pad, 124 bpm, A minor"
    assert told.licence == "CC-BY-NC-4.0"
    assert told.source == "jasco (jasco-chords-drums-melody-400M)"


def test_the_same_seed_gives_the_same_bytes_and_another_another_sound(tmp_path: Path) -> None:
    def made(name: str, seed: int) -> str:
        (tmp_path / name).mkdir()
        return Jasco().generate(without_drums(), tmp_path / name, seed).mix.sha256

    first = made("a", 1)
    torch.rand(1)  # what others draw does not matter
    assert made("b", 1) == first
    assert made("c", 2) != first


def test_music_of_a_model_that_learnt_nothing_has_no_beat_and_is_refused_where_drums_play(
    tmp_path: Path,
) -> None:
    plan = plans.house(4)
    with pytest.raises(OffGridError, match="no beat"):
        Jasco().generate(plan.model_copy(update={"effects": ()}), tmp_path, 1)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("seconds", [3.0, 10.0, 23.7])
def test_music_is_as_long_as_is_asked(checkpoint: Checkpoint, seconds: float) -> None:
    assert sound(checkpoint, PLAIN, seconds).shape == (1, round(seconds * RATE))


def test_what_leads_it_changes_it(checkpoint: Checkpoint, tmp_path: Path) -> None:
    noise = 0.3 * np.random.default_rng(0).standard_normal((1, 10 * RATE)).astype(np.float32)
    drums = write_samples(tmp_path / "drums.wav", noise, RATE)
    usual = sound(checkpoint, PLAIN)
    for other in (
        replace(PLAIN, chords=[F_SHARP_MINOR]),
        replace(PLAIN, words="jazz, 90 bpm"),
        replace(PLAIN, drums=drums),
        replace(PLAIN, melody=[Tone(0.0, 10.0, 72)]),
    ):
        assert np.abs(sound(checkpoint, other) - usual).std() > 0.01 * usual.std()
    np.testing.assert_array_equal(sound(checkpoint, PLAIN), usual)


def test_windows_join_without_a_step(checkpoint: Checkpoint) -> None:
    """Steps from sample to sample, and of level from 20 ms to 20 ms, are no larger where windows meet than
    elsewhere."""
    made = sound(checkpoint, PLAIN, 30.0)[0]
    steps = np.abs(np.diff(made))
    joins = [round((10 + 6 * number - at) * RATE) for number in range(3) for at in (0.0, FADE_S)]
    near = np.concatenate([steps[join - 64 : join + 64] for join in joins])
    assert near.max() <= np.quantile(steps, 0.9999)
    levels = 10 * np.log10((made[: made.size // 640 * 640].reshape(-1, 640) ** 2).mean(axis=1))
    changes = np.abs(np.diff(levels))
    assert max(changes[join // 640 - 1 : join // 640 + 2].max() for join in joins) <= np.quantile(
        changes, 0.999
    )


def test_a_window_goes_on_from_the_one_before(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over what is known of it, it has the sound of the one before."""
    made: list[Samples] = []
    decoded = Checkpoint.sound

    def told(self: Checkpoint, latents: Latents) -> Samples:
        made.append(decoded(self, latents))
        return made[-1]

    monkeypatch.setattr(Checkpoint, "sound", told)
    sound(checkpoint, PLAIN, 16.0)
    before, behind = made
    settled = RATE  # until the decoder has forgotten where it began, and before the other's end
    known = round(KNOWN_S * RATE)
    np.testing.assert_allclose(
        behind[:, settled : known - settled],
        before[:, -known + settled : -settled],
        atol=0.02 * float(np.abs(before).max()),
    )
    assert not np.allclose(behind[:, known + settled :], before[:, settled:-known], atol=0.01)


# Its numbers


def test_the_flow_of_a_line_is_followed_to_its_end() -> None:
    """dz/dt = 3 − z from z(0) = noise: z(1) = 3 + (noise − 3) / e."""
    noise = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
    found = solved(lambda _, latents: 3 - latents, noise)
    np.testing.assert_allclose(found, 3 + (noise - 3) * np.exp(-1), atol=1e-4)


def test_a_flow_that_depends_on_time_is_followed() -> None:
    """dz/dt = cos(10 t): z(1) = z(0) + sin(10) / 10."""
    noise = np.zeros((2, 2), np.float32)
    found = solved(lambda time, latents: np.full_like(latents, np.cos(10 * time)), noise)
    np.testing.assert_allclose(found, np.sin(10) / 10, atol=1e-4)


def test_what_is_known_is_kept_and_flows_straight() -> None:
    noise, known = np.zeros((5, 2), np.float32), np.full((2, 2), 4.0, np.float32)
    seen: list[tuple[float, Latents]] = []

    def flow(time: float, latents: Latents) -> Latents:
        seen.append((time, latents.copy()))
        return np.ones_like(latents)

    found = solved(flow, noise, known)
    np.testing.assert_array_equal(found[:2], known)
    np.testing.assert_allclose(found[2:], 1, atol=1e-4)
    for time, latents in seen:
        np.testing.assert_allclose(latents[:2], 4 * time, atol=1e-5)  # (1 − t) noise + t known


def test_a_flow_without_numbers_is_told() -> None:
    with pytest.raises(ModelError, match="no numbers"):
        solved(lambda _, latents: latents * np.nan, np.ones((2, 2), np.float32))


def test_guidance_goes_beyond_what_leads_away_from_nothing() -> None:
    """Ho & Salimans 2022: nothing + w (all − nothing); with words beside it, each by its own weight."""
    everything, words, nothing = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(1)).unbind()
    one = guided(torch.stack([everything, nothing]), (5.0, -4.0))
    torch.testing.assert_close(one, nothing + 5 * (everything - nothing))
    both = guided(torch.stack([everything, words, nothing]), (1.75, 3.5, -4.25))
    torch.testing.assert_close(both, nothing + 1.75 * (everything - nothing) + 3.5 * (words - nothing))


def test_published_guidance_is_used_and_rows_without_a_share_are_not_calculated(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    assert checkpoint._shares() == {"all": 1.75, "words": 3.5, "nothing": -4.25}
    plain = Checkpoint(save(tmp_path))
    assert plain._shares() == {"all": 5.0, "nothing": -4.0}
    assert sound(plain, PLAIN).any()


def test_a_layer_is_torch_s_own_decoder_layer() -> None:
    """Pre-norm, GELU, without biases but in norms: torch's TransformerDecoderLayer with the same weights."""
    settings = Settings.read(configuration())
    chance = torch.Generator().manual_seed(3)
    weights = {
        name: torch.randn(shape, generator=chance) / 4 for name, shape in shapes(settings, TEXT_WIDTH).items()
    }
    network = Network(weights, settings, TEXT_WIDTH, "cpu")
    peer = torch.nn.TransformerDecoderLayer(
        settings.width, settings.heads, settings.inner, 0.0, "gelu", norm_first=True, batch_first=True
    )
    place = "transformer.layers.1."
    names = {"multihead_attn": "cross_attention", "norm2": "norm_cross", "norm3": "norm2"}
    state = {}
    for name, tensor in peer.state_dict().items():
        part, _, rest = name.partition(".")
        state[name] = weights.get(f"{place}{names.get(part, part)}.{rest}", torch.zeros_like(tensor))
    peer.load_state_dict(state)
    x, heard = torch.randn(2, 9, settings.width, generator=chance), torch.randn(2, 4, settings.width)
    with torch.inference_mode():
        torch.testing.assert_close(
            network._layer(place[:-1], x, heard), peer.eval()(x, heard), atol=1e-4, rtol=1e-4
        )


def test_places_and_times_are_sines_and_cosines_of_periods_up_to_ten_thousand() -> None:
    settings = Settings.read(configuration())
    weights = {name: torch.zeros(shape) for name, shape in shapes(settings, TEXT_WIDTH).items()}
    weights["temb.dense.0.weight"][:128] = torch.eye(128)
    weights["temb.dense.1.weight"][:128, :128] = torch.eye(128)
    network = Network(weights, settings, TEXT_WIDTH, "cpu")
    places = network._places(3).numpy()
    half = settings.width // 2
    np.testing.assert_allclose(places[2, :2], np.cos([2, 2 / 10_000 ** (1 / (half - 1))]), atol=1e-6)
    np.testing.assert_allclose(places[2, half], np.sin(2), atol=1e-6)
    np.testing.assert_allclose(places[2, -1], np.sin(2e-4), atol=1e-6)
    times = network._time(0.5).numpy()[[0, 63, 64, 127]]
    waves = np.array([np.sin(0.5), np.sin(0.5e-4), np.cos(0.5), np.cos(0.5e-4)])
    np.testing.assert_allclose(times, waves / (1 + np.exp(-waves)), atol=1e-6)  # SiLU


def test_of_its_published_sizes_it_has_as_many_weights_as_their_names_say() -> None:
    """400M: MusicGen small's transformer, 24 layers of width 1024."""
    small = replace(Settings.read(configuration(width=1024)), heads=16, layers=24, latent=128)
    count = sum(int(np.prod(shape)) for shape in shapes(small, 768).values())
    assert 0.39e9 < count < 0.42e9
    assert shapes(small, 768)["emb.weight"] == (1024, 128 + 16 + 2)


def test_later_layers_hear_earlier_ones_where_it_is_so_built(tmp_path: Path) -> None:
    folder = save(tmp_path, skips=True)
    with_skips = Checkpoint(folder)
    assert with_skips.settings.skips
    usual = sound(with_skips, PLAIN)
    with_skips._network._weights["transformer.skip_projections.0.weight"][:, 32:] = 0
    assert not np.array_equal(sound(with_skips, PLAIN), usual)


def test_no_words_are_nothing_to_attend_to(checkpoint: Checkpoint) -> None:
    with torch.inference_mode():
        assert not checkpoint._words("").any()
        assert checkpoint._words("house").any(dim=-1).all()


def test_drums_are_heard_in_means_of_three_frames(checkpoint: Checkpoint) -> None:
    latents = np.arange(5, dtype=np.float32)[:, np.newaxis]
    np.testing.assert_array_equal(blurred(latents, 3)[:, 0], np.array([1, 1, 1, 10 / 3, 10 / 3], np.float32))
    heard = checkpoint.drums(np.random.default_rng(1).standard_normal(10 * RATE).astype(np.float32))
    assert heard.shape == (500, 16)
    np.testing.assert_array_equal(heard[0], heard[2])
    assert len({row.tobytes() for row in heard}) > 50


def test_latents_are_decoded_as_encodec_encodes_them(checkpoint: Checkpoint) -> None:
    """Normalised by the mean and deviation that the configuration tells."""
    codec = checkpoint._codec
    given = torch.randn(1, 1, 10 * RATE, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        latents = codec.encoder(given)
        wanted = codec.decoder(latents)[0].numpy()
    normal = (latents[0].T.numpy() + 0.0074) / 4.0102
    np.testing.assert_allclose(checkpoint.sound(normal), wanted[:, : 10 * RATE], atol=1e-4)


# Chords and melody


@pytest.mark.parametrize(
    ("root", "tones", "bass", "name"),
    [
        (0, {0, 4, 7}, 0, "C"),
        (0, {0, 4, 7}, 4, "C/E"),
        (9, {9, 0, 4}, 0, "Am/C"),
        (10, {10, 1, 5, 8}, 10, "Bbm7"),
        (6, {6, 10, 1, 5, 8}, 6, "F#maj7"),  # a ninth, which Chordino has not
        (11, {11, 2, 5, 9}, 11, "Bm7b5"),
        (7, {7, 0, 2}, 7, "G"),  # suspended: as near to minor, and plainer
        (8, {8, 0, 3}, 3, "Ab"),  # no such bass
    ],
)
def test_a_chord_is_the_nearest_of_those_it_knows(root: int, tones: set[int], bass: int, name: str) -> None:
    numbers = chord_numbers()
    chords = ChordList(numbers, 194)
    assert chords.number(Chord(0.0, root, frozenset(tones), bass)) == numbers[name]


def test_chords_hold_until_the_next_and_there_is_none_before_the_first() -> None:
    numbers = chord_numbers()
    chords = ChordList(numbers, 194)
    progression = [replace(C, start_s=0.1), replace(F_SHARP_MINOR, start_s=0.2), Chord(0.26)]
    found = chords.by_frame(progression, 0.0, 15, 50.0)
    names = ["N"] * 5 + ["C"] * 5 + ["F#m"] * 3 + ["N"] * 2
    assert [*found] == [numbers[name] for name in names]
    np.testing.assert_array_equal(chords.by_frame(progression, 0.2, 5, 50.0), found[10:])


def test_a_list_of_chords_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chord_to_index_mapping.pkl"
    path.write_bytes(pickle.dumps({"N": 0, "C": Path}))
    with pytest.raises(ModelError, match="which is no name and no number"):
        ChordList.open(path, 194)
    for damaged in (b"", b"\x80", b"no pickle at all"):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match="is no list of chords"):
            ChordList.open(path, 194)
    path.write_bytes(pickle.dumps({"N": 0, "C": 194}))
    with pytest.raises(ModelError, match="no list of 194 chords"):
        ChordList.open(path, 194)


def test_the_melody_is_its_highest_tone_in_each_frame() -> None:
    tones = [Tone(0.0, 0.1, 60), Tone(0.04, 0.08, 67), Tone(0.0, 1.0, 20)]  # the last is below all rows
    found = melody_by_frame(tones, 0.0, 6, 50.0, 53)
    assert found.shape == (6, 53)
    assert [[*np.flatnonzero(row)] for row in found] == [[17], [17], [24], [24], [17], []]
    later = melody_by_frame(tones, 0.04, 6, 50.0, 53)
    np.testing.assert_array_equal(later[:4], found[2:])


def test_chords_and_melody_of_a_plan_are_in_seconds() -> None:
    plan = plans.house(2)
    chords = chords_of(plan)
    assert [chord.start_s for chord in chords] == pytest.approx([0.0, 4 * 60 / 124])
    assert (chords[0].root, chords[0].tones) == (9, {9, 0, 4})
    melodies = [part for part in plan.parts if part.role == "melody"]
    assert len(melody_of(plan)) == sum(len(part.notes) for part in melodies)


# Its files


def test_what_is_lacking_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    told = Jasco().lacks()
    for each in ("jasco-chords-drums-400M", "facebook/encodec_32khz", "google-t5/t5-base", "chord_to_index"):
        assert each in told
    assert "\n" not in told
    assert "not for commercial use" in told
    with pytest.raises(ModelError, match="facebook/encodec_32khz"):
        Jasco().generate(without_drums(), tmp_path, 1)
    save(tmp_path)
    assert Jasco().lacks() == ""
    (tmp_path / "chord_to_index_mapping.pkl").unlink()
    assert "chord_to_index_mapping.pkl" in Jasco().lacks()
    assert "t5-base" not in Jasco().lacks()


def test_one_that_takes_a_melody_is_taken_before_one_that_takes_none(tmp_path: Path) -> None:
    for name in ("jasco-chords-drums-1B", "jasco-chords-drums-melody-400M"):
        save(tmp_path, name, melody="melody" in name)
    found = folder_of(tmp_path)
    assert found is not None
    assert found.name == "jasco-chords-drums-melody-400M"


def test_results_depend_on_all_weights_and_on_the_list_of_chords() -> None:
    assert {*Jasco().keyed()} == {
        "jasco-chords-drums-melody-400M/state_dict.bin",
        "encodec_32khz/model.safetensors",
        "t5-base/model.safetensors",
        "chord_to_index_mapping.pkl",
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda saved: saved["best_state"].pop("emb.weight"), "has not the weights emb.weight"),
        (lambda saved: saved["best_state"].update({"rope.x": torch.zeros(1)}), "has the weights rope.x"),
        (
            lambda saved: saved["best_state"].update({"temb_proj.bias": torch.zeros(1)}),
            r"temb_proj.bias is \(1,\)",
        ),
        (lambda saved: saved.pop("xp.cfg"), "no checkpoint of JASCO's"),
        (lambda saved: saved.update({"xp.cfg": "lm_model: transformer_lm"}), "lm_model is 'transformer_lm'"),
        (lambda saved: saved.update({"xp.cfg": "a: ["}), "is no YAML"),
        (lambda saved: saved.update({"xp.cfg": "lm_model: ${lm_model}"}), "refers to itself"),
    ],
)
def test_a_checkpoint_that_is_not_whole_or_built_otherwise_is_refused_in_one_line(
    change: object, told: str, tmp_path: Path
) -> None:
    state = save(tmp_path) / "state_dict.bin"
    saved = torch.load(state, weights_only=True)
    change(saved)  # type: ignore[operator]
    torch.save(saved, state)
    with pytest.raises(ModelError, match=told) as refused:
        load(state.parent)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_checkpoint_or_would_run_code_is_refused(tmp_path: Path) -> None:
    state = save(tmp_path) / "state_dict.bin"
    torch.save({"best_state": Path(), "xp.cfg": ""}, state)
    with pytest.raises(ModelError, match="is no file of tensors"):
        load(state.parent)
    state.write_bytes(b"no weights")
    with pytest.raises(ModelError, match="is no file of tensors"):
        load(state.parent)
    state.unlink()
    with pytest.raises(ModelError, match=r"has no state_dict.bin"):
        load(state.parent)


def test_the_flow_alone_is_in_lower_precision(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """float16, as on a GPU; of windows of a second, as processors are slow at it."""
    monkeypatch.setattr(checkpoint, "settings", replace(checkpoint.settings, seconds=1))
    usual = sound(checkpoint, PLAIN, 1.0)
    monkeypatch.setattr(checkpoint, "lower", torch.float16)
    kinds = set()
    own = Network._linear

    def told(self: Network, name: str, x: object) -> object:
        found = own(self, name, x)
        kinds.add((name.partition(".")[0], found.dtype))
        return found

    monkeypatch.setattr(Network, "_linear", told)
    lower = sound(checkpoint, PLAIN, 1.0)
    assert ("transformer", torch.float16) in kinds
    assert (lower - usual).std() < 0.02 * usual.std()


def test_progress_rises_to_one(checkpoint: Checkpoint, tmp_path: Path) -> None:
    told: list[float] = []
    Jasco().generate(without_drums(), tmp_path, 1, told.append)
    assert told[-1] == 1.0
    assert all(0 <= each <= 1 for each in told)
