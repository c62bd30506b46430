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

# bad input
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
