#!/usr/bin/env bash
# docs/cli.md is what the programs' --help says: every option documented, no dead one left.
set -euo pipefail
cd "$ASSAY_SOURCE"
if [ "$ASSAY_WITH_TORCH" != ON ]; then
  echo "SKIPPED: without LibTorch there is no assay-torch to compare with"
  exit 77
fi
fresh=$(mktemp)
trap 'rm -f "$fresh" "$fresh.part"' EXIT
scripts/update-cli-docs "$ASSAY_BIN" "$fresh"
diff -u docs/cli.md "$fresh" || { echo "run scripts/update-cli-docs"; exit 1; }
# The options that README shows exist.
for option in $(grep -oE -- '--[a-z][a-z-]+' README.md | sort -u); do
  grep -q -- "$option" docs/cli.md scripts/demo scripts/test || { echo "README shows $option, which no command has"; exit 1; }
done
echo "cli: documented"
