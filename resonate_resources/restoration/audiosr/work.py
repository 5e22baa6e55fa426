"""What AudioSR's worker does with a job: what a recording has above a cut-off, made up, file to file."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.models.chunks import chunk_bounds, cut, joined, write_stems
from resonate_resources.models.model_rate import stems_at_rate
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Progress, Recording, Samples
from resonate_resources.restoration.audiosr.loading import load_network
from resonate_resources.signal.resampling import at_rate

VERSION = "0.0.7"
"""Of the package."""
RATE = 48_000
CHUNK_FRAMES = 245_760
"""5.12 s, 512 frames of the network's spectrogram: what its authors recommend; it was trained on twice as much."""
FADE_FRAMES = 24_000
GUIDANCE = 3.5
"""As its command line has it."""
SEED = 42
_HOP = 480
_BANDS = 256
_LOWEST_HZ, _HIGHEST_HZ = 20.0, 24_000.0
_PEAK = 0.5
"""As the package's `normalize_wav` has what it trained on."""
_SILENCE = 1e-4
_EDGE_HZ = 200.0
_LEAST_GAIN, _MOST_GAIN = 0.8, 1.2
"""How far what is made up is moved to the recording's level, by what both have in the octave under the cut-off; the
bounds are those of the package's `postprocessing`."""


class ExtensionWork:
    """Jobs as `step.AudioSR.mend` makes them. The network stays loaded."""

    def __init__(self) -> None:
        self._network: Any = None
        self._loaded: object = None

    def __call__(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        weights = Path(job["weights"])
        state = (weights, weights.stat().st_mtime_ns, weights.stat().st_size)
        warm = self._loaded == state
        done = [0.0]
        if not warm:
            self._network, self._loaded = None, None
            gc.collect()  # never two at once
            self._network = load_network(weights, lambda: progress(done[0]))
            self._loaded = state
        track = Recording.open(Path(job["track"]))

        def told(part: float) -> None:
            done[0] = part
            progress(part)

        extend_track(self._network, track, float(job["cut_hz"]), int(job["steps"]), Path(job["into"]), told)
        return {"was_warm": warm}


def extend_track(
    network: Any, track: Recording, cut_hz: float, steps: int, into: Path, progress: Progress
) -> None:
    """Write `above.wav` into `into`: what the network makes up above cut_hz, in the track's rate and length."""
    frames = -(-track.frames * RATE // track.sample_rate)
    bounds = list(chunk_bounds(frames, CHUNK_FRAMES, FADE_FRAMES))

    def chunks() -> Iterator[dict[str, Samples]]:
        blocks = at_rate(track.blocks(), track.sample_rate, RATE, track.channels, frames)
        for samples in cut(blocks, bounds):
            length = samples.shape[1]
            padded = np.pad(samples, ((0, 0), (0, CHUNK_FRAMES - length)))
            yield {"above": above(network, padded, cut_hz, steps)[:, :length]}

    names = ("above",)
    joint = joined(chunks(), bounds, FADE_FRAMES)
    at_its_rate = stems_at_rate(joint, names, RATE, track.sample_rate, track.channels, track.frames)
    write_stems(track, at_its_rate, names, into, progress)


def above(network: Any, samples: Samples, cut_hz: float, steps: int) -> Samples:
    """(channels, CHUNK_FRAMES) at 48 kHz → the same shape, nothing of it under cut_hz.

    The network hears nothing above cut_hz, however faint. Channels are made up one by one from the same noise, and
    share gains: what is in the middle stays there. Raises ModelError where it gives no numbers.
    """
    peak = float(np.abs(samples).max())
    if peak < _SILENCE:
        return np.zeros_like(samples)
    below = _split(samples, cut_hz)[0] * np.float32(_PEAK / peak)
    made = np.stack([_made_up(network, channel, cut_hz, steps) for channel in below])
    if not np.isfinite(made).all():
        raise ModelError("AudioSR gives no numbers: is its file whole?")
    octave = [_split(of, cut_hz)[0] - _split(of, cut_hz / 2)[0] for of in (below, made)]
    energies = [float(np.square(of, dtype=np.float64).sum()) for of in octave]
    ratio = np.sqrt(energies[0] / energies[1]) if energies[1] > 0 else 1.0
    gain = np.clip(ratio, _LEAST_GAIN, _MOST_GAIN) * peak / _PEAK
    return _split(made, cut_hz)[1] * np.float32(gain)


def _made_up(network: Any, below: Samples, cut_hz: float, steps: int) -> Samples:
    """(CHUNK_FRAMES,) → the same, by the steps of the package's `generate_batch`, but for its filter, which takes
    the cut-off from where most of the energy ends: in music far too low."""
    import librosa
    import torch
    from audiosr.utils import wav_feature_extraction

    torch.manual_seed(SEED)
    wave = torch.from_numpy(below)[None]
    mel, stft = wav_feature_extraction(wave, CHUNK_FRAMES // _HOP)
    batch = {"waveform": wave[None], "stft": stft[None], "log_mel_spec": mel[None], "lowpass_mel": mel[None]}
    with torch.inference_mode():
        latent, condition = network.get_input(batch, network.first_stage_key, unconditional_prob_cfg=0.0)
        network.latent_t_size = latent.size(-2)
        none = {
            key: network.cond_stage_models[about["model_idx"]].get_unconditional_condition(1)
            for key, about in network.cond_stage_model_metadata.items()
        }
        sampled, _ = network.sample_log(
            cond=network.filter_useful_cond_dict(condition),
            batch_size=1,
            ddim=True,
            ddim_steps=steps,
            eta=1.0,
            unconditional_guidance_scale=GUIDANCE,
            unconditional_conditioning=none,
        )
        spectrum = network.decode_first_stage(sampled)
        centres = librosa.mel_frequencies(_BANDS + 2, fmin=_LOWEST_HZ, fmax=_HIGHEST_HZ)[1:-1]
        heard = int(np.searchsorted(centres, cut_hz))
        spectrum[..., :heard] = mel[:, :heard].to(spectrum.device)
        made: Samples = network.mel_spectrogram_to_waveform(spectrum, save=False).reshape(-1)
    return made[:CHUNK_FRAMES].astype(np.float32)


def _split(samples: Samples, cut_hz: float) -> tuple[Samples, Samples]:
    """(…, frames) at 48 kHz → what is below a frequency, what is above; over 200 Hz one passes into the other."""
    frequencies = np.fft.rfftfreq(samples.shape[-1], 1 / RATE)
    share = np.clip((frequencies - cut_hz) / _EDGE_HZ + 0.5, 0, 1)
    high = np.fft.irfft(np.fft.rfft(samples) * np.sin(np.pi / 2 * share) ** 2, samples.shape[-1]).astype(
        np.float32
    )
    return samples - high, high
