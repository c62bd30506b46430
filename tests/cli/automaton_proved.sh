#!/usr/bin/env bash
# The proved automaton end to end: files, figures and containment; a budget and bad input are named.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
refuse() { # refuse CODE WORDS COMMAND…
  local code=$1 words=$2 got=0; shift 2
  "$@" >"$work/stdout" 2>"$work/stderr" || got=$?
  [ "$got" = "$code" ] || { cat "$work/stderr" >&2; fail "exit $got, not $code: $*"; }
  grep -qF -- "$words" "$work/stderr" || fail "no '$words' in: $(cat "$work/stderr")"
  [ ! -e "$work/out" ] || fail "left something behind: $*"
}
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$work"
cd "$work"
python3 - <<'PY'
# Unknown tokens count little: the second head does not see them, the first one hardly.
import json, struct
p = "model/model.safetensors"
data = bytearray(open(p, "rb").read())
n = struct.unpack("<Q", data[:8])[0]
begin = 8 + n + json.loads(data[8:8 + n])["blocks.0.attn.rel_bias"]["data_offsets"][0]
for head, bias in enumerate((-3.0, -80.0)):
    for j in range(3, 8):
        struct.pack_into("<f", data, begin + 4 * (8 * head + j), bias)
open(p, "wb").write(data)
PY
echo '{"tokens":[[3,4],[12,13,14],[20],[5]]}' >p.json
proved() { assay --quiet automaton --proved --model model --prompts p.json "$@"; }

proved --decoder greedy --out g --runs 40 --json >g.json || fail "greedy: exit $?"
proved --decoder min-p:0.9 --out m --runs 40 --threads 2 --json >m.json || fail "min-p: exit $?"
proved --decoder min-p:0.9 --out n --runs 0 >n.txt || fail "min-p again: exit $?"
cmp m/closure.edges n/closure.edges || fail "the graph depends on the threads"
python3 - <<'PY'
import json
for name in ("g", "m"):
    r = json.load(open(f"{name}.json"))
    assert r["complete"] and r["mode"] == "proved" and r["graph"]["predecessorSets"], r
    g, c = r["graph"], r["containment"]
    assert g["possible"] == g["witnessed"] + g["open"] and g["initial"] == 3, g
    assert c["runs"] == 40 and c["outside"] == 0 and c["steps"] > 1000, c
    assert r["earlier"][0]["possible"] >= g["possible"]
    lines = open(f"{name}/closure.edges").read().splitlines()
    assert lines[0] == f"assay-closure 1 states {g['states']} initial 3 complete", lines[0]
    table = {}
    for line in lines[1:]:
        state, edges = line.split(":")
        table[tuple(map(int, state.split()))] = [int(e.rstrip("?")) for e in edges.split()]
    assert len(table) == g["states"] and sum(map(len, table.values())) == g["possible"]
    assert all((*s[-2:], t) in table for s, e in table.items() for t in e), "not closed"
    assert json.load(open(f"{name}/closure.json"))["graph"] == g
PY
grep -q "^digraph closure" g/closure.dot || fail "no picture"
grep -q "ratio" n.txt || fail "the precision is not printed"

code=0; proved --decoder min-p:0.5 --states 5 --out few >few.txt || code=$?
[ "$code" = 3 ] || fail "over the budget is exit 3, not $code"
grep -q "INCOMPLETE: the budget of 5 states" few.txt || fail "the budget is not named: $(cat few.txt)"
head -1 few/closure.edges | grep -q incomplete || fail "an incomplete graph is not marked"

