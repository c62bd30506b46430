#!/usr/bin/env bash
# Exact mode where something is missing: vacuous properties, ends of runs, the solver, Ctrl-C, memory, bands, contradictions.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir"
cd "$dir"
cat >t.spec <<'S'
spec "t" version 1;
use sae T = "sae";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
ap On = feat(T/3) > 0;
ap Near = feat(T/3) > 1 band 1000;
prop quiet: all G(At -> X !At);
prop idle: all G(At & Digit -> X !At);
prop soon: all G[0:1] !(On & At);
prop both: all G !(At & Digit);
prop banded: all G[0:1] !Near;
S
echo '{"tokens":[[3,4],[12,13,14],[20]]}' >p.json
exact() { "$assay" --quiet check --model model --sae sae --spec t.spec --prompts p.json "$@"; }
property() { python3 -c "import json, sys; p = {x['name']: x for x in json.load(open('out'))['properties']}[sys.argv[1]]; assert eval(sys.argv[2]), p" "$@"; }

# Vacuity, letters, and the second opinion with its obligations.
expect 0 exact --decoder greedy --prop quiet --prop idle --prop soon --json --smt smt --certificate c
property idle 'any("Digit" in v for v in p["vacuous"])'
property soon 'p["aps"]["On"]["true"] + p["aps"]["On"]["false"] + p["aps"]["On"]["unknown"] == p["states"]'
if [ "$ASSAY_WITH_Z3" != OFF ]; then
  for p in quiet idle soon; do property "$p" 'p["secondOpinion"]["invariant"] == "agree" and p["secondOpinion"]["obligations"] >= 3 and not p["secondOpinion"]["alarm"]'; done
  [ -s smt/quiet.init.smt2 ] && [ -s smt/quiet.step-0.smt2 ] && [ -s smt/quiet.bad-0.smt2 ] || fail "no obligations: $(ls smt)"
  grep -q "check-sat" smt/quiet.step-0.smt2 || fail "not SMT-LIB2"
  expect 0 exact --decoder greedy --prop quiet --z3-pairs 3 --json   # over the limit: said, and nothing changes
  property quiet 'p["verdict"] == "holds" and p["secondOpinion"]["invariant"] == "not asked" and "more than 3" in p["secondOpinion"]["detail"]'
  expect 0 exact --decoder min-p:0.6 --prop quiet --max-new 3 --json # with a horizon
  property quiet 'p["secondOpinion"]["invariant"] == "agree"'
fi

# An allow-list after the cut can leave nothing: the runs end, and it is said.
expect 0 exact --decoder greedy --prop quiet --allow after:digit --json
property quiet 'p["deadlocks"] > 0 and p["verdict"] == "holds"'
expect 0 exact --decoder greedy --prop quiet --allow digit --json
property quiet 'p["deadlocks"] == 0'

# Values inside a band, contradictory assumptions, a memory limit: never HOLDS, and the reason.
expect 3 exact --decoder min-p:0.9 --max-new 2 --prop banded --json
property banded 'p["verdict"] == "unknown" and p["aps"]["Near"]["unknown"] > 0 and "not surely" in p["reason"] or "undecided" in p["reason"] or "band" in p["reason"]'
expect 3 exact --decoder plain --prop both --memory 1 --json
property both 'p["verdict"] == "unknown" and "memory limit of 1 MiB" in p["reason"]'
for wrong in 's|T/3|T/99|' 's|feat(T/3) > 0|feat(U/3) > 0|' 's|tok in digit|tok in digits|'; do
  sed "$wrong" t.spec >wrong.spec
  expect 2 "$assay" --quiet check --model model --sae sae --spec wrong.spec --prompts p.json --decoder greedy --certificate w
  [ ! -e w ] || fail "a certificate after an error"
done

sed '$a prop nothing: all G !At assume At & !At;' t.spec >wrong.spec
expect 2 "$assay" --quiet check --model model --sae sae --spec wrong.spec --prompts p.json --decoder greedy --certificate w
says "valid by itself: it is vacuous"

# Ctrl-C: what is decided is kept, printed and certified; the rest is UNKNOWN.
cat >long.spec <<'S'
spec "long" version 1;
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
prop first: all G[0:1] !(Digit & At);
prop second: all G(At -> X !(Digit & At));
prop third: all G !(Digit & At);
S
set -m
"$assay" check --model model --spec long.spec --prompts p.json --decoder plain --certificate i --json >out 2>err &
child=$!
set +m
for _ in $(seq 600); do   # a second of its own time: the first property, some 300 windows, is decided
  kill -0 "$child" 2>/dev/null || fail "it ended by itself: $(cat out err)"
  [ "$(cut -d' ' -f14 "/proc/$child/stat")" -lt 100 ] || break
  sleep 0.1
done
kill -INT "$child"
code=0; wait "$child" || code=$?
[ "$code" = 3 ] || fail "interrupted: exit $code, not 3: $(cat out err)"
property first 'p["verdict"] == "holds" and p["level"] == "PROVED"'
property second 'p["verdict"] == "unknown" and "interrupted by the user" in p["reason"]'
property third 'p["verdict"] == "unknown" and "interrupted by the user" in p["reason"]'
assay-check i --model model --spec i.spec --runs i.runs >accepted || fail "the certificate of what is decided: $(cat accepted)"
grep -q "^ACCEPT first PROVED" accepted && ! grep -q "ACCEPT second" accepted || fail "$(cat accepted)"
echo "check exact limits: ok"
