import hashlib
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import psutil
import pytest
import torch

from resonate_resources.ingredients import ingredients_of
from resonate_resources.models.audio_separator import calling
from resonate_resources.models.audio_separator.work import VERSION
from resonate_resources.models.weights import ModelError
from resonate_resources.models.workers.environments import AUDIO_SEPARATOR
from resonate_resources.recordings.recording import AudioError, Recording, silent, write_samples
from resonate_resources.separation.audio_separator import AudioSeparator

MEL = "vocals_mel_band_roformer.ckpt"
BS = "model_bs_roformer_ep_317_sdr_12.9755.ckpt"
SW = "BS-Roformer-SW.ckpt"
MDX23C = "MDX23C-8KFFT-InstVoc_HQ.ckpt"
MDX = "Kim_Vocal_2.onnx"
VR = "4_HP-Vocal-UVR.pth"
NO_ROOM = ("the GPU's memory did not suffice: separated on the processor",)


@pytest.fixture
def broken(worker, hub, tmp_path, monkeypatch):
    """Replaces files of a copy of the hub, which is then where models are."""
    shutil.copytree(hub, tmp_path / "models" / "audio-separator", ignore=shutil.ignore_patterns("*.npz"))
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models" / "audio-separator"


def engine_for(model, stems=2):
    return AudioSeparator("roformer" if model in (MEL, BS, SW) else "uvr", model, stems)


def noise(frames, channels=2):
    return np.random.default_rng(1).normal(0, 0.1, (channels, frames)).astype(np.float32)


def separated(tmp_path, samples, separator=None, rate=44100):
    track = write_samples(tmp_path / "track.wav", samples, rate)
    return (separator or AudioSeparator()).separate(track, tmp_path, silent)


def refusal(tmp_path, separator=None):
    with pytest.raises(ModelError) as raised:
        separated(tmp_path, noise(1000), separator)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def error_db(estimate, reference):
    return 10 * np.log10(np.square(estimate - reference).sum() / np.square(reference).sum() + 1e-30)


@pytest.mark.parametrize(("model", "count"), [(MEL, 2), (BS, 2), (SW, 6), (MDX23C, 2), (VR, 2)])
def test_a_track_of_one_chunk_comes_out_as_from_the_package_itself(worker, hub, tmp_path, model, count):
    separator = engine_for(model, count)
    stems = separator.separate(Recording.open(hub / f"{model}.wav"), tmp_path, silent)
    expected = np.load(hub / f"{model}.npz")
    assert set(stems) == set(expected)
    assert tuple(stems) == separator.stem_names
    for name, stem in stems.items():
        assert stem.path == tmp_path / f"{name}.wav"
        assert error_db(stem.read(), expected[name]) < -120


def test_no_seam_is_left_between_chunks(worker, hub, tmp_path):
    """What comes of a sound by this MDX-Net depends on nothing around it, so the whole at once is the truth."""
    stems = engine_for(MDX).separate(Recording.open(hub / f"{MDX}.wav"), tmp_path, silent)
    expected = np.load(hub / f"{MDX}.npz")
    assert stems["vocals"].duration > 20
    for name, stem in stems.items():
        assert error_db(stem.read(), expected[name]) < -80


def test_four_stems_of_a_model_of_six_have_piano_and_guitar_in_other(worker, hub, tmp_path):
    stems = engine_for(SW, 4).separate(Recording.open(hub / f"{SW}.wav"), tmp_path, silent)
    expected = np.load(hub / f"{SW}.npz")
    assert list(stems) == ["vocals", "drums", "bass", "other"]
    rest = expected["other"] + expected["piano"] + expected["guitar"]
    assert error_db(stems["other"].read(), rest) < -120
    assert error_db(stems["drums"].read(), expected["drums"]) < -120


@pytest.mark.parametrize(
    ("model", "rate", "channels", "frames"),
    [
        (MEL, 44100, 2, 442_001),
        (MEL, 48000, 2, 100_001),
        (MEL, 8000, 1, 12_345),
        (BS, 44100, 1, 1),
        (SW, 22050, 3, 7),
        (MDX, 8000, 1, 20_003),
        (MDX, 44100, 6, 3000),
        (MDX23C, 48000, 1, 3),
        (VR, 48000, 2, 100_001),
        (VR, 44100, 1, 1000),
    ],
)
def test_stems_have_the_rate_channels_and_length_of_the_track_and_sum_to_it(
    worker, tmp_path, model, rate, channels, frames
):
    track = noise(frames, channels)
    stems = separated(tmp_path, track, engine_for(model), rate)
    for stem in stems.values():
        assert (stem.sample_rate, stem.channels, stem.frames) == (rate, channels, frames)
        assert np.isfinite(stem.read()).all()
    if rate == 44100 and model in (MEL, BS, MDX, VR):  # those have other as what the vocals leave
        assert error_db(sum(stem.read() for stem in stems.values()), track) < -100


