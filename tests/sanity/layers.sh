#!/usr/bin/env bash
# A part includes only the parts that tests/sanity/layers.txt allows, and a heavy third-party
# header stays inside its part: LibTorch, Z3 and Boost.Graph never in a public header.
set -euo pipefail
cd "$ASSAY_SOURCE"

part_of() {
  case "$1" in
    include/assay/*) cut -d/ -f3 <<<"$1" ;;
    certify/check/*) echo check ;;
    certify/*) echo certify ;;
    automata/*) echo automata ;;
    reports/*) echo report ;;
    src/*) cut -d/ -f2 <<<"$1" ;;
  esac
}

failures=0
fail() { echo "$1"; failures=$((failures + 1)); }

declare -A allowed
while IFS=: read -r part rest; do
  case "$part" in ''|'#'*) continue ;; esac
  allowed[$part]=" $part $rest "
done < tests/sanity/layers.txt
allowed[check]=" "  # the checker includes nothing of ours, not even its own name under assay/

files=$(git ls-files 'include/*.hpp' 'src/*.cpp' 'src/*.hpp' 'automata/*.cpp' 'automata/*.hpp' \
  'certify/*.cpp' 'certify/*.hpp' 'reports/*.cpp' 'reports/*.hpp')
torch_files=0
for file in $files; do
  part=$(part_of "$file")
  for included in $(sed -n 's/^#include [<"]assay\/\([a-z_]*\)\/.*/\1/p' "$file" | sort -u); do
    [[ "${allowed[$part]:-}" == *" $included "* ]] || fail "$file: $part may not include $included"
  done
  if grep -qE '^#include [<"](torch|ATen|c10)/' "$file"; then
    torch_files=$((torch_files + 1))
    [ "$part" = torch_bridge ] && [[ "$file" == src/* ]] || fail "$file: LibTorch belongs to src/torch_bridge"
  fi
  if grep -qE '^#include [<"]z3' "$file"; then
    [ "$part" = smt ] && [[ "$file" == src/* ]] || fail "$file: Z3 belongs to src/smt"
  fi
  if [[ "$file" == include/* ]] && grep -qE '^#include [<"](torch|ATen|c10|z3|boost/graph)' "$file"; then
    fail "$file: heavy header in a public header"
  fi
done
[ "$torch_files" -le 4 ] || fail "LibTorch headers in $torch_files files, at most 4 allowed"
[ "$failures" -eq 0 ] && echo "layers: $(wc -w <<<"$files") files, no violation"
exit $((failures > 0))
