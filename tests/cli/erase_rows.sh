#!/usr/bin/env bash
# From a model and a text to certified rows, end to end: rows with every source of labels, parts by document, fit, certify, attack.
set -euo pipefail
. "$ASSAY_SOURCE/tests/support/cli.sh"
[ -x "$assay" ] || { echo "SKIPPED: $assay is not built"; exit 77; }
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir" 8 120
rows=("$assay" --quiet erase rows --model "$dir/model" --text "$dir/text" --max-tokens 3000)

expect 0 "${rows[@]}" --concept digit --out "$dir/digit"
expect 0 "${rows[@]}" --regex '[0-9]' --name digit --out "$dir/regex"
expect 0 "${rows[@]}" --token-class digit --out "$dir/class"
expect 0 "${rows[@]}" --sae "$dir/sae" --feature 1 --out "$dir/feature"
expect 0 "${rows[@]}" --concept digit --hook blocks.0.hook_resid_post --out "$dir/post"
python3 - "$ASSAY_SOURCE/tests/cli" "$dir" <<'PY'
import json, struct, sys
def tensors(path):
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + n])
    meta = head.pop("__metadata__", {})
    return meta, {k: (v["shape"], data[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]]) for k, v in head.items()}
files = {k: tensors(f"{sys.argv[2]}/{k}") for k in ("digit", "regex", "class", "feature", "post")}
for name, (meta, t) in files.items():
    n = t["x"][0][0]
    assert set(t) == {"x", "z", "document"} and t["x"][0] == [n, 8] and t["z"][0] == [n] == t["document"][0], (name, {k: v[0] for k, v in t.items()})
    assert meta["hook"] == ("blocks.0.hook_resid_post" if name == "post" else "blocks.0.hook_resid_mid"), meta
z = {name: t["z"][1] for name, (_, t) in files.items()}
x = {name: t["x"][1] for name, (_, t) in files.items()}
assert z["digit"] == z["regex"] == z["class"] and x["digit"] == x["regex"] == x["class"] == x["feature"]
assert z["feature"] != z["digit"] and x["post"] != x["digit"] and z["post"] == z["digit"]
PY

# The whole way.
expect 0 "$assay" --quiet erase split --activations "$dir/digit" --out "$dir/parts"
expect 0 "$assay" --quiet erase fit --activations "$dir/parts/fit.safetensors" --out "$dir/e"
expect 0 "$assay" --quiet erase certify --eraser "$dir/e" --activations "$dir/parts/calibration.safetensors" --out "$dir/c"
expect 0 "$ASSAY_BIN/assay-check" "$dir/c/erasure.cert" --eraser "$dir/e" --request "$dir/c/erasure.request" --data "$dir/parts/calibration.safetensors"
grep -q "no affine predictor of z" "$dir/out" || fail "$(cat "$dir/out")"
expect 0 "$assay" --quiet erase attack --eraser "$dir/e" --activations "$dir/parts/attack.safetensors" --out "$dir/a"
grep -q quadratic "$dir/out" || fail "$(cat "$dir/out")"

# Wrong input: a reason, the documented code, nothing written.
expect 2 "${rows[@]}" --out "$dir/none"
expect 2 "${rows[@]}" --concept nothing --out "$dir/none"
expect 2 "${rows[@]}" --concept digit --regex x --out "$dir/none"
expect 2 "${rows[@]}" --regex '[' --name x --out "$dir/none"
expect 2 "${rows[@]}" --concept digit --hook blocks.7.nowhere --out "$dir/none"
expect 2 "${rows[@]}" --sae "$dir/sae" --feature 100000 --out "$dir/none"
printf '{"assay-labels":1,"documents":{"nowhere":1}}' >"$dir/labels.json"
code=0; "${rows[@]}" --labels "$dir/labels.json" --out "$dir/none" >"$dir/stdout" 2>"$dir/stderr" || code=$?
[ "$code" -ne 0 ] || fail "labels of no document of the text were taken"
[ ! -e "$dir/none" ] || fail "a refused command wrote something"
