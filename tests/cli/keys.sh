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

# P-256, encrypted keys, keys and passphrases out of the environment or a file descriptor.
expect 0 "$assay" key new --scheme p256 --out ec
expect 0 "$assay" key show ec/private.pem
head -n 1 out >ec-id
grep -q '^ecdsa-p256-sha256$' out
export PASS=secret
for scheme in ed25519 p256; do
  expect 0 "$assay" key new --scheme $scheme --passphrase env:PASS --out sealed-$scheme
  grep -q "BEGIN ENCRYPTED PRIVATE KEY" sealed-$scheme/private.pem
  expect 4 "$assay" key show sealed-$scheme/private.pem
  grep -q -- "--passphrase" err
  expect 4 env PASS=wrong "$assay" key show sealed-$scheme/private.pem --passphrase env:PASS
  expect 0 "$assay" key show sealed-$scheme/private.pem --passphrase env:PASS
  head -n 1 out >id
  expect 0 "$assay" key show sealed-$scheme/public.pem
  head -n 1 out | cmp - id
  expect 0 env ASSAY_KEY_PASSPHRASE=secret "$assay" key show sealed-$scheme/private.pem
  expect 0 "$assay" key show fd:7 --passphrase fd:8 7<sealed-$scheme/private.pem 8<<<secret
  head -n 1 out | cmp - id
done
KEY=$(cat ec/private.pem) expect 0 "$assay" key show env:KEY
head -n 1 out | cmp - ec-id
expect 2 "$assay" key show env:NO_SUCH_KEY
if command -v openssl >/dev/null; then
  openssl pkey -in ec/private.pem -pubout 2>/dev/null | cmp - ec/public.pem
  openssl pkey -in sealed-p256/private.pem -passin pass:secret -pubout 2>/dev/null | cmp - sealed-p256/public.pem
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec-other.pem 2>/dev/null
  expect 0 "$assay" key show ec-other.pem
  openssl pkcs8 -topk8 -in ec-other.pem -passout pass:secret -scrypt -out ec-scrypt.pem
  expect 0 "$assay" key show ec-scrypt.pem --passphrase env:PASS
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.pem 2>/dev/null
  expect 4 "$assay" key show p384.pem
  openssl genpkey -algorithm RSA -out rsa.pem 2>/dev/null
  expect 4 "$assay" key show rsa.pem
  openssl ec -in ec-other.pem -pubout -conv_form compressed -out short.pem 2>/dev/null
  expect 4 "$assay" key show short.pem
fi
if command -v ssh-keygen >/dev/null; then   # the key id is OpenSSH's fingerprint
  ssh-keygen -i -m PKCS8 -f ec/public.pem >ec.ssh && ssh-keygen -lf ec.ssh | grep -qF "$(cat ec-id)"
fi

# Trust policies follow each other only when the root keys of both say so.
for name in a b c; do expect 0 "$assay" key new --out $name; done
policy() { # VERSION NAME ROOT-KEYS…
  python3 - "$@" <<'P' >"$2"
import json, sys
pem = lambda n: open(n + "/public.pem").read()
roots = sys.argv[3:]
print(json.dumps({"version": int(sys.argv[1]), "keys": [{"public": pem("keys"), "roles": ["certifier"]}] + [{"public": pem(n), "roles": ["root"]} for n in roots],
                  "require": [{"role": "certifier", "threshold": 1}, {"role": "root", "threshold": len(roots)}]}))
P
}
policy 1 t1.json a b
policy 2 t2.json b c
policy 3 t3.json b c
expect 0 "$assay" trust show t1.json
expect 0 "$assay" trust sign t2.json --key a/private.pem --out s.json
expect 4 "$assay" trust check t1.json t2.json --signatures s.json
expect 0 "$assay" sign s.json --key b/private.pem
expect 4 "$assay" trust check t1.json t2.json --signatures s.json   # c has not signed
expect 0 "$assay" sign s.json --key c/private.pem
expect 0 "$assay" trust check t1.json t2.json --signatures s.json
expect 4 "$assay" trust check t1.json t3.json --signatures s.json   # other bytes
for key in a b c; do [ $key = a ] && expect 0 "$assay" trust sign t3.json --key a/private.pem --out s3.json || expect 0 "$assay" sign s3.json --key $key/private.pem; done
expect 6 "$assay" trust check t1.json t3.json --signatures s3.json   # version 2 is left out
expect 0 "$assay" trust check t2.json t3.json --signatures s3.json
expect 9 "$assay" trust check t1.json t2.json --signatures t1.json

mkdir model
echo '{}' >junk.cert.dsse.json
expect 9 "$assay" verify junk.cert.dsse.json --model model --key keys/public.pem
expect 9 "$assay" verify absent.cert.dsse.json --model model
expect 2 "$assay" verify junk.cert.dsse.json
expect 9 "$assay" report junk.cert.dsse.json --out r.html
[ ! -e r.html ]
echo "keys: made once, shown, refused where they must be"
