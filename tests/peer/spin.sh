#!/usr/bin/env bash
# SPIN and Assay visit the same pairs of a drawn machine and a property: bench/product_search.sh, small.
set -euo pipefail
skip() { echo "SKIPPED: $1; SPIN was NOT compared with Assay"; exit 77; }
command -v spin >/dev/null || skip "spin is not installed (apt-get install spin)"
command -v gcc >/dev/null || skip "gcc is not installed"
command -v python3 >/dev/null || skip "python3 is not installed"
[ -x "$ASSAY_BIN/bench_product_search" ] || skip "$ASSAY_BIN/bench_product_search is not built"
for degree in 2 5; do
  "$ASSAY_SOURCE/bench/product_search.sh" 20000 "$degree"
done
