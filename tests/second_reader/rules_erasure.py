"""The eraser, its deployed outputs bit by bit, RESIDUAL, ADVANTAGE, CHANGE, LEDGER."""
from fractions import Fraction

from . import interval as iv
from .files import digest, read, safetensors, strict_json
from .lexis import need


class Eraser:
    def __init__(self, cert):
        folder = cert.option("eraser")
        js, weights = read(f"{folder}/eraser.json"), read(f"{folder}/eraser.safetensors")
        need([digest(js), digest(weights)] == cert.header["eraser"], "another eraser")
        j = strict_json(js)
        need(isinstance(j, dict) and j.get("assay-eraser") == 1, "no eraser")
        need(isinstance(j.get("kind"), str) and isinstance(j.get("hook"), str), "no kind or hook")
        self.r, self.d, self.g, self.hook = j["rank"], j["d"], j["gridBits"], j["hook"]
        need(all(type(n) is int for n in (self.r, self.d, self.g)), "rank, d or gridBits")
        need(1 <= self.r <= 64 and self.r <= self.d <= 4096 and 0 <= self.g <= 24, "rank, d or gridBits")
        need(("modelWeights" in j) == ("model" in cert.header), "modelWeights with a model line, and only then")
        need("model" not in cert.header or j["modelWeights"] == cert.header["model"][1], "an eraser of another model")
        self.fitted = set(j.get("fitActivations", []))
        t, _ = safetensors(weights)
        need(set(t) == {"proj_left", "proj_right", "bias"}, "other tensors")
        need(all(x.dtype == "F64" for x in t.values()), "tensors that are no doubles")
        need(t["proj_left"].shape == (self.d, self.r) and t["proj_right"].shape == (self.r, self.d) and t["bias"].shape == (self.d,), "shapes of the eraser")
        self.left = [t["proj_left"].finite()[i * self.r : (i + 1) * self.r] for i in range(self.d)]
        self.right = [t["proj_right"].finite()[k * self.d : (k + 1) * self.d] for k in range(self.r)]
        self.bias = t["bias"].finite()

    def deployed(self, x):
        """The integers Y of a row: IEEE doubles (Python's floats), nothing fused, sums from index 0 up from 0.0."""
        c = []
        for right in self.right:
            s = 0.0
            for r, v, b in zip(right, x, self.bias):
                s += r * (v - b)
            c.append(s)
        out = []
        for left, v in zip(self.left, x):
            s = 0.0
            for a, ck in zip(left, c):
                s += a * ck
            y = round((v - s) * 2.0**self.g)  # Python rounds to even
            need(abs(y) < 1 << 24, "an output beyond the grid")
            out.append(y)
        return out


class Rows:
    """The rows that a claim is about: outputs Y, labels z, the other tensors."""

    def __init__(self, cert, claim):
        eraser = cert.eraser
        files = {}
        for path in cert.options.get("data", []):
            data = read(path)
            files[digest(data)] = data
        self.files = files
        need(claim.data in files and (claim.labels is None or claim.labels in files), "a data file is missing")
        t, meta = safetensors(files[claim.data])
        need("hook" not in meta or meta["hook"] == eraser.hook, "rows of another hook")
        labels = t
        extra = {"document", "symbol"}
        if claim.labels is None:
            need({"x", "z"} <= set(t) <= {"x", "z"} | extra, "other tensors")
        else:
            labels, meta2 = safetensors(files[claim.labels])
            need("hook" not in meta2 or meta2["hook"] == eraser.hook, "labels of another hook")
            need({"x"} <= set(t) <= {"x"} | extra and {"z"} <= set(labels) <= {"z"} | extra, "other tensors")
        x, z = t["x"], labels["z"]
        need(x.dtype in ("F16", "BF16", "F32", "F64") and len(x.shape) == 2 and x.shape[1] == eraser.d, "x")
        self.n, self.d = x.shape
        need(self.n > 0 and len(z.shape) in (1, 2) and z.shape[0] == self.n, "z")
        self.k = 1 if len(z.shape) == 1 else z.shape[1]
        need(1 <= self.k <= 64 and all(v in (0, 1) for v in z.finite()), "labels")
        self.x = [x.finite()[i * self.d : (i + 1) * self.d] for i in range(self.n)]
        self.z = [[int(v) for v in z.values[i * self.k : (i + 1) * self.k]] for i in range(self.n)]
        self.more = {**{k: v for k, v in labels.items() if k in extra}, **{k: v for k, v in t.items() if k in extra}}
        self.y = [eraser.deployed(row) for row in self.x]
        self.counts = [sum(z[c] for z in self.z) for c in range(self.k)]
        self.of_the_fit = claim.data in eraser.fitted

    def moments(self):
        """A, B, C: n² times the covariances of (Y,Y), (Y,z), (z,z)."""
        n, cols = self.n, list(zip(*self.y))
        labels = list(zip(*self.z))
        s, t = [sum(c) for c in cols], [sum(c) for c in labels]

        def product(a, b):
            return sum(x * y for x, y in zip(a, b))

        a = [[n * product(p, q) - s[i] * s[j] for j, q in enumerate(cols)] for i, p in enumerate(cols)]
        b = [[n * product(p, q) - s[i] * t[j] for j, q in enumerate(labels)] for i, p in enumerate(cols)]
        c = [[n * product(p, q) - t[i] * t[j] for j, q in enumerate(labels)] for i, p in enumerate(labels)]
        return a, b, c


