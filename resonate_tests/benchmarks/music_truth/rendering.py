"""A song played by FluidSynth, stem by stem, in its room and through what its sound says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt
import soundfile as sf
from scipy import signal

from resonate_resources.instruments.dawdreamer_thread import on_dawdreamer_thread
from resonate_resources.recordings.midi import DRUM_CHANNEL, Note
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_studio.demo_song.curves import vocal_curves
from resonate_studio.system_packages import request
from resonate_tests.benchmarks.mask_fitting.playing import Harmony, ScoreNote
from resonate_tests.benchmarks.mask_fitting.voices import sung
from resonate_tests.benchmarks.music_truth.song import STEMS, Part, Song, Sound
from resonate_tests.benchmarks.music_truth.styles import KICK
from resonate_tests.programs import required

RATE = 44_100
_TICKS = 1000  # of half a second: 0.5 ms each
_APART_S = 6.0  # between stems in the one pass over the soundfont: longer than any release
_WET = {"drums": 1.0, "bass": 0.35, "other": 1.0, "vocals": 1.0}

Audio = npt.NDArray[np.float32]


def soundfont(name: str) -> Path:
    """Raises FileNotFoundError with the Debian package to install."""
    if name == "TimGM6mb":
        spec = find_spec("pretty_midi")
        if spec is None or spec.origin is None:
            raise FileNotFoundError("TimGM6mb.sf2 comes with the Python package pretty_midi")
        return Path(spec.origin).parent / "TimGM6mb.sf2"
    path, package = {
        "FluidR3_GM": ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "fluid-soundfont-gm"),
        "MuseScore_General": (
            "/usr/share/sounds/sf3/MuseScore_General_Lite.sf3",
            "musescore-general-soundfont-small",
        ),
    }[name]
    if not Path(path).exists():
        raise FileNotFoundError(request([package]))
    return Path(path)


def render(song: Song, into: Path) -> None:
    """Write mix.wav, a WAV per stem that plays and truth.json into that existing directory: 44.1 kHz, 32-bit float.

    The mixture is the sum of the stems, added in their order in 32-bit float.
    """
    sound = song.sound
    stems = pumped(song, play(song, into))
    stems = {stem: audio * gain_to(sound.balance_db[stem], audio) for stem, audio in stems.items()}
    stems = placed(song, stems)
    peak = np.abs(sum(stems.values(), np.zeros(1, np.float32))).max()
    level = 10 ** (sound.peak_dbfs / 20) / peak
    mix: Samples | None = None
    for stem, audio in stems.items():
        samples = (audio * level).astype(np.float32)
        write_samples(into / f"{stem}.wav", samples, RATE)
        mix = samples if mix is None else mix + samples
    assert mix is not None
    write_samples(into / "mix.wav", mix, RATE)
    truth = song.truth() | {"bandwidth_hz": find_bandwidth(mix, sound)}
    (into / "truth.json").write_text(json.dumps(truth) + "\n", encoding="utf-8")


def play(song: Song, scratch: Path) -> dict[str, Audio]:
    """Stems that have notes, dry, (2, frames) each. One after another in one file: a soundfont opens slowly."""
    played = {part.stem: sing(song, part) for part in song.parts.values() if part.program is None}
    stems = {
        stem: parts
        for stem in STEMS
        if (parts := [p for p in song.parts.values() if p.stem == stem and p.program is not None])
    }
    stride = song.duration_s + _APART_S
    midi, wav = scratch / "played.mid", scratch / "played.wav"
    _score(list(stems.values()), stride).save(midi)
    # Reverb and chorus off: rooms are ours, with a decay that is known.
    command: list[str | Path] = [
        required("fluidsynth"),
        "-niq",
        "-R",
        "0",
        "-C",
        "0",
        "-F",
        wav,
        "-O",
        "float",
        "-T",
        "wav",
    ]
    command += [
        "-r",
        str(RATE),
        "-g",
        "0.3",
        "-o",
        "synth.polyphony=512",
        "-o",
        "synth.dynamic-sample-loading=1",
    ]
    subprocess.run([*command, soundfont(song.sound.soundfont), midi], check=True, capture_output=True)
    frames = round(song.duration_s * RATE)
    for number, stem in enumerate(stems):
        start = round(number * stride * RATE)
        audio = sf.read(wav, start=start, frames=frames, dtype="float32", always_2d=True, fill_value=0.0)[0].T
        played[stem] = np.ascontiguousarray(audio)
    midi.unlink()
    wav.unlink()
    return {stem: played[stem] for stem in STEMS if stem in played}


def pumped(song: Song, stems: Mapping[str, Audio]) -> dict[str, Audio]:
    """Bass and other ducked at the song's kicks, if its sound says so."""
    sound = song.sound
    if sound.pump_db is None or sound.pump_recovery_s is None:
        return dict(stems)
    kicks = [note.onset_s for note in song.notes("drums") if note.pitch == KICK]
    frames = next(iter(stems.values())).shape[1]
    gain = pumping(kicks, sound.pump_db, sound.pump_recovery_s, frames)
    return {stem: audio * gain if stem in ("bass", "other") else audio for stem, audio in stems.items()}


