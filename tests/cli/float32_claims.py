"""Alters the float32 claims of a certificate, digests made to match.

  float32_claims.py lower CERT CLAIM OUT   the claim's error times 1 - 2^-3
  float32_claims.py raise CERT CLAIM OUT   … times 2
  float32_claims.py list CERT              ids of its float32 claims
  float32_claims.py make MODEL WORDS OUT   a certificate of one claim, `float32 c WORDS`, domain D: two tokens
Requests stand beside certificates: FILE.request.
"""
import hashlib
import re
import sys
from pathlib import Path


def digest(data):
    return hashlib.sha256(data).hexdigest()


def hex_float(x):
    return re.sub(r"(0x1(?:\.[0-9a-f]*?)?)\.?0*p", r"\1p", x.hex())


command = sys.argv[1]
if command == "make":
    model, words, out = Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    request = "assay-request 1\ndomain D lengths 2 2 sets 2 * 1 rest *\nfloat32 c " + words + "\nend\n"
    Path(out + ".request").write_text(request)
    files = " ".join(digest((model / name).read_bytes()) for name in ("config.json", "model.safetensors"))
    Path(out).write_text("assay-cert 1\nkind bounds\nsemantics REAL\nmodel " + files + "\nstatement " +
                         digest(request.encode()) + "\nroot ROOT : D\nc FLOAT32 root :\nend 2\n")
    sys.exit()
cert, request = (Path(sys.argv[2] + end).read_text() for end in ("", ".request"))
lines = request.split("\n")
if command == "list":
    print("\n".join(line.split()[1] for line in lines if line.startswith("float32 ")))
    sys.exit()
at = next(i for i, line in enumerate(lines) if line.startswith("float32 " + sys.argv[3] + " "))
words = lines[at].split()
place = words.index("error") + 1
factor = 1 - 2.0 ** -3 if command == "lower" else 2.0
words[place] = hex_float(float.fromhex(words[place]) * factor)
lines[at] = " ".join(words)
altered = "\n".join(lines)
Path(sys.argv[4] + ".request").write_text(altered)
Path(sys.argv[4]).write_text(cert.replace(digest(request.encode()), digest(altered.encode())))
