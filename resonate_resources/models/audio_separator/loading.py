"""A model by audio-separator's own loader, with what it lacks: safety, whole files, errors in one line."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resonate_resources.models.audio_separator.array_models import ArrayModel, array_model
from resonate_resources.models.audio_separator.model_files import advice, files_of, missing_files
from resonate_resources.models.audio_separator.room import Device
from resonate_resources.models.download import DownloadError, download
from resonate_resources.models.weights import ModelError

_NO_ROOM = "CUDA out of memory"

Came = Callable[[], None]


class UnavailableError(RuntimeError):
    """The loader takes a RuntimeError for a reason to ask another hub."""

    def __init__(self, address: str, reason: object) -> None:
        super().__init__(f"{address}: {reason}")
        self.address, self.reason = address, reason


def load_model(
    name: str, directory: Path, roformer: bool, device: Device = "best", came: Came = lambda: None
) -> ArrayModel:
    """The model of that file name; what of it is not in `directory` is fetched from audio-separator's hubs.

    came: called with every megabyte that does.

    Raises ModelError, also where it is a RoFormer and none was asked for, or the other way round, and
    torch.OutOfMemoryError.
    """
    import audio_separator
    import torch
    from audio_separator.separator import Separator

    class Loader(Separator):  # type: ignore[misc]
        def check_ffmpeg_installed(self) -> None:
            """It decodes and encodes what we do ourselves."""

        def setup_torch_device(self, system_info: Any) -> None:
            super().setup_torch_device(system_info)
            if device == "cpu":
                self.torch_device = self.torch_device_cpu
                self.onnx_execution_provider = ["CPUExecutionProvider"]

        def download_file_if_not_exists(self, url: str, output_path: str) -> None:
            if Path(output_path).is_file():
                return
            try:
                download(url, Path(output_path), came=came)
            except DownloadError as error:
                raise UnavailableError(url, error) from error

        def load_model_data_using_hash(self, model_path: str) -> dict[str, Any]:
            parameters: dict[str, Any] = super().load_model_data_using_hash(model_path)
            if "mdx_dim_t_set" in parameters:
                self.arch_specific_params["MDX"]["segment_size"] = 2 ** parameters["mdx_dim_t_set"]
            return parameters

    # For windows other than the model's own, which we have it use. It imports torchvision, which fails beside a
    # torch of another build.
    sys.modules.setdefault("onnx2torch", types.ModuleType("onnx2torch"))

    try:
        directory.mkdir(parents=True, exist_ok=True)
        loader = Loader(log_level=logging.WARNING, model_file_dir=str(directory), output_dir=str(directory))
        with _nothing_executed():
            loader.load_model(name)
            model = array_model(loader.model_instance)
    except (Exception, SystemExit) as error:
        told = _told(error)
        if isinstance(told, (ModelError, torch.OutOfMemoryError)):
            raise told from error
        if isinstance(told, UnavailableError):
            missing = missing_files(files_of(name, directory, Path(audio_separator.__path__[0])), directory)
            raise ModelError(advice(missing or [name], directory, told.address, told.reason)) from error
        raise ModelError(
            f"{directory / name}: is no model that audio-separator knows, or cut short, or its parameters are "
            f"({' '.join(str(told).split())[:300]}); delete it, and it is fetched again"
        ) from error
    if loader.model_instance.is_roformer_model != roformer:
        right = "uvr" if roformer else "roformer"
        raise ModelError(f"{name}: is a model for the engine {right}")
    return model


def _told(error: BaseException) -> BaseException:
    """Of an error and those that led to it, the one that says most; `sys.exit` says nothing.

    Of a GPU's full memory the package's loader of RoFormers keeps the words alone.
    """
    import torch

    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    for link in chain:
        if _NO_ROOM in str(link) and not isinstance(link, torch.OutOfMemoryError):
            return torch.OutOfMemoryError(str(link))
    for telling in ((ModelError, UnavailableError, torch.OutOfMemoryError), Exception):
        for link in chain:
            if isinstance(link, telling):
                return link
    return error


@contextmanager
def _nothing_executed() -> Iterator[None]:
    """Let torch.load take tensors and plain values only, whoever calls it however, and say what it refuses."""
    import torch

    plain: Callable[..., Any] = torch.load

    def load(path: str | os.PathLike[str], *args: Any, **settings: Any) -> Any:
        try:
            return plain(path, *args, **{**settings, "weights_only": True})
        except pickle.UnpicklingError as error:
            raise ModelError(
                f"{path}: refused, as reading it would run code of its own, or it is no model; delete it"
            ) from error
        except torch.OutOfMemoryError:  # of a GPU, to which the file is read: no fault of the file
            raise
        except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"{path}: is no model, or cut short; delete it, and it is fetched again"
            ) from error

    torch.load = load  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.load = plain