def rows_of(cert, claim):
    key = ("rows", claim.data, claim.labels)
    if key not in cert.steps:
        cert.steps[key] = Rows(cert, claim)
    return cert.steps[key]


def claim_of(cert, name, kind):
    need(cert.kind == "erasure", "a step of kind erasure")
    claim = cert.request.claims.get(name)
    need(claim and claim.kind == kind, f"no claim {name} of this form")
    return claim


def positive_definite(m):
    """By elimination in fractions (exact)."""
    m = [[Fraction(v) for v in row] for row in m]
    for k in range(len(m)):
        if m[k][k] <= 0:
            return False
        for i in range(k + 1, len(m)):
            by = m[i][k] / m[k][k]
            if by:
                m[i] = [a - by * b for a, b in zip(m[i], m[k])]
    return True


def residual(cert, name, premises, words):
    claim = claim_of(cert, name, "residual")
    need(not premises, "no premises")
    rows = rows_of(cert, claim)
    need(words.nat() == rows.n, "the number of rows")
    need([words.nat() for _ in range(rows.k)] == rows.counts and all(0 < c < rows.n for c in rows.counts), "the counts of the labels")
    tau = words.frac()
    words.end()
    need(tau == claim.tau and tau > 0, "tau is not the statement's")
    a, b, c = rows.moments()
    kept = []
    for i in range(rows.d):
        if a[i][i] != 0 and not any(a[i][i] == a[j][j] == a[i][j] for j in kept):
            kept.append(i)
    one_hot = rows.k > 1 and all(sum(z) == 1 for z in rows.z)
    labels = list(range(rows.k - 1 if one_hot else rows.k))
    m = [[a[i][j] for j in kept] + [b[i][l] for l in labels] for i in kept]
    m += [[b[j][l] for j in kept] + [tau * c[l][e] for e in labels] for l in labels]
    need(positive_definite(m), "the matrix is not positive definite")
    return "OBSERVED"


def advantage(cert, name, premises, words):
    claim = claim_of(cert, name, "advantage")
    rows = rows_of(cert, claim)
    need(claim.loss in ("log", "softmax", "hinge", "square") and claim.form in ("norm", "ridge", "spread", "free"), "loss or form")
    n = words.nat()
    need(n == rows.n and words.frac() == claim.max_gain and claim.max_gain >= 0 and claim.size > 0, "n or gain is not that of the rows or the statement")
    words.end()
    one_hot = rows.k > 1 and all(sum(z) == 1 for z in rows.z)
    need(all(0 < c < n for c in rows.counts), "a label that never changes")
    need(one_hot if claim.loss == "softmax" else rows.k == 1, "labels of another loss")
    need(claim.form != "free" or (claim.loss == "square" and claim.size == 1), "free is for square, size 1")
    g = {"log": 1, "softmax": 1, "hinge": Fraction(n, max(rows.counts[0], n - rows.counts[0])), "square": 2}[claim.loss]
    w, a = claim.size, claim.max_gain
    if claim.form in ("norm", "ridge"):
        need(not premises, "no premises")
        b2 = sum(v * v for row in rows.moments()[1] for v in row)
        if claim.form == "norm":
            need(g * g * w * w * b2 <= a * a * n**4 * 4**cert.eraser.g, "the gain is not shown")
        else:
            need(g * g * b2 <= 2 * w * a * n**4 * 4**cert.eraser.g, "the gain is not shown")
        return "OBSERVED"
    need(len(premises) == 1 and premises[0] in cert.proved, "an earlier claim of form residual")
    other = cert.request.claims[premises[0]]
    need(other.kind == "residual" and (other.data, other.labels) == (claim.data, claim.labels), "a residual about the same files")
    v = sum(Fraction(c * (n - c), n * n) for c in rows.counts)
    need(g * g * w * w * v * other.tau <= a * a if claim.form == "spread" else v * other.tau <= a, "the gain is not shown")
    return "OBSERVED"


def change(cert, name, premises, words):
    claim = claim_of(cert, name, "change")
    rows = rows_of(cert, claim)
    need(not premises and words.nat() == rows.n, "the number of rows")
    words.end()
    unit = Fraction(1, 1 << cert.eraser.g)
    total = sum((y * unit - Fraction(x)) ** 2 for xs, ys in zip(rows.x, rows.y) for x, y in zip(xs, ys))
    need(total <= claim.at_most * rows.n, "the change is not shown")
    return "OBSERVED"


