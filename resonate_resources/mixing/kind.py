"""What a mix of such stems usually sounds like, by octave."""

from __future__ import annotations

from dataclasses import dataclass

from resonate_resources.mixing.plan import Octaves


@dataclass(frozen=True)
class Kind:
    """excess_db: how far the mix is over (under, if negative) what its stems' own kinds lead one to expect, at each
    of OCTAVES_HZ; 0 in the mean. spread_db: how far music of this kind lies off by itself (standard deviation):
    what is within twice of it is no defect.
    """

    excess_db: Octaves
    spread_db: Octaves
