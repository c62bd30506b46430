#!/usr/bin/env bash
# SPIN and Assay give the same verdicts, of safety and of liveness, on given machines.
set -euo pipefail
skip() { echo "SKIPPED: $1; SPIN was NOT compared with Assay"; exit 77; }
command -v spin >/dev/null || skip "spin is not installed (apt-get install spin)"
command -v gcc >/dev/null || skip "gcc is not installed"
command -v python3 >/dev/null || skip "python3 is not installed"
[ -x "$ASSAY_BIN/assay" ] || skip "$ASSAY_BIN/assay is not built"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PYTHONDONTWRITEBYTECODE=1
python3 "$ASSAY_SOURCE/tests/peer/model_checkers.py" "$ASSAY_BIN/assay" "$dir" spin ${MACHINES:-}
