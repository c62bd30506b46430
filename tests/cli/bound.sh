#!/usr/bin/env bash
# assay bound --batch: one JSON line a request, bad requests named and the others still answered.
set -euo pipefail
. "$ASSAY_SOURCE/tests/support/cli.sh"

python3 "$ASSAY_SOURCE/tests/cli/bound_models.py" "$dir"
cat > "$dir/good.jsonl" << 'LINES'
{"id": "a", "tokens": [[0, 1, 2, 3, 4, 5], [0, 1, 2], [5]], "quantity": {"logit_difference": [1, 2]}}
{"id": "b", "suffix": [1, 2], "max_length": 5, "quantity": {"logit": 4}}
{"id": 3, "tokens": [[0, 1, 2], [3, 4, 5]], "quantity": {"residual_mid": [1, 0, 0, 0, -1, 0, 0, 2]}}
LINES
for model in absolute relative rotary attention gelu; do
  for nodes in 1 400; do
    expect 0 "$assay" bound --model "$dir/$model" --batch "$dir/good.jsonl" --nodes "$nodes" --quiet
    cp "$dir/out" "$dir/$model.$nodes"
  done
  python3 - "$dir/$model" << 'PY'
import json, sys
few, many = ([json.loads(line) for line in open(sys.argv[1] + suffix)] for suffix in (".1", ".400"))
assert [o["id"] for o in few] == ["a", "b", 3] == [o["id"] for o in many]
for rough, fine in zip(few, many):
    for o in (rough, fine):
        assert o["lo"] <= o["attained_lo"] <= o["attained_hi"] <= o["hi"], o
        assert o["level"] == "PROVED" and o["nodes"] > 0 and o["seconds"] >= 0, o
    assert rough["lo"] <= fine["attained_lo"] and fine["attained_hi"] <= rough["hi"], (rough, fine)
    assert fine["hi"] - fine["attained_hi"] <= 1e-2, fine
    assert fine["attained_lo"] - fine["lo"] <= 1e-2, fine
assert few[0]["witness_hi"][2] == 5 and few[0]["witness_hi"][1] in (0, 1, 2), few[0]
assert few[1]["witness_lo"][-2:] == [1, 2] and len(few[1]["witness_lo"]) <= 5, few[1]
PY
done

# Certificates: accepted as written, rejected when a claim or a number is altered.
check=$ASSAY_BIN/assay-check
for model in absolute relative rotary attention gelu; do
  for enumerate in 0 4096; do
    expect 0 "$assay" bound --model "$dir/$model" --batch "$dir/good.jsonl" --nodes 60 --enumerate "$enumerate" \
      --certificate "$dir/cert" --quiet
    expect 0 "$check" "$dir/cert" --model "$dir/$model" --request "$dir/cert.request"
    grep -q "accepted 6 claims" "$dir/out" || fail "not every claim is accepted"
  done
  python3 - "$dir" << 'PY'
import hashlib, re, sys
cert, request = (open(sys.argv[1] + name).read() for name in ("/cert", "/cert.request"))
# A tighter claim, with the statement's digest made to match.
lines = request.split("\n")
at = next(i for i, line in enumerate(lines) if line.startswith("bound a "))
hi = float.fromhex(lines[at].split()[-1])
lines[at] = " ".join(lines[at].split()[:-1] + [re.sub(r"(0x1\.[0-9a-f]+?)0*p", r"\1p", (hi - 0.01).hex())])
tight = "\n".join(lines)
digest = lambda text: hashlib.sha256(text.encode()).hexdigest()
open(sys.argv[1] + "/tight.request", "w").write(tight)
open(sys.argv[1] + "/tight", "w").write(cert.replace(digest(request), digest(tight)))
PY
  expect 1 "$check" "$dir/tight" --model "$dir/$model" --request "$dir/tight.request"
  expect 1 "$check" "$dir/cert" --model "$dir/$([ "$model" = rotary ] && echo absolute || echo rotary)" --request "$dir/cert.request"
done

# The margin over all rivals: its certificate, and the batch's word for it.
echo '{"id": "m", "suffix": [1, 2], "max_length": 4, "quantity": {"logit_margin": 3}}' > "$dir/margin.jsonl"
for model in absolute relative rotary attention gelu; do
  expect 0 "$assay" --json bound --model "$dir/$model" --logit "#3" --minus any --suffix-ids 1 2 --max-length 4 \
    --nodes 60 --enumerate 0 --certificate "$dir/cert" --quiet
  cp "$dir/out" "$dir/margin.json"
  expect 0 "$check" "$dir/cert" --model "$dir/$model" --request "$dir/cert.request"
  grep -q "ACCEPT bound PROVED logit-margin 3 lies in" "$dir/out" || fail "the margin of $model"
  expect 0 "$assay" bound --model "$dir/$model" --batch "$dir/margin.jsonl" --nodes 60 --enumerate 0 --quiet
  python3 - "$dir/margin.json" "$dir/out" << 'PY'
