#!/usr/bin/env bash
# NuSMV checks every machine and property that Assay writes in SMV, and says what Assay says.
set -euo pipefail
skip() { echo "SKIPPED: $1; NuSMV was NOT compared with Assay"; exit 77; }
command -v "${ASSAY_NUSMV:-NuSMV}" >/dev/null || skip "NuSMV is not installed (or name a program that takes its files by ASSAY_NUSMV)"
command -v python3 >/dev/null || skip "python3 is not installed"
[ -x "$ASSAY_BIN/assay" ] || skip "$ASSAY_BIN/assay is not built"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PYTHONDONTWRITEBYTECODE=1
python3 "$ASSAY_SOURCE/tests/peer/model_checkers.py" "$ASSAY_BIN/assay" "$dir" nusmv ${MACHINES:-}
