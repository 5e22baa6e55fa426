"""The machine for GPU runs, as Dagster sees it."""

import dagster as dg

from resonate_resources.machines.machine import Machine


class GpuMachineResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """A machine that is started by the first run that needs a GPU; none where `name` is empty. See `GpuMachine`."""

    name: str = ""
    price: float = 0.0
    day_cap: float = 0.0
    region: str = ""
    endpoint: str = ""

    def machine(self) -> Machine | None:
        if not self.name:
            return None
        from resonate_resources.machines.ec2 import EC2Machine

        return EC2Machine(self.name.removeprefix("ec2:"), self.price, self.region, self.endpoint)
