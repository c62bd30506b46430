#!/bin/sh
# A release gate in plain shell. The policy lies where the release cannot change it, or its digest is pinned.
# POLICY POLICY_SHA256 CERT MODEL OUT are set by the pipeline.
set -eu
mkdir -p "$OUT"
code=0
assay gate "$POLICY" "$CERT" --model "$MODEL" --policy-sha256 "$POLICY_SHA256" \
  --out "$OUT/gate.json" --summary "$OUT/summary.md" --sarif "$OUT/gate.sarif" --junit "$OUT/gate.xml" --badge "$OUT/badge" || code=$?
case $code in
  0) echo "released" ;;
  1) echo "blocked: a claim is violated or misses its limit" ;;
  3) echo "blocked: not shown" ;;
  7) echo "blocked: weaker than the last release" ;;
  *) echo "blocked: the certificate, its files, its signers or the policy (exit $code)" ;;
esac
exit $code
