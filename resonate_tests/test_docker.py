"""The container files name what is there: no Docker engine runs in the tests, so this is what can be held."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]

REPOSITORY = Path(__file__).parents[1]
DOCKER = REPOSITORY / "docker"
ONE_HOST, CLUSTER = DOCKER / "compose.yaml", DOCKER / "cluster" / "compose.yaml"
KUBERNETES = DOCKER / "kubernetes"
WANTED = r"\$\{(\w+):\?"


def services(file: Path = ONE_HOST) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text())["services"]
    return found


def ours(file: Path) -> dict[str, Any]:
    """The services whose image is built here."""
    return {name: each for name, each in services(file).items() if each["image"].startswith("resonate")}


def instructions(keyword: str) -> list[str]:
    """The arguments of every such instruction in the Dockerfile."""
    text = (DOCKER / "Dockerfile").read_text().replace("\\\n", " ")
    found = re.findall(rf"^\s*{keyword} +(.*)$", text, re.MULTILINE)
    assert found
    return found


def program(command: list[str] | str) -> str:
    words = shlex.split(command) if isinstance(command, str) else command
    if words[:2] == ["sh", "-c"]:
        return words[2].split()[0]
    return words[0]


def test_every_file_that_goes_into_the_image_is_there_and_not_ignored() -> None:
    sources = [source for copied in instructions("COPY") for source in shlex.split(copied)[:-1]]
    ignore = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    kept = [line.removeprefix("!") for line in ignore if line.startswith("!")]
    assert ignore[0] == "*"
    for source in sources:
        assert (REPOSITORY / source).exists(), source
        assert any(name == source or name.startswith(f"{source}/") for name in kept), source


def test_every_image_ends_as_a_user_by_number_and_says_how_it_is() -> None:
    stages = re.split(r"^FROM ", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    names = [re.match(r"\S+ AS (\S+)", stage)[1] for stage in stages]  # type: ignore[index]
    assert names == ["base", "web", "daemon", "worker", "worker-gpu", "host"]
    for name, stage in zip(names, stages, strict=True):
        users = re.findall(r"^USER (\S+)", stage, re.MULTILINE)
        if name == "base" or "USER root" in stage:
            assert users[-1] == "1000:1000", name
        if name not in ("base", "host"):
            assert "HEALTHCHECK" in stage, name


@pytest.mark.parametrize("file", [ONE_HOST, CLUSTER])
def test_a_compose_file_is_what_the_compose_specification_has(file: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("file", [ONE_HOST, CLUSTER])
def test_every_variable_that_the_instance_wants_is_given_to_each_service_of_ours(file: Path) -> None:
    wanted = set(re.findall(r"env: (\w+)", file.with_name("dagster.yaml").read_text()))
    assert len(wanted) == (5 if file == ONE_HOST else 6)
    assert len(ours(file)) == (3 if file == ONE_HOST else 9)
    for service in ours(file).values():
        assert wanted <= {name for name, value in service["environment"].items() if value}


@pytest.mark.parametrize("file", [ONE_HOST, CLUSTER])
def test_every_command_is_a_program_of_the_install(file: Path) -> None:
    commands = [service["command"] for service in ours(file).values() if "command" in service]
    commands += [yaml.safe_load(command) for command in instructions("CMD")]
    assert len(commands) >= 7
    for command in commands:
        assert Path(sys.executable).with_name(program(command)).exists(), command


@pytest.mark.parametrize("file", [ONE_HOST, CLUSTER])
def test_nothing_starts_before_the_tables_are_there_and_every_volume_is_declared(file: Path) -> None:
    compose = yaml.safe_load(file.read_text())
    for name, service in ours(file).items():
        if name != "migrate":
            assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    mounted = {
        volume.partition(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", ())
        if volume[0].isalpha()
    }
    assert mounted == set(compose["volumes"])


def test_the_web_ui_is_published_on_the_loopback_address_only() -> None:
    published = [port for service in services().values() for port in service.get("ports", ())]
    assert published == ["127.0.0.1:3000:3000"]


# Many machines


def test_every_image_of_the_cluster_is_a_stage_and_every_file_that_is_mounted_is_there() -> None:
    stages = {name.split()[-1] for name in instructions("FROM")}
    for name, service in services(CLUSTER).items():
        if name in ours(CLUSTER):
            assert service["build"]["target"] in stages
            assert service["image"] == f"resonate:{service['build']['target']}"
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            comes_with_the_watching = source.startswith(("../prometheus", "../grafana"))
            if source.startswith(".") and not comes_with_the_watching:
                assert (CLUSTER.parent / source).exists(), source


def test_no_password_has_a_default_and_the_example_names_every_variable() -> None:
    text = CLUSTER.read_text()
    example = set(re.findall(r"^(\w+)=", CLUSTER.with_name("env.example").read_text(), re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+)", text)) == example
    for name in example:
        if re.search("PASSWORD|SECRET", name):
            assert name in re.findall(WANTED, text), name
            assert f"{name}:-" not in text


def test_only_the_proxy_is_reached_from_outside_and_data_reach_nothing() -> None:
    published = {name for name, service in services(CLUSTER).items() if "ports" in service}
    assert published == {"caddy"}
    assert yaml.safe_load(CLUSTER.read_text())["networks"]["data"] == {"internal": True}
    for name in ("postgresql", "rabbitmq", "minio"):
        assert services(CLUSTER)[name]["networks"] == ["data"]
    assert "data" not in services(CLUSTER)["caddy"]["networks"]


def test_a_worker_is_given_longer_to_end_than_a_run_may_take() -> None:
    instance = yaml.safe_load(CLUSTER.with_name("dagster.yaml").read_text())
    longest = instance["run_monitoring"]["max_runtime_seconds"]
    workers = [service for name, service in ours(CLUSTER).items() if name.startswith("worker")]
    assert len(workers) == 3
    for worker in workers:
        assert int(worker["stop_grace_period"].removesuffix("h")) * 3600 > longest


def test_each_queue_has_a_worker() -> None:
    from resonate_assets.run_queue.queues import QUEUES

    told = [service.get("command", []) for service in ours(CLUSTER).values()]
    told += [yaml.safe_load(command) for command in instructions("CMD")]
    assert {command[3] for command in told if command[1:3] == ["run-worker", "--queue"]} == set(QUEUES)


@pytest.mark.parametrize("file", ["checks.yml", "release.yml"])
def test_a_workflow_is_what_github_s_schema_has(file: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    workflow = REPOSITORY / ".github" / "workflows" / file
    checked = subprocess.run([*command, str(workflow)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


# Kubernetes


def manifests() -> list[dict[str, Any]]:
    """Every object of ours, but for kustomize's own files."""
    found = []
    for file in listed():
        found += [each for each in yaml.safe_load_all((KUBERNETES / file).read_text()) if each]
    return found


