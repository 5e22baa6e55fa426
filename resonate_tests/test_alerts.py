"""Alerts and the dashboard are what Prometheus takes, speak of metrics that there are, and tell what to do."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dagster as dg
import pytest
import yaml  # type: ignore[import-untyped]

from resonate_assets.settings import Settings
from resonate_resources.storage.stage_counts import count_result
from resonate_studio.home import open_instance, settings_for
from resonate_studio.watching.metrics import Metrics
from resonate_tests.manifests import manifest
from resonate_tests.programs import required
from resonate_tests.prometheus_server import Prometheus

REPOSITORY = Path(__file__).parents[1]
PROMETHEUS = REPOSITORY / "docker" / "prometheus"
DASHBOARD = REPOSITORY / "docker" / "grafana" / "resonate.json"
OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text()
_NOT_EVERYWHERE = {
    "resonate_gpu_memory_used_bytes",
    "resonate_gpu_memory_size_bytes",
    "resonate_daemon_heartbeat_age_seconds",
    "resonate_last_success_timestamp_seconds",
}
"""Absent in a home without a GPU and without a daemon; tested in studio/watching."""


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Of all samples that there are."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RESONATE_STORAGE", "RESONATE_DATABASE", "DAGSTER_HOME", "RESONATE_HOME"):
            patch.setenv(name, "")
        settings = settings_for(tmp_path_factory.mktemp("home"))
        with open_instance(settings) as instance:
            return _names(settings, instance) | _NOT_EVERYWHERE


def _names(settings: Settings, instance: dg.DagsterInstance) -> set[str]:
    count_result(settings.database_url, manifest("mix", "song"), found=False)
    found = set()
    for family in Metrics(settings, instance).collect():
        found.add(
            {"counter": f"{family.name}_total", "info": f"{family.name}_info"}.get(family.type, family.name)
        )
    return found


def alerts() -> list[dict[str, object]]:
    (group,) = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    rules: list[dict[str, object]] = group["rules"]
    return rules


def spoken_of(text: str) -> set[str]:
    """Metrics that a text names."""
    return set(re.findall(r"\bresonate_[a-z_]+", text))


def promtool(*arguments: str) -> str:
    ran = subprocess.run([required("prometheus"), *arguments], capture_output=True, text=True, check=False)
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def test_prometheus_takes_its_configuration_and_the_alerts() -> None:
    assert promtool("check", "config", str(PROMETHEUS / "prometheus.yml")) == ""


def test_alerts_fire_when_they_should_and_not_before() -> None:
    assert promtool("test", "rules", str(PROMETHEUS / "alerts_test.yml")) == ""


def test_alerts_speak_of_metrics_that_there_are(names: set[str]) -> None:
    for alert in alerts():
        assert spoken_of(str(alert["expr"])) <= names, alert["alert"]


def test_each_alert_tells_what_to_do_and_where_to_read_of_it() -> None:
    headings = re.findall(r"^#+ (.+)$", OPERATIONS, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    for alert in alerts():
        told = alert["annotations"]
        assert isinstance(told, dict)
        assert told["summary"]
        assert told["description"]
        file, anchor = told["runbook_url"].split("#")
        assert file == "docs/operations.md"
        assert anchor in anchors, anchor


def test_each_alert_has_a_test_in_which_it_fires() -> None:
    tested = (PROMETHEUS / "alerts_test.yml").read_text()
    for alert in alerts():
        assert f'alertname="{alert["alert"]}", severity' in tested


def test_the_dashboard_asks_for_metrics_that_there_are_in_queries_that_parse(
    names: set[str], tmp_path: Path
) -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    assert len(queries) >= 12
    for query in queries:
        assert spoken_of(query) <= names, query
    # promtool of Debian has no check of single queries: as rules they are checked.
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(queries)
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert promtool("check", "rules", str(file)) == ""


def test_every_metric_is_documented_and_every_documented_one_is_there(names: set[str]) -> None:
    section = OPERATIONS.partition("\n## Watching\n")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| `(resonate_[a-z_]+)`", section, re.MULTILINE)
    assert set(rows) == names


class Told(ThreadingHTTPServer):
    """Answers whatever is asked by the metrics that it was given."""

    metrics = ""

    def __init__(self) -> None:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(told.metrics.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the server's name for it
                """Nobody reads of every scrape."""

        told = self
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def told() -> Iterator[Told]:
    with Told() as server:
        yield server
        server.shutdown()


def test_a_real_prometheus_tells_what_is_wrong_and_is_silent_once_it_is_mended(told: Told) -> None:
    well = "resonate_daemon_heartbeat_age_seconds 10\nresonate_runs_silent 0\n"
    told.metrics = well
    prometheus = Prometheus([told.server_port])
    try:
        prometheus.wait_for(
            "a scrape", lambda: prometheus.value("resonate_daemon_heartbeat_age_seconds") == 10
        )
        prometheus.wait_for("silence", lambda: prometheus.firing() == set())
        before = prometheus.fired()
        assert before <= {"ResonateNotWatched"}  # until that first scrape
        told.metrics = "resonate_daemon_heartbeat_age_seconds 10\nresonate_runs_silent 2\n"
        prometheus.wait_for("the alert", lambda: prometheus.firing() == {"ResonateDeadRuns"})
        assert prometheus.told() == "2 runs show no sign of life, and nobody has reported them failed"
        told.metrics = well
        prometheus.wait_for("silence", lambda: prometheus.firing() == set())
        assert prometheus.fired() - before == {"ResonateDeadRuns"}
    finally:
        prometheus.end()
