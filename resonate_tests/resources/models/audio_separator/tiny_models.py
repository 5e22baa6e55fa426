"""Tiny models with random weights, in files as the hubs have them, and what comes of a track by them.

Run by the worker's Python: `python tiny_models.py DIRECTORY`. For every model, `<model>.wav` is a track and
`<model>.npz` its stems by the package's own classes, all at once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import audio_separator
import numpy as np
import onnx
import soundfile as sf
import torch
import yaml
from audio_separator.separator import Separator
from audio_separator.separator.uvr_lib_v5.roformer.bs_roformer import BSRoformer
from audio_separator.separator.uvr_lib_v5.roformer.mel_band_roformer import MelBandRoformer
from audio_separator.separator.uvr_lib_v5.tfc_tdf_v3 import TFC_TDF_net
from audio_separator.separator.uvr_lib_v5.vr_network.nets_new import CascadedNet
from ml_collections import ConfigDict

RATE = 44100
SIX = ["bass", "drums", "other", "vocals", "guitar", "piano"]
SMALL = {"dim": 16, "depth": 1, "stereo": True, "time_transformer_depth": 1, "freq_transformer_depth": 1}
SMALL |= {"dim_head": 8, "heads": 2, "flash_attn": True, "mlp_expansion_factor": 2}
BANDS = (64,) * 16 + (1,)
SPECTRUM = {"stft_n_fft": 2048, "stft_hop_length": 441, "stft_win_length": 2048}


def main(directory: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    sys.modules["onnx2torch"] = types.ModuleType(
        "onnx2torch"
    )  # fails beside another build of torch; not used
    lists: dict[str, dict[str, Any]] = {
        f"{kind}_download_list": {} for kind in ("demucs", "vr", "mdx", "mdx_vip", "mdx23c", "roformer")
    }
    lists |= {"mdx_download_vip_list": {}, "mdx23c_download_vip_list": {}}
    by_hash: dict[str, dict[str, Any]] = {"vr_model_data.json": {}, "mdx_model_data.json": {}}

    make_mel_band_roformer(directory, MEL, ["vocals", "other"])
    make_bs_roformer(directory)
    lists["roformer_download_list"]["BS"] = {BS: BS.replace(".ckpt", ".yaml")}
    make_mel_band_roformer(directory, DENOISE, ["dry", "other"])
    make_mel_band_roformer(directory, DEREVERB, ["noreverb", "reverb"])
    make_six_stems(directory)
    make_mdx23c(directory)
    lists["mdx23c_download_list"]["MDX23C"] = {MDX23C: "model_2_stem_full_band_8k.yaml"}
    by_hash["mdx_model_data.json"] |= make_mdx(directory)
    lists["mdx_download_list"]["Kim"] = MDX
    by_hash["vr_model_data.json"] |= make_vr(directory)
    lists["vr_download_list"]["VR"] = VR
    for name, content in {"download_checks.json": lists, **by_hash}.items():
        (directory / name).write_text(json.dumps(content))

    for name, stems in (
        (MEL, whole_roformer),
        (BS, whole_roformer),
        (SW, whole_roformer),
        (DENOISE, whole_roformer),
        (DEREVERB, whole_roformer),
        (MDX23C, whole_demix),
        (MDX, whole_mdx),
        (VR, whole_vr),
    ):
        expect(directory, name, stems)


MEL = "vocals_mel_band_roformer.ckpt"
BS = "model_bs_roformer_ep_317_sdr_12.9755.ckpt"
SW = "BS-Roformer-SW.ckpt"
MDX23C = "MDX23C-8KFFT-InstVoc_HQ.ckpt"
MDX = "Kim_Vocal_2.onnx"
VR = "4_HP-Vocal-UVR.pth"
DENOISE = "denoise_mel_band_roformer_aufr33_sdr_27.9959.ckpt"
DEREVERB = "dereverb_mel_band_roformer_anvuew_sdr_19.1729.ckpt"


def make_mel_band_roformer(directory: Path, name: str, instruments: list[str]) -> None:
    """Its target is the first of them."""
    settings = {**SMALL, **SPECTRUM, "num_stems": 1, "num_bands": 20, "mask_estimator_depth": 2}
    config = roformer_config(settings, instruments, instruments[0])
    save(directory, name, MelBandRoformer(**settings), config)


def make_bs_roformer(directory: Path) -> None:
    settings = {**SMALL, **SPECTRUM, "num_stems": 1, "freqs_per_bands": BANDS}
    config = roformer_config(settings, ["Vocals", "Instrumental"], "Vocals")
    save(directory, BS, BSRoformer(**settings), config, BS.replace(".ckpt", ".yaml"))


def make_six_stems(directory: Path) -> None:
    settings = {**SMALL, **SPECTRUM, "num_stems": 6, "freqs_per_bands": BANDS}
    save(directory, SW, BSRoformer(**settings), roformer_config(settings, SIX, None))


def roformer_config(model: dict[str, Any], instruments: list[str], target: str | None) -> dict[str, Any]:
    return {
        "audio": {"chunk_size": 352800, "dim_t": 801, "hop_length": 441, "n_fft": 2048, "sample_rate": RATE},
        "model": model,
        "training": {"instruments": instruments, "target_instrument": target},
        "inference": {"batch_size": 1, "dim_t": 801, "num_overlap": 2},
    }


def make_mdx23c(directory: Path) -> None:
    config = {
        "audio": {
            "dim_f": 512, "dim_t": 128, "hop_length": 512, "n_fft": 1024, "num_channels": 2, "sample_rate": RATE,
        },
        "model": {
            "act": "gelu", "bottleneck_factor": 4, "growth": 4, "norm": "InstanceNorm", "num_blocks_per_scale": 1,
            "num_channels": 4, "num_scales": 2, "num_subbands": 2, "scale": [2, 2],
        },
        "training": {"instruments": ["Vocals", "Instrumental"], "target_instrument": None},
        "inference": {"batch_size": 1, "dim_t": 128, "num_overlap": 2},
    }  # fmt: skip
    model = TFC_TDF_net(ConfigDict(config), device=torch.device("cpu"))
    save(directory, MDX23C, model, config, "model_2_stem_full_band_8k.yaml")


def make_mdx(directory: Path) -> dict[str, Any]:
    """A complex matrix over both channels of every bin: what comes of a sound depends on nothing around it."""
    mixing = np.random.default_rng(0).normal(0, 0.4, (2, 2, 2))
    turned = [[np.array([[re, -im], [im, re]]) for re, im in row] for row in mixing]
    weights = np.block(turned).astype(np.float32)[:, :, None, None]
    shape = [1, 4, 1024, 256]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Conv", ["input", "weights"], ["output"])],
        "mdx",
        [onnx.helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, shape)],
        [onnx.helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, shape)],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, directory / MDX)
    settings = {"compensate": 1.035, "mdx_dim_f_set": 1024, "mdx_dim_t_set": 8, "mdx_n_fft_scale_set": 2048}
    return {md5(directory / MDX): {**settings, "primary_stem": "Vocals"}}


def make_vr(directory: Path) -> dict[str, Any]:
    bins = json.loads((PARAMETERS / "2band_44100_lofi.json").read_text())["bins"]
    torch.save(CascadedNet(bins * 2, nout=4, nout_lstm=8).state_dict(), directory / VR)
    settings = {
        "vr_model_param": "2band_44100_lofi",
        "primary_stem": "Instrumental",
        "nout": 4,
        "nout_lstm": 8,
    }
    return {md5(directory / VR): settings}


PACKAGE = Path(audio_separator.__path__[0])
PARAMETERS = PACKAGE / "separator/uvr_lib_v5/vr_network/modelparams"


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def save(
    directory: Path, name: str, model: torch.nn.Module, config: dict[str, Any], parameters: str | None = None
) -> None:
    own = json.loads((PACKAGE / "models.json").read_text())["roformer_download_list"].values()
    parameters = parameters or next(files[name] for files in own if name in files)
    torch.save(model.state_dict(), directory / name)
    (directory / parameters).write_text(yaml.dump(config))


def expect(directory: Path, name: str, stems: Callable[[Any, np.ndarray], dict[str, np.ndarray]]) -> None:
    loader = Offline(log_level=logging.ERROR, model_file_dir=str(directory), output_dir=str(directory))
    loader.load_model(name)
    # Whole strides of every model; more than a chunk where what comes of one does not depend on what it is in.
    frames = {MDX: 1024 * 1000, VR: 640 * 200}.get(name, 441 * 512 // 2)
    track = music(frames)
    sf.write(directory / f"{name}.wav", track.T, RATE, subtype="FLOAT")
    np.savez(directory / f"{name}.npz", **stems(loader.model_instance, track))


class Offline(Separator):
    def check_ffmpeg_installed(self) -> None:
        """Nothing is decoded here."""


def music(frames: int) -> np.ndarray:
    """Noise, and a tone that is struck twice a second; under the peak from which the package turns down.

    From 300 Hz to 20 kHz: MDX-Net leaves out the lowest and the highest bins, which is felt around them,
    and differently by where a frame begins.
    """
    time = np.arange(frames) / RATE
    struck = 0.3 * np.sin(2 * np.pi * 880 * time) * np.exp(-8 * (time % 0.5))
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(0, 0.05, (2, frames)) + struck)
    frequencies = np.fft.rfftfreq(frames, 1 / RATE)
    samples = np.fft.irfft(spectrum * ((frequencies > 300) & (frequencies < 20_000)), frames)
    return (samples * 0.8 / np.abs(samples).max()).astype(np.float32)


def whole_roformer(separator: Any, mix: np.ndarray) -> dict[str, np.ndarray]:
    """By the network itself."""
    with torch.inference_mode():
        output = separator.model_run(torch.from_numpy(mix)[None])[0].numpy()
    if output.ndim == 2:
        return {separator.primary_stem_name.lower(): output, "other": mix - output}
    return dict(zip(SIX, output, strict=True))


def whole_demix(separator: Any, mix: np.ndarray) -> dict[str, np.ndarray]:
    parts = separator.demix(mix)
    return {"vocals": parts["Vocals"], "other": parts["Instrumental"]}


def whole_mdx(separator: Any, mix: np.ndarray) -> dict[str, np.ndarray]:
    """`MDXSeparator.separate` subtracts the stem times `compensate`."""
    vocals = separator.demix(mix) * separator.compensate
    return {"vocals": vocals, "other": mix - vocals}


def whole_vr(separator: Any, mix: np.ndarray) -> dict[str, np.ndarray]:
    """As `VRSeparator.separate` does, from an array."""
    separator._ensure_model_loaded(0)
    separator.audio_file_path, separator.wav_subtype = mix.T, "FLOAT"
    _, vocals = separator.inference_vr(
        separator.loading_mix(), separator.torch_device, separator.aggressiveness
    )
    wave = separator.spec_to_wav(vocals)[:, : mix.shape[1]]
    return {"vocals": wave, "other": mix - wave}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
