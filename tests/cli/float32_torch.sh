#!/usr/bin/env bash
# A kernel that people deploy, LibTorch's, stays within the error that FLOAT32-ANY-ORDER proves for every logit.
set -euo pipefail
[ "${ASSAY_WITH_TORCH:-OFF}" = ON ] || { echo "SKIPPED: built without LibTorch; its kernels were NOT compared with their float32 bound"; exit 77; }
command -v python3 > /dev/null || { echo "SKIPPED: python3 is not installed; LibTorch was NOT compared with its float32 bound"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir"
"$ASSAY_BIN/assay-torch" selftest --model "$dir/model" > "$dir/selftest" || fail "selftest"
# Any query, any context of up to the window's length: longer ones read no more.
python3 - "$dir" << 'PY'
import json, sys
root = sys.argv[1]
config = json.load(open(root + "/model/config.json"))
every = list(range(config["d_vocab"]))
with open(root + "/batch.jsonl", "w") as out:
    for token in range(config["d_vocab_out"]):
        out.write(json.dumps({"id": token, "tokens": [every] * config["attention_window"], "quantity": {"logit": token}}) + "\n")
PY
"$ASSAY_BIN/assay" bound --model "$dir/model" --batch "$dir/batch.jsonl" --nodes 1 --enumerate 0 --quiet > "$dir/bounds"
python3 - "$dir" << 'PY'
import json, re, sys
root = sys.argv[1]
seen = float(re.search(r"largest difference of a logit (\S+)", open(root + "/selftest").read()).group(1))
errors = [json.loads(line)["float32_error"] for line in open(root + "/bounds")]
assert len(errors) > 10 and all(errors), errors
assert 0 < seen <= min(errors), (seen, min(errors))
print("LibTorch is off by %.3g at most; proved for any order: %.3g to %.3g" % (seen, min(errors), max(errors)))
PY
echo "float32_torch: ok"
