"""Who carries out runs: the studio's own daemon where there is no other, and never where workers do."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.instance.ref import InstanceRef

from resonate_studio.api.launching import runs_are_carried_out_elsewhere

DOCKER = Path(__file__).parents[3] / "docker"


@pytest.mark.parametrize(("file", "elsewhere"), [("dagster.yaml", False), ("cluster/dagster.yaml", True)])
def test_the_studio_starts_no_daemon_beside_those_of_many_machines(
    file: str, elsewhere: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_BROKER", "amqp://nobody:nothing@127.0.0.1:1//")
    config = yaml.safe_load((DOCKER / file).read_text())
    del config["storage"]
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path))) as instance:
        assert runs_are_carried_out_elsewhere(instance) is elsewhere
