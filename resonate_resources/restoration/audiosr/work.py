"""What AudioSR's worker does with a job: what a recording has above a cut-off, made up, file to file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.models.chunks import cut
from resonate_resources.models.latest import Latest, state_of
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Progress, Recording, Samples, write_recording
from resonate_resources.restoration.audiosr.loading import at_each_step, load_network
from resonate_resources.restoration.band_splice import chunks, cross_faded, low_passed
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
_LEAST_GAIN, _MOST_GAIN = 0.8, 1.2
"""How far what is made up is moved to the recording's level, by what both have in the octave under the cut-off; the
bounds are those of the package's `postprocessing`."""


class ExtensionWork:
    """Jobs as `step.AudioSR.mend` makes them. The network stays loaded."""

    def __init__(self) -> None:
        self._networks = Latest[Any]()

    def __call__(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        weights = Path(job["weights"])
        warm = self._networks.holds(state_of(weights))
        network = self._networks.get(lambda: state_of(weights), lambda: load_network(weights))
        track, done = Recording.open(Path(job["track"])), 0.0

        def told(part: float) -> None:
            nonlocal done
            done = part
            progress(part)

        at_each_step(lambda: progress(done))
        extend_track(network, track, float(job["cut_hz"]), int(job["steps"]), Path(job["into"]), told)
        return {"was_warm": warm}


def extend_track(
    network: Any, track: Recording, cut_hz: float, steps: int, into: Path, progress: Progress
) -> None:
    """Write `made.wav` into `into`: what the network makes of the track below cut_hz, in its rate and length."""
    frames = -(-track.frames * RATE // track.sample_rate)
    at_48k = at_rate(track.blocks(), track.sample_rate, RATE, track.channels, frames)
    heard = cut(low_passed(at_48k, cut_hz, RATE), chunks(frames, CHUNK_FRAMES, FADE_FRAMES))
    made = cross_faded((_made_of(network, samples, cut_hz, steps) for samples in heard), FADE_FRAMES)
    written = 0
    with write_recording(into / "made.wav", track.sample_rate, track.channels, track.frames) as writer:
        for block in at_rate(made, RATE, track.sample_rate, track.channels, track.frames):
            writer.write(block)
            written += block.shape[1]
            progress(written / track.frames)


def _made_of(network: Any, samples: Samples, cut_hz: float, steps: int) -> Samples:
    """(channels, up to CHUNK_FRAMES) at 48 kHz, nothing of it above cut_hz → the same shape.

    Channels are made one by one from the same noise, and share gains: what is in the middle stays there. Raises
    ModelError where the network gives no numbers.
    """
    peak, length = float(np.abs(samples).max()), samples.shape[1]
    if peak < _SILENCE:
        return np.zeros_like(samples)
    below = np.pad(samples, ((0, 0), (0, CHUNK_FRAMES - length))) * np.float32(_PEAK / peak)
    made = np.stack([_made_up(network, channel, cut_hz, steps) for channel in below])
    if not np.isfinite(made).all():
        raise ModelError("AudioSR gives no numbers: is its file whole?")
    heard, given = (_octave_under(cut_hz, of) for of in (below, made))
    gain = np.clip(np.sqrt(heard / given) if given > 0 else 1.0, _LEAST_GAIN, _MOST_GAIN) * peak / _PEAK
    return made[:, :length] * np.float32(gain)


def _octave_under(cut_hz: float, samples: Samples) -> float:
    """Energy, of what is heard of it through the low-pass whole."""
    frequencies = np.fft.rfftfreq(samples.shape[-1], 1 / RATE)
    lines = np.fft.rfft(samples)[..., (frequencies > cut_hz / 2) & (frequencies < 0.95 * cut_hz)]
    return float(np.square(np.abs(lines)).sum())


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
