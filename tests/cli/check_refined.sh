#!/usr/bin/env bash
# Refined mode end to end: verdicts from any prompt, exit codes, JSON, and the certificate that assay-check accepts
# and, once touched, rejects.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$work"
cd "$work"
# Older tokens matter less than in the tiny model, so that something holds from any prompt.
python3 - <<'PY'
import json, struct
path = "model/model.safetensors"
raw = bytearray(open(path, "rb").read())
size = struct.unpack("<Q", raw[:8])[0]
for name, factor in (("blocks.0.attn.W_O", 0.15), ("blocks.0.mlp.W_out", 0.5)):
    begin, end = json.loads(raw[8:8 + size])[name]["data_offsets"]
    at, n = 8 + size + begin, (end - begin) // 4
    values = struct.unpack_from("<%df" % n, raw, at)
    struct.pack_into("<%df" % n, raw, at, *(factor * v for v in values))
open(path, "wb").write(raw)
PY
cat >t.spec <<'SPEC'
spec "t" version 1;
use model M = "model";
class digit = /[0-9]/;
ap At = tok = "@";
ap E = tok = "e";
ap C = tok = "c";
ap Digit = tok in digit;
prop quiet: all G(E -> X !C);
prop no_digit: all G !Digit;
prop live: all F At;
SPEC
echo '{"any":true,"max_length":40}' >p.json
check() { assay --quiet check --model model --spec t.spec --prompts p.json --decoder greedy "$@"; }

# Windows of 8 tokens out of 45 do not fit --states: refined mode by itself.
code=0; check --certificate c --json >c.json || code=$?
[ "$code" = 1 ] || fail "violated is exit 1, not $code"
python3 - <<'PY'
import json
r = json.load(open("c.json"))
assert r["mode"] == "refined", r["mode"]
p = {x["name"]: x for x in r["properties"]}
assert p["no_digit"]["verdict"] == "violated" and p["no_digit"]["level"] == "PROVED", p
w = p["no_digit"]["witness"]
assert w["prompt"] and len(w["steps"]) == len(w["tokens"]) >= 1
assert p["live"]["verdict"] == "unknown" and p["live"]["level"] == "", p
for x in p.values():
    for key in ("lemmas", "patterns", "refinements", "nodes", "depth", "edges", "seconds"):
        assert key in x, key
PY
assay-check c --model model --spec c.spec --runs c.runs >c.out || fail "the checker rejects: $(cat c.out)"
grep -q "ACCEPT no_digit PROVED VIOLATED" c.out || fail "no violation in $(cat c.out)"

code=0; check --prop quiet --certificate h --json >h.json || code=$?
[ "$code" = 0 ] || fail "holds is exit 0, not $code: $(cat h.json)"
grep -q '"verdict": "holds"' h.json || fail "quiet does not hold: $(cat h.json)"
assay-check h --model model --spec h.spec --runs h.runs >h.out || fail "the checker rejects: $(cat h.out)"
grep -q "ACCEPT quiet PROVED HOLDS" h.out || fail "quiet is not accepted: $(cat h.out)"
check --prop quiet --certificate again >/dev/null
cmp -s h again || fail "another run, another certificate"
rejected() { # rejected NAME SED: the count of steps is kept right
  sed "$2" h >bad; cmp -s h bad && fail "$1: nothing was changed"
  python3 - <<'PY'
lines = open("bad").read().split("\n")
first = next(i for i, l in enumerate(lines) if l.startswith("statement ")) + 1
lines[-2] = "end %d" % (len(lines) - 2 - first)
open("bad", "w").write("\n".join(lines))
PY
  ! assay-check bad --model model --spec h.spec --runs h.runs >bad.out 2>&1 || fail "accepted: $1"
  grep -q REJECT bad.out || fail "no reason for: $1"
}
rejected "an OUT that is missing" '0,/ OUT /{/ OUT /d}'
rejected "a pattern that is missing" '0,/ STATE /{/ STATE /d}'
rejected "a mixture that does not add up" '0,/logit-mixture/s/\(logit-mixture [0-9]* [0-9]* [0-9]* \)[0-9]*/\17/'
rejected "another token is out" '0,/logit-mixture/s/logit-mixture [0-9]*/logit-mixture 1/'
rejected "a smaller box" '0,/lengths/s/lengths \([0-9]*\) any/lengths \1 7/'
sed 's/any 40/any 41/' h.runs >other.runs
! assay-check h --model model --spec h.spec --runs other.runs >/dev/null 2>&1 || fail "another prompt set is accepted"

# Budgets, a horizon, a mode that is forced.
code=0; check --prop quiet --mode refined --lemmas 1 --json >u.json || code=$?
[ "$code" = 3 ] || fail "one lemma ends with $code: $(cat u.json)"
grep -q "the budget of 1 lemmas" u.json || fail "the budget is not named: $(cat u.json)"
grep -q "\"missing\": \"'c' after" u.json || fail "the missing split is not named: $(cat u.json)"
code=0; check --prop quiet --mode exact --states 2000 >e || code=$?
[ "$code" = 3 ] || fail "exact mode from any prompt ends with $code"
grep -q "budget of 2000 states" e || fail "the budget is not named: $(cat e)"
code=0; check --lemmas 0 >/dev/null 2>z || code=$?
[ "$code" = 2 ] || fail "a budget of 0 ends with $code"
code=0; check --mode soft >/dev/null 2>z || code=$?
[ "$code" = 2 ] || fail "an unknown mode ends with $code"
echo "check refined: verdicts and certificates are as they should be"
