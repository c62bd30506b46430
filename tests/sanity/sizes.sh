#!/usr/bin/env bash
# Public headers stay within 150 lines, sources within 600, functions within 60.
set -euo pipefail
cd "$ASSAY_SOURCE"
failures=0
for file in $(git ls-files '*.cpp' '*.hpp'); do
  limit=600
  [[ "$file" == include/* ]] && limit=150
  lines=$(wc -l <"$file")
  if [ "$lines" -gt "$limit" ]; then
    echo "$file: $lines lines, at most $limit"
    failures=1
  fi
  # A function: a line at column 0 that opens a brace after a parenthesis, to the next "}" at column 0.
  case "$file" in tests/*) continue ;; esac
  awk -v file="$file" '
    /^[^ \t#}\/].*\(.*\{$/ && !/^namespace/ { start = NR; name = $0 }
    /^[^ \t#}\/].*[,(]$/ && !start { pending = NR }
    /^ .*\) (const )?\{$/ && pending && !start { start = pending }
    /^}/ { if (start && NR - start > 60) { print file ":" start ": function of " NR - start " lines"; bad = 1 } start = 0; pending = 0 }
    END { exit bad }' "$file" || failures=1
done
[ "$failures" -eq 0 ] && echo "sizes: within limits"
exit "$failures"
