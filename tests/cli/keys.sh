#!/usr/bin/env bash
# Keys are made once, shown by fingerprint and readable by OpenSSL; verify and report refuse what
# is no certificate, with the documented code.
set -euo pipefail
assay="$ASSAY_BIN/assay"
[ -x "$assay" ] || { echo "SKIPPED: assay is not built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
expect() { # CODE COMMAND…
  local want=$1 got=0
  shift
  "$@" >out 2>err || got=$?
  [ "$got" -eq "$want" ] || { echo "exit $got, expected $want: $*"; cat out err; exit 1; }
}
expect 0 "$assay" key new --out keys
[ "$(stat -c %a keys/private.pem)" = 600 ]
expect 2 "$assay" key new --out keys
expect 0 "$assay" key new --out one.pem
[ -f one.pub.pem ]
expect 0 "$assay" key show keys/private.pem
head -n 1 out >private-id
expect 0 "$assay" key show keys/public.pem
head -n 1 out | cmp - private-id
grep -q '^SHA256:' private-id
expect 0 "$assay" --json key show keys/public.pem
grep -q '"keyid"' out
if command -v openssl >/dev/null; then
  openssl pkey -in keys/private.pem -pubout 2>/dev/null | cmp - keys/public.pem
  openssl genpkey -algorithm ed25519 -out other.pem 2>/dev/null
  expect 0 "$assay" key show other.pem
fi
mkdir model
echo '{}' >junk.cert.dsse.json
expect 9 "$assay" verify junk.cert.dsse.json --model model --key keys/public.pem
expect 9 "$assay" verify absent.cert.dsse.json --model model
expect 2 "$assay" verify junk.cert.dsse.json
expect 9 "$assay" report junk.cert.dsse.json --out r.html
[ ! -e r.html ]
echo "keys: made once, shown, refused where they must be"