def placed(song: Song, stems: Mapping[str, Audio]) -> dict[str, Audio]:
    """In the song's room and band, if it has them."""
    sound = song.sound
    heard = dict(stems)
    if sound.rt60_s is not None:
        room = decaying_noise(sound.rt60_s, np.random.default_rng([song.seed, 6]))
        heard = {
            stem: audio + 10 ** (sound.wet_db / 20) * _WET[stem] * _convolved(audio, room)
            for stem, audio in heard.items()
        }
    if sound.lowpass_hz is not None:
        heard = {stem: lowpassed(audio, sound.lowpass_hz) for stem, audio in heard.items()}
    return heard


_CONSONANTS = ("", "s", "t", "m", "l", "sh", "n", "k")
_VOWELS = "aeiou"


def sing(song: Song, part: Part) -> Audio:
    """A part sung by the demo's voice or by formants that vary with the seed, (2, frames)."""
    rng = np.random.default_rng([song.seed, 8])
    frames = round(song.duration_s * RATE)
    if song.sound.voice == "faust":
        syllables = [f"{rng.choice(_CONSONANTS)}{rng.choice(list(_VOWELS))}" for _ in part.notes]
        return on_dawdreamer_thread(lambda: _sung_by_faust(part.notes, syllables, song.duration_s))[
            :, :frames
        ]
    seconds = Harmony(0, (), (), 60.0, 0)  # a beat of it is a second
    # It holds notes for 0.95 of their duration.
    notes = [ScoreNote(n.onset_s, n.duration_s / 0.95, n.pitch, n.velocity) for n in part.notes]
    voice = sung(notes, seconds, rng, frames).astype(np.float32)
    return np.stack([voice, voice])


def _sung_by_faust(notes: Sequence[Note], syllables: Sequence[str], duration_s: float) -> Audio:
    import dawdreamer

    engine = dawdreamer.RenderEngine(RATE, 512)
    curves = engine.make_playback_processor("curves", vocal_curves(notes, syllables, duration_s, RATE))
    voice = engine.make_faust_processor("voice")
    voice.set_dsp_string((files("resonate_studio.demo_song") / "instruments" / "vocals.dsp").read_text())
    voice.compile()
    engine.load_graph([(curves, []), (voice, ["curves"])])
    engine.render(duration_s + 0.1)  # at least as long as the other stems
    return np.asarray(engine.get_audio(), np.float32)


def _score(stems: Sequence[Sequence[Part]], stride: float) -> mido.MidiFile:
    events: list[tuple[float, int, mido.Message]] = []
    for number, parts in enumerate(stems):
        at = number * stride
        for index, part in enumerate(parts):
            channel = DRUM_CHANNEL if part.stem == "drums" else index
            events.append((at, 0, mido.Message("program_change", channel=channel, program=part.program)))
            pan = round(64 + 63 * part.pan)
            events.append((at, 0, mido.Message("control_change", channel=channel, control=10, value=pan)))
            for note in part.notes:
                key = {"channel": channel, "note": note.pitch}
                events.append((at + note.onset_s, 2, mido.Message("note_on", velocity=note.velocity, **key)))
                events.append((at + note.offset_s, 1, mido.Message("note_off", **key)))
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    now = 0
    for second, _, message in sorted(events, key=lambda event: event[:2]):
        tick = max(now, round(second * 2 * _TICKS))
        track.append(message.copy(time=tick - now))
        now = tick
    # FluidSynth ends with the last event; the last stem has to ring out.
    track.append(mido.MetaMessage("end_of_track", time=max(0, round(len(stems) * stride * 2 * _TICKS) - now)))
    song = mido.MidiFile(ticks_per_beat=_TICKS)
    song.tracks.append(track)
    return song


