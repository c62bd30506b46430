#!/usr/bin/env bash
# Rates over sampled runs in a signed certificate: the words say that they are rates, verification draws and counts the runs again, and
# every re-signed lie is refused beside its untouched control.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
unset SOURCE_DATE_EPOCH ASSAY_SIGNING_KEY
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir"
cat >"$dir/t.spec" <<'S'
spec "t" version 1;
use model M = "model";
use sae T = "sae";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
ap On = feat(T/3) > 0;
prop no_digit: all G !Digit doc "Never writes a digit.";
prop quiet: all G(At -> X !At) doc "No two at signs in a row.";
prop off: all G !(On & At);
prop some_at: some F At;
S
echo '{"any":true,"max_length":6}' >"$dir/any.json"
echo '{"list":[[3,13],[4]],"weights":[3,1]}' >"$dir/list.json"
cat >"$dir/case.json" <<'C'
{"assay-case": 1, "name": "tiny", "serial": "1", "resourceUri": "pkg:generic/test/tiny", "model": "model", "dictionaries": {"T": "sae"}, "seed": 5, "alpha": "1/10",
 "sampled": [{"name": "any", "spec": "t.spec", "decoder": "min-p:0.1", "prompts": "any.json", "runs": 300, "maxNew": 6, "alpha": "1/20"},
             {"name": "limit", "spec": "t.spec", "decoder": "top-k:3", "prompts": "list.json", "runs": 300, "maxNew": 3, "atMost": "1/2"}]}
C
expect 0 "$assay" key new --out "$dir/keys"
certify() { "$assay" --quiet certify "$dir/${2:-case}.json" --key "$dir/keys/private.pem" --time 2026-01-31T00:00:00Z --out "$1"; }
verify() { "$assay" verify "$1" --model "$2" --key "$dir/keys/public.pem" --at 2026-02-01T00:00:00Z; }

code=0; certify "$dir/a" >"$dir/out" 2>"$dir/err" || code=$?
case "$code" in 1 | 3) ;; *) cat "$dir/out" "$dir/err" >&2; fail "exit $code" ;; esac   # `some` is not counted
cert=$dir/a/tiny.cert.dsse.json
certify "$dir/b" >"$dir/out" || true
cmp "$cert" "$dir/b/tiny.cert.dsse.json" || fail "two runs differ"
grep -q 'HOLDS STATISTICAL  any.rate.no_digit: STATISTICAL rate, not a proof: the share of the runs that violate "Never writes a digit." within 6 tokens is in \[' "$dir/out" ||
  fail "the words are not those of a rate: $(cat "$dir/out")"
! grep -E 'HOLDS.*: (Never|No two)' "$dir/out" || fail "a rate reads as a claim about every run"
expect 0 verify "$cert" "$dir/model"
grep -q "300 runs of 'any' drawn and counted again" "$dir/out" || fail "not recounted: $(cat "$dir/out")"
expect 0 "$assay" report "$cert" --out "$dir/report.html"
grep -q "STATISTICAL rate, not a proof" "$dir/report.html" || fail "the report does not say that it is a rate"

python3 - "$cert" <<'P'
import base64, json, sys
p = json.loads(base64.b64decode(json.load(open(sys.argv[1]))["payload"]))["predicate"]
c = {c["id"]: c for c in p["claims"]}
assert set(c) == {n + ".rate." + q for n in ("any", "limit") for q in ("no_digit", "quiet", "off", "some_at")}, set(c)
a = c["any.rate.no_digit"]
s = a["statistics"]
assert a["kind"] == "rate" and a["level"] == "STATISTICAL" and a["status"] == "HOLDS", a
assert s["n"] == 300 and 0 < s["k"] < 300 and s["seed"] == "5" and s["alpha"] == "1/60" and s["method"] == "clopper-pearson", s
for word in (s["lo"], s["hi"], "confidence 1 - 1/60", "%d of 300" % s["k"], "within 6 tokens", "decoder min-p 1/10", "a length uniformly from 1 to 6"):
    assert word in a["text"], (word, a["text"])
