#!/usr/bin/env bash
# `assay replay`: what check found is walked again from its JSON and its certificate; a run that was changed does not reproduce.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir"
cd "$dir"
cat >r.spec <<'S'
spec "t" version 1;
use model M = "model";
use sae T = "sae";
class letter = /[a-z]/;
ap Letter = tok in letter;
ap At = tok = "@";
ap On = feat(T/3) > 0;
prop off: all G !On;
prop letters: all G F Letter;
prop seen: some F On;
prop quiet: all G(At -> X !At);
S
echo '{"tokens":[[3],[12,13],[20]]}' >p.json
replay() { "$assay" --quiet replay "$@" --model model --sae T=sae; }
"$assay" --quiet --json check --model model --sae T=sae --spec r.spec --prompts p.json --decoder min-p:0.9 --certificate c >c.json || true
expect 0 replay c.json --spec r.spec --prompts p.json
[ "$(grep -c '^[a-z]*: REPRODUCED' out)" = 3 ] && grep -q 'for ever:' out && grep -q 'On  feat(T/3) in \[' out && grep -q 'live T/' out || fail "$(cat out)"
expect 0 replay c
[ "$(grep -c '^[a-z]*: REPRODUCED' out)" = 3 ] || fail "$(cat out)"
expect 3 replay c --prop quiet           # it holds: there is no run of it
expect 0 replay c --prop letters
for ext in runs spec; do cp c.$ext x.$ext; done
cp c.runs x.cert.runs; cp c.spec x.cert.spec
# another token, a loop that is none, a run of another property, another prompt: not reproduced
for change in '/^off/s/ N / N 5 /' '/^letters/s/ L .*/ L 5/' '/^off/s/ N .*/ N 33/' '/^off/s/ P 3/ P 4/'; do
  sed "$change" c >x.cert
  ! cmp -s c x.cert || fail "$change changed nothing"
  expect 1 replay x.cert
  grep -q 'NOT REPRODUCED: ' out || fail "$change: $(cat out)"
done
sed '/^off/s/ N / N 45 /' c >x.cert
expect 9 replay x.cert                   # a token that the model does not have
expect 2 replay c.json                   # no spec
expect 9 replay p.json --spec r.spec
expect 9 replay nothing --spec r.spec
sed 's/"name": "off"/"name": "none"/' c.json >n.json
expect 2 replay n.json --spec r.spec
echo "replay: ok"
