"""Tokens one after another, led by style and text: MusicGen-Style's guidance, and codebooks that come in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from resonate_resources.composition.engines.checkpoint import GUIDANCE, TOP_K

TEXT_GUIDANCE: Final = 5.0
"""How far text leads beyond style (cfg_coef_beta): as in its authors' documentation, within 1 to 9; 1 is plain
guidance by both."""
_UNKNOWN = -1

Step = Callable[[Any], Any]
"""(batch, codebooks, steps) that follow on those of before → (3, batch, codebooks, vocabulary): what comes next by
style and text, by style alone, and by neither."""


def guided(by_both: Any, by_style: Any, by_none: Any) -> Any:
    """Double classifier-free guidance: equation 2 of Rouard et al. 2024, with the authors' coefficients."""
    return by_none + GUIDANCE * (by_style + TEXT_GUIDANCE * (by_both - by_style) - by_none)


def continued_codes(step: Step, known: Any, tokens: int, nothing: int) -> Any:
    """(batch, codebooks, tokens) that begin with those that are known, sampled by torch's chance.

    Each codebook begins a step after the one before (Copet et al. 2023, figure 1, "delay"); where it has not begun,
    or has ended, the token is `nothing`.
    """
    import torch

    batch, books, length = known.shape
    sequence = torch.full((batch, books, tokens + books), nothing, device=known.device)
    for book in range(books):
        sequence[:, book, book + 1 : book + 1 + tokens] = _UNKNOWN
        sequence[:, book, book + 1 : book + 1 + length] = known[:, book]
    begin = 0
    for at in range(length + 1, tokens + books):
        chances = guided(*step(sequence[..., begin:at])).float().softmax(dim=-1)
        likeliest, which = chances.topk(min(TOP_K, chances.shape[-1]), dim=-1)
        drawn = torch.multinomial(likeliest.flatten(0, 1), 1).view(batch, books, 1)
        drawn = which.gather(-1, drawn)[..., 0]
        sequence[..., at] = sequence[..., at].where(sequence[..., at] != _UNKNOWN, drawn)
        begin = at
    return torch.stack([sequence[:, book, book + 1 : book + 1 + tokens] for book in range(books)], dim=1)
