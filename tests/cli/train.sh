#!/usr/bin/env bash
# Training end to end on a tiny text: files, byte-identical reruns, pause and resume, Ctrl-C,
# agreement with the reference forward pass, and every refusal with its exit code.
set -euo pipefail
if [ "$ASSAY_WITH_TORCH" != ON ]; then
  echo "SKIPPED: ASSAY_WITH_TORCH is OFF, so NOTHING about training was tested"
  exit 77
fi
torch="$ASSAY_BIN/assay-torch"
[ -x "$torch" ] || { echo "$torch is not built"; exit 1; }
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() { echo "$1"; cat "$dir/stdout" "$dir/stderr"; exit 1; }
expect() { # CODE COMMAND…
  local want=$1 got=0
  shift
  "$@" >"$dir/stdout" 2>"$dir/stderr" || got=$?
  [ "$got" -eq "$want" ] || fail "expected exit $want, got $got: $*"
}

mkdir "$dir/text"
for i in $(seq 1 30); do
  for j in $(seq 1 20); do
    echo "<p class=\"c$((i * j % 7))\"><a href=\"http://example.org/$i/$j.html\">page $((i + j))</a></p>"
  done >"$dir/text/$i.html"
done

model=("$torch" --quiet train model --text "$dir/text" --d-model 16 --n-heads 2 --n-ctx 32 --batch 8)
expect 0 "${model[@]}" --steps 40 --out "$dir/m1"
for file in config.json model.safetensors tokenizer.json training.json metrics.jsonl; do
  [ -s "$dir/m1/$file" ] || fail "missing $file"
done

# Same seed and steps: the same bytes. Another seed: others.
expect 0 "${model[@]}" --steps 40 --out "$dir/m2"
cmp "$dir/m1/model.safetensors" "$dir/m2/model.safetensors"
cmp "$dir/m1/training.json" "$dir/m2/training.json"
expect 0 "${model[@]}" --steps 40 --seed 2 --out "$dir/m3"
! cmp -s "$dir/m1/model.safetensors" "$dir/m3/model.safetensors" || fail "the seed changes nothing"

# Half, then the other half: the bytes of the straight run.
expect 11 "${model[@]}" --steps 40 --out "$dir/m4" --checkpoint "$dir/m4.ckpt" --pause-at 20
expect 0 "${model[@]}" --steps 40 --out "$dir/m4" --checkpoint "$dir/m4.ckpt" --resume
cmp "$dir/m1/model.safetensors" "$dir/m4/model.safetensors"
cmp "$dir/m1/training.json" "$dir/m4/training.json"
expect 2 "${model[@]}" --steps 40 --seed 9 --out "$dir/m4" --checkpoint "$dir/m4.ckpt" --resume

# Ctrl-C keeps a checkpoint and the model so far.
"${model[@]}" --steps 1000000 --out "$dir/m5" --checkpoint "$dir/m5.ckpt" >/dev/null 2>&1 &
pid=$!
until [ -e "$dir/m5/metrics.jsonl" ]; do
  kill -0 "$pid" || fail "training ended by itself"
  sleep 0.1
done
sleep 0.5
kill -INT "$pid"
code=0
wait "$pid" || code=$?
[ "$code" -eq 11 ] || fail "Ctrl-C: expected exit 11, got $code"
[ -s "$dir/m5/model.safetensors" ] && [ -s "$dir/m5.ckpt" ] || fail "Ctrl-C: nothing was saved"

# The twin: the same run trained freely, and the price in the model's directory.
expect 0 "$torch" --quiet --json train twin --model "$dir/m1" --out "$dir/twin"
for key in '"validation_loss_nats_per_token"' '"twin_validation_loss_nats_per_token"' '"price_nats_per_token"'; do
  grep -q "$key" "$dir/m1/price.json" || fail "price.json lacks $key"
done
expect 0 "${model[@]}" --steps 40 --provable 0 --far-heads 2 --out "$dir/plain"
cmp "$dir/plain/model.safetensors" "$dir/twin/model.safetensors"

# With the window cut to what a state knows: what the far tokens are worth.
expect 0 "$torch" --quiet --json train twin --model "$dir/m1" --hard-window 3 --out "$dir/hard"
grep -q '"gain_nats_per_token"' "$dir/m1/gain.json" || fail "gain.json lacks the gain"
expect 0 "${model[@]}" --steps 40 --window 3 --out "$dir/window3"
cmp "$dir/window3/model.safetensors" "$dir/hard/model.safetensors"
expect 2 "$torch" train twin --model "$dir/m1" --hard-window 8 --out "$dir/x"

