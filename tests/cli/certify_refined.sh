#!/usr/bin/env bash
# Claims from any prompt (refined mode) and bounds on probabilities in a signed certificate: verdicts, what is not decided, verification, and
# every re-signed lie refused beside its untouched control.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
unset SOURCE_DATE_EPOCH ASSAY_SIGNING_KEY
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir"
# Older tokens matter less than in the tiny model, so that something holds from any prompt.
python3 - "$dir/model/model.safetensors" <<'P'
import json, struct, sys
raw = bytearray(open(sys.argv[1], "rb").read())
size = struct.unpack("<Q", raw[:8])[0]
for name, factor in (("blocks.0.attn.W_O", 0.15), ("blocks.0.mlp.W_out", 0.5)):
    begin, end = json.loads(raw[8:8 + size])[name]["data_offsets"]
    at, n = 8 + size + begin, (end - begin) // 4
    values = struct.unpack_from("<%df" % n, raw, at)
    struct.pack_into("<%df" % n, raw, at, *(factor * v for v in values))
open(sys.argv[1], "wb").write(raw)
P
cat >"$dir/t.spec" <<'S2'
spec "t" version 1;
use model M = "model";
class digit = /[0-9]/;
ap At = tok = "@";
ap E = tok = "e";
ap C = tok = "c";
ap Digit = tok in digit;
prop quiet: all G(E -> X !C) doc "No c after an e.";
prop no_digit: all G !Digit doc "Never writes a digit." expect holds;
prop live: all F At;
S2
cat >"$dir/chance.spec" <<'S2'
spec "chance" version 1;
use model M = "model";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
prop soon: Pmax <= 0.9999 [F Digit] horizon 3 doc "A digit is not certain to come soon.";
prop never: Pmax <= 0.000001 [F Digit] horizon 3;
prop quiet: Pmin >= 0.001 [G !At] horizon 3;
S2
cat >"$dir/boxes.spec" <<'S2'
spec "boxes" version 1;
use model M = "model";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
prop seldom: Pmax <= 0.7 [F At] horizon 3;
prop silent: Pmin >= 0.5 [G !At] horizon 2 doc "No at sign within two tokens is at least as likely as not.";
prop rarely: Pmax <= 0.000001 [F Digit] horizon 3;
S2
cat >"$dir/case.json" <<'C'
{"assay-case": 1, "name": "tiny", "serial": "1", "resourceUri": "pkg:generic/test/tiny", "model": "model",
 "checks": [{"name": "any", "spec": "t.spec", "decoder": "greedy", "prompts": {"any": true, "max_length": 40}},
            {"name": "short", "spec": "t.spec", "properties": ["quiet"], "mode": "refined", "decoder": "greedy", "prompts": {"tokens": [[3, 4], [12, 13, 14]]}, "maxNew": 5},
            {"name": "odds", "spec": "chance.spec", "mode": "exact", "decoder": "min-p:0.4:3/2", "prompts": {"tokens": [[3, 4], [12, 13, 14], [20]]}},
            {"name": "boxes", "spec": "boxes.spec", "mode": "refined", "decoder": "plain", "prompts": {"any": true, "max_length": 40}, "lemmas": 400},
            {"name": "poor", "spec": "t.spec", "properties": ["quiet"], "mode": "refined", "lemmas": 1, "decoder": "greedy", "prompts": {"any": true, "max_length": 40}}]}
C
expect 0 "$assay" key new --out "$dir/keys"
certify() { "$assay" --quiet certify "$dir/${2:-case}.json" --key "$dir/keys/private.pem" --time 2026-01-31T00:00:00Z --out "$1"; }
verify() { "$assay" verify "$1" --model "$2" --key "$dir/keys/public.pem" --at 2026-02-01T00:00:00Z; }

expect 1 certify "$dir/a"
for claim in "HOLDS PROVED  any.quiet" "VIOLATED PROVED  any.no_digit" "UNKNOWN  any.live" "HOLDS PROVED  short.quiet" \
             "HOLDS PROVED  odds.soon" "VIOLATED PROVED  odds.never" "HOLDS PROVED  odds.quiet" "UNKNOWN  poor.quiet" \
             "HOLDS PROVED  boxes.seldom" "HOLDS PROVED  boxes.silent" "UNKNOWN  boxes.rarely"; do
  grep -q "$claim" "$dir/out" || fail "no '$claim' in: $(cat "$dir/out")"
