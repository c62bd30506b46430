#!/usr/bin/env bash
# A model with an eraser folded in, in a signed case beside its base: every property before and after, the cost, and the fold itself, all made again
# by verification; every re-signed lie is refused beside its untouched control.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
unset SOURCE_DATE_EPOCH ASSAY_SIGNING_KEY
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir" 8 120
expect 0 "$assay" --quiet erase --model "$dir/model" --text "$dir/text" --max-tokens 1500 --concept digit --out "$dir/e"
expect 0 "$assay" --quiet fold --model "$dir/model" --eraser "$dir/e" --out "$dir/f" --sae "T=$dir/sae"
cat >"$dir/t.spec" <<'S'
spec "t" version 1;
use model M = "model";
use sae T = "sae";
use readout probe = "probe.json";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
ap On = feat(T/3) > 0;
ap Read = read(probe) >= 0;
prop no_digit: all absent(Digit) doc "Never writes a digit.";
prop off: all G !(On & At);
prop unread: all absent(Read) doc "The probe never reads the concept.";
prop rare: Pmax <= 0.99 [F (Digit & X[!] (Digit & X[!] Digit))] horizon 3;
S
echo '{"any": true, "max_length": 2}' >"$dir/any.json"
cat >"$dir/case.json" <<'C'
{"assay-case": 1, "name": "tiny", "serial": "1", "resourceUri": "pkg:generic/test/tiny", "model": "f", "text": "text", "dictionaries": {"T": "f/sae/T"}, "evalTokens": 100,
 "folded": {"base": "model", "eraser": "e", "dictionaries": {"T": "sae"}, "readouts": {"digit/probe": "e/probe.json"}, "maxTokens": 1500},
 "automaton": {"dictionary": "T", "runs": 30, "maxNew": 6}, "spec": {"file": "t.spec", "readouts": {"probe": "digit/probe"}, "properties": ["off", "unread"]},
 "checks": [{"name": "any", "spec": "t.spec", "readouts": {"probe": "digit/probe"}, "properties": ["no_digit", "rare"], "mode": "exact", "decoder": "min-p:0.1", "prompts": "any.json", "maxNew": 3}]}
C
expect 0 "$assay" key new --out "$dir/keys"
certify() { "$assay" --quiet certify "$dir/${2:-case}.json" --key "$dir/keys/private.pem" --time 2026-01-31T00:00:00Z --out "$1"; }
verify() { "$assay" verify "$1" --model "${2:-$dir/f}" --key "$dir/keys/public.pem" --at 2026-02-01T00:00:00Z; }
code=0; certify "$dir/a" >"$dir/out" 2>"$dir/err" || code=$?
case "$code" in 0 | 1 | 3) ;; *) cat "$dir/out" "$dir/err" >&2; fail "exit $code" ;; esac
cert=$dir/a/tiny.cert.dsse.json
certify "$dir/b" >"$dir/out" || true
cmp "$cert" "$dir/b/tiny.cert.dsse.json" || fail "two runs differ"
expect 0 verify "$cert"
grep -q "the eraser was folded again into the base model: the same bytes; 3 dictionaries and readouts" "$dir/out" || fail "not folded again: $(cat "$dir/out")"
grep -q "claims about the base model in" "$dir/out" || fail "the base model's claims are not checked again: $(cat "$dir/out")"
expect 0 "$assay" report "$cert" --out "$dir/report.html"
grep -q "The other properties, before and after the erasure" "$dir/report.html" || fail "the report has no table before/after"

python3 - "$cert" <<'P'
import base64, json, sys
p = json.loads(base64.b64decode(json.load(open(sys.argv[1]))["payload"]))["predicate"]
c = {c["id"]: c for c in p["claims"]}
b = {c["id"]: c for c in p["before"]}
assert set(b) == {"any.no_digit", "any.rare", "spec.off", "spec.unread"} == {i for i in c if not i.startswith("erasure.")}, (set(b), set(c))
for i in b:
    assert b[i]["text"] == c[i]["text"], i
    for x in (b[i], c[i]):
        assert x["status"] == "UNKNOWN" or x["recheck"]["certificate"].startswith("before/") == (x is b[i]), x
assert c["erasure.folded"]["status"] == "HOLDS" and c["erasure.folded"]["level"] == "OBSERVED"
assert c["erasure.site.unread"]["level"] == "PROVED" and c["erasure.site.digit-fit"]["level"] == "OBSERVED"
cost = c["erasure.cost"]
assert cost["unit"] == "nats per token" and abs(float(cost["bound"])) < 5, cost
t = [t for t in p["tables"] if t["id"] == "erasure-properties"][0]
assert len(t["rows"]) == 4 and all("(" in r[2] or r[2] == "UNKNOWN" for r in t["rows"]), t
assert p["verdict"]["counts"]["HOLDS"] + p["verdict"]["counts"]["VIOLATED"] + p["verdict"]["counts"]["UNKNOWN"] == len(p["claims"])
P

