#!/usr/bin/env bash
# Trains a small model on each regular language and compares its proved machine with the language and
# with everything that the model does up to a length (bench/ground_truth.cpp).
#   bench/ground_truth.sh OUT [DECODER [LENGTH [LANGUAGE…]]]
# DECODER both (default): min-p 0.1 from the prompt "newline", and greedy from every beginning of a word of at most 6 symbols
# (greedy writes one text a prompt). Any other is used from "newline" alone, with PREFIX=N from beginnings too.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:?usage: bench/ground_truth.sh OUT [DECODER [LENGTH [LANGUAGE…]]]}
decoder=${2:-both} length=${3:-12}
bin=build/release/bin
languages=("${@:4}")
if [ ${#languages[@]} -eq 0 ]; then
  mapfile -t languages < <("$bin/bench_ground_truth" list | cut -d' ' -f1)
fi
mkdir -p "$out"
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
for language in "${languages[@]}"; do
  if [ ! -e "$out/$language/model.safetensors" ]; then
    "$bin/bench_ground_truth" corpus "$language" "$out/$language.txt"
    "$bin/assay" --quiet train model --text "$out/$language.txt" --out "$out/$language" --d-model 32 \
      --n-heads 2 --window 8 --provable 0 --far-heads 2 --steps "${STEPS:-2000}" --seed 1 >"$out/$language.log" 2>&1
  fi
  if [ "$decoder" = both ]; then
    "$bin/bench_ground_truth" compare "$language" "$out/$language" min-p:0.1 "$length"
    "$bin/bench_ground_truth" compare "$language" "$out/$language" greedy "$length" 3000000 6
  else
    "$bin/bench_ground_truth" compare "$language" "$out/$language" "$decoder" "$length" 3000000 "${PREFIX:-0}"
  fi
done
