#!/usr/bin/env bash
# Specifications on the exact machine and normalised sites in a signed certificate: every proof is run again with the
# right files, and any other runs file, model, domain or formula is refused.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
unset SOURCE_DATE_EPOCH ASSAY_SIGNING_KEY
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir"
python3 "$ASSAY_SOURCE/tests/cli/site_models.py" "$dir/sites"
cat >"$dir/t.spec" <<'S'
spec "t" version 1;
use model M = "model";
use sae T = "sae";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
ap On = feat(T/3) > 0;
prop quiet: all G(At -> X !At) doc "No two at signs in a row.";
prop no_digit: all G !Digit doc "Never writes a digit.";
prop soon: all G[0:2] !(On & At) doc "The feature is not on at an early at sign.";
S
echo '{"tokens":[[3,4],[12,13,14],[20]]}' >"$dir/p.json"
cat >"$dir/case.json" <<'C'
{"assay-case": 1, "name": "tiny", "serial": "1", "resourceUri": "pkg:generic/test/tiny", "model": "model", "dictionaries": {"T": "sae"},
 "checks": [{"name": "greedy", "spec": "t.spec", "decoder": "greedy", "prompts": "p.json"},
           {"name": "short", "spec": "t.spec", "decoder": "top-k:2", "prompts": "p.json", "maxNew": 3}]}
C
expect 0 "$assay" key new --out "$dir/keys"
certify() { "$assay" --quiet certify "$dir/${2:-case}.json" --key "$dir/keys/private.pem" --time 2026-01-31T00:00:00Z --out "$1"; }
verify() { "$assay" verify "$1" --model "$2" --key "$dir/keys/public.pem" --at 2026-02-01T00:00:00Z; }

expect 1 certify "$dir/a"   # a digit is written: violated
for claim in "HOLDS PROVED  greedy.quiet" "VIOLATED PROVED  greedy.no_digit" "HOLDS PROVED  greedy.soon" "HOLDS PROVED  short.quiet"; do
  grep -q "$claim" "$dir/out" || fail "no '$claim' in: $(cat "$dir/out")"
done
expect 1 certify "$dir/b"
cmp "$dir/a/tiny.cert.dsse.json" "$dir/b/tiny.cert.dsse.json" || fail "two runs differ"
cert=$dir/a/tiny.cert.dsse.json
expect 0 verify "$cert" "$dir/model"
grep -q "6 claims accepted again by assay-check in 2 runs" "$dir/out" || fail "not all re-checked: $(cat "$dir/out")"

# The statement binds prompts, decoder and horizon, and the report says them.
python3 - "$cert" <<'P'
import base64, json, sys
p = json.loads(base64.b64decode(json.load(open(sys.argv[1]))["payload"]))["predicate"]
claims = {c["id"]: c for c in p["claims"]}
assert claims["greedy.quiet"]["domain"] == "every run of the model: prompts in 3-4 12-14 20, decoder greedy, any number of new tokens"
assert claims["short.quiet"]["domain"].endswith("decoder top-k 2, at most 3 new tokens"), claims["short.quiet"]["domain"]
assert claims["greedy.no_digit"]["domain"].startswith("one run of the model: prompt ")
assert {"option": "runs", "name": "checks/greedy/statement.runs"} in claims["greedy.quiet"]["recheck"]["inputs"]
assert {e["name"]: e["role"] for e in p["evidence"]}["checks/short/statement.runs"] == "runs"
P
expect 0 "$assay" report "$cert" --out "$dir/report.html"
grep -q "decoder top-k 2, at most 3 new tokens" "$dir/report.html" || fail "the report does not name the domain"