def listed() -> list[str]:
    resources = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    return [name for name in resources if name.endswith(".yaml")]


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in manifests() if each["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    return {
        name: each["spec"]["template"]["spec"]
        for name, each in (of_kind("Deployment") | of_kind("Job")).items()
    }


@pytest.mark.parametrize("file", listed())
def test_a_manifest_is_what_kubernetes_schemas_have_field_by_field(file: str) -> None:
    for each in yaml.safe_load_all((KUBERNETES / file).read_text()):
        if not each["apiVersion"].startswith("keda.sh/"):
            kubernetes_validate.validate(each, "1.37", strict=True)


def test_every_manifest_is_applied_and_what_configures_it_is_what_the_images_have() -> None:
    known = {"kustomization.yaml", "dagster-values.yaml"}
    assert {file.name for file in KUBERNETES.glob("*.yaml")} == known | {*listed()}
    generated = yaml.safe_load((CLUSTER.parent / "kustomization.yaml").read_text())["configMapGenerator"]
    for each in generated:
        for file in each["files"]:
            assert (CLUSTER.parent / file).exists()
    assert (CLUSTER.parent / "workspace.yaml").read_text() == (REPOSITORY / "workspace.yaml").read_text()


def test_no_pod_is_root_writes_into_its_image_or_may_more_than_a_process() -> None:
    assert set(pods()) == {
        "daemon",
        "studio",
        "metrics",
        "migrate",
        "worker-cpu",
        "worker-cloud",
        "worker-gpu",
    }
    for pod in pods().values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 1000  # as USER of the Dockerfile
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in (*pod["containers"], *pod["initContainers"]):
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted <= {volume["name"] for volume in pod["volumes"]}
            assert container["image"].partition(":")[2] in {name.split()[-1] for name in instructions("FROM")}


