"""libebur128's Python binding has no wheel for Python 3.13: parity with it is tried on the versions before."""

import sys

collect_ignore = ["test_loudness_like_libebur128.py"] if sys.version_info >= (3, 13) else []
