#!/usr/bin/env bash
# ABC proves or refutes every circuit that Assay writes in AIGER as Assay itself does.
set -euo pipefail
skip() { echo "SKIPPED: $1; ABC was NOT compared with Assay"; exit 77; }
command -v berkeley-abc >/dev/null || skip "berkeley-abc is not installed (apt-get install berkeley-abc)"
command -v python3 >/dev/null || skip "python3 is not installed"
[ -x "$ASSAY_BIN/assay" ] || skip "$ASSAY_BIN/assay is not built"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PYTHONDONTWRITEBYTECODE=1
python3 "$ASSAY_SOURCE/tests/peer/model_checkers.py" "$ASSAY_BIN/assay" "$dir" abc ${MACHINES:-}
