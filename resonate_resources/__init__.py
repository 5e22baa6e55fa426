"""How it is done: one package for each capability."""

import os

# Before numpy is imported. Stems and tracks are worked on beside each other; threads of BLAS beside those only
# wait for each other, spinning: on a busy machine a check of true peaks took 5.8 s with them and 0.9 s without.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# ONNX Runtime from 1.31 on tells Microsoft of its use, and leaves `.ses` in the folder for temporary files. It
# reads this as it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
