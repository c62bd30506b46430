#!/usr/bin/env bash
# The exports are valid by the schemas of CycloneDX 1.6 and SPDX 3.0.1, by other people's validators.
set -euo pipefail
skip() { echo "SKIPPED: $1; the exports were NOT validated"; exit 77; }
python=${ASSAY_PEER_PYTHON:-python3}
"$python" -c "import cyclonedx.validation.json, spdx_python_model" 2>/dev/null ||
  skip "$python has no cyclonedx-python-lib[json-validation] (11.12.0) and spdx-python-model (0.0.6)"
[ -x "$ASSAY_BIN/assay" ] || skip "$ASSAY_BIN/assay is not built"
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$work"
cat >"$work/case.json" <<'C'
{"assay-case": 1, "name": "tiny", "serial": "1", "resourceUri": "pkg:generic/test/tiny", "scope": "A tiny model.", "validDays": 30,
 "model": "model", "text": "text", "dictionaries": {"T": "sae"}, "evalTokens": 500, "cards": 1,
 "bounds": {"suggest": 1, "known": 2, "honest": true, "dictionary": "T"}}
C
assay key new --out "$work/keys" >/dev/null
assay --quiet certify "$work/case.json" --key "$work/keys/private.pem" --time 2026-01-31T00:00:00Z --out "$work/a" >/dev/null || code=$?
case "${code:-0}" in 0|1|3) ;; *) echo "certify: exit $code"; exit 1 ;; esac
for format in cyclonedx spdx; do
  assay export "$work/a/tiny.cert.dsse.json" --format "$format" --out "$work/x.$format" >/dev/null
done
"$python" "$ASSAY_SOURCE/tests/peer/exports.py" "$work/x.cyclonedx" "$work/x.spdx"