# Tampering: each is refused with the documented code, and mending it heals.
flip() { python3 -c '
import sys; p = sys.argv[1]; b = bytearray(open(p, "rb").read()); b[len(b) // 2] ^= 1; open(p, "wb").write(b)' "$1"; }
for file in checks/greedy/statement.runs checks/greedy/runs.cert checks/greedy/resolved.spec checks/short/statement.runs dictionaries/T/cfg.json; do
  flip "$dir/a/evidence/$file"; expect 8 verify "$cert" "$dir/model"; flip "$dir/a/evidence/$file"
  mv "$dir/a/evidence/$file" "$dir/kept"; expect 8 verify "$cert" "$dir/model"; mv "$dir/kept" "$dir/a/evidence/$file"
done
sed -i 's/top-k 2/top-k 3/' "$dir/a/evidence/checks/short/statement.runs"
expect 8 verify "$cert" "$dir/model"
sed -i 's/top-k 3/top-k 2/' "$dir/a/evidence/checks/short/statement.runs"
cp -r "$dir/model" "$dir/other"; flip "$dir/other/model.safetensors"
expect 5 verify "$cert" "$dir/other"
expect 0 verify "$cert" "$dir/model"

# Signed by the right key and still refused: a proof of one thing under the name of another.
resign() { # resign PYTHON-EDIT of predicate p
  rm -rf "$dir/c"; cp -r "$dir/a" "$dir/c"
  python3 "$ASSAY_SOURCE/tests/support/resign.py" "$dir/c/tiny.cert.dsse.json" "$dir/keys/private.pem" "$1"
}
refuse() { resign "$1"; expect 8 verify "$dir/c/tiny.cert.dsse.json" "$dir/model"; }
if command -v openssl >/dev/null; then
  resign "pass"; expect 0 verify "$dir/c/tiny.cert.dsse.json" "$dir/model"   # the control
  refuse 'c["short.quiet"]["domain"] = c["greedy.quiet"]["domain"]'
  refuse 'c["short.quiet"]["formal"] = c["short.soon"]["formal"]'
  refuse 'c["short.quiet"]["kind"] = "other"; c["short.quiet"]["domain"] = "every run of every model"'
  refuse 'c["short.quiet"]["recheck"]["statement"] = c["short.quiet"]["recheck"]["statement"].replace("3 new", "9 new")'
  refuse 'c["short.quiet"]["recheck"]["accepts"] = "soon"'
  refuse 'c["short.quiet"]["recheck"]["inputs"] = c["greedy.quiet"]["recheck"]["inputs"]'
  refuse 'c["short.quiet"]["recheck"]["inputs"] = [i for i in c["short.quiet"]["recheck"]["inputs"] if i["option"] != "runs"]'
  refuse 'c["greedy.no_digit"]["status"] = "HOLDS"; v = p["verdict"]; v["counts"]["HOLDS"] += 1; v["counts"]["PROVED"] += 1; v["counts"]["VIOLATED"] -= 1; [v.update(result="VIOLATED")]'
  refuse 'put("checks/short/statement.runs", open(folder + "checks/short/statement.runs").read().replace("max-new 3", "max-new 30"))'
else
  echo "SKIPPED: openssl is not installed; re-signed certificates were NOT tried"
fi

# Normalised sites of a two-layer model: no text, no tokenizer, no dictionary.
cat >"$dir/sites.json" <<'C'
{"assay-case": 1, "name": "deep", "serial": "1", "resourceUri": "pkg:generic/test/deep", "model": "sites/whole-LN",
 "sites": [{"name": "never_4", "site": "ln_final", "neverArgmax": 4}, {"name": "never_0", "site": "ln_final", "neverArgmax": 0},
           {"name": "logit_1", "site": "ln_final", "logit": 1}, {"name": "gap", "site": "ln_final", "logit": 1, "minus": 2},
           {"name": "flat", "site": "ln_final", "logit": 1, "width": "1/1000000"}, {"name": "wide", "site": "ln_final", "logit": 1, "width": "1000"}]}
C
expect 3 certify "$dir/d" sites   # token 0 can win, and a logit is not flat
for claim in "HOLDS PROVED  never_4" "UNKNOWN  never_0" "HOLDS PROVED  logit_1" "HOLDS PROVED  gap" "UNKNOWN  flat" "HOLDS PROVED  wide"; do
  grep -q "$claim" "$dir/out" || fail "no '$claim' in: $(cat "$dir/out")"
done
expect 0 verify "$dir/d/deep.cert.dsse.json" "$dir/sites/whole-LN"
flip "$dir/d/evidence/sites/gap/site.cert"; expect 8 verify "$dir/d/deep.cert.dsse.json" "$dir/sites/whole-LN"

# Bad input: what is wrong, and nothing is left behind.
bad() { # bad CODE PYTHON-EDIT EXPECTED-WORDS
  python3 -c "import json; c = json.load(open('$dir/case.json')); e = c['checks'][0]; $2; json.dump(c, open('$dir/bad.json', 'w'))"
  expect "$1" certify "$dir/bad" bad
  says "$3"
  [ ! -e "$dir/bad/tiny.cert.dsse.json" ] || fail "a certificate after an error"
}
bad 2 "e['colour'] = 'red'" "found colour"
bad 2 "c['checks'][1]['name'] = 'greedy'" "greedy again"
bad 2 "e['name'] = '../x'" "letters, digits"
bad 2 "e['decoder'] = 'hopeful'" "expected greedy"
bad 2 "del e['prompts']" "prompts"
bad 2 "e['readouts'] = {'probe': 'digit/probe'}" "checks.greedy.readouts.probe: expected CONCEPT/probe"
bad 2 "c['dictionaries'] = {}" "sae T: expected an entry in the case's dictionaries"
bad 2 "c['sites'] = [{'name': 's', 'site': 'ln_final'}]" "one of logit"
bad 2 "del c['checks']" "at least one of bounds, spec, erasures, checks, sampled, sites"
bad 2 "e['maxNew'] = 0" "above 0, found 0"
bad 2 "e['mode'] = 'soft'" "exact, refined or auto"
bad 2 "e['lemmas'] = 0" "a number above 0"
bad 2 "e['properties'] = ['nothing']" "expected a property of the spec"
bad 2 "e['prompts'] = {'any': True}" "both forms, or neither"
bad 2 "e['mode'] = 'refined'; e['decoder'] = 'top-p:0.9'" "refined mode"
echo "certify checks: ok"
