#!/usr/bin/env bash
# FLOAT32-ANY-ORDER end to end: assay bound states it beside REAL, assay-check finds the same error on its own (it
# accepts the stated one and rejects one an eighth smaller, for every family and quantity), and what cannot be shown is
# refused by name.
set -euo pipefail
command -v python3 > /dev/null || { echo "SKIPPED: python3 is not installed; FLOAT32-ANY-ORDER was NOT tested end to end"; exit 77; }
assay=$ASSAY_BIN/assay
check=$ASSAY_BIN/assay-check
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
expect() { # expected-code command…
  local want=$1 got=0
  shift
  "$@" > "$dir/out" 2> "$dir/err" || got=$?
  [ "$got" = "$want" ] || { cat "$dir/out" "$dir/err" >&2; fail "exit $got, expected $want: $*"; }
}
claims() { python3 "$ASSAY_SOURCE/tests/cli/float32_claims.py" "$@"; }

python3 "$ASSAY_SOURCE/tests/cli/bound_models.py" "$dir"
cat > "$dir/attention.jsonl" << 'LINES'
{"id": "a", "tokens": [[0, 1, 2, 3, 4, 5], [0, 1, 2], [5]], "quantity": {"logit_difference": [1, 2]}}
{"id": "b", "suffix": [1, 2], "max_length": 3, "quantity": {"logit": 4}}
{"id": "c", "tokens": [[0, 1, 2], [3, 4, 5]], "quantity": {"residual_mid": [1, 0, 0, 0, -1, 0, 0, 0.1]}}
LINES
cp "$dir/attention.jsonl" "$dir/mlp.jsonl"
echo '{"id": "d", "tokens": [[0, 1], [2, 3], [1, 4]], "quantity": {"neuron": 3}}' >> "$dir/mlp.jsonl"
for model in absolute relative rotary attention gelu gelu_new attention_norm plain_gelu; do
  case $model in attention*) batch=$dir/attention.jsonl ;; *) batch=$dir/mlp.jsonl ;; esac
  expect 0 "$assay" bound --model "$dir/$model" --batch "$batch" --nodes 20 --certificate "$dir/cert" --quiet
  grep -q '"normalization_type": null' "$dir/$model/config.json" && normed=False || normed=True
  python3 - "$dir/out" $normed << 'PY'
import json, sys
for o in map(json.loads, open(sys.argv[1])):
    assert o["semantics"] == "REAL" and o["float32_semantics"] == "FLOAT32-ANY-ORDER", o
    assert 0 < o["float32_error"] < (0.01 if sys.argv[2] == "False" else 100), o
    assert o["float32_lo"] < o["lo"] <= o["hi"] < o["float32_hi"], o
    assert "exp within 2 ulp" in o["float32_given"] and o["float32_claim"] == o["claim"] + ".float32", o
PY
  expect 0 "$check" "$dir/cert" --model "$dir/$model" --request "$dir/cert.request"
  [ "$(grep -c 'ACCEPT .* PROVED .* in float32 lies within .*FLOAT32-ANY-ORDER.*exp within 2 ulp.*no flush to zero' "$dir/out")" = "$(wc -l < "$batch")" ] ||
    fail "$model: not every float32 claim is accepted with its semantics"
  for claim in $(claims list "$dir/cert"); do
    claims raise "$dir/cert" "$claim" "$dir/altered"
    expect 0 "$check" "$dir/altered" --model "$dir/$model" --request "$dir/altered.request"
    claims lower "$dir/cert" "$claim" "$dir/altered"
    expect 1 "$check" "$dir/altered" --model "$dir/$model" --request "$dir/altered.request"
    grep -q "FLOAT32: the error is not shown" "$dir/out" || fail "$model $claim: rejected for another reason"
  done
done

# Another accuracy of the deployment's exp and erf: a larger error, named in the statement.
expect 0 "$assay" --json bound --model "$dir/gelu" --logit "#1" --suffix-ids 1 --max-length 2 --exp-ulps 50 --act-ulps 60 \
  --certificate "$dir/loose" --quiet