def gain_to(level_db: float, audio: Audio) -> float:
    """To that level over −20 dBFS, of the half-seconds in which it plays."""
    block = RATE // 2
    whole = audio[:, : audio.shape[1] // block * block].reshape(2, -1, block)
    power = np.square(whole).mean(axis=(0, 2))
    playing = power[power > 1e-3 * power.max()]
    return float(10 ** ((level_db - 20) / 20) / np.sqrt(playing.mean()))


def pumping(
    kicks: Sequence[float], depth_db: float, recovery_s: float, frames: int
) -> npt.NDArray[np.float64]:
    """Gain of a ducked stem, (frames,): depth_db down 3 ms after a kick, then back to 0 linearly in dB."""
    attack = round(0.003 * RATE)
    shape = np.concatenate(
        (
            np.linspace(0, -depth_db, attack, endpoint=False),
            np.linspace(-depth_db, 0, round(recovery_s * RATE)),
        )
    )
    gain_db = np.zeros(frames)
    for kick in kicks:
        start = round(kick * RATE)
        piece = shape[: max(0, frames - start)]
        # A kick before the stem has come back starts from where the stem is.
        gain_db[start : start + len(piece)] = np.minimum(
            piece, np.where(np.arange(len(piece)) < attack, gain_db[start : start + len(piece)], 0)
        )
    return (10 ** (gain_db / 20)).astype(np.float32)


def decaying_noise(rt60_s: Mapping[int, float], rng: np.random.Generator) -> Audio:
    """A diffuse room's response, (2, frames), of energy 1 a channel: noise that falls 60 dB in its octave's time.

    Octave filters come before the decay, so that they don't lengthen it.
    """
    frames = round(1.2 * max(rt60_s.values()) * RATE)
    seconds = np.arange(frames) / RATE
    response = np.zeros((2, frames))
    for octave, rt60 in rt60_s.items():
        edges = [octave / 2**0.5, min(octave * 2**0.5, 0.49 * RATE)]
        band = signal.butter(4, edges, "band", fs=RATE, output="sos")
        settled = signal.sosfilt(band, rng.standard_normal((2, RATE // 2 + frames)))[:, RATE // 2 :]
        response += settled * 10 ** (-3 * seconds / rt60)
    energy = np.square(response).sum(axis=1, keepdims=True)
    return (response / np.sqrt(energy)).astype(np.float32)


def _convolved(audio: Audio, response: Audio) -> Audio:
    return np.asarray(signal.oaconvolve(audio, response, axes=1)[:, : audio.shape[1]], np.float32)


def lowpassed(audio: Audio, cut_hz: float) -> Audio:
    """Steep: −6 dB at the cut, −90 dB from 150 Hz above it."""
    taps, beta = signal.kaiserord(90, 300 / (RATE / 2))
    kernel = signal.firwin(taps | 1, cut_hz, window=("kaiser", beta), fs=RATE).astype(np.float32)
    return np.asarray(signal.oaconvolve(audio, kernel[np.newaxis], mode="same", axes=1))


def find_bandwidth(mix: Samples, sound: Sound) -> float | None:
    """The cut, if the mixture reaches up to it, else None: then nobody can tell."""
    if sound.lowpass_hz is None:
        return None
    frequencies, power = signal.welch(mix, RATE, nperseg=8192, axis=1)
    mean = power.mean(axis=0)
    below = mean[(frequencies > sound.lowpass_hz - 1500) & (frequencies < sound.lowpass_hz - 200)]
    return sound.lowpass_hz if below.min() > 1e-8 * mean.max() else None
