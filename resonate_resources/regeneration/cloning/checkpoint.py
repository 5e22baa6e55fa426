"""Weights out of a file of torch's into a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resonate_resources.models.weights import ModelError


def fill(
    network: Any, weights: Mapping[str, Any], file: Path, but: tuple[str, ...] = (), prefix: str = ""
) -> Any:
    """The network with all of its parameters, on a GPU if there is one, ready to play.

    weights: numpy arrays by name, as `read_torch_file` reads them; what the network lacks of them is left out. but:
    endings of names that are no weights. prefix: what the file has before each name. Raises ModelError where some
    are missing or of another shape.
    """
    import numpy as np
    import torch

    wanted = network.state_dict()
    tensors = {
        name: torch.from_numpy(np.array(weights[prefix + name]))
        for name in wanted
        if prefix + name in weights
    }
    if missing := [name for name in wanted if name not in tensors and not name.endswith(but)]:
        raise ModelError(f"{file}: lacks {len(missing)} of the network's parameters, {missing[0]} first")
    try:
        network.load_state_dict(tensors, strict=False)
    except (RuntimeError, TypeError) as error:
        raise ModelError(f"{file}: is another network's ({' '.join(str(error).split())[:200]})") from error
    return network.eval().requires_grad_(False).to("cuda" if torch.cuda.is_available() else "cpu")
