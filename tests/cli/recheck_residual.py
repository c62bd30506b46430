"""Re-checks an erasure certificate in Python's own integers: python3 recheck_residual.py DIR.

An implementation of docs/certificate-format.md, "Kind erasure", that shares nothing with Assay's.
"""
import hashlib
import json
import struct
import sys
from fractions import Fraction
from pathlib import Path

out = Path(sys.argv[1])


def tensors(path):
    raw = path.read_bytes()
    size, = struct.unpack("<Q", raw[:8])
    header, buffer = json.loads(raw[8:8 + size]), raw[8 + size:]
    code = {"F32": "f", "F64": "d", "I64": "q"}
    found = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        kind = code[entry["dtype"]]
        found[name] = (entry["shape"], struct.unpack("<%d%s" % ((end - begin) // struct.calcsize(kind), kind), buffer[begin:end]))
    return found


config = json.loads((out / "eraser.json").read_text())
eraser = tensors(out / "eraser.safetensors")
d, bits = config["d"], config["gridBits"]
left, right, bias = eraser["proj_left"][1], eraser["proj_right"][1], eraser["bias"][1]
assert eraser["proj_left"][0] == [d, 1] and eraser["proj_right"][0] == [1, d] and eraser["bias"][0] == [d]


def deployed(row):
    c = 0.0
    for j in range(d):
        c += right[j] * (row[j] - bias[j])
    return [round((row[i] - left[i] * c) * 2.0 ** bits) for i in range(d)]


def positive_definite(m):
    previous = 1
    for k in range(len(m)):
        if m[k][k] <= 0:
            return False
        for i in range(k + 1, len(m)):
            for j in range(k + 1, len(m)):
                m[i][j] = (m[k][k] * m[i][j] - m[i][k] * m[k][j]) // previous
        previous = m[k][k]
    return True


def holds(data, tau):
    (n, width), x = data["x"]
    z = data["z"][1]
    assert width == d and set(z) == {0, 1}
    rows = [deployed(x[i * d:(i + 1) * d]) for i in range(n)]
    assert all(abs(y) < 2 ** 24 for row in rows for y in row)
    n1 = sum(z)
    total = [sum(row[j] for row in rows) for j in range(d)]
    ones = [sum(row[j] for row, label in zip(rows, z) if label) for j in range(d)]
    columns = list(zip(*rows))
    a = [[n * sum(p * q for p, q in zip(columns[i], columns[j])) - total[i] * total[j] for j in range(d)] for i in range(d)]
    b = [n * ones[j] - n1 * total[j] for j in range(d)]
    p, q = tau.numerator, tau.denominator
    m = [a[i] + [q * b[i]] for i in range(d)] + [[q * e for e in b] + [q * p * n1 * (n - n1)]]
    return (n, n1), positive_definite(m)


by_digest = {hashlib.sha256((out / f).read_bytes()).hexdigest(): out / f for f in ("fit.safetensors", "calibration.safetensors")}
lines = (out / "erasure.cert").read_text().splitlines()
request = (out / "erasure.request").read_text()
assert "statement " + hashlib.sha256(request.encode()).hexdigest() in lines
steps = {line.split()[0]: line.split() for line in lines if " RESIDUAL : " in line}
claims = [line.split() for line in request.splitlines() if line.startswith("residual ")]
assert len(claims) == len(steps) == 2 and lines[-1] == "end 2"
for _, name, _, digest, _, tau in claims:
    step = steps[name]
    assert step[5] == tau, (step, tau)
    counts, below = holds(tensors(by_digest[digest]), Fraction(tau))
    assert counts == (int(step[3]), int(step[4])), (counts, step)
    assert below, name + ": the matrix is not positive definite"
    _, smaller = holds(tensors(by_digest[digest]), Fraction(tau) - Fraction(1, 10 ** 9))
    assert not smaller, name + ": a smaller tau holds too"
print("recheck: both residual claims hold, and no smaller tau on the 10^-9 grid does")