def test_a_loud_track_comes_out_as_the_same_track_turned_down(worker, tmp_path):
    quiet = noise(60_000) / 10
    outputs = []
    for gain in (1, 30):  # far over full scale
        (tmp_path / str(gain)).mkdir()
        outputs.append(separated(tmp_path / str(gain), quiet * np.float32(gain), engine_for(MDX)))
    assert error_db(outputs[1]["vocals"].read() / 30, outputs[0]["vocals"].read()) < -100


def test_silence_stays_silent(worker, tmp_path):
    for model in (MEL, MDX, VR):
        for stem in separated(tmp_path, np.zeros((2, 50_000), np.float32), engine_for(model)).values():
            assert np.abs(stem.read()).max() < 1e-6


def test_progress_rises_to_the_end(worker, tmp_path):
    track = write_samples(tmp_path / "track.wav", noise(500_000), 44100)
    told = []
    engine_for(MDX).separate(track, tmp_path, told.append)
    assert len(told) >= 3
    assert told == sorted(told)
    assert told[-1] == 1


def test_the_model_stays_loaded_for_the_next_track(worker, tmp_path):
    separated(tmp_path, noise(1000), engine_for(MDX))
    first, second = AudioSeparator(), AudioSeparator()
    separated(tmp_path, noise(1000), first)
    separated(tmp_path, noise(2000), second)
    assert (first.was_warm, second.was_warm) == (False, True)


