"""What sfzlint finds in an SFZ of the format's first version, as JSON: `python read.py FILE`.

complaints: of syntax, opcodes, their values, and samples that are not there. regions: opcode → value, with those of
their groups.
"""

import json
import sys
from pathlib import Path

from sfzlint import settings
from sfzlint.parser import SFZValidatorConfig, validate

settings.pickle = False
path = Path(sys.argv[1])
complaints = []
found = validate(
    path,
    err_cb=lambda severity, message, token, _: complaints.append(f"{token.line}: {severity} {message}"),
    config=SFZValidatorConfig(spec_versions={"v1"}, file_path=path),
)
group, regions = {}, []
for header in found.headers:
    values = {str(opcode): getattr(value, "value", value) for opcode, value in header.items()}
    if header.token == "group":
        group = values
    else:
        regions.append({**group, **values})
json.dump({"complaints": complaints, "regions": regions}, sys.stdout, default=str)
