"""The demo song as somebody's phone would have recorded it from across a small room.

Linear and the same for mix and stems: narrowed to the two close microphones of a phone, the room, the band of a
small microphone, distance. On the mix alone: noise, then a low-bitrate AAC file. So the recorded stems
are the truth for anything made from the recorded mix.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from resonate_resources.recordings.recording import Recording, Samples, Stems, write_samples
from resonate_studio.demo_song.rendering import DemoSong, sum_of

SIDE_GAIN_DB: Final = -6.0
BAND_HZ: Final = (100.0, 8000.0)
_BAND_ORDER: Final = 4
RT60_S: Final = 0.4
DIRECT_TO_REVERBERANT_DB: Final = 6.0
_FIRST_ECHO_S: Final = 0.004  # a wall 70 cm further away than the source
_SHARED_ECHO: Final = (
    0.95  # part of the room's energy that both microphones, a hand's breadth apart, hear alike
)
LEVEL_DB: Final = -9.0
SNR_DB: Final = 35.0
BIT_RATE: Final = 96_000
_AAC_DELAY_FRAMES: Final = (
    1024  # the window before the first that FFmpeg's encoder begins with; ADTS does not say it
)
_SEED: Final = 20


@dataclass(frozen=True)
class PhoneRecording:
    """mix: the recording. stems: what each stem contributed to it, without noise and codec. Frames align."""

    mix: Recording
    stems: Stems


def record_on_phone(song: DemoSong, into: Path) -> PhoneRecording:
    """Write mix.wav and the stems into that existing directory, at the song's rate and length."""
    rate = song.mix.sample_rate
    stems = {name: _through_room(stem.read(), rate) for name, stem in song.stems.items()}
    clean = sum_of(stems)
    return PhoneRecording(
        write_samples(into / "mix.wav", _through_codec(clean + _noise(clean, rate), rate), rate),
        {name: write_samples(into / f"{name}.wav", audio, rate) for name, audio in stems.items()},
    )


def _through_room(audio: Samples, sample_rate: int) -> Samples:
    """The linear part of the chain; (2, frames) to (2, frames)."""
    from scipy.signal import butter, fftconvolve, sosfilt

    mid, side = (audio[0] + audio[1]) / 2, (audio[0] - audio[1]) / 2 * 10 ** (SIDE_GAIN_DB / 20)
    narrow = np.stack([mid + side, mid - side])
    heard = fftconvolve(narrow, _room_response(sample_rate), axes=1)[:, : audio.shape[1]]
    upper = min(BAND_HZ[1], 0.45 * sample_rate)
    band = butter(_BAND_ORDER, (BAND_HZ[0], upper), "bandpass", fs=sample_rate, output="sos")
    return np.asarray(sosfilt(band, heard) * 10 ** (LEVEL_DB / 20), np.float32)


def _room_response(sample_rate: int) -> Samples:
    """(2, frames): the direct sound, then noise that falls by 60 dB in RT60_S."""
    rng = np.random.default_rng(_SEED)
    seconds = np.arange(round(1.2 * RT60_S * sample_rate)) / sample_rate
    shared, *own = rng.standard_normal((3, seconds.size))
    echoes = np.sqrt(_SHARED_ECHO) * shared + np.sqrt(1 - _SHARED_ECHO) * np.array(own)
    echoes *= 10 ** (-3 * seconds / RT60_S) * (seconds >= _FIRST_ECHO_S)
    echoes *= 10 ** (-DIRECT_TO_REVERBERANT_DB / 20) / np.sqrt(np.sum(echoes**2, axis=1, keepdims=True))
    echoes[:, 0] = 1.0
    return np.asarray(echoes, np.float32)


def _noise(signal: Samples, sample_rate: int) -> Samples:
    """Air and amplifier: noise falling 3 dB an octave above 50 Hz, SNR_DB below the signal's mean power."""
    from scipy.fft import irfft, next_fast_len, rfft

    frames = next_fast_len(signal.shape[1], real=True)
    spectrum = rfft(np.random.default_rng(_SEED + 1).standard_normal((signal.shape[0], frames)))
    frequencies = np.fft.rfftfreq(frames, 1 / sample_rate)
    noise = irfft(spectrum / np.sqrt(np.maximum(frequencies, 50.0)), frames)[:, : signal.shape[1]]
    wanted = np.mean(signal.astype(np.float64) ** 2) * 10 ** (-SNR_DB / 10)
    return np.asarray(noise * np.sqrt(wanted / np.mean(noise**2)), np.float32)


def _through_codec(audio: Samples, sample_rate: int) -> Samples:
    """Encoded to AAC and decoded, aligned with what went in."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="adts") as encoded:
        stream = encoded.add_stream("aac", rate=sample_rate, layout="stereo")
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio), format="fltp", layout="stereo")
        frame.sample_rate = sample_rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            encoded.mux(packet)
    file.seek(0)
    with av.open(file, "r") as recorded:
        frames = [frame.to_ndarray() for frame in recorded.decode(audio=0)]
    decoded = np.concatenate(frames, axis=1)[:, _AAC_DELAY_FRAMES:]
    return np.ascontiguousarray(decoded[:, : audio.shape[1]], np.float32)
