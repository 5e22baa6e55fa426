"""An EC2 instance, at a server that speaks EC2's language (moto)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from resonate_resources.machines.ec2 import EC2Machine
from resonate_resources.machines.machine import MachineError

IMAGE = "ami-12c6146b"
"""One of moto's own."""
REGION = "eu-central-1"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def client(endpoint: str) -> Any:
    return boto3.client("ec2", region_name=REGION, endpoint_url=endpoint)


@pytest.fixture
def instance_of(client: Any) -> Callable[[str], str]:
    """Makes an instance of that name, which runs; gives its id."""

    def make(name: str) -> str:
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
        made = client.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, TagSpecifications=tags)
        return str(made["Instances"][0]["InstanceId"])

    return make


def state_at(client: Any, id_: str) -> str:
    found = client.describe_instances(InstanceIds=[id_])["Reservations"][0]["Instances"][0]
    return str(found["State"]["Name"])


@pytest.mark.parametrize("by", ["id", "tag"])
def test_an_instance_is_stopped_and_started_by_its_id_or_its_tag(
    by: str, client: Any, endpoint: str, instance_of: Callable[[str], str]
) -> None:
    id_ = instance_of(f"gpu-{by}")
    machine = EC2Machine(id_ if by == "id" else "Name=gpu-tag", 1.0, REGION, endpoint)
    assert machine.state() == "running"
    machine.stop()
    assert (machine.state(), state_at(client, id_)) == ("stopped", "stopped")
    machine.start()
    assert (machine.state(), state_at(client, id_)) == ("running", "running")


def test_a_terminated_or_unknown_one_is_gone(
    client: Any, endpoint: str, instance_of: Callable[[str], str]
) -> None:
    id_ = instance_of("short-lived")
    client.terminate_instances(InstanceIds=[id_])
    for which in (id_, "i-0123456789abcdef0", "Name=short-lived", "Name=never"):
        machine = EC2Machine(which, 1.0, REGION, endpoint)
        assert machine.state() == "gone"
        with pytest.raises(MachineError, match="no such instance"):
            machine.start()


def test_one_that_took_the_place_of_a_terminated_one_is_found_by_the_same_tag(
    client: Any, endpoint: str, instance_of: Callable[[str], str]
) -> None:
    client.terminate_instances(InstanceIds=[instance_of("again")])
    instance_of("again")
    assert EC2Machine("Name=again", 1.0, REGION, endpoint).state() == "running"


def test_a_tag_of_two_is_refused(endpoint: str, instance_of: Callable[[str], str]) -> None:
    for _ in range(2):
        instance_of("twins")
    with pytest.raises(MachineError, match=r"^ec2:Name=twins: 2 instances carry this tag"):
        EC2Machine("Name=twins", 1.0, REGION, endpoint).state()


@pytest.mark.parametrize("endpoint_url", ["http://127.0.0.1:9", "127.0.0.1"])
@pytest.mark.usefixtures("endpoint")
def test_an_ec2_that_can_not_be_used_is_one_line(endpoint_url: str) -> None:
    with pytest.raises(MachineError, match=r"^ec2:i-01: EC2 can't be used") as caught:
        EC2Machine("i-01", 1.0, REGION, endpoint_url).state()
    assert "\n" not in str(caught.value)