assert a["bound"] == s["hi"] and a["domain"].startswith("runs drawn independently from the model; decoder min-p 1/10"), a
assert set(a["assumptions"]) == {"A2", "A3", "A5"} and any("seed" in x["text"] for x in p["assumptions"] if x["id"] == "A5")
assert c["any.rate.some_at"]["status"] == "UNKNOWN" and "not counted" in c["any.rate.some_at"]["reason"]
assert c["limit.rate.no_digit"]["threshold"] == "1/2" and c["limit.rate.no_digit"]["formal"].endswith("<= 1/2")
# The ledger: the shares of all properties of a plan add to its alpha.
from fractions import Fraction
assert sum(Fraction(x["statistics"]["alpha"]) for x in p["claims"] if x["id"].startswith("any.") and "statistics" in x) == Fraction(1, 20)
f = [f for f in p["figures"] if f["group"] == "Rates"]
assert len(f) == 1 and f[0]["value"] == "1/10" and "6 STATISTICAL claims" in f[0]["note"], f
# The interval, by sums of exact fractions.
from math import comb
def tail(n, k, q):  # P(X >= k)
    return sum(comb(n, j) * q**j * (1 - q)**(n - j) for j in range(k, n + 1))
for x in p["claims"]:
    if "statistics" in x:
        s = x["statistics"]; half = Fraction(s["alpha"]) / 2; n, k, u = s["n"], s["k"], s["undecided"]
        lo, hi, step = Fraction(s["lo"]), Fraction(s["hi"]), Fraction(2, 10**6)
        assert k == 0 and lo == 0 or tail(n, k, lo) <= half < tail(n, k, lo + step), x
        assert k + u == n and hi == 1 or tail(n, n - k - u, 1 - hi) <= half < tail(n, n - k - u, 1 - hi + step), x
# The counterexample is one of the runs.
run = json.load(open(sys.argv[1].rsplit("/", 1)[0] + "/evidence/" + a["counterexample"]))
assert run["steps"] and "Replayed" in run["replay"], run
P

