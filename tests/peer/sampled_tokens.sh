#!/usr/bin/env bash
# TransformerLens draws the same tokens as `assay sample` from models of several layers; SciPy and statsmodels give the same
# intervals. Needs a python with transformer-lens, scipy and statsmodels, named by ASSAY_PEER_PYTHON.
set -euo pipefail
skip() { echo "SKIPPED: $1; TransformerLens was NOT compared with Assay"; exit 77; }
[ -n "${ASSAY_PEER_PYTHON:-}" ] || skip "ASSAY_PEER_PYTHON is not set"
"$ASSAY_PEER_PYTHON" -c 'import transformer_lens, scipy, statsmodels' 2>/dev/null ||
  skip "$ASSAY_PEER_PYTHON cannot import transformer_lens, scipy and statsmodels"
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
peer() { "$ASSAY_PEER_PYTHON" "$ASSAY_SOURCE/tests/peer/sampled_tokens.py" "$@"; }

cat >"$dir/t.spec" <<'S'
spec "t" version 1;
use model M = "model";
class few = ids {2, 5, 11};
ap Two = tok = id 2;
ap Few = tok in few;
prop never: all G !Two;
prop then: all G(Few -> X !Few);
prop once: all G(Two -> X G !Two);
S
echo '{"any":true,"max_length":4}' >"$dir/any.json"
sample() { # sample MODEL DECODER OUT
  "$ASSAY_BIN/assay" --quiet sample --model "$dir/$1" --spec "$dir/t.spec" --prompts "$dir/any.json" --decoder "$2" --runs 60 \
    --max-new 20 --seed 12345678901 --out "$3" >/dev/null
}
peer make "$dir"
for model in gpt2-like rotary-rms pre-folded attention-only; do
  for decoder in plain plain:3/2 greedy min-p:0.1 top-k:3 top-p:0.9; do
    sample "$model" "$decoder" "$dir/$model.${decoder//[:\/]/-}" || fail "$model, $decoder: exit $?"
  done
done
peer compare "$dir" || fail "the peers and Assay disagree"
echo "sampled_tokens: all passed"
