#!/usr/bin/env bash
# The erasers of `assay erase fit` are those of the package concept-erasure where that one is right (double precision, common concept), and Assay
# erases or refuses where it silently leaves the concept. Needs a python with concept-erasure, named by ASSAY_PEER_PYTHON.
set -euo pipefail
skip() { echo "SKIPPED: $1; concept-erasure was NOT compared with Assay"; exit 77; }
[ -x "$ASSAY_BIN/assay" ] || skip "$ASSAY_BIN/assay is not built"
[ -n "${ASSAY_PEER_PYTHON:-}" ] || skip "ASSAY_PEER_PYTHON is not set"
"$ASSAY_PEER_PYTHON" -c 'import concept_erasure, safetensors' 2>/dev/null || skip "$ASSAY_PEER_PYTHON cannot import concept_erasure"
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$ASSAY_PEER_PYTHON" "$ASSAY_SOURCE/tests/peer/erasure.py" "$ASSAY_BIN/assay" "$dir"
