#!/usr/bin/env bash
# Accepted certificates of kinds `exact`, `chain` and `level` as keep.py reads them.   keep_commands.sh FROM, with assay on PATH
set -euo pipefail
tests=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
from=$(mkdir -p "$1" && cd "$1" && pwd)
python3 "$tests/cli/tiny_model.py" "$work"
cd "$work"
echo '{"tokens":[[20]]}' >p.json

# keep NAME DECODER OPTIONS: the spec on standard input.
keep() {
  mkdir -p "$from/$1"
  cat >t.spec
  assay --quiet check --model model --spec t.spec --prompts p.json --decoder "$2" "${@:3}" --certificate case || [ $? = 1 ]
  cp -r model case.spec case.runs "$from/$1"
  cp case "$from/$1/case.cert"
  printf '%s\n' --model model --runs case.runs --spec case.spec >"$from/$1/args"
}
keep exact greedy --max-new 2 <<'SPEC'
spec "t" version 1;
use model M = "model";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
prop few: all G[0:2] !(Digit & At) & G(At -> X !At);
SPEC
keep live greedy <<'SPEC'
spec "t" version 1;
use model M = "model";
class digit = /[0-9]/;
ap Digit = tok in digit;
prop comes: all F Digit;
prop settles: all F G !Digit;
SPEC
keep chance greedy <<'SPEC'
spec "t" version 1;
use model M = "model";
ap At = tok = "@";
prop few: Pmax <= 0.5 [F At];
SPEC

# A rare token from any prompt, by boxes of contexts.
mkdir -p "$from/boxes"
cd "$from/boxes"
PYTHONPATH="$tests/cli" python3 "$tests/cli/rare_model.py" model
echo '{"any": true, "max_length": 64}' >p.json
printf 'spec "t" version 1;\nuse model M = "model";\nap Rare = tok = "#";\nprop rare: Pmax <= 0.25 [F Rare] horizon 8;\n' >t.spec
assay --quiet check --mode refined --model model --prompts p.json --spec t.spec --decoder plain --certificate case
mv case case.cert
printf '%s\n' --model model --runs case.runs --spec case.spec >args
cd "$work"

# One way to the label, which nature makes likelier or not, and one that never returns.
mkdir -p "$from/chain"
cd "$from/chain"
printf '@type: DTMC\n@value_type: rational-interval\n@parameters\n\n@reward_models\n\n@nr_states\n4\n@nr_choices\n4\n@model\n' >chain.drn
printf 'state 0 init\n\taction 0\n\t\t0 : [1/8, 1/4]\n\t\t1 : [1/4, 1/2]\n\t\t2 : [1/4, 1/2]\n' >>chain.drn
printf 'state 1\n\taction 0\n\t\t0 : [1/4, 1/2]\n\t\t3 : [1/2, 3/4]\nstate 2\n\taction 0\n\t\t2 : 1\nstate 3 goal\n\taction 0\n\t\t3 : 1\n' >>chain.drn
assay --quiet chain chain.drn --reach goal --at-most 0.7 --at-least 0.1 --certificate case
mv case case.cert
printf '%s\n' --chain chain.drn --request case.request >args

# A leaky sum by cells, a counter by points.
for name in cells points; do
  mkdir -p "$from/$name"
  cd "$from/$name"
  printf 'HOA: v1\nStates: 1\nStart: 0\nAP: 1 "A"\nAcceptance: 0 t\n--BODY--\nState: 0\n[t] 0\n--END--\n' >m.hoa
  printf 'spec "t" version 1;\nap A = tok = id 0;\n' >case.spec
  if [ "$name" = cells ]; then
    printf 'level heat = 0 when A: 0.9*heat + 1 else 0.9*heat;\nap Z = heat >= 10;\n' >>case.spec
  else
    printf 'level n = 0 max 2 when A: n + 1 else 0;\nap Z = n > 2;\n' >>case.spec
  fi
  echo 'prop P: all G !Z;' >>case.spec
  assay --quiet check --automaton m.hoa --spec case.spec --certificate case.cert
  printf '%s\n' --machine m.hoa --spec case.spec >args
done
