"""What `resonate studio` tells of where files go."""

from __future__ import annotations

from pathlib import Path

from resonate_assets.settings import Settings
from resonate_studio.studio_command import watched


def test_a_studio_of_many_machines_names_no_folder_that_nobody_watches(tmp_path: Path) -> None:
    here = Settings(tmp_path, str(tmp_path), "/music/inbox", "s3://inbox/", None)
    assert watched(here, elsewhere=False) == "/music/inbox"
    assert watched(here, elsewhere=True) == "s3://inbox/"
    without = Settings(tmp_path, str(tmp_path), "/music/inbox", "", None)
    assert watched(without, elsewhere=True) == ""
