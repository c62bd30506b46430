#!/usr/bin/env bash
# The page about an eraser: what assay-check accepts of it and nothing else, attacks, and what is not claimed; a certificate that is not accepted gives no page.
set -euo pipefail
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir" 8 120
expect 0 "$assay" --quiet erase --model "$dir/model" --text "$dir/text" --max-tokens 1500 --concept digit --out "$dir/e"
expect 0 "$assay" --quiet erase rows --model "$dir/model" --text "$dir/text" --concept digit --part held-out --max-tokens 1500 --out "$dir/rows.safetensors"
grep -q "held-out" <("$assay" erase rows --help) || fail "--part is not documented"
expect 2 "$assay" --quiet erase rows --model "$dir/model" --text "$dir/text" --concept digit --part half --out "$dir/none"
says "expected fit, calibration or held-out"
expect 0 "$assay" --quiet erase attack --eraser "$dir/e" --activations "$dir/rows.safetensors" --max-rows 200 --out "$dir/attack"
report() { "$assay" --quiet erase report --eraser "$dir/e" "$@"; }
expect 0 report --model "$dir/model" --attack "$dir/attack" --out "$dir/a.html"
grep -q "2 claims accepted by assay-check, 1 attacks" "$dir/out" || fail "$(cat "$dir/out")"
for words in "Not claimed" "That the model has forgotten the concept" "Check it again" "relearned from" "<svg" "OBSERVED"; do
  grep -q "$words" "$dir/a.html" || fail "the page does not say: $words"
done
expect 0 report --model "$dir/model" --attack "$dir/attack" --out "$dir/b.html"
cmp "$dir/a.html" "$dir/b.html" || fail "two pages differ"
expect 8 report --out "$dir/none.html"; says "did not accept"          # the certificate names a model
cp -r "$dir/e" "$dir/bad"; sed -i 's/max-r2 [0-9]*/max-r2 1/' "$dir/bad/erasure.request"
expect 8 "$assay" --quiet erase report --eraser "$dir/bad" --model "$dir/model" --out "$dir/none.html"
expect 9 report --model "$dir/model" --attack "$dir/e" --out "$dir/none.html"; says "attack.json"
[ ! -e "$dir/none.html" ] || fail "a refused page was written"
# An eraser of tensors: nothing is certified until a certificate is named, with its data.
expect 0 "$assay" --quiet erase fit --activations "$dir/rows.safetensors" --out "$dir/t"
expect 0 "$assay" --quiet erase report --eraser "$dir/t" --out "$dir/t.html"
grep -q "Nothing about it is certified" "$dir/t.html" || fail "nothing is certified, and the page does not say so"
expect 0 "$assay" --quiet erase certify --eraser "$dir/t" --activations "$dir/rows.safetensors" --out "$dir/tc"
expect 8 "$assay" --quiet erase report --eraser "$dir/t" --certificate "$dir/tc" --out "$dir/none.html"
expect 0 "$assay" --quiet erase report --eraser "$dir/t" --certificate "$dir/tc" --data "$dir/rows.safetensors" --out "$dir/t.html"
grep -q "claims accepted by assay-check, 0 attacks" "$dir/out" || fail "$(cat "$dir/out")"
