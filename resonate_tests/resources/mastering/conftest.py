"""libebur128's Python binding has no wheel for Python 3.13: what it measures is tried on the versions before."""

import sys

collect_ignore = ["test_many_files.py"] if sys.version_info >= (3, 13) else []
