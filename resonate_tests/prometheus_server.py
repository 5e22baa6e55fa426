"""Prometheus on 127.0.0.1, for tests: asks for an installation's metrics and holds them to our own alerts."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import yaml  # type: ignore[import-untyped]

from resonate_tests.programs import required
from resonate_tests.rabbitmq_server import free_ports

FASTER: Final = 60
"""What an alert says of minutes by `for:` is seconds here. Expressions are as they are in the file: ranges and
thresholds in them are those of operation."""
EVERY_SECONDS: Final = 2
"""Between two scrapes, and between two looks at the rules; 30 in docker/prometheus/prometheus.yml."""
_ALERTS = Path(__file__).parents[1] / "docker" / "prometheus" / "alerts.yml"
_UNITS = {"s": 1, "m": 60, "h": 3600}
_UP_SECONDS = 60.0


DISK = {"ResonateDiskNearlyFull"}
"""Fires where this machine's own disk is nearly full, whatever is tested."""


class Prometheus:
    """With the alerts of docker/prometheus/alerts.yml."""

    def __init__(self, ports: Sequence[int]) -> None:
        """ports: of 127.0.0.1, at which `/metrics` is answered."""
        self._folder = Path(tempfile.mkdtemp(prefix="resonate-prometheus-"))
        (self._port,) = free_ports(1)
        (self._folder / "alerts.yml").write_text(yaml.safe_dump(hastened(_ALERTS.read_text())))
        period = f"{EVERY_SECONDS}s"
        config = {
            "global": {"scrape_interval": period, "scrape_timeout": period, "evaluation_interval": period},
            "rule_files": ["alerts.yml"],
            "scrape_configs": [
                {
                    "job_name": "resonate",
                    "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}],
                }
            ],
        }
        (self._folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    required("prometheus").with_name("prometheus"),
                    f"--config.file={self._folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self._folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            self.wait_for("Prometheus to be up", self._answers, _UP_SECONDS)
        except BaseException:
            self.end()
            raise

    def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        return {each["labels"]["alertname"] for each in self._alerts() if each["state"] == "firing"}

    def fired(self) -> set[str]:
        """Names of the alerts that have fired since the server began, though they are silent now."""
        query = 'count by (alertname) (last_over_time(ALERTS{alertstate="firing"}[1d]))'
        return {each["metric"]["alertname"] for each in self._queried(query)}

    def told(self) -> str:
        """What the alerts that fire tell, a line each."""
        return "\n".join(
            each["annotations"]["summary"] for each in self._alerts() if each["state"] == "firing"
        )

    def value(self, metric: str) -> float | None:
        """The last value of a series; of several, the largest; None where there is none."""
        found = self._queried(f"max({metric})")
        return float(found[0]["value"][1]) if found else None

    def wait_for(self, what: str, condition: Callable[[], bool], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not condition():
            log = (self._folder / "log").read_text()[-2000:]
            assert self._process.poll() is None, log
            assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s\n{log}"
            time.sleep(0.5)

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _alerts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._asked("/api/v1/alerts")["alerts"]
        return found

    def _queried(self, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._asked(f"/api/v1/query?query={quote(query)}")["result"]
        return found

    def _asked(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=30) as answer:
            data: dict[str, Any] = json.load(answer)["data"]
            return data

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def hastened(alerts: str) -> dict[str, Any]:
    """The file of alerts, in which each `for:` is the FASTERth part of itself."""
    rules: dict[str, Any] = yaml.safe_load(alerts)
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                seconds = int(rule["for"][:-1]) * _UNITS[rule["for"][-1]]
                rule["for"] = f"{1000 * seconds // FASTER}ms"
    return rules