# What was stopped goes on to the same bytes, from the first closure and from a descending round; nothing is bounded twice.
proved --decoder min-p:0.9 --states 40 --rounds 0 --out cut >cut.txt && fail "over the budget is not 0"
grep -q -- "--resume goes on" cut.txt || fail "nothing says how to go on: $(cat cut.txt)"
proved --decoder min-p:0.9 --resume --out cut --runs 0 --json >cut.json || fail "resume: exit $?"
cmp cut/closure.edges m/closure.edges || fail "another graph after it went on"
python3 - <<'PY'
import hashlib, json
cut, whole = json.load(open("cut.json")), json.load(open("m.json"))
assert cut["graph"] == whole["graph"] and cut["work"] == whole["work"] and cut["earlier"] == whole["earlier"], cut
# as an interruption within the descending round leaves it: the closed graph before it, and a part of the round
edges = open("m/closure.edges").read().splitlines(keepends=True)
before = json.load(open("m.json"))
half = "".join(edges[: len(edges) // 2]).replace(" complete", " incomplete")
open("round.edges", "w").write(half)
PY
proved --decoder min-p:0.9 --rounds 0 --runs 0 --out half >/dev/null || fail "one closure: exit $?"
python3 - <<'PY'
import hashlib, json, shutil
shutil.copy("round.edges", "half/closure.unfinished")
j = json.load(open("half/closure.json"))
assert j["resume"]["round"] == 1 and j["resume"]["unfinished"] is None, j["resume"]
j["resume"]["unfinished"] = hashlib.sha256(open("round.edges", "rb").read()).hexdigest()
json.dump(j, open("half/closure.json", "w"))
PY
proved --decoder min-p:0.9 --resume --runs 0 --out half --json >half.json || fail "resume of a round: exit $?"
cmp half/closure.edges m/closure.edges || fail "another graph after the round went on"
[ ! -e half/closure.unfinished ] || fail "the part of the round is still there"
cp -r m again
proved --decoder min-p:0.9 --resume --runs 0 --out again --json >again.json || fail "resume of a whole graph: exit $?"
cmp again/closure.edges m/closure.edges || fail "a whole graph does not stay"
python3 - <<'PY'
import json
assert json.load(open("half.json"))["work"]["statesBounded"] < json.load(open("m.json"))["work"]["statesBounded"]
assert json.load(open("again.json"))["work"] == json.load(open("m.json"))["work"]
PY
mkdir wrong && cp m/closure.* wrong/
code=0; proved --decoder min-p:0.5 --resume --out wrong 2>err >out.txt || code=$?
[ "$code" = 2 ] && grep -q "expected a closure of this model, decoder, prompts and steps" err || fail "another decoder goes on: $code"
sed -i '2s/:.*/: 0/' wrong/closure.edges
code=0; proved --decoder min-p:0.9 --resume --out wrong 2>err >out.txt || code=$?
[ "$code" = 5 ] || fail "an edited graph is exit 5, not $code"
echo '{"resume":{}}' >wrong/closure.json
code=0; proved --decoder min-p:0.9 --resume --out wrong 2>err >out.txt || code=$?
[ "$code" = 9 ] || fail "a broken summary is exit 9, not $code"

# Ctrl-C leaves what can go on.
echo '{"any":true,"max_length":8}' >any.json
every() { assay --quiet automaton --proved --model model --prompts any.json --decoder min-p:0.9 --rounds 0 --runs 0 "$@"; }
code=0
for delay in 0.2 0.5 1 2 4 8 16; do # too early it dies, or has nothing yet
  rm -rf stopped
  "$ASSAY_BIN/assay" --quiet automaton --proved --model model --prompts any.json --decoder min-p:0.9 --rounds 0 --runs 0 --out stopped >out.txt 2>err & child=$!
  sleep "$delay"
  kill -INT "$child" 2>/dev/null || true
  code=0; wait "$child" || code=$?
  [ "$code" = 11 ] && [ "$(wc -l <stopped/closure.edges)" -gt 1 ] && break
done
[ "$code" = 11 ] || fail "interrupted is exit 11, not $code"
head -1 stopped/closure.edges | grep -q incomplete || fail "a part is not marked"
[ "$(wc -l <stopped/closure.edges)" -gt 1 ] || fail "nothing is kept"
every --resume --out stopped --json >stopped.json || fail "resume after Ctrl-C: exit $?"
every --out every --json >every.json || fail "any prompt: exit $?"
cmp stopped/closure.edges every/closure.edges || fail "another graph after Ctrl-C"
python3 - <<'PY'
import json
r = json.load(open("every.json"))
assert r["graph"]["initial"] == 45 + 45**2 + 45**3 == r["graph"]["states"] and r["complete"], r["graph"]
assert json.load(open("stopped.json"))["work"] == r["work"]
PY

# A spec is read on the machine; the machine in HOA says the same.
cat >s.spec <<'SPEC'
spec "s" version 1;
use model M = "model";
use sae T = "sae";
ap A = tok = "a";
class silent = {DIGITS};
ap D = tok in silent;
ap On = feat(T/0) > 0;
SPEC
python3 - <<'PY'
# ids that follow each other in the machine, and ones that never do
import json
table, seen = {}, set()
for line in open("m/closure.edges").read().splitlines()[1:]:
    state, edges = line.split(":")
    table[tuple(map(int, state.split()))] = [int(e.rstrip("?")) for e in edges.split()]
emitted = sorted({t for e in table.values() for t in e})
pairs = {(s[-1], t) for s, e in table.items() for t in e}
never = next(t for t in range(45) if t not in emitted)
apart = next((a, b) for a in emitted for b in emitted if (a, b) not in pairs)
first = table[(13, 20, 5)][0]
spec = open("s.spec").read().replace("{DIGITS}", "ids {%d}" % never).replace('tok = "a"', "tok = id %d" % apart[0])
spec += """ap B = tok = id %d;
ap First = tok = id %d;
prop never: all absent(D) expect holds;
prop apart: all absent(A & X[!] B);
prop first: all absent(First);
prop feature: all absent(On & D);
prop feature_alone: all absent(On & First);
prop live: all F D;
prop known: some F First;
""" % (apart[1], first)
open("s.spec", "w").write(spec)
PY
read_spec() { proved --decoder min-p:0.9 --resume --runs 0 --out again --spec s.spec --sae T=sae "$@"; }
code=0; read_spec --json >read.json 2>err || code=$?
[ "$code" = 1 ] || fail "a violated property is exit 1, not $code: $(cat err)"
read_spec --prop never --prop apart --prop feature >read.txt || fail "what holds is exit 0, not $?"
grep -q "never: HOLDS (numeric only" read.txt || fail "the level is not named: $(cat read.txt)"
code=0; read_spec --prop live >read.txt || code=$?
[ "$code" = 3 ] || fail "undecided is exit 3, not $code"
assay --quiet spec resolve s.spec --model model --sae T=sae --out r.spec >/dev/null || fail "resolve: exit $?"
for p in never apart first feature; do
  code=0; assay --quiet check --automaton again/closure.hoa --spec r.spec --prop "$p" --json >hoa.$p.json 2>err || code=$?
  case "$code" in 0 | 1) ;; *) fail "check of the machine in HOA: exit $code $(cat err)" ;; esac