# Files: each byte counts, and mending it heals.
flip() { python3 -c '
import sys; p = sys.argv[1]; b = bytearray(open(p, "rb").read()); b[len(b) // 2] ^= 1; open(p, "wb").write(b)' "$1"; }
for file in sampled/any/plan.json sampled/any/runs.jsonl sampled/any/prompts.json sampled/limit/resolved.spec counterexamples/any.rate.no_digit.json; do
  flip "$dir/a/evidence/$file"; expect 8 verify "$cert" "$dir/model"; flip "$dir/a/evidence/$file"
done
expect 0 verify "$cert" "$dir/model"

resign() { # resign PYTHON-EDIT of predicate p
  rm -rf "$dir/c"; cp -r "$dir/a" "$dir/c"
  python3 "$ASSAY_SOURCE/tests/support/resign.py" "$dir/c/tiny.cert.dsse.json" "$dir/keys/private.pem" "$1"
}
refuse() { resign "$1"; echo "refuse: $1" >&2; expect 8 verify "$dir/c/tiny.cert.dsse.json" "$dir/model"; }
if command -v openssl >/dev/null; then
  resign "pass"; expect 0 verify "$dir/c/tiny.cert.dsse.json" "$dir/model"   # the control
  # Words.
  refuse 'c["any.rate.no_digit"]["text"] = "Never writes a digit."'
  refuse 'c["any.rate.no_digit"]["text"] = c["any.rate.no_digit"]["text"].replace("STATISTICAL rate, not a proof: ", "")'
  refuse 'c["any.rate.no_digit"]["formal"] = "all G !Digit"'
  refuse 'c["any.rate.no_digit"]["domain"] = "every run of the model"'
  refuse 'c["any.rate.no_digit"]["id"] = "any.no_digit"'
  refuse 'c["any.rate.no_digit"]["kind"] = "spec"'
  refuse 'c["any.rate.no_digit"]["text"], c["any.rate.quiet"]["text"] = c["any.rate.quiet"]["text"], c["any.rate.no_digit"]["text"]'
  refuse 'c["any.rate.no_digit"]["specRef"] = c["any.rate.quiet"]["specRef"]'
  refuse 'c["any.rate.no_digit"]["unit"] = "of the tokens"'
  refuse 'c["any.rate.no_digit"]["levelChain"][0]["link"] = "proved of every run"'
  refuse 'c["any.rate.no_digit"]["assumptions"] = ["A2", "A3"]'
  refuse 'c["any.rate.no_digit"]["bound"] = "0.000001"'
  refuse 'c["limit.rate.no_digit"]["threshold"] = "1/100"'
  # Levels and verdicts.
  refuse 'x = c["any.rate.no_digit"]; x["level"] = "OBSERVED"; x["levelChain"][0]["level"] = "OBSERVED"; n = p["verdict"]["counts"]; n["STATISTICAL"] -= 1; n["OBSERVED"] += 1'
  refuse 'x = c["any.rate.no_digit"]; x["level"] = "PROVED"; x["levelChain"][0]["level"] = "PROVED"; n = p["verdict"]["counts"]; n["STATISTICAL"] -= 1; n["PROVED"] += 1'
  refuse 'del c["any.rate.no_digit"]["statistics"]'
  refuse 'x = c["any.rate.no_digit"]; del x["statistics"]; x["level"] = "OBSERVED"; x["levelChain"][0]["level"] = "OBSERVED"; n = p["verdict"]["counts"]; n["STATISTICAL"] -= 1; n["OBSERVED"] += 1'
  refuse 'x = c["any.rate.some_at"]; x.update(status="HOLDS", level="STATISTICAL", levelChain=[{"level": "STATISTICAL", "link": "x"}]); del x["reason"]; n = p["verdict"]["counts"]; n["HOLDS"] += 1; n["STATISTICAL"] += 1; n["UNKNOWN"] -= 1'
  # Numbers, each alone and with the words that follow it.
  for edit in 'z["k"] -= 1' 'z["k"] += 1' 'z["n"] += 1' 'z["n"] = 3000' 'z["undecided"] += 1' 'z["alpha"] = "1/600"' 'z["alpha"] = "1/6"' 'z["seed"] = "6"' \
              'z["decoder"] = "greedy"' 'z["lo"] = "0.000000"' 'z["hi"] = z["lo"]' 'z["plan"] = "sampled/limit/plan.json"' 'z["runs"] = "sampled/limit/runs.jsonl"' \
              'z["prompts"] = "sampled/limit/prompts.json"' 'z["planSha256"] = "0" * 64' 'z["promptsSha256"] = "0" * 64' 'z["plan"] = "../plan.json"' 'z["method"] = "wilson"'; do
    resign "z = c['any.rate.no_digit']['statistics']; $edit"
    code=0; verify "$dir/c/tiny.cert.dsse.json" "$dir/model" >"$dir/out" 2>&1 || code=$?
    case "$code" in 8 | 9) ;; *) cat "$dir/out"; fail "exit $code for $edit" ;; esac
  done
  refuse 'x = c["any.rate.no_digit"]; z = x["statistics"]; old = z["hi"]; z["hi"] = "%.6f" % (float(old) - 0.00001)
for k in ("text", "formal", "bound"): x[k] = x[k].replace(old, z["hi"])
x["levelChain"][0]["link"] = x["levelChain"][0]["link"].replace(old, z["hi"])'
  # What came out does not choose what is said: a property of the plan may not be left out.
  refuse 'x = c["any.rate.quiet"]; p["claims"].remove(x); n = p["verdict"]["counts"]; n["HOLDS"] -= 1; n["STATISTICAL"] -= 1'
  refuse 'f = [f for f in p["figures"] if f["group"] == "Rates"][0]; f["value"] = "1/100"'
  refuse 'p["figures"] = [f for f in p["figures"] if f["group"] != "Rates"]'
  refuse 'p["figures"].append({"group": "Rates", "label": "chance of error of all rates together", "value": "1/1000000", "note": ""})'
  refuse 'f = [f for f in p["figures"] if f["group"] == "Rates"][0]; p["figures"].append(dict(f, label="rate of digits", value="0"))'
  refuse 'p["claims"].remove(c["any.rate.some_at"]); n = p["verdict"]["counts"]; n["UNKNOWN"] -= 1'
  refuse 'c["any.rate.some_at"]["reason"] = "not counted: it is plain."'
  refuse 'c["any.rate.some_at"]["kind"] = "spec"'
  refuse 'x = dict(c["any.rate.some_at"], id="any.rate.other", text="The share of runs with a digit is 0"); p["claims"].append(x); p["verdict"]["counts"]["UNKNOWN"] += 1'
  # A plan whose claims are all gone, the ledger mended; then a property taken out of plan, ledger and claims.
  refuse 'n = p["verdict"]["counts"]
