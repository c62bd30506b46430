#!/usr/bin/env bash
# The repair loop, end to end on a tiny model: each kind of remedy makes a violated claim hold, the whole case is
# certified again and verifies, and what breaks another claim, does not verify or cannot be repaired is refused.
set -euo pipefail
unset SOURCE_DATE_EPOCH ASSAY_SIGNING_KEY
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir" 8 60
cat >"$dir/t.spec" <<'S'
spec "t" version 1;
use model M = "model";
use sae T = "sae";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
ap D = tok = "d";
ap Six = tok = "6";
ap On = feat(T/3) > 0;
prop quiet: all G(At -> X !At) doc "No two at signs in a row.";
prop no_digit: all G !Digit doc "Never writes a digit.";
prop no_d: all G !D doc "Never writes a d.";
prop no_six: all G !Six doc "Never writes a six.";
prop off: all G !On doc "Feature 3 is never on.";
prop speaks: some F Digit doc "Some run writes a digit.";
S
echo '{"tokens":[[3,4],[12,13,14],[20]]}' >"$dir/p.json"
assay() { "$assay" --quiet "$@"; }
case_of() { # case_of NAME CHECKS [MORE]: a case file
  printf '{"assay-case": 1, "name": "%s", "serial": "7", "resourceUri": "pkg:generic/test/tiny", "text": "text", "dictionaries": {"T": "sae"}%s, "checks": [%s]}\n' \
    "$1" "${3:-}" "$2" >"$dir/$1.json"
}
certify() { assay certify "$dir/$1.json" --model "$dir/model" --key "$dir/keys/private.pem" --time 2026-01-31T00:00:00Z --out "$dir/$1"; }
repair() { # repair NAME OUT MORE…
  local name=$1 out=$2
  shift 2
  assay repair "$dir/$name/$name.cert.dsse.json" --case "$dir/$name.json" --model "$dir/model" --trusted "$dir/keys/public.pem" \
    --key "$dir/keys/private.pem" --time 2026-02-01T00:00:00Z --at 2026-02-01T00:00:00Z --cost-tokens 500 --out "$dir/$out" "$@"
}
verify() { assay verify "$1" --model "$2" --key "$dir/keys/public.pem" --at 2026-02-02T00:00:00Z; }
said() { grep -q -- "$1" "$dir/out" || { cat "$dir/out" >&2; fail "the output does not say: $1"; }; }
predicate() { # predicate CERT PYTHON: p is its predicate, c its claims by id
  python3 - "$1" <<P
import base64, json, sys
p = json.loads(base64.b64decode(json.load(open(sys.argv[1]))["payload"]))["predicate"]
c = {x["id"]: x for x in p["claims"]}
$2
P
}
payload_digest() { python3 -c 'import base64, hashlib, json, sys; print(hashlib.sha256(base64.b64decode(json.load(open(sys.argv[1]))["payload"])).hexdigest())' "$1"; }
expect 0 assay key new --out "$dir/keys"