import json, sys
one, line = (json.load(open(name)) for name in sys.argv[1:])
assert one["lo"] == line["lo"] <= one["attained_lo"] <= one["attained_hi"] <= line["hi"] == one["hi"], (one, line)
PY
done
expect 9 "$assay" bound --model "$dir/absolute" --logit "#3" --minus "#3" --suffix-ids 1
grep -q "expected two different ids, found 3 twice" "$dir/err" || fail "a token minus itself"
expect 9 "$assay" bound --model "$dir/absolute" --logit "#6" --minus any --suffix-ids 1
grep -q "logit_margin: expected an index below 6, found 6" "$dir/err" || fail "a token out of range"
expect 2 "$assay" bound --model "$dir/absolute" --neuron 1 --minus any --suffix-ids 1

# Features of every encoder kind: the three-valued verdict, its certificate, and the encoder's own word.
for sae in topk jumprelu standard; do
  : > "$dir/verdicts"
  for i in 0 1 2 3 4 5; do
    expect 0 "$assay" --json bound --model "$dir/absolute" --sae "$dir/$sae" --feature $i --suffix-ids 3 1 --max-length 4 \
      --certificate "$dir/cert" --quiet
    cat "$dir/out" >> "$dir/verdicts"
    cp "$dir/out" "$dir/one.json"
    expect 0 "$check" "$dir/cert" --model "$dir/absolute" --sae "$dir/$sae" --request "$dir/cert.request"
    python3 - "$dir/one.json" "$dir/out" "$dir/$sae/sae_weights.safetensors" << 'PY'
import hashlib, json, sys
o, said = json.load(open(sys.argv[1])), open(sys.argv[2]).read()
digest = hashlib.sha256(open(sys.argv[3], "rb").read()).hexdigest()[:16]
state = {"must-on": "is on in every context", "must-off": "is off in every context", "may": None}[o["firing"]]
assert (state in said) if state else ("ACCEPT firing" not in said), (o, said)
assert all(", sae %s (" % digest in line for line in said.split("\n") if line.startswith("ACCEPT")), said
PY
  done
  python3 - "$dir/verdicts" $sae << 'PY'
import json, sys
text, at, firing = open(sys.argv[1]).read(), 0, []
while text[at:].strip():
    o, end = json.JSONDecoder().raw_decode(text[at:].lstrip())
    at = len(text) - len(text[at:].lstrip()) + end
    firing.append(o["firing"])
assert firing[0] == "must-off" and firing[-1] == "must-on", firing
PY
done
expect 0 "$assay" bound --model "$dir/absolute" --sae "$dir/topk" --feature 5 --suffix-ids 3 1 --max-length 4 --quiet
grep -q "firing     must-on: always above 0, at most 1 others ever as large" "$dir/out" || fail "the verdict's line"
grep -q "ties       for the last of the k places: may" "$dir/out" || fail "the tie rule"
expect 9 "$assay" bound --model "$dir/absolute" --sae "$dir/topk-rescaled" --feature 5 --suffix-ids 3
grep -q "rescale_acts_by_decoder_norm: expected false" "$dir/err" || fail "a rescaled topk encoder"
expect 9 "$assay" bound --model "$dir/absolute" --sae "$dir/topk" --feature 6 --suffix-ids 3
printf 'assay-request 1\nfeature-off f 0 suffix 1\nend\n' > "$dir/off.request"
expect 9 "$assay" prove --model "$dir/relative" --sae "$dir/topk" --request "$dir/off.request" --out "$dir/off.cert"
grep -q "architecture: expected an encoder with a threshold for each feature" "$dir/err" || fail "prove with topk"

# The same bytes again, but for the seconds.
expect 0 "$assay" bound --model "$dir/absolute" --batch "$dir/good.jsonl" --nodes 400 --quiet
cmp <(sed 's/"seconds":[^,]*//' "$dir/out") <(sed 's/"seconds":[^,]*//' "$dir/absolute.400") || fail "not deterministic"

