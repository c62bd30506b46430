#!/usr/bin/env bash
# MONA (m2l-str) and Assay build automata of the same language for LTLf formulas, past and bounds among them.
set -euo pipefail
skip() { echo "SKIPPED: $1; MONA was NOT compared with Assay"; exit 77; }
command -v mona >/dev/null || skip "mona is not installed (apt-get install mona)"
command -v python3 >/dev/null || skip "python3 is not installed"
[ -x "$ASSAY_BIN/assay" ] || skip "$ASSAY_BIN/assay is not built"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 "$ASSAY_SOURCE/tests/peer/mona.py" "$ASSAY_BIN/assay" "$dir"