# Files: the base model, the eraser, the sequences, a proof about the base model.
flip() { python3 -c '
import sys; p = sys.argv[1]; b = bytearray(open(p, "rb").read()); b[len(b) // 2] ^= 1; open(p, "wb").write(b)' "$1"; }
for file in before/model/model.safetensors eraser/eraser.safetensors erasure/sequences.json before/checks/any/runs.cert before/dictionaries/T/cfg.json; do
  flip "$dir/a/evidence/$file"; expect 8 verify "$cert"; flip "$dir/a/evidence/$file"
done
expect 5 verify "$cert" "$dir/model"   # the base model is not the subject
expect 0 verify "$cert"

# What certify refuses: a model that is not the fold, another eraser's model, a dictionary that was not folded.
edit() { python3 -c '
import json, sys; c = json.load(open(sys.argv[1])); exec(sys.argv[3]); json.dump(c, open(sys.argv[2], "w"))' "$dir/case.json" "$dir/$1.json" "$2"; }
edit other 'c["model"] = "model"; c["dictionaries"] = {"T": "sae"}'
expect 2 certify "$dir/x" other; says "is not the base model's with the eraser folded in"
edit other 'c["dictionaries"] = {"T": "sae"}; c["model"] = "f"'
code=0; certify "$dir/x" other 2>"$dir/err" || code=$?
[ "$code" != 0 ] && [ ! -e "$dir/x/tiny.cert.dsse.json" ] || fail "a dictionary that was not folded is taken"
edit other 'c["folded"]["dictionaries"] = {}'
expect 2 certify "$dir/x" other; says "folded.dictionaries"
cp -r "$dir/model" "$dir/o"; flip "$dir/o/model.safetensors"
edit other 'c["folded"]["base"] = "o"'
expect 5 certify "$dir/x" other; says "fitted on the model"
edit other 'c["folded"]["regex"] = "x"'
expect 2 certify "$dir/x" other; says "the name of what the regex marks"

resign() { # resign PYTHON-EDIT of predicate p
  rm -rf "$dir/c"; cp -r "$dir/a" "$dir/c"
  python3 "$ASSAY_SOURCE/tests/support/resign.py" "$dir/c/tiny.cert.dsse.json" "$dir/keys/private.pem" "$1"
}
refuse() { resign "$1"; echo "refuse: $1" >&2; expect "${2:-8}" verify "$dir/c/tiny.cert.dsse.json"; }
if command -v openssl >/dev/null; then
  resign "pass"; expect 0 verify "$dir/c/tiny.cert.dsse.json"   # the control
  b='b = {x["id"]: x for x in p["before"]}; '
  # Words of the fold and of the cost.
  refuse 'c["erasure.cost"]["bound"] = "0.000001"'
  refuse 'x = c["erasure.cost"]; x["text"] = x["text"].replace("before", "Before")'
  refuse 'c["erasure.folded"]["text"] = "The concept is gone."'
  refuse 'c["erasure.folded"]["level"] = "PROVED"; c["erasure.folded"]["levelChain"][0]["level"] = "PROVED"; n = p["verdict"]["counts"]; n["PROVED"] += 1; n["OBSERVED"] -= 1'
  refuse 'p["claims"].remove(c["erasure.folded"]); n = p["verdict"]["counts"]; n["HOLDS"] -= 1; n["OBSERVED"] -= 1'
  refuse 'p["claims"].remove(c["erasure.cost"]); n = p["verdict"]["counts"]; n["HOLDS"] -= 1; n["OBSERVED"] -= 1'
  # What the base model is said to do: another verdict, none, another sentence, a proof about the subject.
  refuse "$b"'x = [x for x in p["before"] if x["status"] == "VIOLATED"][0]; x["status"] = "HOLDS"'
  refuse 'p["before"].pop()'
  refuse 'del p["before"]'
  refuse "$b"'b["spec.unread"]["text"] = "The probe reads the concept."'
  refuse 'p["before"].append(dict(p["before"][0], id="any.other"))'
  refuse "$b"'b["any.no_digit"]["recheck"] = c["any.no_digit"]["recheck"]'
  refuse "$b"'c["any.no_digit"]["recheck"] = b["any.no_digit"]["recheck"]'
  # The table.
  refuse 't = [t for t in p["tables"] if t["id"] == "erasure-properties"][0]; t["rows"][0][2] = "VIOLATED (STATISTICAL)"'
  refuse 'p["tables"] = [t for t in p["tables"] if t["id"] != "erasure-properties"]'
  # Evidence with its digest: other sequences, another base model, a readout that was not folded.
  refuse 't = json.loads(open(folder + "erasure/sequences.json").read()); t["tokens"] = t["tokens"][:1]; put("erasure/sequences.json", json.dumps(t))'
  refuse 'put("before/readouts/probe.json", open(folder + "readouts/probe.json").read())'
  refuse 'x = [x for x in p["before"] if x["id"] == "spec.unread"][0]; [i.update(name=i["name"].replace("before/", "")) for i in x["recheck"]["inputs"] if i["option"] == "sae"]'
  refuse 'put("readouts/probe.json", open(folder + "before/readouts/probe.json").read())'
  resign "pass"; expect 0 verify "$dir/c/tiny.cert.dsse.json"
else
  echo "SKIPPED: openssl is not installed; re-signed certificates were NOT tried"
fi
