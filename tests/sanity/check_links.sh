#!/usr/bin/env bash
# assay-check is independent: it links the C and C++ runtime only, includes nothing of ours and no
# third-party header but Boost.Multiprecision, and stays small enough to be read (by claim: checker_size.sh).
set -euo pipefail
cd "$ASSAY_SOURCE"
failures=0
fail() { echo "$1"; failures=$((failures + 1)); }

files=$(ls certify/check/*.cpp certify/check/*.hpp)
kernel=0
total=0
for file in $files; do
  lines=$(wc -l <"$file")
  total=$((total + lines))
  [ "$lines" -le 300 ] || fail "$file: $lines lines, at most 300"
  case "$(basename "$file")" in
    interval.*|kernel.*|rules.hpp) kernel=$((kernel + lines)) ;;
  esac
  while read -r included; do
    case "$included" in
      '<boost/multiprecision/cpp_int.hpp>') ;;
      '<'*[/.]*'>') fail "$file: includes $included" ;;
      '"'*'"')
        name=${included//\"/}
        [[ "$name" != */* && -f "certify/check/$name" ]] || fail "$file: includes $included" ;;
    esac
  done < <(sed -n 's/^#[ ]*include[ ]*\([<"][^>"]*[>"]\).*/\1/p' "$file")
  ! grep -nE '\b(std::|::|[^_a-zA-Z.:>])(exp|expm1|log|log1p|pow|tanh|sin|cos)\(' "$file" ||
    fail "$file: calls libm where an enclosure is needed"
done
[ "$kernel" -le 645 ] || fail "kernel (interval.*, kernel.*, rules.hpp): $kernel lines, at most 645"
if grep -nE 'assay::|assay_[a-z]+' certify/check/CMakeLists.txt | grep -vE 'assay_check|assay::check|assay_flags'; then
  fail "certify/check/CMakeLists.txt names another part"
fi
echo "checker: kernel $kernel lines, total $total lines"
[ "$failures" -eq 0 ] || exit 1

if [ "${ASSAY_SANITIZE:-OFF}" = ON ]; then
  echo "SKIPPED: the sanitizers add libraries of their own; links not looked at"
  exit 77
fi
for needed in $(readelf -d "$ASSAY_BIN/assay-check" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
  case "$needed" in
    libc.so.*|libm.so.*|libstdc++.so.*|libgcc_s.so.*|ld-linux*) ;;
    *) fail "assay-check links $needed" ;;
  esac
done
exit $((failures > 0))
