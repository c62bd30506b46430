#!/usr/bin/env bash
# An accepted certificate of kind `exact` as keep.py reads it.   keep_exact.sh FROM, with assay on PATH
set -euo pipefail
tests=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
to=$1/exact; mkdir -p "$to"
python3 "$tests/cli/tiny_model.py" "$work"
cat >"$work/t.spec" <<'SPEC'
spec "t" version 1;
use model M = "model";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
prop few: all G[0:2] !(Digit & At) & G(At -> X !At);
SPEC
echo '{"tokens":[[20]]}' >"$work/p.json"
cd "$work"
assay --quiet check --model model --spec t.spec --prompts p.json --decoder greedy --max-new 2 --certificate case
cp -r model case.spec case.runs "$to"
cp case "$to/case.cert"
printf '%s\n' --model model --runs case.runs --spec case.spec >"$to/args"
