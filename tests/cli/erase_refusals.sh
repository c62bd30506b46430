#!/usr/bin/env bash
# What a user does wrong with an eraser: each is refused with its reason, or the claim is visibly smaller, beside the control.
set -euo pipefail
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir" 8 120
rows() { "$assay" --quiet erase rows --model "$dir/model" --text "$dir/text" --max-tokens 3000 "$@"; }
for site in mid post; do
  expect 0 rows --concept digit --hook "blocks.0.hook_resid_$site" --out "$dir/$site.safetensors"
  expect 0 "$assay" --quiet erase split --activations "$dir/$site.safetensors" --out "$dir/$site"
done
expect 0 "$assay" --quiet erase fit --activations "$dir/mid/fit.safetensors" --out "$dir/e"

# Fit and deployment at different nodes of the graph; the control is the same node.
expect 0 "$assay" --quiet erase certify --eraser "$dir/e" --activations "$dir/mid/calibration.safetensors" --out "$dir/c"
expect 9 "$assay" --quiet erase certify --eraser "$dir/e" --activations "$dir/post/calibration.safetensors" --out "$dir/none"
says "where the eraser was fitted, found 'blocks.0.hook_resid_post'"
expect 9 "$assay" --quiet erase apply --eraser "$dir/e" --activations "$dir/post/calibration.safetensors" --out "$dir/none"
says "where the eraser was fitted"
code=0; "$assay" --quiet erase attack --eraser "$dir/e" --activations "$dir/post/attack.safetensors" --out "$dir/none" 2>"$dir/err" || code=$?
[ "$code" != 0 ] || fail "rows of another node are attacked"
says "where the eraser was fitted"

# Rows that the eraser was fitted on say nothing of a population.
expect 3 "$assay" --quiet erase certify --eraser "$dir/e" --activations "$dir/mid/fit.safetensors" --alpha 1/100 --ledger "$dir/L" --ledger-total 1/50 --out "$dir/none"
says "fitted on these rows"

# Rank 0: a label that the rows say nothing of.
expect 0 rows --regex '[a-m]' --shift 40 --name far --out "$dir/far.safetensors"
expect 3 "$assay" --quiet erase fit --activations "$dir/far.safetensors" --out "$dir/none"
says "erasure refused"

# A site that the residual stream bypasses: the claim is of the site alone, and says so on the screen, in the page and in a signed case.
expect 0 "$assay" --quiet erase --model "$dir/model" --text "$dir/text" --max-tokens 1500 --concept digit --hook blocks.0.mlp.hook_post --out "$dir/v"
grep -q "claimed of the site alone: it is bypassed by the residual stream" "$dir/out" || fail "the bypass is not said"
expect 0 "$assay" --quiet erase report --eraser "$dir/v" --model "$dir/model" --out "$dir/v.html"
grep -q "the residual stream: it carries the token" "$dir/v.html" || fail "the page does not say the bypass"
expect 3 "$assay" --quiet fold --model "$dir/model" --eraser "$dir/v" --out "$dir/none"
says "bypassed by the residual stream"
echo '{"assay-case": 1, "name": "v", "serial": "1", "resourceUri": "pkg:generic/test/v", "model": "model", "text": "text", "evalTokens": 100,
 "erasures": [{"concept": "digit", "hook": "blocks.0.mlp.hook_post", "maxTokens": 1500}]}' >"$dir/v.json"
expect 0 "$assay" key new --out "$dir/keys"
expect 0 "$assay" --quiet certify "$dir/v.json" --key "$dir/keys/private.pem" --out "$dir/signed"
expect 0 "$assay" report "$dir/signed/v.cert.dsse.json" --out "$dir/signed.html"
grep -q "The site is bypassed by the residual stream" "$dir/signed.html" || fail "the signed claim does not say the bypass"
expect 0 "$assay" --quiet erase --model "$dir/model" --text "$dir/text" --max-tokens 1500 --concept digit --out "$dir/m"
! grep -q "bypassed" "$dir/out" || fail "a site that nothing bypasses is said to be"
[ ! -e "$dir/none" ] || fail "a refused command wrote something"
