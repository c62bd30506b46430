#!/usr/bin/env bash
# `assay erase` end to end on a tiny hand-made model: files, determinism, an independent re-check
# of the certificate, and every kind of refusal with its exit code.
set -euo pipefail
if ! command -v python3 >/dev/null; then
  echo "SKIPPED: python3 is needed to write the tiny model"
  exit 77
fi
if [ ! -x "$ASSAY_BIN/assay" ]; then
  echo "SKIPPED: $ASSAY_BIN/assay is not built"
  exit 77
fi
here="$ASSAY_SOURCE/tests/cli"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 "$here/tiny_model.py" "$dir" 8 120
all=("$ASSAY_BIN/assay" --quiet erase --model "$dir/model" --text "$dir/text")
erase=("${all[@]}" --max-tokens 1500)

expect() { # CODE COMMAND…
  local want=$1 got=0
  shift
  "$@" >"$dir/stdout" 2>"$dir/stderr" || got=$?
  if [ "$got" -ne "$want" ]; then
    echo "expected exit $want, got $got: $*"
    cat "$dir/stdout" "$dir/stderr"
    exit 1
  fi
}

expect 0 "${erase[@]}" --concept digit --out "$dir/a"
grep -q 'digit-calibration' "$dir/stdout"
expect 0 "${erase[@]}" --concept digit --out "$dir/b"
diff -r "$dir/a" "$dir/b"
for file in eraser.json eraser.safetensors fit.safetensors calibration.safetensors concept.txt \
  erasure.request erasure.cert erasure.json probe.json probe_erased.json; do
  [ -s "$dir/a/$file" ] || { echo "missing $file"; exit 1; }
done
python3 "$here/recheck_residual.py" "$dir/a"

expect 0 "${erase[@]}" --json --concept digit --out "$dir/c"
python3 - "$dir/stdout" <<'PY'
import json, sys
got = json.load(open(sys.argv[1]))
assert got["exitCode"] == 0 and got["level"] == "OBSERVED"
probe = got["probes"]["logistic"]
assert probe["before"]["auc"] > 0.75 and probe["after"]["auc"] < 0.6, probe
assert [c["claim"] for c in got["residuals"]] == ["digit-fit", "digit-calibration"]
PY
expect 0 "${erase[@]}" --regex '[aeiou]' --name vowel --hook blocks.0.mlp.hook_post --out "$dir/v"
expect 0 "${all[@]}" --concept email --plant-emails --max-tokens 6000 --out "$dir/e"
grep -q SYNTHETIC "$dir/stdout"

# Refusals: a reason, the documented code, and nothing written.
expect 3 "${erase[@]}" --concept email --out "$dir/none"
expect 3 "${erase[@]}" --concept url --out "$dir/none"
expect 2 "${erase[@]}" --concept colour --out "$dir/none"
expect 2 "${erase[@]}" --regex '[a' --name x --out "$dir/none"
expect 2 "${erase[@]}" --regex '[a]' --out "$dir/none"
expect 2 "${erase[@]}" --out "$dir/none"
expect 2 "${erase[@]}" --concept digit --hook blocks.0.nowhere --out "$dir/none"
expect 2 "${erase[@]}" --concept digit --grid-bits 30 --out "$dir/none"
expect 3 "$ASSAY_BIN/assay" --quiet erase --model "$dir/model" --text "$dir/text/d0001.txt" \
  --concept digit --out "$dir/none"
expect 9 "$ASSAY_BIN/assay" --quiet erase --model "$dir/nothing" --text "$dir/text" \
  --concept digit --out "$dir/none"
[ ! -e "$dir/none" ] || { echo "a refusal left files"; exit 1; }

# The independent checker, where it is built.
if [ -x "$ASSAY_BIN/assay-check" ]; then
  check=("$ASSAY_BIN/assay-check" "$dir/a/erasure.cert" --model "$dir/model" --eraser "$dir/a"
    --data "$dir/a/fit.safetensors" --data "$dir/a/calibration.safetensors")
  expect 0 "${check[@]}" --request "$dir/a/erasure.request"
  grep -q '^ACCEPT digit-fit OBSERVED' "$dir/stdout"
  # A smaller tau, consistently in request and certificate: only the arithmetic can tell.
  python3 - "$dir/a" "$dir/forged" <<'PY'
import hashlib, sys
from fractions import Fraction
from pathlib import Path
source, target = map(Path, sys.argv[1:])
target.mkdir()
request, cert = (source / "erasure.request").read_text(), (source / "erasure.cert").read_text()
tau = request.splitlines()[1].split()[-1]
smaller = str(Fraction(tau) - Fraction(1, 10 ** 9))
forged = request.replace(tau, smaller)
digest = lambda text: hashlib.sha256(text.encode()).hexdigest()
(target / "erasure.request").write_text(forged)
(target / "erasure.cert").write_text(cert.replace(tau, smaller).replace(digest(request), digest(forged)))
PY
  check[1]="$dir/forged/erasure.cert"
  expect 1 "${check[@]}" --request "$dir/forged/erasure.request"
  echo "erase: assay-check accepts the certificate and rejects a smaller tau"
else
  echo "erase: assay-check is not built, its part of this test did not run"
fi
echo "erase: end to end passed"