done
cert=$dir/a/tiny.cert.dsse.json
expect 1 certify "$dir/b"
cmp "$cert" "$dir/b/tiny.cert.dsse.json" || fail "two runs differ"
expect 0 verify "$cert" "$dir/model"
grep -q "8 claims accepted again by assay-check in 4 runs" "$dir/out" || fail "not all re-checked: $(cat "$dir/out")"

python3 - "$cert" <<'P'
import base64, json, re, sys
p = json.loads(base64.b64decode(json.load(open(sys.argv[1]))["payload"]))["predicate"]
c = {c["id"]: c for c in p["claims"]}
assert c["any.quiet"]["domain"] == "every run of the model: any prompt of 1 to 40 tokens, decoder greedy, any number of new tokens"
assert c["any.no_digit"]["counterexample"] == "counterexamples/any.no_digit.json" and c["any.no_digit"]["domain"].startswith("one run of the model: prompt ")
assert any("expected holds" in d["text"] and d["state"] == "open" for d in c["any.no_digit"]["defeaters"])
assert "missing" in c["poor.quiet"]["reason"] and "budget of 1 lemmas" in c["poor.quiet"]["reason"], c["poor.quiet"]
soon, never, quiet = c["odds.soon"], c["odds.never"], c["odds.quiet"]
value = lambda b: int(b.split("/")[0]) / int(b.split("/")[1])
assert soon["kind"] == "chance" and soon["threshold"] == "0.9999" and 0 < value(soon["bound"]) < 0.9999, soon
assert soon["domain"].startswith("every prompt and every choice of nature: prompts in 3-4 12-14 20, decoder min-p 2/5 temperature 3/2 order after"), soon
assert soon["domain"].endswith("within 3 tokens (φ is certain after some prefix)"), soon["domain"]
assert re.match(r"prompt [34] 1[234] 20, whatever nature picks: prompts in 3-4 12-14 20, ", never["domain"]), never["domain"]
assert value(never["bound"]) > 0.000001 and value(quiet["bound"]) >= 0.001
seldom, silent, rarely = c["boxes.seldom"], c["boxes.silent"], c["boxes.rarely"]
assert seldom["kind"] == silent["kind"] == rarely["kind"] == "chance" and "CHANCE-BOXES" in seldom["levelChain"][0]["link"], seldom
assert 0 < value(seldom["bound"]) <= 0.7 and seldom["threshold"] == "0.7" and 0.5 <= value(silent["bound"]) < 1, (seldom, silent)
assert seldom["domain"] == "every prompt and every choice of nature: any prompt of 1 to 40 tokens, decoder plain, any number of new tokens, within 3 tokens (φ is certain after some prefix)", seldom
assert silent["domain"].endswith("within 2 tokens (φ is not ruled out by some prefix)"), silent["domain"]
assert "bound" not in rarely and "boxes of contexts does not show the claim" in rarely["reason"], rarely
t = [t for t in p["tables"] if t["id"] == "probabilities-boxes"][0]
assert len(t["rows"]) == 3 and all(float(r[1]) <= float(r[2]) for r in t["rows"]), t
t = [t for t in p["tables"] if t["id"] == "probabilities-odds"][0]
assert len(t["rows"]) == 3 and "STATISTICAL" in t["note"] and all(float(r[1]) <= float(r[2]) for r in t["rows"]), t
assert p["verdict"]["result"] == "VIOLATED"
folder = sys.argv[1].rsplit("/", 1)[0] + "/evidence/"
run = json.load(open(folder + c["any.no_digit"]["counterexample"]))
drawn = json.load(open(folder + "properties/any.no_digit.json"))
assert drawn["states"][int(run["steps"][-1]["state"])] == "bad" and drawn["sentence"] and drawn["edges"], (run, drawn)
assert all(drawn["states"][int(s["state"])] != "bad" for s in run["steps"][:-1])
quiet = json.load(open(folder + "properties/any.quiet.json"))
assert {"name": "E", "meaning": 'tok = "e" (id 16)'} in quiet["atoms"], quiet["atoms"]
assert "resolved specification of checks/any" in {m["name"] for m in p["materials"]}, p["materials"]
P
expect 0 "$assay" report "$cert" --out "$dir/report.html"
grep -q "any prompt of 1 to 40 tokens" "$dir/report.html" || fail "the report does not name the domain"
grep -q "budget of 1 lemmas" "$dir/report.html" || fail "the report does not say why a claim is not decided"

