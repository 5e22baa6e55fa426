"""`python -m resonate_studio.api.openapi`: the description of the API, from which the page's types are made."""

from __future__ import annotations

import json
import sys

from resonate_studio.api.app import create_app


def described() -> str:
    """OpenAPI 3.1 as JSON, the same for the same code."""
    return json.dumps(create_app().openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(described())
