"""The inverse of a spectrum that is none of a sound: the same on a GPU as on a processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@contextmanager
def as_processors_invert() -> Iterator[None]:
    """Let torch.istft leave out the imaginary parts at 0 Hz and at half the rate, as its documentation says.

    Masks make them, and they are no sound. A processor leaves them out; cuFFT adds the one at 0 Hz at half the rate
    (pytorch issue 154496).
    """
    import torch

    plain: Callable[..., Tensor] = torch.istft

    def istft(spectra: Tensor, *args: Any, **settings: Any) -> Tensor:
        spectra = spectra.clone()
        torch.view_as_real(spectra)[..., [0, -1], :, 1] = 0
        return plain(spectra, *args, **settings)

    torch.istft = istft  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.istft = plain