# A certificate that does not verify is refused as `assay verify` would, and nothing is written.
checks='{"name": "a", "spec": "t.spec", "decoder": "min-p:0.5", "prompts": "p.json", "properties": ["quiet", "no_d"], "mode": "exact", "maxNew": 4}'
case_of a "$checks"
expect 1 certify a
grep -q "VIOLATED PROVED  a.no_d" "$dir/out" || fail "the control is not violated: $(cat "$dir/out")"
flip() { python3 -c '
import sys; p = sys.argv[1]; b = bytearray(open(p, "rb").read()); b[len(b) // 2] ^= 1; open(p, "wb").write(b)' "$1"; }
flip "$dir/a/evidence/checks/a/runs.cert"
expect 8 repair a none
expect 0 assay key new --out "$dir/other"
expect 4 assay repair "$dir/a/a.cert.dsse.json" --case "$dir/a.json" --model "$dir/model" --trusted "$dir/other/public.pem" --key "$dir/keys/private.pem" --out "$dir/none"
[ ! -e "$dir/none" ] || fail "a refused certificate left something behind"
flip "$dir/a/evidence/checks/a/runs.cert"

# Wrong use: another case file, a claim that holds or is none, a directory that is not empty.
case_of b "${checks/0.5/0.6}"
expect 2 assay repair "$dir/a/a.cert.dsse.json" --case "$dir/b.json" --model "$dir/model" --trusted "$dir/keys/public.pem" --key "$dir/keys/private.pem" \
  --at 2026-02-01T00:00:00Z --out "$dir/none"
says "the case file of the certificate"
expect 2 repair a none --claim a.quiet
says "expected a violated claim"
expect 2 repair a none --claim a.nothing
says "expected a claim of the certificate"
mkdir "$dir/full"; echo kept >"$dir/full/file"
expect 2 repair a full
says "new or empty"
[ "$(cat "$dir/full/file")" = kept ] || fail "a file of others is gone"

# The whole loop: remedies of every kind are tried, the cheapest that holds is certified, and the chain is signed.
expect 0 repair a r
said "REPAIRED: 'a.no_d' holds (PROVED)"
said "min-p raised from 1/2"
said "masked by the decoder"
cert=$dir/r/a.cert.dsse.json
old=$(payload_digest "$dir/a/a.cert.dsse.json")
model=$dir/model; [ ! -d "$dir/r/model" ] || model=$dir/r/model
expect 0 verify "$cert" "$model"
predicate "$cert" "
assert p['certificate']['previous']['digest']['sha256'] == '$old' and p['certificate']['serial'] == '8', p['certificate']
assert c['a.no_d']['status'] == c['a.quiet']['status'] == 'HOLDS' and c['a.no_d']['level'] == 'PROVED'
assert 'Changed after serial 7' in p['certificate']['scope']
assert any('is the least' in n for n in p['notClaimed'])"
python3 - "$dir/r/repair.json" "$old" <<'P'
import json, sys
r = json.load(open(sys.argv[1]))
assert r["previous"] == sys.argv[2] and r["claim"] == "a.no_d" and r["result"].startswith("REPAIRED")
chosen = r["attempts"][r["chosen"]]
assert chosen["outcome"] == "chosen" and {c["id"]: (c["before"], c["after"]) for c in r["claims"]}["a.no_d"] == ("VIOLATED (PROVED)", "HOLDS (PROVED)")
held = [a for a in r["attempts"] if "crossEntropy" in a]
assert held and all(float(a["crossEntropy"]["after"]) >= float(chosen["crossEntropy"]["after"]) for a in held if a["outcome"] != "rejected"), held
P
# The case file that it leaves makes the same certificate, but for the words on how.
expect 0 assay certify "$dir/r/case.json" --key "$dir/keys/private.pem" --time 2026-02-01T00:00:00Z --out "$dir/again"
predicate "$dir/again/a.cert.dsse.json" "
q = json.loads(base64.b64decode(json.load(open('$cert'))['payload']))['predicate']
for x in (p, q): x.pop('reproduction')
assert p == q"
# Nothing is left to repair.
cp "$dir/r/case.json" "$dir/r.json"
expect 3 assay repair "$cert" --case "$dir/r/case.json" --model "$model" --trusted "$dir/keys/public.pem" --key "$dir/keys/private.pem" --at 2026-02-01T00:00:00Z --out "$dir/none"
said "nothing to repair"

# Each kind on its own. The others are switched off by their budgets, or by the case.
only() { python3 - "$dir/$1/repair.json" "$2" <<'P'
import json, sys
r = json.load(open(sys.argv[1]))
assert r["attempts"][r["chosen"]]["kind"] == sys.argv[2], [(a["kind"], a["outcome"], a.get("reason")) for a in r["attempts"]]
P
}
# masked by the allow-list: greedy has no min-p to raise
case_of m '{"name": "m", "spec": "t.spec", "decoder": "top-k:2", "prompts": "p.json", "properties": ["quiet", "no_digit"], "mode": "exact", "maxNew": 3}'
expect 1 certify m
expect 0 repair m rm --features 0 --tokens 10
only rm mask
predicate "$dir/rm/m.cert.dsse.json" "assert ' allow before ' in c['m.no_digit']['domain'], c['m.no_digit']['domain']"
expect 0 verify "$dir/rm/m.cert.dsse.json" "$dir/model"
# masked in the weights: refined mode takes no allow-list
case_of w '{"name": "w", "spec": "t.spec", "decoder": "top-k:1", "prompts": "p.json", "properties": ["no_six"], "mode": "refined"}'
expect 1 certify w
expect 0 repair w rw --features 0 --tokens 10
only rw "mask in weights"
expect 0 verify "$dir/rw/w.cert.dsse.json" "$dir/rw/model"
expect 5 verify "$dir/rw/w.cert.dsse.json" "$dir/model"
# projected out and folded: the claim is about the feature alone
case_of f '{"name": "f", "spec": "t.spec", "decoder": "top-k:1", "prompts": "p.json", "properties": ["off"], "mode": "exact"}'
expect 1 certify f
expect 0 repair f rf --tokens 1
only rf project
predicate "$dir/rf/f.cert.dsse.json" "
assert c['f.off']['status'] == 'HOLDS' and c['erasure.folded']['status'] == 'HOLDS' and 'feature 3 of T' in c['erasure.folded']['text']
assert 'nats before' in c['erasure.cost']['text']"
expect 0 verify "$dir/rf/f.cert.dsse.json" "$dir/rf/model"

# A remedy that breaks what held is refused, with its reason: without digits no run writes one.
case_of s '{"name": "s", "spec": "t.spec", "decoder": "min-p:0.5", "prompts": "p.json", "properties": ["no_digit", "speaks"], "mode": "exact", "maxNew": 6}'
expect 1 certify s
grep -q "HOLDS PROVED  s.speaks" "$dir/out" || fail "the control does not hold: $(cat "$dir/out")"
expect 3 repair s rs --certifications 9 --tokens 10
said "NO REMEDY"
said "it breaks what held: 's.speaks': it is VIOLATED"
[ ! -e "$dir/rs/s.cert.dsse.json" ] && [ ! -e "$dir/rs/case.json" ] || fail "a rejected remedy left a certificate"
[ -s "$dir/rs/repair.json" ] || fail "what was tried is not kept"

# A budget of one certification is kept, and without remedies of any kind nothing is called repaired.
expect 3 repair s rt --certifications 1 --tokens 10
! grep -q REPAIRED "$dir/out" || fail "repaired without a remedy"
expect 0 assay --json repair "$dir/a/a.cert.dsse.json" --case "$dir/a.json" --model "$dir/model" --trusted "$dir/keys/public.pem" --key "$dir/keys/private.pem" \
  --at 2026-02-01T00:00:00Z --time 2026-02-01T00:00:00Z --cost-tokens 500 --out "$dir/j"
python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); assert r["assay-repair"] == 1 and r["attempts"]' "$dir/out"
echo "repair: ok"
