#!/usr/bin/env bash
# Every path of the tree that the documents name exists.
set -euo pipefail
cd "$ASSAY_SOURCE"
failures=0
for doc in README.md CONTRIBUTING.md docs/*.md; do
  while read -r path; do
    for expanded in $(eval "echo $path"); do  # {a,b} only: the pattern lets no other shell word through
      [ -e "$expanded" ] || { echo "$doc: $expanded does not exist"; failures=1; }
    done
  done < <(grep -oP '(?<![\w/])(src|certify|automata|reports|include|tests|docs|scripts|examples|specs|bench|fuzz|cmake)/[A-Za-z0-9_./{},-]*[A-Za-z0-9_}]' "$doc" | sort -u)
  while read -r link; do
    [ -e "$(dirname "$doc")/$link" ] || { echo "$doc: link $link leads nowhere"; failures=1; }
  done < <(grep -oE '\]\([A-Za-z0-9_./-]+\)' "$doc" | tr -d '](' | tr -d ')' | sort -u)
done
[ "$failures" -eq 0 ] && echo "doc paths: all exist"
exit "$failures"
