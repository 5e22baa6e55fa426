"""The product as its users meet it: `dagster dev` is up, files are dropped, the web UI shows what came of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf
from mutagen.flac import FLAC
from playwright.sync_api import Page, expect, sync_playwright

from resonate_assets.jobs import ORIGIN, STAGES
from resonate_tests.e2e.conftest import CLIP_SECONDS
from resonate_tests.peer_encoders import Floats, encode_with_ffmpeg
from resonate_tests.programs import required

REPOSITORY = Path(__file__).parents[2]
SAMPLE_RATE = 44100
# Flags for a browser in a container, which reaches for nothing but the pages it is told to open.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SONGS = {"plain.wav": "plain-", "late night 🎧.flac": "late-night-", "phone.mp3": "phone-"}
"""File name → how its track key begins."""
TITLE = 'Late Night ![x](https://example.com/a.png) <img src="https://example.com/b.png"> | *b*'
"""What anybody may write into a tag."""
OF_SOUND = tuple(stage for stage in STAGES if stage != "brief")
"""Stages that are made of a track's sound."""


@dataclass(frozen=True)
class Run:
    id: str
    job: str
    status: str
    track: str | None


@dataclass(frozen=True)
class Studio:
    """A running instance of Resonate."""

    url: str
    home: Path
    log: Path

    def ask(self, query: str, **variables: Any) -> Any:
        """The answer to a GraphQL query."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)["data"]

    def wait_for(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until the condition holds. Fails with the end of the log."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"{what}: not within {seconds:.0f} s\n{self.log.read_text()[-4000:]}")
            time.sleep(1)

    def is_up(self) -> bool:
        try:
            return bool(self.ask("{ version }"))
        except OSError:
            return False

    def made(self, stage: str) -> list[str]:
        """The track of each materialisation of a stage, one entry for every time it was made."""
        answer = self.ask(
            "query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {"
            " assetMaterializations(limit: 100) { partition } } } }",
            key={"path": [stage]},
        )
        return [event["partition"] for event in answer["assetNodeOrError"]["assetMaterializations"]]

    def runs(self) -> list[Run]:
        answer = self.ask(
            "{ runsOrError { ... on Runs { results { runId jobName status tags { key value } } } } }"
        )
        return [
            Run(run["runId"], run["jobName"], run["status"], _tags(run).get("dagster/partition"))
            for run in answer["runsOrError"]["results"]
        ]

    def partitions(self) -> dict[str, dict[str, int]]:
        """Stage → how many tracks there are, made, failed."""
        answer = self.ask(
            "{ assetNodes { assetKey { path } partitionStats { numPartitions numMaterialized numFailed } } }"
        )
        return {
            node["assetKey"]["path"][-1]: node["partitionStats"]
            for node in answer["assetNodes"]
            if node["partitionStats"] is not None
        }

    def looks_since(self, start: float) -> int:
        """How often the inbox sensor has looked, and come to an end, since a time."""
        answer = self.ask(
            "query($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) { ... on Sensor {"
            " sensorState { ticks(limit: 20) { status timestamp } } } } }",
            sensor={
                "repositoryName": "__repository__",
                "repositoryLocationName": "resonate_assets.definitions",
                "sensorName": "inbox_folder",
            },
        )
        ticks = answer["sensorOrError"]["sensorState"]["ticks"]
        return sum(tick["timestamp"] > start and tick["status"] in ("SUCCESS", "SKIPPED") for tick in ticks)

    def rejections(self) -> list[dict[str, str]]:
        return [json.loads(file.read_bytes()) for file in (self.home / "rejected").glob("*.json")]


def _tags(run: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["tags"]}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, free_port: int) -> Iterator[Studio]:
    """What `make dev` starts, in a home of its own."""
    home = tmp_path_factory.mktemp("studio")
    (home / "inbox").mkdir()
    dagster_home = home / "dagster_home"
    dagster_home.mkdir()
    (dagster_home / "dagster.yaml").write_bytes((REPOSITORY / "dagster_home" / "dagster.yaml").read_bytes())
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RESONATE_")},
        "RESONATE_HOME": str(home),
        "DAGSTER_HOME": str(dagster_home),
    }
    dagster = [sys.executable, "-m", "dagster"]
    subprocess.run([*dagster, "instance", "migrate"], env=environment, check=True, capture_output=True)
    studio = Studio(f"http://127.0.0.1:{free_port}", home, home / "dagster-dev.log")
    address = ["--host", "127.0.0.1", "--port", str(free_port)]
    with studio.log.open("wb") as log:
        server = subprocess.Popen(
            [*dagster, "dev", *address, "--workspace", "workspace.yaml"],
            cwd=REPOSITORY,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group that can be ended as a whole
        )
    try:
        studio.wait_for("the web UI", studio.is_up, 240)
        yield studio
    finally:
        _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    """End a server and all that it started."""
    os.killpg(server.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(20)
    with suppress(ProcessLookupError):  # all have ended
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@pytest.fixture(scope="module")
def studio(running: Studio, clips: list[Floats]) -> Studio:
    """The instance after three songs, a text and half a song were dropped into the inbox together."""
    inbox = running.home / "inbox"
    sf.write(inbox / "plain.wav", clips[0], SAMPLE_RATE, subtype="PCM_24")
    song = running.home / "late night.flac"
    sf.write(song, clips[1], SAMPLE_RATE)
    tags = FLAC(song)
    tags["title"] = TITLE
    tags.save()
    (inbox / "half.flac").write_bytes(song.read_bytes()[: song.stat().st_size // 2])
    song.rename(inbox / "late night 🎧.flac")
    encode_with_ffmpeg(inbox / "phone.mp3", clips[2], SAMPLE_RATE, "libmp3lame")
    (inbox / "shopping list.mp3").write_text("milk, bread, strings for the guitar\n" * 400)
    running.wait_for("three tracks exported", lambda: len(set(running.made("exports"))) == 3, 600)
    running.wait_for("two files rejected", lambda: len(running.rejections()) == 2, 60)
    running.wait_for("they are listed", lambda: len(running.made("rejections")) > 0, 120)
    return running


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=required("chromium"), headless=True, args=CHROMIUM_FLAGS
        )
        yield browser.new_page(viewport={"width": 1400, "height": 1200})
        browser.close()


def track_of(studio: Studio, name: str) -> str:
    """The track key of a song by its file name."""
    (key,) = {track for track in studio.made("exports") if track.startswith(SONGS[name])}
    return key


def test_three_songs_dropped_together_come_out_mastered_and_exported(studio: Studio) -> None:
    for name in SONGS:
        digits = track_of(studio, name)[-12:]
        (folder,) = (studio.home / "exports").glob(f"*_{digits}*")
        exported = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
        title = folder.name.removeprefix("Unknown Artist - ").rpartition("_")[0]
        parts = ("Master).wav", "Master).flac", "Master).mp3", "Vocals).wav")
        assert {*(f"{title} ({part}" for part in parts), "metadata.json"} <= exported
        assert sf.info(folder / f"{title} (Master).wav").duration == pytest.approx(CLIP_SECONDS, abs=1e-3)
    assert all(set(studio.made("master")) == set(studio.made(stage)) for stage in OF_SOUND)


def test_files_that_are_no_music_are_rejected_with_the_reason_and_left_alone(studio: Studio) -> None:
    reasons = {Path(rejection["uri"]).name: rejection["reason"] for rejection in studio.rejections()}
    assert reasons.keys() == {"shopping list.mp3", "half.flac"}
    assert "not audio" in reasons["shopping list.mp3"]
    assert "cut off" in reasons["half.flac"]
    assert (studio.home / "inbox" / "shopping list.mp3").read_text().startswith("milk, bread")


@pytest.mark.parametrize(
    ("stage", "number", "is_right"),
    [
        ("raw_track", "duration_s", lambda seconds: seconds == CLIP_SECONDS),
        ("stems", "drums_level_dbfs", lambda level: -70 < level < 0),
        ("master", "loudness_lufs", lambda loudness: abs(loudness + 14) <= 0.1),
    ],
)
def test_the_page_of_a_stage_shows_its_picture_and_its_numbers(
    studio: Studio, page: Page, artifacts: Path, stage: str, number: str, is_right: Callable[[float], bool]
) -> None:
    track = track_of(studio, "late night 🎧.flac")
    page.goto(f"{studio.url}/assets/{stage}?view=partitions&partition={track}")
    value = page.locator("tr", has=page.get_by_text(number, exact=True)).locator("td").nth(1)
    expect(value).to_be_visible(timeout=30_000)
    assert is_right(float(value.inner_text()))
    page.screenshot(path=artifacts / f"web-ui-{stage}.png", animations="disabled")

    page.locator("tr", has=page.get_by_text("picture", exact=True)).get_by_text("Show Markdown").click()
    picture = page.locator(f"img[alt='{stage}'][src^='data:image/']")  # PNG where that is small, else AVIF
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.screenshot(path=artifacts / f"web-ui-{stage}-picture.png", animations="disabled")


def test_the_web_ui_lists_rejected_files_with_what_to_do(studio: Studio, page: Page, artifacts: Path) -> None:
    page.goto(f"{studio.url}/assets/rejections")
    row = page.locator("tr tr", has=page.get_by_text("half.flac"))
    expect(row).to_contain_text("copy or download it again", timeout=30_000)
    expect(page.locator("tr tr", has=page.get_by_text("shopping list.mp3"))).to_contain_text("is not audio")
    page.screenshot(path=artifacts / "web-ui-rejections.png", animations="disabled")


def test_rejected_files_leave_no_red_partition(studio: Studio) -> None:
    every = {"numPartitions": 3, "numMaterialized": 3, "numFailed": 0}
    assert studio.partitions() == dict.fromkeys((*ORIGIN, *STAGES), every)


def test_a_title_is_text_wherever_it_is_shown_and_nothing_is_fetched_for_it(
    studio: Studio, page: Page, artifacts: Path
) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    track = track_of(studio, "late night 🎧.flac")
    for stage in ("exports", "brief", "raw_track", "master"):
        page.goto(f"{studio.url}/assets/{stage}?view=partitions&partition={track}")
        expect(page.get_by_text("from_cache", exact=True)).to_be_visible(timeout=30_000)
    page.goto(f"{studio.url}/assets/library")
    expect(page.get_by_text(TITLE).first).to_be_visible(timeout=30_000)
    page.screenshot(path=artifacts / "web-ui-library.png", animations="disabled")
    assert [url for url in fetched if not url.startswith((studio.url, "data:", "blob:"))] == []


@pytest.mark.parametrize("asset", ["library", "exports", "stems", "master", "qc_scores"])
def test_what_is_told_of_an_asset_fits_a_small_screen(studio: Studio, page: Page, asset: str) -> None:
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(f"{studio.url}/assets/{asset}")
    table = page.locator("table", has=page.get_by_text("Timestamp", exact=True)).first
    expect(table).to_be_visible(timeout=30_000)
    # Columns have their widths a moment after the table is there.
    fits = "it => it.scrollWidth <= it.parentElement.clientWidth"
    studio.wait_for("the table to fit its place", lambda: bool(table.evaluate(fits)), 20)


def test_the_folder_that_people_take_away_stands_first_in_exports(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.url}/assets/exports?view=partitions&partition={track_of(studio, 'plain.wav')}")
    first = page.locator("tr", has=page.get_by_text("folder", exact=True)).first
    expect(first).to_contain_text(str(studio.home / "exports"), timeout=30_000)
    keys = page.locator("table tr td:first-child").all_inner_texts()
    assert keys.index("folder") < min(keys.index("verdict"), keys.index("engine"))


def test_every_stage_is_made_once_however_often_files_are_touched_or_renamed(studio: Studio) -> None:
    inbox = studio.home / "inbox"
    start = time.time()
    for name in (*SONGS, "shopping list.mp3"):
        (inbox / name).touch()
    (inbox / "phone.mp3").rename(inbox / "telephone.mp3")
    # One look finds the files changed, the next finds them at rest and reads them, the third knows them.
    studio.wait_for("three looks at the inbox", lambda: studio.looks_since(start) >= 3, 240)
    tracks = {track_of(studio, name) for name in SONGS}
    for stage in OF_SOUND:
        assert Counter(studio.made(stage)) == Counter(tracks), stage
    processed = Counter(run.track for run in studio.runs() if run.job == "process_track")
    assert processed.keys() - {rejection["track"] for rejection in studio.rejections()} == tracks
    assert set(processed.values()) == {1}


def test_a_brief_set_in_the_launchpad_changes_the_master(studio: Studio, page: Page, artifacts: Path) -> None:
    track = track_of(studio, "plain.wav")
    page.goto(f"{studio.url}/locations/resonate_assets.definitions/jobs/set_brief/playground")
    chosen = page.get_by_placeholder("Partition")
    chosen.click(timeout=30_000)
    chosen.fill(track)
    page.get_by_text(track, exact=True).last.click()
    editor = page.locator(".CodeMirror")
    expect(editor).to_contain_text("unset")  # the form as Dagster fills it, with the settings of resources
    written = editor.evaluate("it => it.CodeMirror.getValue()")
    assert "resources:" in written
    wanted = written.replace("unset: []", "mastering: {target_lufs: -18}")
    assert wanted != written

    def taken() -> bool:
        # The page takes what is typed a moment later, and its own form may still come over it: typed again, then.
        kept = page.evaluate("() => Object.values(localStorage).some(it => it.includes('target_lufs'))")
        if not kept:
            editor.evaluate("(it, text) => it.CodeMirror.setValue(text)", wanted)
        return bool(kept)

    studio.wait_for("the page to take the brief", taken, 60)
    page.screenshot(path=artifacts / "web-ui-set-brief.png", animations="disabled")
    page.wait_for_load_state("networkidle")
    launch = page.get_by_role("button", name="Launch Run")
    expect(launch).to_be_enabled(timeout=30_000)
    launch.click()
    studio.wait_for("a run of set_brief", lambda: any(run.job == "set_brief" for run in studio.runs()), 60)
    page.screenshot(path=artifacts / "web-ui-set-brief-launched.png", animations="disabled")

    def loudness() -> float:
        manifest = json.loads((studio.home / "artefacts" / "master" / track / "manifest.json").read_bytes())
        return float(manifest["measures"]["loudness_lufs"])

    studio.wait_for("a master of −18 LUFS", lambda: abs(loudness() + 18) <= 0.1, 300)
    (run,) = (run for run in studio.runs() if run.job == "set_brief")
    assert (run.status, run.track) == ("SUCCESS", track)
