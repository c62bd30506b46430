#!/usr/bin/env bash
# bench_max_of_k on small models against a count of its own, in Python: no proof counts an input that is wrong, finer proofs
# count no fewer, and counting every input agrees.
set -euo pipefail
command -v python3 > /dev/null || { echo "SKIPPED: python3 is not installed; bench_max_of_k was NOT compared"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat > "$dir/compare.py" << 'PY'
import itertools, json, math, os, random, re, struct, subprocess, sys
program, folder = sys.argv[1:]


def matrix(rows, columns, size, rng):
    return [[struct.unpack("<f", struct.pack("<f", rng.gauss(0, size)))[0] for _ in range(columns)] for _ in range(rows)]


def times(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def write(out, config, tensors):
    header, data = {}, b""
    for name in sorted(tensors):
        shape, m = tensors[name]
        flat = [x for row in m for x in row]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * len(flat)]}
        data += struct.pack("<%df" % len(flat), *flat)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    os.makedirs(out)
    open(out + "/model.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data)
    json.dump(config, open(out + "/config.json", "w"))


def model(seed, v, K, noise):
    """Tokens are one-hot but for noise: scores rise with the key's token, values copy it."""
    rng = random.Random(seed)
    d = v + 1
    blend = lambda m, size: [[x + y for x, y in zip(r, s)] for r, s in zip(m, matrix(len(m), len(m[0]), size, rng))]
    exact = lambda m: [[struct.unpack("<f", struct.pack("<f", x))[0] for x in row] for row in m]
    tensors = {
        "W_E": exact(blend([[float(i == t) for i in range(v)] + [1.0] for t in range(v)], noise * 0.1)),
        "W_pos": matrix(K, d, noise * 0.3, rng), "W_Q": exact(blend([[0.0] * 2 for _ in range(v)] + [[1.0, 1.0]], noise * 0.1)),
        "W_K": exact(blend([[0.9 * t, 0.9 * t] for t in range(v)] + [[0.0, 0.0]], noise)),
        "W_V": exact(blend([[float(t == c) for c in range(v)] for t in range(v)] + [[0.0] * v], noise * 0.2)),
        "W_O": exact(blend([[float(c == i) for i in range(d)] for c in range(v)], noise * 0.1)),
        "W_U": exact(blend([[2.0 * (i == r) for r in range(v)] for i in range(v)] + [[0.0] * v], noise * 0.3))}
    # One head width for keys and values: pad the queries and keys with zeros.
    for name in ("W_Q", "W_K"):
        tensors[name] = [row + [0.0] * (v - 2) for row in tensors[name]]
    names = {"W_E": "embed.W_E", "W_pos": "pos_embed.W_pos", "W_U": "unembed.W_U"}
    shaped = {}
    for name, m in tensors.items():
        shape = [len(m), len(m[0])]
        shaped[names.get(name, "blocks.0.attn." + name)] = (shape if name in names else [1] + shape, m)
    config = {"n_layers": 1, "d_model": d, "n_ctx": K, "d_head": v, "n_heads": 1, "d_vocab": v, "d_vocab_out": v, "act_fn": "relu",
              "normalization_type": None, "attn_only": True, "positional_embedding_type": "standard"}
    return config, shaped, tensors


def right(t, v, K):
    """Inputs whose largest token's logit is the largest by 1e-9, and those within 1e-9 of a tie."""
    embed = [[[a + b for a, b in zip(t["W_E"][u], t["W_pos"][p])] for u in range(v)] for p in range(K)]
    keys = [times(e, t["W_K"]) for e in embed]
    through = times(times(t["W_V"], t["W_O"]), t["W_U"])
    values = [times(e, through) for e in embed]
    queries, direct = times(embed[-1], t["W_Q"]), times(embed[-1], t["W_U"])
    sure = ties = 0
    for q in range(v):
        weight = [[math.exp(sum(x * y for x, y in zip(queries[q], k)) / math.sqrt(v)) for k in keys[p]] for p in range(K)]
        for rest in itertools.product(range(v), repeat=K - 1):
            tokens = (*rest, q)
            w = [weight[p][u] for p, u in enumerate(tokens)]
            logits = [sum(w[p] * values[p][u][r] for p, u in enumerate(tokens)) / sum(w) + direct[q][r] for r in range(v)]
            m = max(tokens)
            margin = logits[m] - max(logits[r] for r in range(v) if r != m)
            sure += margin > 1e-9
            ties += abs(margin) <= 1e-9
    return sure, ties


kinds, shares = set(), []
for seed, (v, K, noise) in enumerate(((5, 3, 0.0), (6, 4, 0.3), (7, 3, 0.6), (6, 4, 0.9), (5, 5, 0.5), (7, 4, 0.4), (4, 6, 0.7), (2, 5, 0.5))):
    config, shaped, tensors = model(seed, v, K, noise)
    out = folder + "/%d" % seed
    write(out, config, shaped)
    text = subprocess.run([program, out, str(K), "64"], check=True, capture_output=True, text=True).stdout
    lines = [(m[1].strip(), int(m[2]), int(m[3])) for m in re.finditer(r"^(.{24}) .*inputs (\d+) of (\d+)$", text, re.M)]
    sure, ties = right(tensors, v, K)
    truth = dict((name, n) for name, n, _ in lines)["every input"]
    assert sure <= truth + ties and truth <= sure + ties, (seed, sure, ties, truth)
    last = 0
    for name, certified, every in lines:
        assert every == v**K, (seed, name, every)
        assert certified <= sure + ties, (seed, name, certified, sure)
        if "pool" in name:  # each pool is halved
            assert certified >= last, (seed, name, certified, last)
            last = certified
        elif "grid" in name:
            assert certified >= last, (seed, name, certified, last)
        kinds.add(name)
    shares.append(last / max(sure, 1))
assert len(kinds) == 15, kinds
assert max(shares) == 1 and 0 < min(shares) < 1 and sum(0 < s < 1 for s in shares) >= 3, shares
print("max of K: ok, certified by pools of what is right:", " ".join("%.3f" % s for s in shares))
PY
python3 "$dir/compare.py" "$ASSAY_BIN/bench_max_of_k" "$dir"
