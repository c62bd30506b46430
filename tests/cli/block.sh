#!/usr/bin/env bash
# assay block: the shortest run to an ap, the states that every such run passes, a smallest set of edges to block.
set -euo pipefail
assay=$ASSAY_BIN/assay
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
code() { local got=0; "${@:2}" > "$dir/out" 2> "$dir/err" || got=$?; [ "$got" = "$1" ] || fail "expected exit $1, found $got: $* $(cat "$dir/out" "$dir/err")"; }

# Two ways to the gate, one edge from the gate to where Bad may be; Bad is not on the other edges.
cat > "$dir/gate.hoa" <<'HOA'
HOA: v1
States: 5
Start: 0
AP: 2 "Bad" "Open"
acc-name: all
Acceptance: 0 t
--BODY--
State: 0 "start"
[!0] 1
[!0 & 1] 2
State: 1 "left"
[!0] 3
State: 2 "right"
[!0] 3
State: 3 "gate"
[!0] 0
[1] 4
State: 4 "end"
[!0] 4
--END--
HOA
code 1 "$assay" block "$dir/gate.hoa" --bad Bad
grep -q '3 gate → 4 end' "$dir/out" || fail "the shortest run: $(cat "$dir/out")"
grep -q 'few edges as can be (1)' "$dir/out" || fail "one edge is enough: $(cat "$dir/out")"
code 1 "$assay" --json block "$dir/gate.hoa" --bad Bad
python3 - "$dir/out" <<'PY'
import json, sys
out = json.load(open(sys.argv[1]))
assert out["reachable"] is True and out["level"] == "given", out
assert out["everyRunPasses"] == ["0 start", "3 gate"], out
assert out["block"] == [["3 gate", "4 end"]] and len(out["shortestRun"]) == 3, out
PY
# Without that edge there is nothing to block.
sed '/^\[1\] 4$/d' "$dir/gate.hoa" > "$dir/shut.hoa"
code 0 "$assay" block "$dir/shut.hoa" --bad Bad
grep -q 'No run of the machine reaches Bad' "$dir/out" || fail "$(cat "$dir/out")"

# A fitted automaton: letters are on states, and an unknown letter may be bad.
cat > "$dir/automaton.json" <<'JSON'
{"assay-automaton":1,"aps":["A","B"],"decoder":{"minP":"1/10","temperature":"1","order":"after"},"prompts":[[0]],"maxNew":4,"runs":2,"seed":"1",
 "states":[{"name":"x","must":0,"may":0,"count":4},{"name":"y","must":0,"may":2,"count":2}],"initial":[[0,2]],"edges":[[0,0,2],[0,1,2]]}
JSON
code 1 "$assay" block "$dir/automaton.json" --bad B
grep -q 's0 x → s1 y' "$dir/out" || fail "$(cat "$dir/out")"
grep -q 'OBSERVED' "$dir/out" || fail "the level is said"
code 0 "$assay" block "$dir/automaton.json" --bad A

code 2 "$assay" block "$dir/gate.hoa" --bad Bda
grep -q 'expected an ap of .* (Bad, Open), found Bda' "$dir/err" || fail "the message lists the aps: $(cat "$dir/err")"
code 2 "$assay" block "$dir/gate.hoa"
echo '{"assay-automaton":1' > "$dir/broken.json"
got=0; "$assay" block "$dir/broken.json" --bad A > "$dir/out" 2> "$dir/err" || got=$?
[ "$got" -gt 1 ] && [ "$got" -lt 128 ] || fail "a broken file: exit $got"
grep -q 'broken.json' "$dir/err" || fail "the message names the file: $(cat "$dir/err")"