for x in [x for x in p["claims"] if x["id"].startswith("limit.")]:
    p["claims"].remove(x); n[x["status"]] -= 1
    if x["status"] != "UNKNOWN": n[x["level"]] -= 1
p["verdict"]["result"] = "VIOLATED" if n["VIOLATED"] else "UNKNOWN"
f = [f for f in p["figures"] if f["group"] == "Rates"][0]; f["value"] = "1/20"; f["note"] = f["note"].replace("over 6", "over 3")'
  grep -q "of a plan that nothing is claimed of" "$dir/out" || fail "a plan without claims is refused for another reason: $(cat "$dir/out")"
  refuse 't = json.loads(open(folder + "sampled/any/plan.json").read()); t["properties"] = [q for q in t["properties"] if q["name"] != "quiet"]; t["alpha"] = "1/30"
t = json.dumps(t, indent=1, ensure_ascii=False) + "\n"; put("sampled/any/plan.json", t); x = c["any.rate.quiet"]; p["claims"].remove(x); n = p["verdict"]["counts"]; n["HOLDS"] -= 1; n["STATISTICAL"] -= 1
f = [f for f in p["figures"] if f["group"] == "Rates"][0]; f["value"] = "1/12"; f["note"] = f["note"].replace("over 6", "over 5")
for y in p["claims"]:
    if y["id"].startswith("any.") and "statistics" in y: y["statistics"]["planSha256"] = hashlib.sha256(t.encode()).hexdigest()'
  grep -q "property .quiet. of the spec is not claimed" "$dir/out" || fail "a plan without a property is refused for another reason: $(cat "$dir/out")"
  # What is taken as true.
  for edit in 'a["text"] = "The draws are random."' 'a["breaksIf"] = "nothing"' 'del a["breaksIf"]' 'a["kind"] = "semantics"'; do
    refuse "a = [a for a in p['assumptions'] if a['id'] == 'A5'][0]; $edit"
  done
  # The counterexample: another story, another run, none.
  refuse 't = json.loads(open(folder + "counterexamples/any.rate.no_digit.json").read()); t["prompt"] = "7"; put("counterexamples/any.rate.no_digit.json", json.dumps(t))'
  refuse 't = json.loads(open(folder + "counterexamples/any.rate.no_digit.json").read()); t["steps"] = t["steps"][-1:] * 2; put("counterexamples/any.rate.no_digit.json", json.dumps(t))'
  refuse 'x = c["any.rate.no_digit"]; x["evidence"].remove(x["counterexample"]); del x["counterexample"]'
  # Plan, prompts, spec and runs themselves, with their digests.
  refuse 'import hashlib; t = open(folder + "sampled/any/plan.json").read().replace("\"runs\": 300", "\"runs\": 200"); put("sampled/any/plan.json", t)
for x in p["claims"]:
    if x["id"].startswith("any.") and "statistics" in x: x["statistics"]["planSha256"] = hashlib.sha256(t.encode()).hexdigest()'
  refuse 'import hashlib; t = open(folder + "sampled/any/plan.json").read().replace("\"seed\": \"5\"", "\"seed\": \"6\""); put("sampled/any/plan.json", t)
