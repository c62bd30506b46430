#!/usr/bin/env bash
# SAELens loads what `assay train sae` writes (load_from_disk) and computes the features and the reconstruction that
# `assay sae encode` computes. Needs a python with sae-lens, named by ASSAY_PEER_PYTHON.
set -euo pipefail
skip() { echo "SKIPPED: $1; SAELens was NOT compared with Assay"; exit 77; }
[ "$ASSAY_WITH_TORCH" = ON ] || skip "ASSAY_WITH_TORCH is OFF"
[ -n "${ASSAY_PEER_PYTHON:-}" ] || skip "ASSAY_PEER_PYTHON is not set"
"$ASSAY_PEER_PYTHON" -c 'import sae_lens' 2>/dev/null || skip "$ASSAY_PEER_PYTHON cannot import sae_lens"
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
peer() { "$ASSAY_PEER_PYTHON" "$ASSAY_SOURCE/tests/peer/saelens.py" "$@"; }

mkdir "$dir/text"
for i in $(seq 1 30); do
  for j in $(seq 1 20); do
    echo "<p class=\"c$((i * j % 7))\"><a href=\"http://example.org/$i/$j.html\">page $((i + j))</a></p>"
  done >"$dir/text/$i.html"
done
"$ASSAY_BIN/assay-torch" --quiet train model --text "$dir/text" --out "$dir/model" --d-model 16 --n-heads 2 \
  --n-ctx 32 --batch 8 --steps 40 >/dev/null

for kind in transcoder sae; do
  for recipe in batchtopk l1; do
    sae="$dir/$kind-$recipe"
    "$ASSAY_BIN/assay-torch" --quiet train sae --model "$dir/model" --text "$dir/text" --out "$sae" --kind "$kind" \
      --recipe "$recipe" --d-sae 48 --k 4 --batch 128 --steps 60 >/dev/null
    peer make "$sae" "$dir/x.safetensors"
    "$ASSAY_BIN/assay" --json sae encode --sae "$sae" --activations "$dir/x.safetensors" --out "$sae.f" >/dev/null
    echo "== $kind, $recipe"
    peer compare "$sae" "$dir/x.safetensors" "$sae.f" || fail "$kind, $recipe: SAELens and Assay disagree"
  done
done

# The comparison can fail: the encodings of another dictionary are told apart.
"$ASSAY_BIN/assay-torch" --quiet train sae --model "$dir/model" --text "$dir/text" --out "$dir/other" --kind sae \
  --recipe l1 --d-sae 48 --batch 128 --steps 60 --seed 2 >/dev/null
! peer compare "$dir/other" "$dir/x.safetensors" "$dir/sae-l1.f" || fail "the comparison sees no difference"
echo "saelens: all passed"
