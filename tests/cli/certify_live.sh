#!/usr/bin/env bash
# Liveness and `some` in a signed certificate: ranks and lassos are checked again by verify, and a claim that says more than its proof is refused.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
unset SOURCE_DATE_EPOCH ASSAY_SIGNING_KEY
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir"
cat >"$dir/l.spec" <<'SPEC'
spec "endless" version 1;
use model M = "model";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
prop again: all G F Digit doc "Digits never cease.";
prop settles: all F G !Digit;
prop some_at: some F At;
prop some_digits: some G F Digit doc "Some run writes digits for ever.";
prop some_digit: some F Digit;
prop some_early: some G !Digit;
prop no_digit: all G !Digit;
SPEC
echo '{"tokens":[[3,4],[12,13,14],[20]]}' >"$dir/p.json"
cat >"$dir/case.json" <<'CASE'
{"assay-case": 1, "name": "tiny", "serial": "1", "resourceUri": "pkg:generic/test/tiny", "model": "model",
 "checks": [{"name": "live", "spec": "l.spec", "decoder": "greedy", "prompts": "p.json"},
            {"name": "cut", "spec": "l.spec", "decoder": "greedy", "prompts": "p.json", "maxNew": 200, "properties": ["again", "some_digit"]}]}
CASE
expect 0 "$assay" key new --out "$dir/keys"
certify() { "$assay" --quiet certify "$dir/case.json" --key "$dir/keys/private.pem" --time 2026-01-31T00:00:00Z --out "$1"; }
verify() { "$assay" verify "$1" --model "$dir/model" --key "$dir/keys/public.pem" --at 2026-02-01T00:00:00Z; }
expect 1 certify "$dir/a"
for claim in "HOLDS PROVED  live.again" "VIOLATED PROVED  live.settles" "VIOLATED PROVED  live.some_at" "HOLDS PROVED  live.some_digits" \
  "HOLDS PROVED  live.some_digit" "VIOLATED PROVED  live.some_early" "VIOLATED PROVED  live.no_digit" "UNKNOWN  cut.again" "HOLDS PROVED  cut.some_digit"; do
  grep -q "$claim" "$dir/out" || fail "no '$claim' in: $(cat "$dir/out")"
done
cert=$dir/a/tiny.cert.dsse.json
expect 0 verify "$cert"
grep -q "8 claims accepted again by assay-check in 2 runs" "$dir/out" || fail "not all re-checked: $(cat "$dir/out")"
python3 - "$cert" "$dir/a/evidence" <<'PY'
import base64, json, sys
p = json.loads(base64.b64decode(json.load(open(sys.argv[1]))["payload"]))["predicate"]
c = {x["id"]: x for x in p["claims"]}
assert c["live.again"]["domain"] == "every endless run of the model: prompts in 3-4 12-14 20, decoder greedy, any number of new tokens", c["live.again"]
assert c["live.some_at"]["domain"].startswith("every "), c["live.some_at"]
assert c["live.some_digits"]["domain"].startswith("one run of the model: prompt ") and " and for ever " in c["live.some_digits"]["domain"]
assert "counterexample" not in c["live.some_digits"]
run = json.load(open(sys.argv[2] + "/" + c["live.settles"]["counterexample"]))
notes = [s["note"] for s in run["steps"]]
assert any("the loop begins here" in n for n in notes) and "for ever" in notes[-1], notes
PY
expect 0 "$assay" report "$cert" --out "$dir/report.html"
grep -q "By the run that the domain names" "$dir/report.html" || fail "the report takes a run for every run"
grep -q "the loop begins here" "$dir/report.html" || fail "the report does not show the loop"

resign() { # resign PYTHON-EDIT of predicate p
  rm -rf "$dir/c"; cp -r "$dir/a" "$dir/c"
  python3 "$ASSAY_SOURCE/tests/support/resign.py" "$dir/c/tiny.cert.dsse.json" "$dir/keys/private.pem" "$1"
}
refuse() { resign "$1"; expect 8 verify "$dir/c/tiny.cert.dsse.json"; }
if command -v openssl >/dev/null; then
  resign "pass"; expect 0 verify "$dir/c/tiny.cert.dsse.json"   # the control
  refuse 'c["live.some_digits"]["domain"] = c["live.again"]["domain"]'
  refuse 'c["live.some_digits"]["formal"] = c["live.some_digits"]["formal"].replace("some", "all")'
  refuse 'c["live.again"]["domain"] = c["live.again"]["domain"].replace("endless ", "")'
  refuse 'c["live.settles"]["domain"] = c["cut.some_digit"]["domain"]'
  refuse 'c["live.settles"]["status"] = "HOLDS"; v = p["verdict"]; v["counts"]["HOLDS"] += 1; v["counts"]["VIOLATED"] -= 1; v["counts"]["PROVED"] += 1'
  refuse 'c["live.some_at"]["status"] = "HOLDS"; v = p["verdict"]; v["counts"]["HOLDS"] += 1; v["counts"]["VIOLATED"] -= 1; v["counts"]["PROVED"] += 1'
  refuse 'c["cut.some_digit"]["recheck"]["inputs"] = c["live.again"]["recheck"]["inputs"]'
  refuse 'put("checks/live/statement.runs", open(folder + "checks/live/statement.runs").read().replace("max-new any", "max-new 30"))'
else
  echo "SKIPPED: openssl is not installed; re-signed certificates were NOT tried"
fi
echo "certify live: ok"