# A verdict for each property: its automaton drawn, and of the violated one the run, which ends in the unsafe state.
python3 - "$dir/report.html" <<'P'
import re, sys
page = open(sys.argv[1], encoding="utf-8").read()
chapter = page[page.index('<section id="verdicts"'):].split("</section>")[0]
articles = dict(re.findall(r'<article class="claim page" id="(verdict-\d+)"(.*?)</article>', chapter, re.S))
assert len(articles) == 11 and all('<svg class="watcher"' in a for a in articles.values()), articles.keys()
by_claim = {re.search(r"</span> <code>(.*?)</code>", a).group(1): a for a in articles.values()}
assert "No</b> run of the domain" in by_claim["any.quiet"] and 'class="walk"' not in by_claim["any.quiet"]
assert "Treat as <b>not shown</b>" in by_claim["poor.quiet"] and "No</b> run" not in by_claim["poor.quiet"]
bad = by_claim["any.no_digit"]
steps = bad.split('<ol class="walk"')[1].split("</ol>")[0].split("<li")[1:]
assert "prompt" in steps[0] and "unsafe" in steps[-1] and "Digit; violates here" in steps[-1] and 'class="edge taken"' in bad
assert not any("unsafe" in s for s in steps[:-1])
for place in re.findall(r'href="#(verdict-\d+)"', page):
    assert place in articles, place
P

