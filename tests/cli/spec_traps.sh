#!/usr/bin/env bash
# What a new or hostile user writes in a .spec or gives as a machine: refused with line, column and a fix, or decided as it must
# be; never a crash, never a HOLDS that says nothing.
set -euo pipefail
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
command -v python3 >/dev/null || { echo "SKIPPED: python3 is needed"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 "$ASSAY_SOURCE/tests/cli/spec_traps.py" "$ASSAY_BIN/assay" "$dir"
