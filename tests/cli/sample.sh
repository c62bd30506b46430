#!/usr/bin/env bash
# assay sample end to end: rates with intervals, the same bytes from the same seed, Ctrl-C and going on, replayed counterexamples, exit codes,
# models of two layers, and what it refuses.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
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
prop no_digit: all G !Digit;
prop quiet: all G(At -> X !At);
prop off: all G !(On & At);
prop some_at: some F At;
S
echo '{"any":true,"max_length":6}' >"$dir/any.json"
cd "$dir"
sample() { # options given here win
  local model=model spec=t.spec prompts=any.json decoder=min-p:0.1 rest=()
  while [ $# -gt 0 ]; do
    case "$1" in
      --model | --spec | --prompts | --decoder) local "${1#--}=$2"; shift 2 ;;
      *) rest+=("$1"); shift ;;
    esac
  done
  "$assay" $quiet sample --model "$model" --spec "$spec" --prompts "$prompts" --decoder "$decoder" "${rest[@]}"
}
quiet=--quiet

expect 0 sample --runs 400 --max-new 8 --out one --json
cp out one.json
python3 - <<'P'
import json
from fractions import Fraction
r = json.load(open("one.json"))
assert r["mode"] == "sample" and r["plan"]["runs"] == 400 and r["plan"]["decoder"] == "min-p 1/10 temperature 1 order after", r["plan"]
p = {x["name"]: x for x in r["properties"]}
assert "skipped" in p["some_at"] and set(p) == {"no_digit", "quiet", "off", "some_at"}
assert sum(Fraction(x["alpha"]) for x in p.values() if "alpha" in x) == Fraction(1, 100)
runs = [json.loads(line) for line in open("one/runs.jsonl")]
assert len(runs) == 400 and all(1 <= len(x["prompt"]) <= 6 and len(x["tokens"]) <= 8 for x in runs)
digits = [i for i, x in enumerate(runs) if any(2 <= t <= 11 for t in x["tokens"])]
twice = [i for i, x in enumerate(runs) if any(a == b == 39 for a, b in zip(x["tokens"], x["tokens"][1:]))]
d = p["no_digit"]
assert d["n"] == 400 and d["k"] == len(digits) > 10 and p["quiet"]["k"] == len(twice), (d["k"], len(digits))
assert d["k"] + d["holds"] + d["open"] + d["undecided"] == 400 and d["level"] == "STATISTICAL"
assert float(d["lo"]) < d["k"] / 400 < float(d["hi"])
# The first violations, replayed with the letters that make them so.
assert [c["run"] for c in d["counterexamples"]] == digits[:10] and all(c["replayed"] for c in d["counterexamples"])
assert d["counterexamples"][0]["witness"]["prompt"] == runs[digits[0]]["prompt"]
kept = [json.loads(line) for line in open("one/counterexamples.jsonl")]
assert [(k["property"], k["run"]) for k in kept][:10] == [("no_digit", i) for i in digits[:10]]
P
# The same seed gives the same bytes, whatever runs side by side; another seed does not.
expect 0 sample --runs 400 --max-new 8 --out two --threads 2 --batch 7
for file in plan.json runs.jsonl counterexamples.jsonl result.json resolved.spec; do cmp "one/$file" "two/$file" || fail "$file differs"; done
expect 0 sample --runs 400 --max-new 8 --out three --seed 2
! cmp -s one/runs.jsonl three/runs.jsonl || fail "another seed drew the same runs"

# Exit codes: within, beyond and on both sides of a limit; nothing counted.
expect 0 sample --runs 400 --max-new 8 --prop quiet --at-most 1/2
expect 1 sample --runs 400 --max-new 8 --prop no_digit --at-most 1/1000
expect 3 sample --runs 20 --max-new 8 --prop quiet --at-most 1/1000
expect 3 sample --runs 400 --max-new 8 --prop quiet --prop no_digit --at-most 0.66 --split quiet=1/200
# The ledger.
expect 0 sample --runs 50 --split quiet=1/200 --split off=1/400 --json
python3 -c 'import json, sys; p = {x["name"]: x for x in json.load(open("out"))["properties"]}
assert [p[n]["alpha"] for n in ("quiet", "off", "no_digit")] == ["1/200", "1/400", "1/400"], p'

