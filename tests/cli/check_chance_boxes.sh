#!/usr/bin/env bash
# Pmax and Pmin in refined mode end to end: a bound for every prompt, whatever its length, beside the sampled rate; the
# certificate is accepted, and no corruption of it shows a claim that is false.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
PYTHONPATH="$ASSAY_SOURCE/tests/cli" python3 "$ASSAY_SOURCE/tests/cli/rare_model.py" "$work/model"
cd "$work"
echo '{"any": true, "max_length": 64}' >p.json
cat >t.spec <<'SPEC'
spec "t" version 1;
use model M = "model";
ap Rare = tok = "#";
ap A = tok = "a";
prop rare: Pmax <= 0.25 [F Rare] horizon 8;
prop silent: Pmin >= 0.75 [G !Rare] horizon 8;
prop twice: Pmax <= 0.05 [F (Rare & X[!] Rare)] horizon 8;
SPEC
run() { assay --quiet check --mode refined --model model --prompts p.json "$@"; }
run --spec t.spec --decoder plain --certificate c --json >c.json || fail "not all hold: $(cat c.json)"
python3 - <<'PY'
import json
p = {x["name"]: x for x in json.load(open("c.json"))["properties"]}
print({n: (x["verdict"], x["level"], x["probability"]["least"], x["probability"]["most"], x["probability"]["sampled"]) for n, x in p.items()})
assert all(x["verdict"] == "holds" and x["level"] == "PROVED" for x in p.values()), p
rare, silent = p["rare"]["probability"], p["silent"]["probability"]
assert 0 < float(rare["most"]) <= 0.25 and 0.75 <= float(silent["least"]) < 1
assert float(rare["sampled"]["lo"]) > 0, "the event was never met: the bound is about something that happens"
assert float(rare["sampled"]["lo"]) <= float(rare["most"]) and float(silent["sampled"]["hi"]) >= float(silent["least"])
assert "every prompt" in rare["over"] and rare["horizon"] == 8
PY
assay-check c --model model --spec c.spec --runs c.runs >c.out || fail "control: $(cat c.out)"
grep -q "ACCEPT rare PROVED HOLDS for every prompt and every choice of nature (real arithmetic)" c.out || fail "$(cat c.out)"

# The horizon of the request counts as well; min-p removes what it surely cuts.
run --spec t.spec --decoder plain --prop rare --max-new 2 --json >n.json || fail "$(cat n.json)"
grep -q '"horizon": 2' n.json || fail "no horizon of 2: $(cat n.json)"
run --spec t.spec --decoder min-p:0.3 --prop rare --certificate m --json >m.json || fail "$(cat m.json)"
assay-check m --model model --spec m.spec --runs m.runs >m.out || fail "control: $(cat m.out)"

# What cannot be shown is UNKNOWN, with the bounds; a false claim never holds.
sed 's/Pmax <= 0.25/Pmax <= 0.0001/' t.spec >f.spec
code=0; run --spec f.spec --decoder plain --prop rare --lemmas 60 --json >f.json || code=$?
[ "$code" = 3 ] || fail "unknown is exit 3, not $code: $(cat f.json)"
sed 's/ horizon 8//' t.spec >u.spec
code=0; run --spec u.spec --decoder plain --prop rare --json >u.json || code=$?
[ "$code" = 3 ] && grep -q "without a horizon" u.json || fail "$(cat u.json)"

ASSAY_SOURCE="$ASSAY_SOURCE" python3 "$ASSAY_SOURCE/tests/cli/corrupt_boxes.py" || fail "corrupted certificates"
echo "check chance over boxes: bounds, verdicts and certificates are as they should be"