for x in p["claims"]:
    if x["id"].startswith("any.") and "statistics" in x: x["statistics"].update(planSha256=hashlib.sha256(t.encode()).hexdigest(), seed="6")'
  refuse 'put("sampled/any/prompts.json", open(folder + "sampled/limit/prompts.json").read())'
  refuse 'put("sampled/any/resolved.spec", open(folder + "sampled/any/resolved.spec").read().replace("id 39", "id 38"))'
  refuse 'lines = open(folder + "sampled/any/runs.jsonl").read().splitlines(); lines[0] = lines[1]; put("sampled/any/runs.jsonl", "\n".join(lines) + "\n")'
  refuse 'lines = open(folder + "sampled/any/runs.jsonl").read().splitlines(); put("sampled/any/runs.jsonl", "\n".join(lines[:-1]) + "\n")'
  refuse 'put("sampled/any/runs.jsonl", "")'
  resign "pass"; expect 0 verify "$dir/c/tiny.cert.dsse.json" "$dir/model"

  # A model of which every draw is a tie: another machine may draw other runs, so that none counts, whatever runs are written beside it.
  cp -r "$dir/model" "$dir/tied-model"
  python3 - "$dir" <<'P'
import json, struct, sys
path = sys.argv[1] + "/tied-model/model.safetensors"
raw = bytearray(open(path, "rb").read()); size = struct.unpack("<Q", raw[:8])[0]
for name in ("unembed.W_U", "unembed.b_U"):
    begin, end = json.loads(raw[8:8 + size])[name]["data_offsets"]
    raw[8 + size + begin:8 + size + end] = bytes(end - begin)
open(path, "wb").write(raw)
case = json.load(open(sys.argv[1] + "/case.json")); case["sampled"] = [dict(case["sampled"][0], decoder="greedy")]
json.dump(dict(case, model="tied-model"), open(sys.argv[1] + "/tied.json", "w"))
P
  rm -r "$dir/a"; certify "$dir/a" tied >"$dir/out" || true
  resign "pass"; expect 0 verify "$dir/c/tiny.cert.dsse.json" "$dir/tied-model"
  ! grep -q "part behind" "$dir/out" || fail "runs part that are the same"
  resign 'z = c["any.rate.no_digit"]["statistics"]; assert (z["k"], z["undecided"], z["lo"], z["hi"]) == (0, 300, "0.000000", "1.000000"), z
lines = [json.loads(l) for l in open(folder + "sampled/any/runs.jsonl").read().splitlines()]
put("sampled/any/runs.jsonl", "".join(json.dumps(dict(l, tokens=[5] * 4000)) + "\n" for l in lines))'
  expect 0 verify "$dir/c/tiny.cert.dsse.json" "$dir/tied-model"
  grep -q "300 part behind a near tie, not decided" "$dir/out" || fail "parted runs are not named: $(cat "$dir/out")"
  for edit in 'z["undecided"] = 0' 'z["k"] = 300; z["undecided"] = 0' 'z["undecided"] = 0; z["hi"] = "0.020000"'; do
    resign "z = c['any.rate.no_digit']['statistics']; $edit"
    expect 8 verify "$dir/c/tiny.cert.dsse.json" "$dir/tied-model"
  done
else
  echo "SKIPPED: openssl is not installed; re-signed certificates were NOT tried"
fi

# What a case may not ask for.
for edit in '"alpha": "1/5"' '"alpha": "1/10"' '"alpha": "0"' '"alpha": "1"' '"runs": 0' '"maxNew": 0' '"runs": 100000000' '"decoder": "nucleus"' '"prompts": "nowhere.json"' '"atMost": "2"' '"name": "a/b"' '"split": 1'; do
  python3 - "$dir/case.json" "$dir/bad.json" "{$edit}" <<'P'
import json, sys
case = json.load(open(sys.argv[1])); case["sampled"][0].update(json.loads(sys.argv[3])); json.dump(case, open(sys.argv[2], "w"))
P
  code=0; certify "$dir/bad" bad >"$dir/out" 2>"$dir/err" || code=$?
  case "$code" in 2 | 9) ;; *) cat "$dir/out" "$dir/err"; fail "exit $code for $edit" ;; esac
  [ ! -e "$dir/bad/tiny.cert.dsse.json" ] || fail "signed in spite of $edit"
done
echo "certify sampled: ok"
