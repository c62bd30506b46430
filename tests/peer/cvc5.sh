#!/usr/bin/env bash
# cvc5 proves every obligation that Assay writes of its invariants (exact machines, levels), and refutes those of a false one.
# Needs a python with cvc5, named by ASSAY_PEER_PYTHON.
set -euo pipefail
skip() { echo "SKIPPED: $1; cvc5 was NOT asked about Assay's invariants"; exit 77; }
[ -n "${ASSAY_PEER_PYTHON:-}" ] || skip "ASSAY_PEER_PYTHON is not set"
"$ASSAY_PEER_PYTHON" -c 'import cvc5' 2>/dev/null || skip "$ASSAY_PEER_PYTHON cannot import cvc5 (pip install cvc5)"
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
fail() { echo "FAILED: $*" >&2; exit 1; }
cvc5() { "$ASSAY_PEER_PYTHON" "$ASSAY_SOURCE/tests/peer/cvc5_obligations.py" "$@"; }

printf 'HOA: v1\nStates: 2\nStart: 0\nAP: 2 "A" "B"\nAcceptance: 0 t\n--BODY--\nState: 0\n[t] 0\n[0&1] 1\nState: 1\n[!0] 0\n--END--\n' >m.hoa
cat >levels.spec <<'SPEC'
spec "levels" version 1;
ap A = tok = id 0;
ap B = tok = id 1;
level heat = 0 when A: 0.9*heat + 1 else 0.9*heat;
level left = 0 when A: left + 1 else left;
level right = 0 when A: right + 1 else right;
level apart = 0 else left - right;
level round = 0 max 5 when B: 0 else round + 1;
ap Hot = heat >= 10;
ap Apart = apart > 0;
ap Late = round > 5;
prop cool: all G !Hot;
prop together: all G !Apart;
prop early: all G(!Late & (A -> X !Hot));
SPEC
assay --quiet check --automaton m.hoa --spec levels.spec --smt levels >out || { cat out; fail "levels"; }
[ "$(grep -c HOLDS out)" = 3 ] || fail "not all hold"
cvc5 unsat levels/*.smt2 || fail "cvc5 does not prove an obligation of levels"
mkdir false
for f in levels/cool.*.smt2; do sed 's/10\.0/9.0/g' "$f" >"false/$(basename "$f")"; done
cvc5 sat false/*.smt2 || fail "the comparison sees no difference"

python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" .
cat >exact.spec <<'SPEC'
spec "exact" version 1;
use model M = "model";
ap At = tok = "@";
prop quiet: all G(At -> X !At);
SPEC
echo '{"tokens":[[3,4],[12,13,14],[20]]}' >p.json
assay --quiet check --model model --spec exact.spec --prompts p.json --decoder greedy --smt exact >/dev/null || fail "exact"
cvc5 unsat exact/*.smt2 || fail "cvc5 does not prove an obligation of an exact machine"
echo "cvc5: all passed"