done
python3 - <<'PY'
import json
found = {p["name"]: p for p in json.load(open("read.json"))["properties"]}
want = {"never": "holds", "apart": "holds", "first": "violated", "feature": "holds", "live": "unknown", "known": "unknown"}
for name, verdict in want.items():
    assert found[name]["verdict"] == verdict, found[name]
assert found["feature_alone"]["verdict"] in ("unknown", "violated")
assert found["never"]["level"] == "numeric only" and found["first"]["level"] == "PROVED"
assert found["never"]["asExpected"] is True and len(found["first"]["witness"]["tokens"]) == 1
assert found["first"]["badEdges"] >= 1 and found["never"]["badEdges"] == 0
for name in ("never", "apart", "first", "feature"):
    assert json.load(open(f"hoa.{name}.json"))["properties"][0]["verdict"] == found[name]["verdict"], name
PY

# bad input
refuse 2 "expected one --spec" proved --decoder greedy --spec s.spec --spec s.spec --out out
refuse 2 "--resume: expected --out" proved --decoder greedy --resume
refuse 2 "expected --decoder and --prompts" assay automaton --proved --model model --decoder greedy --out out
refuse 2 "expected --sae, --text and --out, or --proved" assay automaton --model model --out out
refuse 2 "expected greedy, min-p or top-k, found plain" proved --decoder plain --out out
refuse 2 "above 0, found 0" proved --decoder greedy --states 0 --out out
echo '{"tokens":[[3],[99]]}' >p.json
refuse 9 "below 45" proved --decoder greedy --out out
sed 's/"relative_bias": true/"relative_bias": false/; s/"positional_embedding_type": "relative_bias"/"positional_embedding_type": "standard"/' model/config.json >c && mkdir abs && cp model/* abs/ && cp c abs/config.json
got=0; assay automaton --proved --model abs --prompts p.json --decoder greedy >o 2>&1 || got=$?
[ "$got" != 0 ] || fail "absolute positions are not refused"
echo "automaton_proved: ok"
