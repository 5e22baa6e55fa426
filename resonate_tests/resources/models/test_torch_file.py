from __future__ import annotations

import contextlib
import io
import os
import pickle
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.models.torch_file import read_torch_file
from resonate_resources.models.weights import ModelError

torch = pytest.importorskip("torch")
FORMATS = pytest.mark.parametrize("archive", [True, False], ids=["archive", "legacy"])


def saved(path: Path, value: Any, *, archive: bool) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=archive)
    return path


@FORMATS
@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
)
def test_tensors_of_every_kind_come_back_as_arrays_of_the_same_numbers(
    tmp_path: Path, archive: bool, dtype: str
) -> None:
    values = (np.arange(24).reshape(2, 3, 4) % 5).astype(dtype)
    path = saved(tmp_path / "a.pt", {"weight": torch.from_numpy(values)}, archive=archive)

    read = read_torch_file(path)

    assert read["weight"].dtype == values.dtype
    np.testing.assert_array_equal(read["weight"], values)


@FORMATS
def test_the_weights_of_a_module_come_back_with_what_was_saved_beside_them(
    tmp_path: Path, archive: bool
) -> None:
    network = torch.nn.LSTM(5, 7, bidirectional=True)
    path = saved(
        tmp_path / "a.pt", {"net": network.state_dict(), "step": 12, "loss": [0.5, None]}, archive=archive
    )

    read = read_torch_file(path)

    assert (read["step"], read["loss"]) == (12, [0.5, None])
    assert read["net"].keys() == network.state_dict().keys()
    for name, tensor in network.state_dict().items():
        np.testing.assert_array_equal(read["net"][name], tensor.numpy())


@FORMATS
def test_views_of_one_storage_are_read_as_they_were_seen(tmp_path: Path, archive: bool) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    views = {"turned": whole.T, "row": whole[1], "every other": whole[:, ::2], "one": whole[2, 3]}

    read = read_torch_file(saved(tmp_path / "a.pt", views, archive=archive))

    for name, tensor in views.items():
        np.testing.assert_array_equal(read[name], tensor.numpy())


class RunsACommand:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch was_run",)


@FORMATS
def test_a_file_that_would_run_a_command_is_refused_and_runs_nothing(
    tmp_path: Path, archive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path / "a.pt", {"net": RunsACommand()}, archive=archive)

    with pytest.raises(ModelError, match=r"a\.pt: holds .*system, which is no tensor"):
        read_torch_file(path)

    assert not (tmp_path / "was_run").exists()


@FORMATS
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, archive: bool, part: float) -> None:
    path = saved(tmp_path / "a.pt", {"net": torch.ones(1000)}, archive=archive)
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])

    with pytest.raises(ModelError, match=r"a\.pt: "):
        read_torch_file(path)


class Tensor:
    """Pickles as a tensor of torch's that sees more of its storage than there is."""

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        storage = torch.ones(4).untyped_storage()
        return torch._utils._rebuild_tensor_v2, (
            torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32, _internal=True),
            2,
            (3,),
            (1,),
            False,
            {},
        )


@FORMATS
def test_a_tensor_that_reaches_beyond_its_storage_is_refused(tmp_path: Path, archive: bool) -> None:
    path = saved(tmp_path / "a.pt", {"net": Tensor()}, archive=archive)

    with pytest.raises(ModelError, match="damaged"):
        read_torch_file(path)


@cache
def sound(archive: bool) -> bytes:
    """Made once: names of storages, and so the length, differ from one time to the next."""
    buffer = io.BytesIO()
    torch.save({"net": torch.ones(8), "step": 1}, buffer, _use_new_zipfile_serialization=archive)
    return buffer.getvalue()


@FORMATS
@given(data=st.data())
def test_damaged_bytes_are_refused_or_read_and_raise_nothing_else(archive: bool, data: st.DataObject) -> None:
    damaged = bytearray(sound(archive))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "a.pt"
        path.write_bytes(damaged)
        with contextlib.suppress(ModelError):
            read_torch_file(path)


def test_an_archive_whose_directory_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", {"net": torch.ones(8)}, archive=True)
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\6\6") + 50] ^= 1  # of the directory's place (zip64, APPNOTE 4.3.14)
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        read_torch_file(path)


def test_another_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"".join(pickle.dumps(value) for value in (1, 1001, {}, {})))

    with pytest.raises(ModelError, match=r"a\.pt: is no file of torch's"):
        read_torch_file(tmp_path / "a.pt")


@FORMATS
@pytest.mark.parametrize("protocol", [2, 4])
def test_numbers_of_numpys_beside_the_weights_come_back_in_every_protocol(
    tmp_path: Path, archive: bool, protocol: int
) -> None:
    value = {"weight": torch.ones(3), "best": np.float64(90.14), "epoch": np.int32(15)}
    torch.save(value, tmp_path / "a.pt", pickle_protocol=protocol, _use_new_zipfile_serialization=archive)

    read = read_torch_file(tmp_path / "a.pt")

    assert (read["best"], read["epoch"]) == (90.14, 15)
    np.testing.assert_array_equal(read["weight"], np.ones(3))


def test_an_object_in_a_number_of_numpys_is_refused(tmp_path: Path) -> None:
    class Disguised:
        def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
            scalar = np.float64(1).__reduce__()[0]
            return scalar, (np.dtype("O"), b"x")

    with pytest.raises(ModelError, match="no number"):
        read_torch_file(saved(tmp_path / "a.pt", {"best": Disguised()}, archive=True))