# Each of the two changes the weights; the slack falls with its weight, and is nothing when no
# head looks beyond the known tokens. A model with the far heads blocked forgets nothing near.
figure() { sed -n "s/.*\"$2\": *\([-0-9.e]*\).*/\1/p" "$1/training.json"; }
below() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }' || fail "$3: $1 is not below $2"; }
expect 0 "${model[@]}" --steps 200 --provable 0 --out "$dir/one-far"
expect 0 "${model[@]}" --steps 200 --provable 1 --out "$dir/slack"
! cmp -s "$dir/one-far/model.safetensors" "$dir/slack/model.safetensors" || fail "--provable changes nothing"
below "$(figure "$dir/slack" relaxation_slack_nats)" "$(figure "$dir/one-far" relaxation_slack_nats)" slack
below 0.0001 "$(figure "$dir/slack" far_effect_nats_per_token)" "far tokens move the model"
below "$(figure "$dir/hard" relaxation_slack_nats)" 1e-6 "slack of a hard window"
! cmp -s "$dir/m1/model.safetensors" "$dir/twin/model.safetensors" || fail "provability changes nothing"
expect 9 "$torch" train twin --model "$dir/m5" --out "$dir/x"
expect 9 "$torch" train twin --model "$dir/m1" --text "$dir/m1/training.json" --out "$dir/x"

# LibTorch and the reference forward pass agree, for every kind of model that is trained.
expect 0 "$torch" selftest --model "$dir/m1"
expect 0 "${model[@]}" --steps 5 --window 0 --out "$dir/full"
expect 0 "$torch" selftest --model "$dir/full"
expect 0 "${model[@]}" --steps 5 --window 0 --positions standard --layer-norm --tokenizer byte --out "$dir/ln"
expect 0 "$torch" selftest --model "$dir/ln"
expect 0 "${model[@]}" --steps 5 --window 5 --positions none --out "$dir/none"
expect 0 "$torch" selftest --model "$dir/none"

# Nothing lies beyond the known tokens: the penalty is zero, and its gradient is no NaN.
expect 0 "${model[@]}" --steps 5 --window 3 --known 3 --range-penalty 0.2 --provable 0.1 --out "$dir/exact"
expect 0 "$torch" selftest --model "$dir/exact"

for kind in sae transcoder; do
  for recipe in batchtopk l1; do
    sae=("$torch" --quiet --json train sae --model "$dir/m1" --text "$dir/text" --kind "$kind"
      --recipe "$recipe" --d-sae 48 --k 4 --batch 128 --steps 40)
    out="$dir/$kind-$recipe"
    expect 0 "${sae[@]}" --out "$out"
    grep -q '"loss_recovered"' "$dir/stdout" || fail "no figures under --json"
    for file in cfg.json sae_weights.safetensors training.json metrics.jsonl; do
      [ -s "$out/$file" ] || fail "missing $file"
    done
    grep -q '"metrics/l0"' "$out/metrics.jsonl" || fail "metrics.jsonl lacks SAELens keys"
    expect 11 "${sae[@]}" --out "$out-2" --checkpoint "$out.ckpt" --pause-at 19
    expect 0 "${sae[@]}" --out "$out-2" --checkpoint "$out.ckpt" --resume
    cmp "$out/sae_weights.safetensors" "$out-2/sae_weights.safetensors"
    cmp "$out/training.json" "$out-2/training.json"
  done
done

# Refusals.
: >"$dir/empty.txt"
echo "too small" >"$dir/small.txt"
expect 9 "$torch" train model --text "$dir/empty.txt" --out "$dir/x"
expect 9 "$torch" train model --text "$dir/small.txt" --out "$dir/x"
expect 9 "$torch" train model --text "$dir/nowhere" --out "$dir/x"
expect 2 "${model[@]}" --out "$dir/x" --d-model 10 --n-heads 3
expect 2 "${model[@]}" --out "$dir/x" --device abacus
expect 2 "${model[@]}" --out "$dir/x" --layer-norm --range-penalty 0.2
expect 2 "${model[@]}" --out "$dir/x" --layer-norm --provable 0.2
expect 2 "${model[@]}" --out "$dir/x" --window 0 --far-heads 1
expect 2 "${model[@]}" --out "$dir/x" --far-heads 3
expect 2 "${model[@]}" --out "$dir/x" --provable -1
expect 2 "${model[@]}" --out "$dir/x" --provable nan
expect 2 "${model[@]}" --out "$dir/x" --no-such-option
expect 9 "$torch" train sae --model "$dir/nowhere" --text "$dir/text" --out "$dir/x"
expect 2 "$torch" train sae --model "$dir/m1" --text "$dir/text" --out "$dir/x" --kind crosscoder
[ ! -e "$dir/x" ] || fail "a refused run left files"

# `assay train` passes its arguments on, and says what is missing when it cannot.
if [ -x "$ASSAY_BIN/assay" ]; then
  expect 2 "$ASSAY_BIN/assay" train model --text "$dir/text" --out "$dir/x" --device abacus
  expect 0 "$ASSAY_BIN/assay" train sae --help
  grep -q -- '--recipe' "$dir/stdout" || fail "assay train sae --help does not come through"
  mkdir "$dir/alone"
  cp "$ASSAY_BIN/assay" "$dir/alone/"
  expect 2 "$dir/alone/assay" train model --text "$dir/text" --out "$dir/x"
  grep -q assay-torch "$dir/stderr" || fail "the missing program is not named"
fi
echo "train: all passed"
