"""Settings: what can't be honoured is refused in one line, and the home is found from where one stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from resonate_assets.settings import MARKER, Settings, SettingsError, default_home, home_from_here

NAMES = (
    *("RESONATE_HOME", "RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_BUCKET"),
    *("RESONATE_S3_ENDPOINT", "RESONATE_DATABASE", "RESONATE_LIBRARIES"),
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("RESONATE_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("RESONATE_STORAGE", place) for place in ("gs://b/p", "s3:/b/p", "s3://", "file:///srv", "az://b")),
        *(
            ("RESONATE_INBOX", place)
            for place in ("s3://b/inbox", "gs://b", "/dev/null", "/dev/null/in", "~nobody-of-here/in")
        ),
        ("RESONATE_STORAGE", "/dev/null"),
        ("RESONATE_HOME", "/dev/null/home"),
        *(("RESONATE_BUCKET", place) for place in ("b/prefix", "gs://b", "s3:/b", "/srv/music")),
        *(("RESONATE_S3_ENDPOINT", place) for place in ("127.0.0.1:9000", "minio", "http://")),
        *(
            ("RESONATE_DATABASE", url)
            for url in (
                *("mysql://h/d", "nonsense", "sqlite://", "sqlite:///here.db"),
                *(
                    "postgresql://u:p@ss/w:rd%@h:5432/d",
                    "postgresql://u:p@ss@h/d",
                    "postgresql://u:p@h:port/d",
                ),
            )
        ),
        ("RESONATE_HOME", "s3://b/home"),
        *(("RESONATE_LIBRARIES", places) for places in ("gs://b/p", "/srv;s3://", "s3:/b", "/srv;/dev/null")),
        *(("RESONATE_MAX_HOURS", hours) for hours in ("twelve", "-1", "nan")),
        *(("RESONATE_LIGHT_BYTES", size) for size in ("2 GB", "-1", "1e9", "٢")),
        *(
            ("RESONATE_KEEP", kept)
            for kept in ("30d", "events=30", "all=1d", "light=1d,light=2d", "results=-1d")
        ),
    ],
)
def test_a_setting_that_cannot_be_honoured_is_refused_in_a_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=rf"^{name}[=:]") as caught:
        Settings.from_environment()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("RESONATE_STORAGE", place) for place in ("s3://b", "s3://b/a/b", "/srv/a:b", "here", "c:d/e")),
        ("RESONATE_BUCKET", "s3://b/incoming/"),
        *(("RESONATE_S3_ENDPOINT", place) for place in ("http://127.0.0.1:9000", "https://s3.example")),
        ("RESONATE_DATABASE", "sqlite:////srv/resonate.sqlite"),
        ("RESONATE_DATABASE", "postgresql+psycopg2://u:p@h:5432/d"),
        ("RESONATE_DATABASE", "postgresql://u:p%40ss%2Fw%3Ard%25@h/d"),
        ("RESONATE_DATABASE", "postgresql:///d"),
    ],
)
def test_what_can_be_meant_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    told = {
        "RESONATE_STORAGE": settings.storage,
        "RESONATE_BUCKET": settings.bucket,
        "RESONATE_S3_ENDPOINT": settings.s3_endpoint,
        "RESONATE_DATABASE": settings.database_url,
    }
    assert told[name] == value


def test_music_libraries_are_folders_and_buckets_with_semicolons_between_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RESONATE_LIBRARIES", " /srv/music: mine;s3://music/in ;;~/Music")
    assert Settings.from_environment().libraries == ("/srv/music: mine", "s3://music/in", "~/Music")
    monkeypatch.setenv("RESONATE_LIBRARIES", "")
    assert Settings.from_environment().libraries == ()


def test_a_password_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in (
        "mysql://me:geheim@host/d",
        "postgresql//me:geheim@host/d",
        "postgresql://me:geheim@host:x/d",
    ):
        monkeypatch.setenv("RESONATE_DATABASE", url)
        with pytest.raises(SettingsError) as caught:
            Settings.from_environment()
        assert "geheim" not in str(caught.value)


def test_a_home_is_found_from_any_folder_below_it_or_beside_it(tmp_path: Path) -> None:
    studio = tmp_path / "project" / "studio"
    deep = tmp_path / "project" / "notes" / "deep"
    for folder in (studio / "inbox" / "club", deep):
        folder.mkdir(parents=True)
    (studio / MARKER).touch()
    for place in (studio, studio / "inbox" / "club", tmp_path / "project", deep):
        assert home_from_here(place) == studio


def test_the_nearest_home_counts(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    for home in (tmp_path, inner):
        (home / MARKER).touch()
    assert home_from_here(inner) == inner
    assert home_from_here(tmp_path) == tmp_path


def test_a_folder_that_is_only_called_studio_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "studio").mkdir()
    assert home_from_here(tmp_path) == default_home()


def test_a_clone_has_its_home_in_studio_before_there_is_one_and_so_has_what_is_run_from_it() -> None:
    clone = Path(__file__).parents[2]
    assert home_from_here(clone / "docs") == clone / "studio"
    assert default_home() == clone / "studio"