# Tampering: each is refused, and mending it heals.
flip() { python3 -c '
import sys; p = sys.argv[1]; b = bytearray(open(p, "rb").read()); b[len(b) // 2] ^= 1; open(p, "wb").write(b)' "$1"; }
for file in checks/any/statement.runs checks/any/runs.cert checks/any/resolved.spec checks/odds/runs.cert properties/any.no_digit.json; do
  flip "$dir/a/evidence/$file"; expect 8 verify "$cert" "$dir/model"; flip "$dir/a/evidence/$file"
done
expect 0 verify "$cert" "$dir/model"

resign() { # resign PYTHON-EDIT of predicate p
  rm -rf "$dir/c"; cp -r "$dir/a" "$dir/c"
  python3 "$ASSAY_SOURCE/tests/support/resign.py" "$dir/c/tiny.cert.dsse.json" "$dir/keys/private.pem" "$1"
}
refuse() { resign "$1"; expect 8 verify "$dir/c/tiny.cert.dsse.json" "$dir/model"; }
if command -v openssl >/dev/null; then
  resign "pass"; expect 0 verify "$dir/c/tiny.cert.dsse.json" "$dir/model"   # the control
  # Signed by the right key and still refused: another decoder, prompt set or horizon than the proof's.
  refuse 'c["any.quiet"]["domain"] = c["any.quiet"]["domain"].replace("greedy", "min-p 1/10")'
  refuse 'c["any.quiet"]["domain"] = c["any.quiet"]["domain"].replace("1 to 40", "1 to 4000")'
  refuse 'c["any.quiet"]["domain"] = c["short.quiet"]["domain"]'
  refuse 'c["short.quiet"]["domain"] = c["any.quiet"]["domain"]'
  refuse 'c["short.quiet"]["domain"] = c["short.quiet"]["domain"].replace("at most 5 new tokens", "any number of new tokens")'
  refuse 'r = c["any.quiet"]["recheck"]; r["statement"] = r["statement"].replace("1 to 40", "1 to 4000"); c["any.quiet"]["domain"] = c["any.quiet"]["domain"].replace("1 to 40", "1 to 4000")'
  refuse 'put("checks/any/statement.runs", open(folder + "checks/any/statement.runs").read().replace("any 40", "any 4000"))'
  refuse 'put("checks/any/statement.runs", open(folder + "checks/any/statement.runs").read().replace("decoder greedy", "decoder min-p 1/10 temperature 1 order after"))'
  refuse 'put("checks/short/statement.runs", open(folder + "checks/short/statement.runs").read().replace("max-new 5", "max-new any"))'
  refuse 'c["any.quiet"]["recheck"]["inputs"] = [dict(i, name=i["name"].replace("any", "short")) for i in c["any.quiet"]["recheck"]["inputs"]]'
  # Words, level and the specification's digest.
  refuse 'c["any.quiet"]["formal"] = "all G !Digit"'
  refuse 'c["any.quiet"]["formal"] = c["any.quiet"]["formal"].replace("!", "")'
  refuse 'c["any.quiet"]["level"] = "STATISTICAL"; n = p["verdict"]["counts"]; n["STATISTICAL"] += 1; n["PROVED"] -= 1'
  refuse 'c["poor.quiet"]["level"] = "PROVED"'
  refuse 'put("checks/any/resolved.spec", open(folder + "checks/any/resolved.spec").read() + "\n")'
  refuse 'put("checks/any/resolved.spec", open(folder + "checks/any/resolved.spec").read().replace("!", "", 1))'
  # Of a probability: bound, threshold, horizon, side.
  refuse 'c["odds.soon"]["bound"] = "1/1099511627776"'
  refuse 'del c["odds.soon"]["bound"]; del c["odds.soon"]["threshold"]'
  refuse 'c["odds.soon"]["threshold"] = "0.01"'
  refuse 'c["odds.soon"]["formal"] = c["odds.soon"]["formal"].replace("0.9999", "0.01")'
  refuse 'c["odds.soon"]["domain"] = c["odds.soon"]["domain"].replace("within 3", "within 30")'
  refuse 'c["odds.soon"]["domain"] = c["odds.soon"]["domain"].replace("min-p 2/5", "min-p 1/10")'
  refuse 'c["boxes.seldom"]["bound"] = "1/1099511627776"'
  refuse 'c["boxes.seldom"]["threshold"] = "0.01"'
  refuse 'c["boxes.seldom"]["domain"] = c["boxes.seldom"]["domain"].replace("within 3", "within 30")'
  refuse 'c["boxes.seldom"]["domain"] = c["boxes.seldom"]["domain"].replace("1 to 40", "1 to 4000")'
  refuse 'c["boxes.silent"]["domain"] = c["boxes.silent"]["domain"].replace("plain", "plain temperature 1/2")'
  refuse 'c["boxes.silent"]["recheck"], c["boxes.seldom"]["recheck"] = c["boxes.seldom"]["recheck"], c["boxes.silent"]["recheck"]'
  refuse 'put("checks/boxes/statement.runs", open(folder + "checks/boxes/statement.runs").read().replace("any 40", "any 4000"))'
  refuse 'u = c["boxes.rarely"]; u.update(status="HOLDS", level="PROVED", levelChain=c["boxes.seldom"]["levelChain"], recheck=c["boxes.seldom"]["recheck"], bound=c["boxes.seldom"]["bound"], threshold="0.000001"); del u["reason"]; n = p["verdict"]["counts"]; n["HOLDS"] += 1; n["PROVED"] += 1; n["UNKNOWN"] -= 1'
  refuse 'c["odds.never"]["status"] = "HOLDS"; n = p["verdict"]["counts"]; n["HOLDS"] += 1; n["PROVED"] += 1; n["VIOLATED"] -= 1'
  refuse 'c["odds.never"]["recheck"], c["odds.soon"]["recheck"] = c["odds.soon"]["recheck"], c["odds.never"]["recheck"]'
  refuse 'c["any.no_digit"]["status"] = "HOLDS"; n = p["verdict"]["counts"]; n["HOLDS"] += 1; n["PROVED"] += 1; n["VIOLATED"] -= 1'
  # Nothing undecided becomes a claim.
  refuse 'u = c["poor.quiet"]; u.update(status="HOLDS", level="PROVED", levelChain=[{"level": "PROVED", "link": "x"}]); del u["reason"]; n = p["verdict"]["counts"]; n["HOLDS"] += 1; n["PROVED"] += 1; n["UNKNOWN"] -= 1'
else
  echo "SKIPPED: openssl is not installed; re-signed certificates were NOT tried"
fi
echo "certify refined: ok"