cat > "$dir/bad.jsonl" << 'LINES'
{"id": "empty", "tokens": [[0], [], [1]], "quantity": {"neuron": 0}}
{"id": "range", "tokens": [[0], [99]], "quantity": {"neuron": 0}}
{"id": "long", "suffix": [1], "max_length": 99, "quantity": {"neuron": 0}}
{"id": "both", "suffix": [1], "tokens": [[1]], "quantity": {"neuron": 0}}
{"id": "what", "tokens": [[1]], "quantity": {"weight": 0}}
{"id": "index", "tokens": [[1]], "quantity": {"neuron": 10}}
{"id": "nosae", "tokens": [[1]], "quantity": {"feature": 0}}
{"id": "width", "tokens": [[1]], "quantity": {"residual_mid": [1, 2]}}
{"id": "extra", "tokens": [[1]], "quantity": {"neuron": 0}, "class": "digits"}
{"id": "twice", "id": "again", "tokens": [[1]], "quantity": {"neuron": 0}}
{"id": true, "tokens": [[1]], "quantity": {"neuron": 0}}
not json
{"id": "fine", "tokens": [[0, 1], [1]], "quantity": {"neuron": 0}}
LINES
expect 9 "$assay" bound --model "$dir/absolute" --batch "$dir/bad.jsonl" --quiet
python3 - "$dir/out" << 'PY'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) == 13, len(lines)
fields = [o.get("field") for o in lines]
assert fields[0] == "tokens[1]" and fields[1] == "tokens[1][0]" and fields[2] == "max_length", fields
assert fields[3] == "suffix" and fields[4] == "quantity" and fields[5] == "quantity.neuron", fields
assert fields[6] == "quantity.feature" and fields[7] == "quantity.residual_mid" and fields[8] == "class", fields
assert fields[10] == "id", fields
assert all(o["status"] == "error" and o["error"] for o in lines[:12])
assert lines[12]["id"] == "fine" and lines[12]["lo"] <= lines[12]["hi"]
PY

expect 2 "$assay" bound --model "$dir/absolute" --batch "$dir/good.jsonl" --nodes 0
expect 2 "$assay" bound --model "$dir/absolute" --neuron 1
expect 2 "$assay" bound --model "$dir/absolute" --neuron 1 --logit "#2" --suffix-ids 1
expect 9 "$assay" bound --model "$dir/deep" --neuron 1 --suffix-ids 1
grep -q n_layers "$dir/err" || fail "a deeper model is refused without its name"
: > "$dir/none.jsonl"
expect 9 "$assay" bound --model "$dir/absolute" --batch "$dir/none.jsonl"

# Contexts of a text start the attack too: the ends stay, what is attained never shrinks.
python3 - "$dir" << 'PY'
import json, sys
json.dump({"type": "char", "vocab": list("abcde?"), "unknown": 5}, open(sys.argv[1] + "/absolute/tokenizer.json", "w"))
PY
python3 -c 'import random; r = random.Random(2); print("".join(r.choice("abcde") for _ in range(3000)))' > "$dir/text.txt"
expect 0 "$assay" bound --model "$dir/absolute" --batch "$dir/good.jsonl" --nodes 1 --quiet
cp "$dir/out" "$dir/without"
expect 0 "$assay" bound --model "$dir/absolute" --batch "$dir/good.jsonl" --nodes 1 --text "$dir/text.txt" --quiet
python3 - "$dir/without" "$dir/out" << 'PY'
import json, sys
without, within = ([json.loads(line) for line in open(name)] for name in sys.argv[1:])
for a, b in zip(without, within):
    assert a["text_contexts"] == 0 and (a["lo"], a["hi"]) == (b["lo"], b["hi"]), (a, b)
    assert b["attained_hi"] >= a["attained_hi"] and b["attained_lo"] <= a["attained_lo"], (a, b)
assert any(b["text_contexts"] > 10 for b in within), within
PY
expect 0 "$assay" bound --model "$dir/absolute" --logit "#1" --suffix bc --text "$dir/text.txt" --quiet
grep -q "contexts of the domain started the search too" "$dir/out" || fail "the text's line"
expect 2 "$assay" bound --model "$dir/relative" --logit "#1" --suffix-ids 1 --text "$dir/text.txt"
grep -q "text needs tokenizer.json" "$dir/err" || fail "a text without a tokenizer"

# For people, and as one object.
expect 0 "$assay" bound --model "$dir/relative" --logit "#1" --minus any --suffix-ids 1 2 --quiet
grep -q "PROVED" "$dir/out" && grep -q "any length" "$dir/out" || fail "the table"
expect 0 "$assay" --json bound --model "$dir/absolute" --neuron 3 --suffix-ids 1 --max-length 3 --quiet
python3 - "$dir/out" << 'PY'
import json, sys
o = json.load(open(sys.argv[1]))
assert o["assay-bound"] == 1 and o["lo"] <= o["attained_lo"] <= o["attained_hi"] <= o["hi"], o
PY
echo "bound: ok"
