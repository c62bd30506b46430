"""resign.py ENVELOPE PRIVATE.pem EDIT: applies the Python statements EDIT to a signed predicate and signs it again.

EDIT sees `p` (the predicate), `c` (its claims by id), `folder` (the evidence, with a slash) and `put(name, text)`, which writes an evidence
file and its digest. An EDIT that changes nothing, other than "pass", is an error.
"""
import base64
import hashlib
import json
import subprocess
import sys
import tempfile

e = json.load(open(sys.argv[1]))
s = json.loads(base64.b64decode(e["payload"]))
p = s["predicate"]
c = {c["id"]: c for c in p["claims"]}
folder = sys.argv[1].rsplit("/", 1)[0] + "/evidence/"


def put(name, text):
    assert text != open(folder + name).read(), "put changes nothing in " + name
    open(folder + name, "w").write(text)
    for x in p["evidence"]:
        if x["name"] == name:
            x["sha256"] = hashlib.sha256(text.encode()).hexdigest()
            x["size"] = len(text.encode())


before = json.dumps(s)
exec(sys.argv[3])
assert sys.argv[3] == "pass" or before != json.dumps(s), "nothing changed: " + sys.argv[3]
body = json.dumps(s, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
pae = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(body) + body
with tempfile.NamedTemporaryFile() as f, tempfile.NamedTemporaryFile() as o:
    f.write(pae)
    f.flush()
    subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", sys.argv[2], "-rawin", "-in", f.name, "-out", o.name], check=True)
    sig = open(o.name, "rb").read()
e["payload"] = base64.b64encode(body).decode()
e["signatures"][0]["sig"] = base64.b64encode(sig).decode()
json.dump(e, open(sys.argv[1], "w"))
