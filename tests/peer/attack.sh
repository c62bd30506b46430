#!/usr/bin/env bash
# The battery of `assay erase attack` reads what scikit-learn's probes read, before and after an eraser. Needs a python with scikit-learn and
# safetensors, named by ASSAY_PEER_PYTHON.
set -euo pipefail
skip() { echo "SKIPPED: $1; scikit-learn was NOT compared with Assay"; exit 77; }
[ -x "$ASSAY_BIN/assay" ] || skip "$ASSAY_BIN/assay is not built"
[ -n "${ASSAY_PEER_PYTHON:-}" ] || skip "ASSAY_PEER_PYTHON is not set"
"$ASSAY_PEER_PYTHON" -c 'import sklearn, safetensors' 2>/dev/null || skip "$ASSAY_PEER_PYTHON cannot import sklearn and safetensors"
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$ASSAY_PEER_PYTHON" "$ASSAY_SOURCE/tests/peer/attack.py" "$ASSAY_BIN/assay" "$dir"
