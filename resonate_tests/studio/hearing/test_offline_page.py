"""The page that is opened from disk, in Chromium: what is heard and told, and that nothing is asked of anybody."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page, sync_playwright
from scipy.stats import binomtest

from resonate_resources.recordings.recording import Recording, write_samples
from resonate_studio.api.models import AbxResult, BeforeAfter, Dimension, Quality
from resonate_studio.hearing.segments import LEAD_FRAMES, RATE, SEGMENT_FRAMES
from resonate_studio.offline_page.writing import Heard, NotOursError, Told, excerpts, write_page
from resonate_tests.studio.hearing.test_segments import music

ATTACK = """<img src=x onerror="alert(1)">'";</script><script>alert(2)</script>\u2028"""
QUALITY = Quality(
    total=91.25,
    accepted=False,
    reasons=[ATTACK],
    dimensions=[Dimension(name="stereo width", score=87.5, detail="")],
    measures=[
        BeforeAfter(name="loudness", unit="LUFS", before=-20.04, after=-14.0, better=None),
        BeforeAfter(name="true peak", unit="dBTP", before=1.2, after=-1.0, better=True),
        BeforeAfter(name="bandwidth", unit="Hz", before=None, after=15_999.6, better=None),
    ],
)


def told(title: str = "A song") -> Told:
    return Told("a-song-0123", title, ATTACK, QUALITY, 1, "Made here.")


def heard(label: str, recording: Recording, lufs: float | None = None, offset_s: float = 0.0) -> Heard:
    return Heard(
        f"{label.lower()}@0123456789abcdef", label, recording, lufs, offset_s, label == "Regenerated"
    )


def silent(_: str) -> None:
    """Nobody watches."""


@dataclass
class Opened:
    page: Page
    asked: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 s: the original at 44.1 kHz; a master of other music at 48 kHz, 6 LU louder and 10 ms late."""
    at = tmp_path_factory.mktemp("page")
    original = write_samples(at / "o.wav", music(12.0, 44_100), 44_100)
    other = np.pad(music(12.0, RATE)[::-1, ::-1] * 0.7, ((0, 0), (480, 0)))
    master = write_samples(at / "m.wav", other, RATE)
    third = write_samples(at / "r.wav", music(12.0, 44_100, 1), 44_100)
    versions = [
        heard("Original", original, -20.0),
        heard("Master", master, -14.0, 0.01),
        heard("Regenerated", third),
    ]
    write_page(at / "page", versions, told(ATTACK), silent)
    return at / "page"


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(folder: Path, browser) -> Iterator[Opened]:  # type: ignore[no-untyped-def]
    context = browser.new_context(accept_downloads=True, viewport={"width": 1280, "height": 900})
    opened = Opened(context.new_page())
    opened.page.on("request", lambda request: opened.asked.append(request.url))
    opened.page.on("console", lambda said: opened.trouble.append(said.text))
    opened.page.on("pageerror", lambda error: opened.trouble.append(str(error)))
    opened.page.on("dialog", lambda dialog: (opened.trouble.append(dialog.message), dialog.dismiss()))
    opened.page.goto((folder / "index.html").as_uri())
    opened.page.wait_for_selector("#page:not([hidden])")
    yield opened
    context.close()
    assert opened.trouble == []
    beside = folder.as_uri() + "/"
    assert [url for url in opened.asked if not url.startswith((beside, "data:", "blob:"))] == []


def until(page: Page, condition: str) -> None:
    """Playwright's own waiting evaluates strings within the page, which that does not allow."""
    for _ in range(400):
        if page.evaluate(condition):
            return
        time.sleep(0.05)
    raise AssertionError(condition)


def sound(folder: Path, version: str) -> npt.NDArray[np.float32]:
    """What the scripts of a version hold, decoded by FFmpeg, as (2, frames)."""
    segments = []
    for script in sorted((folder / "audio" / version).iterdir()):
        for text in json.loads(script.read_text().split(", ", 1)[1].removesuffix(");\n")):
            with av.open(io.BytesIO(base64.b64decode(text))) as container:
                whole = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
            segments.append(whole[:, LEAD_FRAMES : LEAD_FRAMES + SEGMENT_FRAMES])
    joined = np.concatenate(segments, axis=1)[:, : 12 * RATE]
    return np.broadcast_to(joined, (2, joined.shape[1]))


# Plays in a context that is rendered as fast as it goes, and waits for what the page does between its steps.
_RENDER = """
async ([seconds, steps]) => {
  const context = new OfflineAudioContext(2, seconds * RATE, RATE);
  const own = new Player(facts, () => {});
  own.open(context);
  own.volume = 1;
  own.out.gain.value = 1;
  own.playing = true;
  const go = (name, value) => (name === "run" ? void own.run() : own[name](...value));
  const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  await Promise.all([0, 1, 2].map((number) => own.sounds.segment(number))); // rendering does not wait for a decoder
  void own.run();
  await rest(100);
  for (let at = 0.5; at < seconds; at += 0.5) {
    context.suspend(at).then(async () => {
      for (const [when, name, value] of steps) if (when === at) go(name, value);
      await rest(100);
      context.resume();
    });
  }
  const made = await context.startRendering();
  return [0, 1].map((channel) => Array.from(made.getChannelData(channel)));
}
"""


