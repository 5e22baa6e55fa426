import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import numpy as np
import pytest

from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import write_recording, write_samples
from resonate_resources.storage.artefacts import Artefact, Artefacts, Read
from resonate_resources.storage.computing import Finish, computed
from resonate_resources.storage.pools import in_pool
from resonate_resources.storage.store import LocalStore

NAMES = ("vocals", "drums", "bass", "other")


@pytest.fixture
def compute(tmp_path: Path) -> Callable[..., tuple[Artefact, bool]]:
    artefacts = Artefacts(LocalStore(tmp_path))

    def compute(
        work: Callable[[Path], Product], finish: Finish = lambda product, _: product, source: str = "a"
    ) -> tuple[Artefact, bool]:
        return computed(
            artefacts,
            work,
            stage="stems",
            track="band-song-0123456789ab",
            recipes=[Recipe(Engine("spectral"))],
            reads=[Read("raw_track", source, {"track.wav": source})],
            finish=finish,
        )

    return compute


def noise(path: Path, seed: int = 0) -> Path:
    samples = np.random.default_rng(seed).standard_normal((2, 200_000), np.float32)
    return write_samples(path, samples, 44100).path


def check_hashes(artefact: Artefact) -> None:
    """Those in the manifest are those of the stored files' bytes."""
    stored = {name: file.sha256 for name, file in artefact.manifest.files.items()}
    assert stored == {
        name: hashlib.sha256(artefact.path(name).read_bytes()).hexdigest() for name in artefact.manifest.files
    }


def test_recordings_and_other_files_have_the_hashes_of_their_bytes(
    compute: Callable[..., tuple[Artefact, bool]],
) -> None:
    def work(into: Path) -> Product:
        files = {f"{name}.wav": noise(into / f"{name}.wav", seed) for seed, name in enumerate(NAMES)}
        (into / "stems.json").write_bytes(os.urandom(300_000))
        return Product(files | {"stems.json": into / "stems.json"})

    def finish(product: Product, into: Path) -> Product:
        (into / "picture.png").write_bytes(b"png")
        return replace(product, reports={"picture.png": into / "picture.png"})

    made, found = compute(work, finish)
    assert not found
    assert list(made.manifest.files) == [*(f"{name}.wav" for name in NAMES), "stems.json", "picture.png"]
    check_hashes(made)


def test_what_was_computed_before_is_found_and_not_computed_again(
    compute: Callable[..., tuple[Artefact, bool]],
) -> None:
    made, _ = compute(lambda into: Product({"mix.wav": noise(into / "mix.wav")}))
    again, found = compute(lambda _: pytest.fail("computed again"))
    assert found
    assert again.manifest == made.manifest
    _, found = compute(lambda into: Product({"mix.wav": noise(into / "mix.wav")}), source="b")
    assert not found


def appended(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"LIST")


def overwritten(path: Path) -> None:
    before = path.stat()
    path.write_bytes(bytes(before.st_size))


def replaced(path: Path) -> None:
    other = path.with_name("other.wav")
    noise(other, seed=1).rename(path)


def written_again(path: Path) -> None:
    noise(path, seed=2)


@pytest.mark.parametrize("change", [appended, overwritten, replaced, written_again])
def test_a_recording_that_changed_after_it_was_closed_is_hashed_as_it_is_now(
    compute: Callable[..., tuple[Artefact, bool]], change: Callable[[Path], None]
) -> None:
    def work(into: Path) -> Product:
        path = noise(into / "mix.wav")
        change(path)
        return Product({"mix.wav": path})

    check_hashes(compute(work)[0])


def test_recordings_of_other_threads_and_half_written_ones_do_no_harm(
    compute: Callable[..., tuple[Artefact, bool]], tmp_path: Path
) -> None:
    def work(into: Path) -> Product:
        (into / "draft").mkdir()
        writer = Thread(target=noise, args=(into / "draft" / "mix.wav",))
        writer.start()
        noise(tmp_path / "elsewhere.wav")
        writer.join()
        noise(into / "gone.wav").unlink()
        with pytest.raises(ZeroDivisionError), write_recording(into / "half.wav", 8000, 1, 8) as half:
            half.write(np.zeros((1, 8), np.float32))
            _ = 1 / 0
        return Product({"mix.wav": (into / "draft" / "mix.wav").rename(into / "mix.wav")})

    made, _ = compute(work)
    assert list(made.manifest.files) == ["mix.wav"]
    check_hashes(made)


def test_a_file_that_is_not_there_is_told_of(compute: Callable[..., tuple[Artefact, bool]]) -> None:
    def work(into: Path) -> Product:
        path = noise(into / "gone.wav")
        path.unlink()
        return Product({"gone.wav": path})

    with pytest.raises(FileNotFoundError, match=r"gone\.wav"):
        compute(work)


def test_waiting_for_a_place_in_a_pool_is_no_time_of_computing(
    compute: Callable[..., tuple[Artefact, bool]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_POOL_CLOUD", "1")
    url = f"sqlite:///{tmp_path / 'resonate.sqlite'}"
    held = Event()

    def other_track() -> None:
        with in_pool(url, "cloud"):
            held.set()
            sleep(3)

    def work(into: Path) -> Product:
        began = monotonic()
        with in_pool(url, "cloud"):
            waited.append(monotonic() - began)
            sleep(0.3)
            return Product({"vocals.wav": noise(into / "vocals.wav")})

    waited: list[float] = []
    other = Thread(target=other_track)
    other.start()
    held.wait(30)
    began = monotonic()
    made, _ = compute(work)
    whole = monotonic() - began
    other.join()
    assert waited[0] > 1
    assert 0.3 <= made.manifest.seconds <= whole - waited[0] + 0.1