def test_secrets_are_references_and_settings_hold_none() -> None:
    assert not of_kind("Secret")
    settings = of_kind("ConfigMap")["resonate-settings"]["data"]
    assert not [name for name in settings if re.search("PASSWORD|SECRET|KEY|BROKER|RESONATE_DATABASE", name)]
    wanted = set(re.findall(r"env: (\w+)", CLUSTER.with_name("dagster.yaml").read_text()))
    assert wanted - {*settings} == {"RESONATE_POSTGRES_PASSWORD", "RESONATE_BROKER"}
    for name, pod in pods().items():
        role = "worker" if name.startswith("worker") else {"studio": "web", "metrics": "web"}.get(name, name)
        assert {"secretRef": {"name": f"resonate-{role}"}} in pod["containers"][0]["envFrom"]


def test_a_worker_that_is_to_go_ends_its_run_first() -> None:
    longest = yaml.safe_load(CLUSTER.with_name("dagster.yaml").read_text())["run_monitoring"][
        "max_runtime_seconds"
    ]
    workers = {name: pod for name, pod in pods().items() if name.startswith("worker")}
    for name, pod in workers.items():
        assert pod["terminationGracePeriodSeconds"] > longest
        assert "livenessProbe" not in pod["containers"][0]
        assert of_kind("PodDisruptionBudget")[name]["spec"]["maxUnavailable"] == 1
    [gpu] = [pod["containers"][0] for name, pod in workers.items() if name == "worker-gpu"]
    assert gpu["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_each_queue_scales_by_what_waits_and_what_is_at_work_in_it() -> None:
    """Fields as KEDA documents them (ScaledObject specification; scaler "RabbitMQ Queue"). AMQP would leave out
    what is at work, and workers would be taken from it."""
    from resonate_assets.run_queue.queues import QUEUES

    scaled = of_kind("ScaledObject")
    assert set(scaled) == {f"worker-{queue}" for queue in QUEUES}
    for name, each in scaled.items():
        spec = each["spec"]
        assert spec["scaleTargetRef"]["name"] == name
        assert name in of_kind("Deployment")
        assert "replicas" not in of_kind("Deployment")[name]["spec"]
        assert spec["cooldownPeriod"] == 600
        scale_down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
        assert scale_down["stabilizationWindowSeconds"] == 600
        [trigger] = spec["triggers"]
        command = pods()[name]["containers"][0]["command"]
        at_once = command[command.index("--at-once") + 1] if "--at-once" in command else "1"
        assert trigger == {
            "type": "rabbitmq",
            "metadata": {
                "protocol": "http",
                "queueName": name.removeprefix("worker-"),
                "mode": "QueueLength",
                "value": at_once,
            },
            "authenticationRef": {"name": "rabbitmq"},
        }
    assert scaled["worker-gpu"]["spec"]["minReplicaCount"] == 0


def test_nothing_comes_into_a_pod_but_what_a_policy_names() -> None:
    policies = of_kind("NetworkPolicy")
    assert policies["nothing-but"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    let_in = {
        policy["spec"]["podSelector"]["matchLabels"].get("app")
        for policy in policies.values()
        if "ingress" in policy["spec"]
    }
    assert let_in == {"studio", "metrics", None}  # None: Dagster's pages, which the chart labels


def test_dagsters_chart_runs_its_pages_as_ours_are_run_and_no_daemon() -> None:
    values = yaml.safe_load((KUBERNETES / "dagster-values.yaml").read_text())
    ours_says = yaml.safe_load(CLUSTER.with_name("dagster.yaml").read_text())
    launcher = values["runLauncher"]["config"]["customRunLauncher"]
    assert launcher == ours_says["run_launcher"]
    web = values["dagsterWebserver"]
    studio = pods()["studio"]
    assert web["podSecurityContext"] == studio["securityContext"]
    assert web["securityContext"] == studio["containers"][0]["securityContext"]
    assert {mount["name"] for mount in web["volumeMounts"]} == {volume["name"] for volume in web["volumes"]}
    assert values["dagsterDaemon"] == {"enabled": False}
    assert values["postgresql"]["enabled"] is values["rabbitmq"]["enabled"] is False
    # It may have a Dagster of another version on its own images, but not another than the code's.
    pinned = re.search(r"^dagster==(\S+)", (REPOSITORY / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned
    assert f"--version {pinned[1]} " in (KUBERNETES / "dagster-values.yaml").read_text()
