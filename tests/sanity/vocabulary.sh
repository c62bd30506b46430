#!/usr/bin/env bash
# One word for one thing (docs/glossary.md): the words that we do not use.
set -euo pipefail
cd "$ASSAY_SOURCE"
failures=0
ban() { # PATTERN REASON [PATHSPEC…]
  local pattern=$1 reason=$2
  shift 2
  if found=$(git grep -nIE "$pattern" -- "${@:-.}" ':!tests/sanity/vocabulary.sh' ':!LICENSE'); then
    echo "$found" | head -n 5
    echo "  ^ $reason"
    failures=1
  fi
}
code=('*.cpp' '*.hpp')
ban '\b(lb|ub)\b' 'bounds are lo and hi' "${code[@]}"
ban '(class|struct) [A-Za-z]*(Manager|Helper|Utils?)\b' 'the name says nothing' "${code[@]}"
ban '\b(TODO|FIXME|XXX|HACK)\b' 'finish it or file it' "${code[@]}" 'scripts/*' 'docs/*'
ban 'ffast-math|funsafe-math|Ofast' 'the arithmetic is part of the claim' '*.cmake' '*CMakeLists.txt' 'CMakePresets.json' 'scripts/*'
ban '(1e-[0-9]+|\bepsilon\b|\btolerance\b)' 'no tolerance in the checker' 'certify/check/*.cpp' 'certify/check/*.hpp'
[ "$failures" -eq 0 ] && echo "vocabulary: clean"
exit "$failures"