refuses() { expect 2 sample "${@:2}"; says "$1"; }
refuses "overdrawn" --split quiet=1/100
refuses "overdrawn" --split quiet=1/10
refuses "some_at" --split some_at=1/200
refuses "NAME=SHARE" --split quiet
refuses "0 < alpha < 1" --alpha 0
refuses "0 < alpha < 1" --alpha 1
refuses "above 0" --runs 0
refuses "above 0" --max-new 0
refuses "decoder" --decoder nucleus:0.9
refuses "nobody" --prop nobody
refuses "at least one property" --prop some_at
expect 2 sample --at-most x
expect 2 sample --alpha nan
(ulimit -v 4000000   # a count that is taken for a huge one must not fill the machine
expect 2 sample --runs -5
says "whole number"
expect 2 sample --runs 18446744073709551615
expect 2 sample --seed -1)
for bad in '{"any":true}' '{"list":[[99]]}' '{"list":[[1]],"weights":[0]}' '{"tokens":[[]]}' '[' ''; do
  printf '%s' "$bad" >bad.json
  expect 9 sample --prompts bad.json
done
expect 9 sample --prompts nowhere.json
expect 9 sample --model nowhere
sed 's/digit = .*/digit = \/q\//; s/On = .*/On = feat(T\/999) > 0;/' t.spec >bad.spec
code=0; sample --spec bad.spec >out 2>err || code=$?
case "$code" in 2 | 9) ;; *) fail "a feature beyond the dictionary: exit $code" ;; esac

# Ctrl-C: what was drawn is kept, and the same command goes on to the same bytes. Another plan starts anew.
long=(--runs 6000 --max-new 32 --out four --batch 16)
"$assay" sample --model model --spec t.spec --prompts any.json --decoder min-p:0.1 "${long[@]}" >out 2>err & child=$!
for ((i = 0; i < 1000; ++i)); do [ -s four/part.jsonl ] && break; sleep 0.01; done
kill -INT "$child" || true; code=0; wait "$child" || code=$?
if [ "$code" = 11 ]; then
  [ -s four/part.jsonl ] && [ ! -e four/result.json ] || fail "nothing is kept"
  begun=$(wc -l <four/part.jsonl)
  [ "$begun" -gt 0 ] && [ "$begun" -lt 6000 ] || fail "$begun runs are kept"
  cp -r four five; cp -r four six
  quiet= expect 0 sample "${long[@]}"
  says "going on after $begun runs"
  [ ! -e four/part.jsonl ] || fail "the part is still there"
  expect 0 sample --runs 6000 --max-new 32 --out seven
  for file in runs.jsonl result.json counterexamples.jsonl; do cmp "four/$file" "seven/$file" || fail "$file differs after an interruption"; done
  quiet= expect 0 sample --runs 10 --out five
  ! grep -q "going on" err || fail "went on with another plan"
  # A part that is not this plan's is refused, not counted.
  { tail -n 1 six/part.jsonl; cat six/part.jsonl; } >p && mv p six/part.jsonl
  quiet= expect 9 sample "${long[@]/four/six}"
  says "not the first runs of this plan"
else
  [ "$code" = 0 ] || { cat err; fail "interrupted: exit $code"; }
  echo "NOTE: the run ended before it was interrupted; going on was NOT tried"
fi

# Two layers: tokens are counted, activations are not read, and no counterexample is called replayed.
printf 'spec "d" version 1;\nuse model M = "m";\nap A = tok = id 3;\nap B = tok = id 1;\nprop never: all G !A;\nprop then: all G(A -> X !B);\n' >d.spec
echo '{"any":true,"max_length":2}' >short.json
for norm in "$dir"/sites/*/; do grep -q '"n_layers": 2' "$norm/config.json" && deep=$norm; done
[ -n "${deep:-}" ] || fail "no two-layer model was made"
expect 0 "$assay" --quiet sample --model "$deep" --spec d.spec --prompts short.json --decoder plain --runs 300 --max-new 2 --json
python3 -c 'import json; r = json.load(open("out")); p = r["properties"][0]
assert r["layers"] == 2 and 0 < p["k"] < 300 and p["counterexamples"] and not any(c["replayed"] for c in p["counterexamples"]), r
assert "one layer" in p["counterexamples"][0]["reason"]'
expect 9 "$assay" --quiet sample --model "$deep" --spec d.spec --prompts short.json --decoder plain --runs 300 --max-new 3   # beyond n_ctx = 4
says "n_ctx"

if [ "${ASSAY_WITH_TORCH:-OFF}" = ON ]; then
  expect 0 sample --runs 100 --max-new 8 --engine both --json
  python3 -c 'import json; e = json.load(open("out"))["engines"]
assert e["runs"] == 100 and e["same"] + e["partedAtNearTies"] == 100 and e["same"] >= 99, e'
else
  echo "SKIPPED: built without LibTorch; its runs were NOT compared with the reference"
fi
echo "sample: ok"