def ledger(cert, name, premises, words):
    claim = claim_of(cert, name, "ledger")
    with_alpha = [c for c in cert.request.claims.values() if hasattr(c, "alpha")]
    need(not premises and sum(c.kind == "ledger" for c in cert.request.claims.values()) == 1, "one ledger, no premises")
    m = words.nat()
    words.end()
    need(m == len(with_alpha) >= 1, "the number of claims that have an alpha")
    need(claim.spent >= 0 and claim.spent + sum(c.alpha for c in with_alpha) <= claim.total < 1, "more is spent than the total")
    return "STATISTICAL"


# -- inside a model
def inside(cert, name, kind, premises):
    claim = claim_of(cert, name, kind)
    need(not premises and cert.network, "a model and no premises")
    return claim, cert.eraser, cert.network


def unread(cert, name, premises, words):
    claim, e, net = inside(cert, name, "unread", premises)
    net.load()
    need(claim.hook == e.hook and claim.hook in ("blocks.0.hook_resid_mid", "blocks.0.hook_resid_post"), "a hook of the residual stream, the eraser's")
    need(net.norm is None and net.d == e.d, "no LayerNorm, the stream's width")
    u = [words.nat(e.d) for _ in range(e.r)]
    words.end()
    need(u == sorted(set(u)), "coordinates do not rise")
    for k, c in enumerate(u):
        need(all(e.left[i][k] == (i == c) and e.right[k][i] == (i == c) for i in range(e.d)) and e.bias[c] == 0, "the eraser does something else")
        need(all(v == iv.ZERO for v in net.row("unembed.W_U", c, net.out)), "the unembedding reads it")
        if claim.hook == "blocks.0.hook_resid_mid" and not net.attn_only:
            need(all(v == iv.ZERO for v in net.row("blocks.0.mlp.W_in", c, net.f)), "the neurons read it")
    return "PROVED"


def site_range(cert, name, premises, words):
    claim, e, net = inside(cert, name, "site-range", premises)
    words.end()
    net.load()
    places = range(net.n_ctx) if net.positions == "standard" else [0]
    spots = [(p, t) for p in places for t in range(net.vocab)]
    x = iv.of(claim.at_most)[0]
    for i in range(net.d):
        box = iv.hull(net.embedded(p, t)[i] for p, t in spots)
        box = iv.add(box, net.weights["blocks.0.attn.b_O"][i])
        for h in range(net.heads):
            box = iv.add(box, iv.hull(net.written(h, p, t)[i] for p, t in spots))
        need(-x <= box[0] and box[1] <= x, f"coordinate {i} is not shown to stay in the range")
    return "PROVED"


def never_fires_parts(cert, e, feature):
    sae = cert.sae
    need(sae and sae.kind.startswith("jumprelu") and sae.hook == e.hook and sae.d == e.d, "an SAE with thresholds that reads the eraser's hook")
    w = sae.column(feature)
    return w, sum(a * Fraction(b) for a, b in zip(w, e.bias)) + sae.constant(feature), sae.threshold[feature]


def never_fires_real(cert, name, premises, words):
    claim, e, _ = inside(cert, name, "never-fires-real", premises)
    words.end()
    w, constant, theta = never_fires_parts(cert, e, claim.feature)
    need(any(w == [Fraction(v) for v in right] for right in e.right), "the encoder's column is no row of R")
    need(constant <= theta, "the constant exceeds the threshold")
    return "PROVED"


def never_fires(cert, name, premises, words):
    claim, e, _ = inside(cert, name, "never-fires", premises)
    words.end()
    w, constant, theta = never_fires_parts(cert, e, claim.feature)
    x = claim.range
    need(x > 0, "no range")
    left = [[Fraction(v) for v in row] for row in e.left]
    right = [[Fraction(v) for v in row] for row in e.right]

    def eps(m):
        return (m + 8) * Fraction(1, 1 << 52)

    a = [x + abs(Fraction(b)) for b in e.bias]
    c = [sum(abs(r) * s for r, s in zip(row, a)) * (1 + Fraction(1, 1 << 25)) for row in right]
    wl = [sum(wi * row[k] for wi, row in zip(w, left)) for k in range(e.r)]
    v = [wi - sum(wl[k] * right[k][i] for k in range(e.r)) for i, wi in enumerate(w)]
    total = constant + sum(abs(vi) * ai for vi, ai in zip(v, a)) + sum(abs(l) * eps(e.d) * ck for l, ck in zip(wl, c))
    half = Fraction(1, 1 << (e.g + 1))
    total += sum(abs(wi) * (half + eps(e.r + 1) * (x + sum(abs(l) * ck for l, ck in zip(row, c)))) for wi, row in zip(w, left))
    need(total <= theta, "constant and rounding term are not shown to stay at the threshold")
    return "PROVED"


RULES = {
    "RESIDUAL": residual,
    "ADVANTAGE": advantage,
    "CHANGE": change,
    "LEDGER": ledger,
    "UNREAD": unread,
    "SITE-RANGE": site_range,
    "NEVER-FIRES-REAL": never_fires_real,
    "NEVER-FIRES": never_fires,
}