cp "$dir/out" "$dir/loose.json"
expect 0 "$check" "$dir/loose" --model "$dir/gelu" --request "$dir/loose.request"
grep -q "exp within 50 ulp.*erf within 60 ulp.*two-pass LayerNorm" "$dir/out" || fail "the ulps are not named"
expect 0 "$assay" --json bound --model "$dir/gelu" --logit "#1" --suffix-ids 1 --max-length 2 --quiet
python3 - "$dir/out" "$dir/loose.json" << 'PY'
import json, sys
usual, loose = (json.load(open(name)) for name in sys.argv[1:])
assert usual["float32_error"] < loose["float32_error"], (usual, loose)
PY

# No bound: named, and never a claim.
expect 0 "$assay" bound --model "$dir/rotary" --logit "#1" --minus any --suffix-ids 1 2 --quiet
grep -q "float32    \[.*FLOAT32-ANY-ORDER" "$dir/out" || fail "the table"
python3 - "$dir" << 'PY'
import json, struct, sys
from pathlib import Path
root = Path(sys.argv[1])
def scaled(name, tensor, factor):
    data = (root / "absolute" / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    begin, end = (8 + size + x for x in header[tensor]["data_offsets"])
    values = struct.unpack("<%df" % ((end - begin) // 4), data[begin:end])
    (root / name).mkdir()
    (root / name / "config.json").write_text((root / "absolute" / "config.json").read_text())
    (root / name / "model.safetensors").write_bytes(
        data[:begin] + struct.pack("<%df" % len(values), *(x * factor for x in values)) + data[end:])
scaled("huge", "blocks.0.mlp.W_out", 1e37)
scaled("sharp", "blocks.0.attn.W_Q", 1e6)
scaled("nan", "blocks.0.mlp.W_out", float("nan"))
PY
for model in huge sharp; do
  expect 0 "$assay" --json bound --model "$dir/$model" --logit "#1" --suffix-ids 1 --max-length 2 --certificate "$dir/cert" --quiet
  python3 - "$dir/out" << 'PY'
import json, sys
o = json.load(open(sys.argv[1]))
assert o["float32_error"] is None and o["float32_lo"] is None and o["float32_reason"], o
PY
  [ -z "$(claims list "$dir/cert")" ] || fail "$model: a float32 claim without a bound"
  claims make "$dir/$model" "logit 1 domain D error 0x1p+900" "$dir/made"
  expect 1 "$check" "$dir/made" --model "$dir/$model" --request "$dir/made.request"
  cp "$dir/out" "$dir/$model.out"
done
grep -q "REJECT .*FLOAT32: a number above 2^120" "$dir/huge.out" || fail "overflow is not named"
grep -q "REJECT .*FLOAT32: head 0: float32 does not know the scores" "$dir/sharp.out" || fail "sharp scores are not named"
expect 9 "$assay" bound --model "$dir/nan" --logit "#1" --suffix-ids 1 --max-length 2 --quiet
claims make "$dir/nan" "logit 1 domain D error 0x1p+0" "$dir/made"
expect 1 "$check" "$dir/made" --model "$dir/nan" --request "$dir/made.request"
grep -qi "REJECT .*finite" "$dir/out" || fail "NaN weights are not named"
claims make "$dir/absolute" "logit 1 domain D error 0x1p+0" "$dir/made"
expect 0 "$check" "$dir/made" --model "$dir/absolute" --request "$dir/made.request"
for words in "logit 1 domain E error 0x1p+0" "logit 1 domain D error -0x1p+0" "logit 99 domain D error 0x1p+0" \
  "logit 1 domain D" "logit 1 domain D error 0x1p+0 ulps 1" "logit 1 domain D error 0x1p+0 ulps 1 99999" \
  "readout R domain D error 0x1p+0" "feature 0 domain D error 0x1p+0"; do
  claims make "$dir/absolute" "$words" "$dir/made"
  expect 1 "$check" "$dir/made" --model "$dir/absolute" --request "$dir/made.request"
done
expect 2 "$assay" bound --model "$dir/absolute" --neuron 1 --suffix-ids 1 --exp-ulps 5000
echo "bound_float32: ok"
