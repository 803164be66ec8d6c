"""When things happen and in which order: ingest, validate, transform, measure, publish, alert."""

import os

# The matrices of a night are small, and BLAS's threads wait for each other in loops: half a second of processor, of 22.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