def rendered(
    opened: Opened, seconds: int, steps: list[tuple[float, str, list[object]]]
) -> npt.NDArray[np.float64]:
    return np.array(opened.page.evaluate(_RENDER, [seconds, steps]))


_BEGINS = round(0.03 * RATE)  # when the first piece is started


def test_switching_neither_loses_nor_repeats_a_sample(opened: Opened, folder: Path) -> None:
    out = rendered(opened, 8, [(3.0, "switchTo", [1]), (4.5, "switchTo", [0]), (6.0, "switchTo", [1])])
    original, master = sound(folder, "original"), sound(folder, "master")
    softer = 10 ** (-6 / 20)  # at equal loudness
    expected = original.copy()
    for start, stop in ((3.0, 4.5), (6.0, 12.0)):
        first, last = round(start * RATE) - _BEGINS, round(stop * RATE) - _BEGINS
        expected[:, first:last] = softer * master[:, first:last]
    expected = np.pad(expected, ((0, 0), (_BEGINS, 0)))[:, : out.shape[1]]
    difference = np.abs(out - expected).max(axis=0)
    for at in (3.0, 4.5, 6.0):
        crossing = slice(round(at * RATE) - 128, round((at + 0.005) * RATE) + 256)  # in steps of 128 frames
        difference[crossing] = 0
    # Two decoders of one stream: FFmpeg's own and libopus round differently.
    assert difference[_BEGINS:].max() < 0.01
    assert np.sqrt(np.mean(difference**2)) < 1e-3


def test_the_sound_is_whole_over_the_seams_of_segments(opened: Opened, folder: Path) -> None:
    out = rendered(opened, 11, [])
    original = sound(folder, "original")
    assert np.abs(out[:, _BEGINS:] - original[:, : out.shape[1] - _BEGINS]).max() < 0.01


def test_a_loop_goes_round_on_the_sample(opened: Opened, folder: Path) -> None:
    out = rendered(opened, 6, [(0.5, "setLoop", [4.5 * RATE, 5.5 * RATE])])
    original = sound(folder, "original")[:, round(4.5 * RATE) : round(5.5 * RATE)]
    begins = round(0.5 * RATE)
    lags = [
        float(np.sum(out[0, begins + lag : begins + lag + RATE] * original[0]))
        for lag in range(_BEGINS + 256)
    ]
    begins += int(np.argmax(lags))
    for turn in range(3):
        here = out[:, begins + turn * RATE : begins + (turn + 1) * RATE]
        assert np.abs(here - original).max() < 0.01


def test_equal_loudness_can_be_turned_off(opened: Opened, folder: Path) -> None:
    out = rendered(opened, 4, [(0.5, "switchTo", [1]), (2.0, "match", [False])])
    master = sound(folder, "master")
    for first, last, gain in ((1.0, 1.9, 10 ** (-6 / 20)), (2.5, 3.5, 1.0)):
        a, b = round(first * RATE), round(last * RATE)
        assert np.abs(out[:, a:b] - gain * master[:, a - _BEGINS : b - _BEGINS]).max() < 0.01


def test_a_version_that_is_late_is_brought_to_the_originals_place(folder: Path) -> None:
    master, music_of_it = sound(folder, "master"), music(12.0, RATE)[::-1, ::-1] * 0.7
    fits = [
        float(np.sum(master[0, 4800:48_000] * music_of_it[0, 4800 + lag : 48_000 + lag]))
        for lag in range(-600, 601)
    ]
    assert int(np.argmax(fits)) - 600 == 0


def test_no_text_of_anybodys_is_taken_for_more_than_text(opened: Opened) -> None:
    page = opened.page
    assert page.inner_text("#title") == ATTACK.replace("\u2028", "\n") or ATTACK[:40] in page.inner_text(
        "#title"
    )
    assert page.title().startswith(ATTACK[:40])
    assert ATTACK[:40] in page.inner_text("#reasons")
    assert page.locator("main img, main script").count() == 0
    assert page.locator(".tag").all_inner_texts() == ["Synthesised"]