def test_the_model_stays_loaded_for_other_processes(worker, tmp_path):
    separated(tmp_path, noise(1000))
    program = (
        "import sys; from pathlib import Path\n"
        "from resonate_resources.recordings.recording import Recording, silent\n"
        "from resonate_resources.separation.audio_separator import AudioSeparator\n"
        "separator = AudioSeparator(); folder = Path(sys.argv[1])\n"
        "separator.separate(Recording.open(folder / 'track.wav'), folder, silent); print(separator.was_warm)"
    )
    told = subprocess.run([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, check=True)
    assert told.stdout.strip() == b"True"


def test_another_file_under_the_same_name_is_another_model(broken, tmp_path):
    stems = separated(tmp_path, noise(20_000))
    before = stems["vocals"].read()
    weights = torch.load(broken / MEL, weights_only=True)
    torch.save({name: torch.zeros_like(tensor) for name, tensor in weights.items()}, broken / MEL)
    separator = AudioSeparator()
    stems = separated(tmp_path, noise(20_000), separator)
    assert separator.was_warm is False
    assert np.abs(before).max() > 0
    assert np.abs(stems["vocals"].read()).max() == 0


def test_ffmpeg_is_not_needed(worker, tmp_path):
    assert shutil.which("ffmpeg") is None
    assert len(separated(tmp_path, noise(1000))) == 2


def test_models_that_are_neither_here_nor_to_be_had_are_named_with_their_place(worker, tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    for told in (AudioSeparator().available(), refusal(tmp_path)):
        assert told.startswith(f"{MEL}, vocals_mel_band_roformer.yaml, download_checks.json: ")
        assert str(tmp_path / "audio-separator") in told
        assert "https://github.com/" in told or "https://raw.githubusercontent.com/" in told
        assert "\n" not in told


def test_what_is_missing_of_a_model_is_told_by_name(broken, tmp_path):
    (broken / "vr_model_data.json").unlink()
    for told in (engine_for(VR).available(), refusal(tmp_path, engine_for(VR))):
        assert told.startswith("vr_model_data.json: not in ")


@pytest.mark.parametrize("model", [MEL, BS, SW, MDX, MDX23C, VR])
def test_it_is_available_where_all_files_are_here(worker, model):
    assert engine_for(model).available() is None


def test_a_model_that_is_in_no_list_is_one_line(worker, tmp_path):
    assert AudioSeparator(model="my.ckpt").available() == "my.ckpt: audio-separator knows no such model"
    assert "my.ckpt" in refusal(tmp_path, AudioSeparator(model="my.ckpt"))


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("model", [MEL, BS, MDX23C, VR])
def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(broken, tmp_path, model):
    torch.save({"state_dict": Bomb(tmp_path / "boom")}, broken / model)
    if model == VR:
        known_as(broken, model)
    assert refusal(tmp_path, engine_for(model)).startswith(f"{broken / model}: refused")
    assert not (tmp_path / "boom").exists()


def known_as(directory, model):
    """Have the list of parameters know the file as it is now."""
    digest = hashlib.md5((directory / model).read_bytes()).hexdigest()
    path = directory / "vr_model_data.json"
    path.write_text(f'{{"{digest}": {path.read_text().partition(": ")[2]}')


@pytest.mark.parametrize("model", [MEL, SW, MDX, MDX23C, VR])
@pytest.mark.parametrize("kept", [0, 1000, 0.6])
def test_a_truncated_model_is_one_line_that_names_it(broken, tmp_path, model, kept):
    whole = (broken / model).read_bytes()
    (broken / model).write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    if kept == 1000 and model == MDX:
        (broken / model).write_bytes(whole[:100])  # it is small
    assert refusal(tmp_path, engine_for(model)).startswith(f"{broken / model}: is no model")


@pytest.mark.parametrize("model", [MEL, MDX, VR])
def test_a_text_file_for_a_model_is_one_line_that_names_it(broken, tmp_path, model):
    (broken / model).write_text("<html>Sign in to download</html>\n" * 50)
    assert str(broken / model) in refusal(tmp_path, engine_for(model))


def test_parameters_that_do_not_fit_are_one_line_that_names_the_model(broken, tmp_path):
    parameters = broken / "vocals_mel_band_roformer.yaml"
    parameters.write_text(parameters.read_text().replace("dim: 16", "dim: 24"))
    told = refusal(tmp_path)
    assert told.startswith(f"{broken / MEL}: ")
    parameters.write_text("{{ no yaml")
    assert refusal(tmp_path).startswith(f"{broken / MEL}: ")


def test_the_worker_is_there_for_the_next_job_after_one_that_failed(broken, tmp_path):
    pid = separated_by(tmp_path)
    (broken / BS).write_text("no model")
    refusal(tmp_path, engine_for(BS))
    assert separated_by(tmp_path) == pid


def separated_by(tmp_path):
    """The process that separates a track."""
    separated(tmp_path, noise(1000))
    (process,) = worker_processes()
    return process.pid


def worker_processes():
    """Those that run: what another test left behind ended, and isn't waited for yet, has no command line."""
    children = psutil.process_iter(["ppid", "cmdline"])
    ours = [child for child in children if child.info["ppid"] == os.getpid()]
    return [child for child in ours if calling.WORKER.work in (child.info["cmdline"] or ())]


def test_a_worker_that_is_killed_at_work_is_one_line_and_the_next_track_has_a_new_one(worker, tmp_path):
    track = write_samples(tmp_path / "track.wav", noise(1_000_000), 44100)
    killed = set()

    def kill(done):
        (process,) = worker_processes()
        killed.add(process.pid)
        process.kill()

    with pytest.raises(ModelError, match="ended in the middle of its work") as raised:
        AudioSeparator().separate(track, tmp_path, kill)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "vocals.wav").exists()
    assert len(killed) == 2  # it was tried once more
    assert separated_by(tmp_path) not in killed


@pytest.mark.parametrize(
    ("room", "log", "notes"),
    [
        (4, ["load for best"], ()),
        (1, ["load for best", "no room for 4", "no room for 2"], ()),
        (0, ["load for best", "no room for 4", "no room for 2", "no room for 1", "load for cpu"], NO_ROOM),
        (-1, ["load for best", "load for cpu"], NO_ROOM),
    ],
)
def test_where_a_gpu_has_no_room_smaller_batches_and_the_processor_are_tried(
    small_gpu, hub, tmp_path, room, log, notes
):
    """The expected stems are the package's own; the silence after them makes a second chunk."""
    own = small_gpu(room)
    once, expected = Recording.open(hub / f"{MDX23C}.wav").read(), np.load(hub / f"{MDX23C}.npz")
    separator = engine_for(MDX23C)
    stems = separated(tmp_path, np.concatenate([once, np.zeros((2, 600_000), np.float32)], axis=1), separator)
    assert separator.notes == notes
    assert [line for line in own.log.read_text().splitlines() if line.startswith(("load", "no room"))] == log
    clear = once.shape[1] // 2
    for name, stem in stems.items():
        assert stem.frames == once.shape[1] + 600_000
        assert error_db(stem.read(0, clear), expected[name][:, :clear]) < -80


def test_where_a_gpu_has_no_room_for_a_roformer_the_processor_takes_it(small_gpu, tmp_path):
    own = small_gpu(-1)
    separator = engine_for(MEL)
    separated(tmp_path, noise(50_000), separator)
    assert separator.notes == NO_ROOM
    log = [line for line in own.log.read_text().splitlines() if line.startswith("load")]
    assert log == ["load for best", "load for cpu"]


@pytest.mark.parametrize("model", [MEL, BS, MDX23C, VR])
def test_float16_is_used_where_it_comes_near_to_float32(small_gpu, tmp_path, monkeypatch, model):
    """The first chunk, in which it is tried, is in float32."""
    exact, lowered = engine_for(model), engine_for(model)
    expected = {name: stem.read() for name, stem in separated(tmp_path, noise(700_000), exact).items()}
    assert exact.notes == ()
    monkeypatch.setenv("LOWERED", "yes")
    small_gpu(4)
    stems = {name: stem.read() for name, stem in separated(tmp_path, noise(700_000), lowered).items()}
    [note] = lowered.notes
    assert re.fullmatch(r"separated in float16, -\d\d dB from float32", note)
    for name, stem in stems.items():
        assert error_db(stem[:, :390_000], expected[name][:, :390_000]) < -110
        assert -110 < error_db(stem[:, 450_000:], expected[name][:, 450_000:]) < -45


def test_the_next_track_has_the_gpu_tried_again_with_the_whole_batch(small_gpu, tmp_path):
    own = small_gpu(0)
    for _ in range(2):
        separator = engine_for(MDX23C)
        separated(tmp_path, noise(900_000), separator)
        assert separator.notes == NO_ROOM
    told = [line for line in own.log.read_text().splitlines() if line.startswith(("load", "no room"))]
    assert told[: len(told) // 2] == told[len(told) // 2 :]


def test_without_its_environment_it_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path / "none"))
    for told in (AudioSeparator().available(), refusal(tmp_path)):
        assert told.startswith("audio-separator has no environment: ")
        assert told.endswith("run `resonate workers install audio-separator`")


