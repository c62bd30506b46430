#!/usr/bin/env bash
# In the sanitize preset the sanitizers must really be on: a heap overflow and a signed overflow
# have to end the process.
set -euo pipefail
if [ "$ASSAY_SANITIZE" != ON ]; then
  echo "SKIPPED: this build has no sanitizers (preset sanitize has)"
  exit 77
fi
probe="$ASSAY_BUILD/tests/sanitizer_probe"
for crime in heap overflow; do
  if "$probe" "$crime" >/dev/null 2>&1; then
    echo "the $crime probe survived: sanitizers are off"
    exit 1
  fi
done
"$probe" none
echo "sanitizers: both are on"