def test_the_verdict_and_what_moved_stand_in_numbers(opened: Opened) -> None:
    page = opened.page
    assert page.inner_text("#verdict") == "Not accepted. Like the original: 91 of 100."
    rows = [
        row.all_inner_texts()
        for row in (page.locator(f"#measures tbody tr:nth-child({n}) > *") for n in (1, 2, 3))
    ]
    assert rows == [
        ["Loudness", "−20.0 LUFS", "−14.0 LUFS", ""],
        ["True peak", "1.2 dBTP", "−1.0 dBTP", "better"],
        ["Bandwidth", "–", "16.0 kHz", ""],
    ]
    assert page.locator("#versions > button").all_inner_texts() == [
        "1 Original −20.0 LUFS",
        "2 Master −14.0 LUFS",
        "3 RegeneratedSynthesised",
    ]


def test_it_is_played_and_switched_by_keys(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("Space")
    until(page, "player.position() > 24000")
    page.keyboard.press("2")
    assert page.get_attribute("#versions > :nth-child(2)", "aria-checked") == "true"
    page.keyboard.press("ArrowRight")
    until(page, "player.position() > 5 * RATE")
    page.keyboard.press("m")
    assert page.get_attribute("#match", "aria-pressed") == "false"
    page.keyboard.press("Space")
    until(page, "!player.playing")
    assert page.inner_text("#play") == "Play"


def test_a_listening_test_hides_what_is_heard_and_its_result_can_be_kept(opened: Opened) -> None:
    page = opened.page
    page.fill("#abx-listener", "Ada")
    page.click("#abx-start")
    for trial in range(12):
        assert page.is_disabled("#abx-finish") == (trial < 10)
        page.keyboard.press("a")
        page.keyboard.press("x")
        shown = page.evaluate(
            "[...document.querySelectorAll('#versions > *')].map(b => b.getAttribute('aria-checked'))"
        )
        assert shown == ["false"] * 3  # whichever X is
        hidden = page.evaluate("test.x")
        page.click(f"#x-is-{hidden if trial < 11 else 'ab'.replace(hidden, '')}")
    page.click("#abx-finish")
    said = page.inner_text("#abx-state")
    expected = binomtest(11, 12, alternative="greater").pvalue
    assert said.startswith("11 of 12 right") and f"p = {expected:.4f}" in said
    with page.expect_download() as download:
        page.click("#abx-save")
    kept = json.loads(download.value.path().read_text())
    assert kept["p"] == pytest.approx(expected) and kept["right"] == 11 and kept["track"] == "a-song-0123"
    sent = AbxResult(**{name: value for name, value in kept.items() if name in AbxResult.model_fields})
    assert (sent.a, sent.b, sent.listener) == ("original@0123456789abcdef", "master@0123456789abcdef", "Ada")
    assert len(sent.trials) == 12


def test_p_is_exact_up_to_a_thousand_trials(opened: Opened) -> None:
    for right, count in ((0, 10), (10, 10), (9, 14), (520, 1000), (1000, 1000)):
        p = opened.page.evaluate("([right, count]) => guessed(right, count)", [right, count])
        assert p == pytest.approx(binomtest(right, count, alternative="greater").pvalue, rel=1e-6)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 2560])
def test_nothing_stands_out_of_a_narrow_or_a_wide_window(  # type: ignore[no-untyped-def]
    folder: Path, browser, scheme: str, width: int
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.goto((folder / "index.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "a.wav", music(1.0, 44_100), 44_100)
    versions = [heard("Original", recording, -20.0), heard("Original", recording, -20.0)]
    out = tmp_path / "out"
    out.mkdir()
    write_page(out, versions, told(), silent)
    assert sorted(each.name for each in (out / "audio").iterdir()) == [
        "original", "original-2", "original-2.opus", "original.opus"
    ]  # fmt: skip
    write_page(out, versions, told("Another"), silent)
    assert "Another" in (out / "data.js").read_text()
    (out / "mine.txt").write_text("x")
    with pytest.raises(
        NotOursError, match=r"^.*out: holds other files; give a folder that is new, or empty$"
    ):
        write_page(out, versions, told(), silent)
    assert (out / "mine.txt").read_text() == "x" and "Another" in (out / "data.js").read_text()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.wav", "out"]


def test_what_can_not_be_made_leaves_nothing(tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "a.wav", music(1.0, 44_100), 44_100)
    versions = [heard("Original", recording, -20.0), heard("Master", recording, -14.0)]
    recording.path.unlink()
    with pytest.raises(Exception, match=r"a\.wav"):
        write_page(tmp_path / "out", versions, told(), silent)
    assert list(tmp_path.iterdir()) == []


def test_of_a_long_track_three_excerpts_of_two_minutes_are_heard() -> None:
    minute = 60 * RATE
    assert excerpts(15 * minute) == [(0, 15 * minute)]
    spans = excerpts(180 * minute)
    assert [(stop - start) / RATE for start, stop in spans] == [120.0] * 3
    assert [start % SEGMENT_FRAMES for start, _ in spans] == [0] * 3
    assert [round((start + stop) / 2 / minute) for start, stop in spans] == [30, 90, 150]
