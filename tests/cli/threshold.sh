#!/usr/bin/env bash
# assay threshold: both ends of the interval are re-checked, agree with assay check, and tighten with the resolution.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir"
cd "$dir"
cat >t.spec <<'S'
spec "t" version 1;
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
prop quiet: all G(At -> X !At);
prop no_at: all G !At;
prop digits: all G Digit;
S
echo '{"tokens":[[3,4],[12,13,14],[20]]}' >p.json
threshold() { assay --quiet threshold --model model --spec t.spec --prompts p.json "$@"; }
expect 0 threshold --prop no_at --max-new 2 --resolution 1/10 --certificate c --json
python3 - "$dir/out" <<'P'
import json, subprocess, sys
from fractions import Fraction
p = json.load(open(sys.argv[1]))["properties"][0]
below, holds = Fraction(p["below"]["minP"]), Fraction(p["holds"]["minP"])
assert p["below"]["verdict"] == "violated" and p["holds"]["verdict"] == "holds" and holds - below <= Fraction(1, 10), p
assert p["holds"]["level"] == p["below"]["level"] == "PROVED" and not p["interrupted"]
verdicts = {Fraction(m): v for m, v in p["tried"]}
assert Fraction(1, 10) in verdicts and Fraction(1) in verdicts, "the ends were not tried"
for end in ("below", "holds"):
    c = p[end]["certificate"]
    out = subprocess.run(["assay-check", c, "--model", "model", "--spec", c + ".spec", "--runs", c + ".runs"], capture_output=True, text=True)
    assert out.returncode == 0 and "min-p %s " % p[end]["minP"] in out.stdout, out.stdout
    code = subprocess.run(["assay", "--quiet", "check", "--model", "model", "--spec", "t.spec", "--prompts", "p.json", "--prop", "no_at", "--max-new", "2",
                           "--decoder", "min-p:" + p[end]["minP"]], capture_output=True).returncode
    assert code == (0 if end == "holds" else 1), code
P
expect 0 threshold --prop no_at --max-new 2 --resolution 1/1000
grep -q "the smallest min-p for which it holds lies in (" out || fail "no interval: $(cat out)"
grep -q "so it does at every larger min-p" out || fail "monotonicity is not said"
expect 1 threshold --prop digits --max-new 2 --resolution 1/10       # not even greedily
grep -q "does not hold at the largest min-p" out || fail "$(cat out)"
expect 0 threshold --prop quiet --max-new 2 --from 9/10 --resolution 1/100
grep -q "holds at the smallest min-p that was tried" out || fail "$(cat out)"
expect 0 threshold --prop no_at --max-new 2 --resolution 1/10 --allow 0-20   # no at sign among them
grep -q "holds at the smallest min-p that was tried" out || fail "$(cat out)"
expect 0 threshold --prop no_at --prop quiet --max-new 1 --resolution 1/4
[ "$(grep -c "^no_at:\|^quiet:" out)" = 2 ] || fail "two properties: $(cat out)"
code=0; threshold --prop quiet --states 500 --resolution 1/4 >out || code=$?   # a budget that the small ends use up
[ "$code" = 0 ] && grep -q "is at most .*; nothing was shown below" out && grep -q "UNKNOWN, which says nothing" out || fail "budget: exit $code, $(cat out)"
for wrong in "--resolution 0" "--resolution x" "--from 0.9 --to 0.5" "--to 2" "--resolution 1/999999999" "--temperature 0" "--order later" "--prop none"; do
  # shellcheck disable=SC2086
  expect 2 threshold $wrong
done
echo "threshold: ok"
