#!/usr/bin/env bash
# Storm bounds interval chains as Assay does: random ones, and those that `assay check --export` writes of an exact machine.
# Needs a python with stormpy, named by ASSAY_PEER_PYTHON.
set -euo pipefail
skip() { echo "SKIPPED: $1; Storm was NOT compared with Assay"; exit 77; }
[ -n "${ASSAY_PEER_PYTHON:-}" ] || skip "ASSAY_PEER_PYTHON is not set"
"$ASSAY_PEER_PYTHON" -c 'import stormpy; stormpy.RationalInterval' 2>/dev/null ||
  skip "$ASSAY_PEER_PYTHON cannot import stormpy 2.0 (pip install stormpy)"
[ -x "$ASSAY_BIN/assay" ] || skip "$ASSAY_BIN/assay is not built"
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" .
cat >p.spec <<'SPEC'
spec "chance" version 1;
use model M = "model";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
prop ever: Pmax <= 0.001 [!Digit U At];
prop soon: Pmax <= 0.9 [F Digit] horizon 20;
SPEC
echo '{"tokens":[[3],[12,13],[20]]}' >p.json
assay --quiet check --model model --spec p.spec --prompts p.json --decoder min-p:0.75 --export out >check.out || true
[ -s out/ever.drn ] && [ -s out/soon.drn ] || { cat check.out; echo "FAILED: no chain was written"; exit 1; }
"$ASSAY_PEER_PYTHON" "$ASSAY_SOURCE/tests/peer/storm.py" "$ASSAY_BIN/assay" . out/ever.drn out/soon.drn 2>/dev/null >storm.out || {
  grep -v ^WARN storm.out
  exit 1
}
grep -v ^WARN storm.out
