#!/usr/bin/env bash
# Assay's product search and SPIN's on the same drawn machine; both of one core, in CPU seconds, and their ratio.
#   bench/product_search.sh [STATES [DEGREE]]      default 1600000 3; needs spin and gcc (apt-get install spin)
# SPIN searches depth-first in compiled C that reads the machine's tables (embedded C: nothing is interpreted), breadth-first
# it is slower. It must store as many states as Assay has pairs, plus its first.
set -euo pipefail
cd "$(dirname "$0")/.."
bench=${ASSAY_BIN:-build/release/bin}/bench_product_search
command -v spin >/dev/null || { echo "SKIPPED: spin is not installed; nothing was compared"; exit 77; }
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
ours=$("$bench" --states "${1:-1600000}" --degree "${2:-3}" --export "$dir")
echo "assay: $ours"
cd "$dir"
spin -a machine.pml >/dev/null
gcc -O2 -DSAFETY -DNOREDUCE -DMEMLIM=12000 -o pan pan.c 2>gcc.log || { cat gcc.log >&2; exit 1; }
TIMEFORMAT='%U %S'
times=$( { time ./pan -m$(( ${1:-1600000} * 16 )) -w25 >pan.out 2>&1; } 2>&1 | tail -1)
python3 - "$ours" "$times" pan.out <<'PY'
import re, sys
ours, times, out = sys.argv[1], sys.argv[2], open(sys.argv[3]).read()
pairs, edges = (int(re.search(r"(\d+) " + w, ours).group(1)) for w in ("pairs", "edges"))
seconds = float(re.search(r"search ([\d.]+) s", ours).group(1))
stored = int(re.search(r"(\d+) states, stored", out).group(1))
steps = int(re.search(r"(\d+) transitions", out).group(1))
if "errors: 0" not in out or "max search depth too small" in out or stored != pairs + 1:
    sys.exit(f"FAILED: SPIN disagrees or was cut: {stored} states for {pairs} pairs\n{out}")
theirs = sum(map(float, times.split()))
print(f"spin:  holds: {stored} states stored, {steps} transitions; {theirs:.2f} s ({steps / theirs:.2e} transitions/s)")
print(f"ratio: SPIN takes {theirs / seconds:.1f} times as long as Assay's search" if seconds > 0 else "no ratio: too small to time")
PY
