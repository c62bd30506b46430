#!/usr/bin/env bash
# Pmax and Pmin in exact mode end to end: both bounds, verdicts with certificates that assay-check accepts, and
# every corruption of them rejected.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$work"
cd "$work"
cat >t.spec <<'SPEC'
spec "t" version 1;
use model M = "model";
use sae T = "sae";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
ap On = feat(T/3) > 0;
prop soon: Pmax <= 0.9999 [F Digit] horizon 3;
prop never: Pmax <= 0.000001 [F Digit] horizon 3;
prop quiet: Pmin >= 0.001 [G !At] horizon 3;
prop on_at: Pmax < 0.99 [F (On & At)] horizon 2;
prop between: Pmax <= THRESHOLD [F Digit] horizon 3;
SPEC
sed -i 's/THRESHOLD/0.5/' t.spec
echo '{"tokens":[[3,4],[12,13,14],[20]]}' >p.json
code=0; assay --quiet check --model model --sae sae --spec t.spec --prompts p.json --decoder min-p:0.4:3/2 --certificate c --json >c.json || code=$?
[ "$code" = 1 ] || fail "violated is exit 1, not $code: $(cat c.json)"
python3 - <<'PY'
import json
p = {x["name"]: x for x in json.load(open("c.json"))["properties"]}
print({n: (x["verdict"], x["level"], x.get("probability", {}).get("least"), x.get("probability", {}).get("most"), x.get("reason")) for n, x in p.items()})
assert p["never"]["verdict"] == "violated" and p["never"]["level"] == "PROVED", p["never"]
assert p["never"]["probability"]["prompt"][0] in (3, 4)
for x in p.values():
    q = x["probability"]
    assert 0 <= float(q["least"]) <= float(q["most"]) <= 1 and q["horizon"] in (2, 3)
    assert "every prompt" in q["over"] and "nature" in q["over"]
s = p["soon"]["probability"]["sampled"]  # of the prompt with the largest bound
assert s["runs"] == 1000 and float(s["lo"]) <= float(p["soon"]["probability"]["most"]) <= float(s["hi"]), s
assert [p[n]["verdict"] for n in ("soon", "quiet", "on_at")] == ["holds"] * 3, p
assert p["soon"]["probability"]["most"] == p["between"]["probability"]["most"]
PY
assay-check c --model model --sae sae --spec c.spec --runs c.runs >c.out || fail "control: $(cat c.out)"
grep -q "ACCEPT soon PROVED HOLDS for every prompt and every choice of nature (real arithmetic)" c.out || fail "$(cat c.out)"
grep -q "ACCEPT never PROVED VIOLATED whatever nature picks, by prompt" c.out || fail "$(cat c.out)"

# Runs of any length: the upper bound stands on values.
cat >u.spec <<'SPEC'
spec "u" version 1;
use model M = "model";
class digit = /[0-9]/;
ap Digit = tok in digit;
class low = /[a-k]/;
ap Low = tok in low;
prop before: Pmax <= 0.9999 [!Low U Digit];
prop never: Pmax <= 0.1 [!Digit U Low];
SPEC
echo '{"tokens":[[3],[12],[20,21,22,23,24]]}' >q.json
code=0; assay --quiet check --model model --spec u.spec --prompts q.json --decoder min-p:0.6 --certificate uc --json >u.json || code=$?
[ "$code" = 1 ] || fail "violated is exit 1, not $code: $(cat u.json)"
[ "$(grep -c '"level": "PROVED"' u.json)" = 2 ] || fail "not both decided: $(cat u.json)"
grep -q "^before CHANCE dfa.0 : holds values" uc || fail "no values: $(grep CHANCE uc)"
assay-check uc --model model --spec uc.spec --runs uc.runs >u.out || fail "control: $(cat u.out)"

ASSAY_SOURCE="$ASSAY_SOURCE" python3 "$ASSAY_SOURCE/tests/cli/corrupt_chance.py" || fail "corrupted certificates"
echo "check chance: bounds, verdicts and certificates are as they should be"
