#!/usr/bin/env bash
# Erasers inside a model, end to end on a tiny one: run with one, fold it, claims of the folded model
# and of projected features re-checked by assay-check alone, and every refusal with its exit code.
set -euo pipefail
. "$ASSAY_SOURCE/tests/support/cli.sh"
[ -x "$assay" ] || { echo "SKIPPED: $assay is not built"; exit 77; }
checker=$ASSAY_BIN/assay-check
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir" 8 120
model=$dir/model text=$dir/text sae=$dir/sae
expect 0 "$assay" --quiet erase --model "$model" --text "$text" --max-tokens 1500 --concept digit --out "$dir/e"
printf '[1,2,3,4,5]\n[7,8,9]\n' > "$dir/tokens"

# run --erase: another site value and other logits; the model's digest is compared.
expect 0 "$assay" --quiet run --model "$model" --tokens "$dir/tokens" --out "$dir/plain" --hook blocks.0.hook_resid_mid
expect 0 "$assay" --quiet run --model "$model" --tokens "$dir/tokens" --out "$dir/erased" --erase "$dir/e" --hook blocks.0.hook_resid_mid
cmp -s "$dir/plain" "$dir/erased" && fail "the eraser changed nothing"
cp -r "$model" "$dir/other"
python3 - "$dir/other/model.safetensors" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[-1] ^= 1
open(sys.argv[1], "wb").write(data)
PY
expect 5 "$assay" --quiet run --model "$dir/other" --tokens "$dir/tokens" --out "$dir/none" --erase "$dir/e"
says "fitted on the model"
expect 5 "$assay" --quiet fold --model "$dir/other" --eraser "$dir/e" --out "$dir/none"
[ ! -e "$dir/none" ] || fail "a refused command wrote something"

# fold: the same logits, an ordinary model, its own claims.
expect 0 "$assay" --quiet --json fold --model "$model" --eraser "$dir/e" --out "$dir/f" --sae "T=$sae" \
  --readout "probe=$dir/e/probe_erased.json" --text "$text" --tokens 1500
python3 - "$dir/out" <<'PY'
import json, sys
got = json.load(open(sys.argv[1]))
assert got["way"] == "change of coordinates" and got["addedCoordinates"] == 1 and got["unreadCoordinates"] == [8], got
assert got["compared"]["beside the eraser in double"]["maxLogitDifference"] < 1e-5, got["compared"]
assert got["compared"]["cost"]["maxLogitDifference"] > 0.01
claims = {c["claim"]: c for c in got["claims"]["residuals"]}
assert claims["digit-fit"]["maxR2"] < 0.05 < claims["digit-fit"]["maxR2Before"], claims
assert got["notClaimed"]
PY
view=("$dir/f/view/erasure.cert" --model "$dir/f" --eraser "$dir/f/view" --request "$dir/f/view/erasure.request"
  --data "$dir/f/view/fit.safetensors" --data "$dir/f/view/calibration.safetensors")
expect 0 "$checker" "${view[@]}"
grep -q 'ACCEPT unread PROVED' "$dir/out" || fail "what is unread is not concluded"
sed -i 's/UNREAD : 8/UNREAD : 7/' "$dir/f/view/erasure.cert"
expect 1 "$checker" "${view[@]}"
expect 0 "$assay" --quiet run --model "$dir/f" --tokens "$dir/tokens" --out "$dir/folded"
expect 0 "$assay" --quiet eval --model "$dir/f" --sae "$dir/f/sae/T" --text "$text" --tokens 1000
expect 9 "$assay" --quiet run --model "$dir/f" --tokens "$dir/tokens" --out "$dir/none" --erase "$dir/f/none"

# A site that the residual stream bypasses: refused, or claimed for the site alone.
expect 0 "$assay" --quiet erase --model "$model" --text "$text" --max-tokens 1500 --regex '[aeiou]' --name vowel \
  --hook blocks.0.mlp.hook_post --out "$dir/v"
expect 3 "$assay" --quiet fold --model "$model" --eraser "$dir/v" --out "$dir/none"
says "bypassed by the residual stream"
expect 0 "$assay" --quiet fold --model "$model" --eraser "$dir/v" --out "$dir/s" --site-only
grep -q '"claimed": "the site alone"' "$dir/s/fold.json" || fail "the claim is not downgraded"

# erase feature: proved for every input, and as deployed in the range that every context keeps.
expect 0 "$assay" --quiet erase feature --model "$model" --sae "$sae" --feature 3 --feature 5 --text "$text" \
  --out "$dir/p" --concept digit --max-tokens 1500 --clamp 0.5
feature=("$dir/p/erasure.cert" --model "$model" --sae "$sae" --eraser "$dir/p" --request "$dir/p/erasure.request"
  --data "$dir/p/fit.safetensors" --data "$dir/p/calibration.safetensors")
expect 0 "$checker" "${feature[@]}"
[ "$(grep -c 'ACCEPT feature-.* PROVED' "$dir/out")" = 4 ] || fail "two features, real and deployed"
sed -i 's/feature 3/feature 4/' "$dir/p/erasure.request"
sed -i "s/^statement .*/statement $(sha256sum "$dir/p/erasure.request" | cut -d' ' -f1)/" "$dir/p/erasure.cert"
expect 1 "$checker" "${feature[@]}"
expect 2 "$assay" --quiet erase feature --model "$model" --sae "$sae" --feature 99 --text "$text" --out "$dir/none"
expect 2 "$assay" --quiet erase feature --model "$model" --sae "$sae" --feature 3 --feature 3 --text "$text" --out "$dir/none"
[ ! -e "$dir/none" ] || fail "a refused command wrote something"
