"""Activations and labels for erase_tensors.sh, in plain Python.
  erase_tables.py make DIR                        writes the files that the test reads
  erase_tables.py recompute ERASER X Y            Y holds, bit for bit, the deployed outputs of X (docs/certificate-format.md, "Kind erasure")
  erase_tables.py merged WHOLE NARROW             NARROW holds WHOLE's outputs without the coordinates it names
  erase_tables.py again FROM TO                   FROM's rows in double and in reverse order
  erase_tables.py forge FROM TO                   request and certificate of FROM with a smaller max-r2
"""
import hashlib
import json
import math
import random
import struct
import sys
from fractions import Fraction
from pathlib import Path

CODES = {"F32": "f", "F64": "d", "I64": "q"}


def save(path, tensors, hook=None):
    header, buffer = {}, b""
    if hook:
        header["__metadata__"] = {"hook": hook}
    for name, (dtype, shape, values) in tensors.items():
        data = struct.pack("<%d%s" % (len(values), CODES[dtype]), *values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(buffer), len(buffer) + len(data)]}
        buffer += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + buffer)


def load(path):
    raw = path.read_bytes()
    size, = struct.unpack("<Q", raw[:8])
    buffer, found = raw[8 + size:], {}
    for name, entry in json.loads(raw[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            code = CODES[entry["dtype"]]
            found[name] = (entry["shape"], struct.unpack("<%d%s" % ((end - begin) // struct.calcsize(code), code), buffer[begin:end]))
    return found


def rows(n, d, classes, shift, seed):
    draw = random.Random(seed)
    x, z = [], []
    for _ in range(n):
        label, last = draw.randrange(classes), 0.0
        for j in range(d):
            last = draw.gauss(0, 1) + 0.5 * last
            x.append(struct.unpack("f", struct.pack("f", last + (shift if j == label else 0)))[0])
        z.append(label)
    return x, z


def make(out):
    def both(name, n, d, shift, seed, hook=None, change=lambda x, z: (x, z), kind="F32"):
        x, z = change(*rows(n, d, 2, shift, seed))
        save(out / (name + ".safetensors"), {"x": (kind, [n, d], x), "z": ("I64", [n], z)}, hook)
        return x, z
    x, z = both("fit", 1500, 6, 1.5, 1, "ln.out")
    save(out / "keep.safetensors", {"z": ("I64", [1500], [int(x[6 * i + 4] > 0.3) for i in range(1500)])})
    both("new", 700, 6, 1.5, 2, "ln.out", kind="F64")
    for name, n, seed, more in (("drawn", 900, 21, "symbol"), ("documents", 840, 22, "document")):
        x, z = rows(n, 6, 2, 1.5, seed)
        values = [(i + z[i]) % 3 if more == "symbol" else i // 7 for i in range(n)]
        save(out / (name + ".safetensors"), {"x": ("F32", [n, 6], x), "z": ("I64", [n], z), more: ("I64", [n], values)}, "ln.out")
    save(out / "probes.safetensors", {"weights": ("F64", [2, 6], [1.0] * 6 + [0.5, -0.5] + [0.0] * 4), "bias": ("F64", [2], [0.0, 0.25])})
    save(out / "unembedding.safetensors", {"u": ("F64", [3, 6], [(-1.0) ** i * (1 + i % 5) for i in range(18)]), "b": ("F64", [3], [0.0] * 3)})
    save(out / "region.safetensors", {"gamma": ("F64", [6], [1.0] * 6), "beta": ("F64", [6], [0.0] * 6)})
    both("elsewhere", 100, 6, 1.5, 3, "mlp.out")
    both("wide", 100, 7, 1.5, 4)
    both("noise", 1500, 6, 0.0, 5)
    both("one", 1500, 6, 1.5, 6, None, lambda x, z: (x, [1] * len(z)))
    both("huge", 100, 6, 1.5, 7, None, lambda x, z: (x[:-1] + [1e9], z))
    both("nan", 1500, 6, 1.5, 8, None, lambda x, z: (x[:9] + [math.nan] + x[10:], z))
    (out / "cut.safetensors").write_bytes((out / "fit.safetensors").read_bytes()[:-1])
    n = 1200
    x, z = rows(n, 6, 3, 1.5, 9)
    hot = [int(c == label) for label in z for c in range(3)]
    for tag, a, b in (("", 0, n), ("1", 0, 500), ("2", 500, n)):
        save(out / f"hot_x{tag}.safetensors", {"x": ("F32", [b - a, 6], x[6 * a:6 * b])})
        save(out / f"hot_z{tag}.safetensors", {"z": ("I64", [b - a, 3], hot[3 * a:3 * b])})
    dx, dz = rows(1500, 6, 2, 1.5, 10)
    save(out / "many.safetensors", {"document": ("I64", [1500], [i // 15 for i in range(1500)]), "x": ("F32", [1500, 6], dx), "z": ("I64", [1500], dz)}, "ln.out")
    save(out / "numbers.safetensors", {"z": ("I64", [n], z)})
    save(out / "short.safetensors", {"z": ("I64", [n - 1, 3], hot[:-3])})


def recompute(directory, x_path, y_path):
    config, e = json.loads((directory / "eraser.json").read_text()), load(directory / "eraser.safetensors")
    d, r, bits = config["d"], config["rank"], config["gridBits"]
    left, right, bias = e["proj_left"][1], e["proj_right"][1], e["bias"][1]
    (n, width), x = load(x_path)["x"]
    shape, y = load(y_path)["x"]
    assert shape == [n, d] and width == d
    for i in range(n):
        row, c = x[i * d:(i + 1) * d], []
        for k in range(r):
            total = 0.0
            for j in range(d):
                total += right[k * d + j] * (row[j] - bias[j])
            c.append(total)
        for j in range(d):
            moved = 0.0
            for k in range(r):
                moved += left[j * r + k] * c[k]
            assert y[i * d + j] == round((row[j] - moved) * 2.0 ** bits) / 2.0 ** bits, (i, j)
    print(f"recomputed {n} rows")


def merged(whole, narrow):
    """The bottleneck's rows are the whole outputs' without the coordinates that its metadata names."""
    raw = narrow.read_bytes()
    size, = struct.unpack("<Q", raw[:8])
    dropped = [int(i) for i in json.loads(raw[8:8 + size])["__metadata__"]["dropped"].split(",")]
    (n, d), y = load(whole)["x"]
    shape, kept = load(narrow)["x"]
    assert len(dropped) == 1 and shape == [n, d - 1], (dropped, shape)
    assert list(kept) == [v for i, v in enumerate(y) if i % d not in dropped]


def again(source, target):
    found = load(source)
    (n, d), x = found["x"]
    z = found["z"][1]
    rows = [x[i * d:(i + 1) * d] for i in reversed(range(n))]
    save(target, {"x": ("F64", [n, d], [v for row in rows for v in row]), "z": ("I64", [n], z[::-1])}, "ln.out")


def forge(source, target):
    target.mkdir()
    request, cert = (source / "erasure.request").read_text(), (source / "erasure.cert").read_text()
    tau = request.splitlines()[1].split()[-1]
    smaller = str(Fraction(tau) - Fraction(1, 10 ** 9))
    forged = request.replace(tau, smaller)
    digest = lambda text: hashlib.sha256(text.encode()).hexdigest()
    (target / "erasure.request").write_text(forged)
    (target / "erasure.cert").write_text(cert.replace(tau, smaller).replace(digest(request), digest(forged)))


{"make": make, "recompute": recompute, "merged": merged, "again": again, "forge": forge}[sys.argv[1]](*map(Path, sys.argv[2:]))
