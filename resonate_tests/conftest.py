"""Fixtures of the whole suite: known truth, rendered once per session."""

from __future__ import annotations

import pytest
from hypothesis import settings

from resonate_studio.demo_song import DemoSong, PhoneRecording, compose, record_on_phone, render

settings.register_profile("resonate", deadline=None)  # tests are not timed: machines differ, and are busy
settings.load_profile("resonate")


@pytest.fixture(scope="session")
def demo_song(tmp_path_factory: pytest.TempPathFactory) -> DemoSong:
    """The composed song with its stems, stereo at 44.1 kHz."""
    return render(compose(), tmp_path_factory.mktemp("demo-song"))


@pytest.fixture(scope="session")
def phone_recording(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> PhoneRecording:
    """The same song recorded on a phone, with the stems as they are in that recording."""
    return record_on_phone(demo_song, tmp_path_factory.mktemp("phone-recording"))