def test_an_environment_without_the_package_is_not_available(tmp_path, monkeypatch):
    (tmp_path / "audio-separator" / "bin").mkdir(parents=True)
    (tmp_path / "audio-separator" / "bin" / "python").touch()
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path))
    AUDIO_SEPARATOR.made.write_text(AUDIO_SEPARATOR.fingerprint())
    assert "audio-separator is not in" in AudioSeparator().available()


def test_a_model_is_not_called_by_the_name_of_another_engine(worker, tmp_path):
    told = refusal(tmp_path, AudioSeparator("roformer", MDX))
    assert told == f"{MDX}: is a model for the engine uvr"
    assert refusal(tmp_path, AudioSeparator("uvr", MEL)).endswith("for the engine roformer")


def test_more_stems_than_a_model_has_are_refused(worker, tmp_path):
    with pytest.raises(ModelError, match="uvr: none of its models gives 4 stems"):
        AudioSeparator("uvr", stems=4)
    assert "the model gives vocals, other, not bass, drums" in refusal(tmp_path, engine_for(MEL, 4))


def test_a_track_that_cannot_be_read_is_not_the_models_fault(worker, tmp_path):
    (tmp_path / "track.wav").write_text("no audio")
    with pytest.raises(AudioError, match=r"track\.wav: cannot be read") as raised:
        AudioSeparator().separate(Recording(tmp_path / "track.wav", 44100, 2, 1000), tmp_path, silent)
    assert not isinstance(raised.value, ModelError)


def test_the_recipe_names_all_that_changes_the_result(tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    recipe = AudioSeparator(stems=6).recipe()
    assert (recipe.engine.name, recipe.engine.model) == ("roformer", SW)
    assert recipe.settings["stems"] == ["vocals", "drums", "bass", "other", "piano", "guitar"]
    assert recipe.settings["weights_sha256"] == {}
    (tmp_path / "audio-separator").mkdir()
    (tmp_path / "audio-separator" / SW).write_bytes(b"weights")
    assert AudioSeparator(stems=6).recipe().settings["weights_sha256"] == {
        SW: hashlib.sha256(b"weights").hexdigest()
    }
    # What the worker imports is code as well: chunks and fades, and the package's version, are constants of it.
    code = ["resonate_resources.separation.audio_separator", calling.WORK]
    assert recipe.constants == ingredients_of(*code).constants
    requirements = AUDIO_SEPARATOR.without_dependencies.read_text()
    assert f"audio-separator=={VERSION}" in requirements
    assert AudioSeparator("uvr").recipe().engine.model == MDX
