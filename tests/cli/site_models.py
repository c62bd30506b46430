"""Writes four-layer model directories that hold little but the final norm, and a whole two-layer model: python3
site_models.py DIR."""
import json
import math
import random
import struct
import sys
from pathlib import Path

from tensor_file import save

d, vocab = 8, 20


def whole(out, norm, seed):
    """Two blocks of one head and four neurons, five tokens, four positions; token 4 lies below the mean of others."""
    rng = random.Random(seed)
    tensor = lambda shape, size, mean=0.0: (shape, [rng.gauss(mean, size) for _ in range(math.prod(shape))])
    tensors = {"embed.W_E": tensor([5, d], 1), "pos_embed.W_pos": tensor([4, d], 0.5), "unembed.W_U": tensor([d, 5], 0.7),
               "unembed.b_U": tensor([5], 0.2)}
    for block in range(2):
        for name in "QKV":
            tensors["blocks.%d.attn.W_%s" % (block, name)] = tensor([1, d, 4], 0.6)
        tensors["blocks.%d.attn.W_O" % block] = tensor([1, 4, d], 0.8)
        tensors["blocks.%d.mlp.W_in" % block] = tensor([d, 4], 0.8)
        tensors["blocks.%d.mlp.W_out" % block] = tensor([4, d], 0.8)
    for site in ["blocks.%d.ln%d" % (b, n) for b in range(2) for n in (1, 2)] + ["ln_final"]:
        if norm in ("LN", "RMS"):
            tensors[site + ".w"] = tensor([d], 0.2, 1.0)
        if norm == "LN":
            tensors[site + ".b"] = tensor([d], 0.1)
    columns = tensors["unembed.W_U"][1]
    for i in range(d):
        columns[i * 5 + 4] = (columns[i * 5] + columns[i * 5 + 1] + columns[i * 5 + 2] + columns[i * 5 + 3]) / 4
    tensors["unembed.b_U"][1][4] = -0.6
    save(out / "model.safetensors", tensors)
    (out / "config.json").write_text(json.dumps({"n_layers": 2, "d_model": d, "d_vocab": 5, "n_ctx": 4, "d_head": 4, "n_heads": 1,
                                                 "d_mlp": 4, "act_fn": "relu", "normalization_type": norm,
                                                 "positional_embedding_type": "standard"}))


def write(out, norm, extra=None, drop=(), config=None):
    rng = random.Random(3)

    def tensor(shape, size, mean=0.0):
        return shape, [rng.gauss(mean, size) for _ in range(math.prod(shape))]

    tensors = {"unembed.W_U": tensor([d, vocab], 0.7), "unembed.b_U": tensor([vocab], 0.2),
               "blocks.3.mlp.W_in": tensor([d, 4], 1.0), "embed.W_E": tensor([vocab, d], 1.0)}
    if norm in ("LN", "RMS"):
        tensors["ln_final.w"] = tensor([d], 0.2, 1.0)
        tensors["blocks.2.ln2.w"] = tensor([d], 0.2, 1.0)
    if norm == "LN":
        tensors["ln_final.b"] = tensor([d], 0.1)
        tensors["blocks.2.ln2.b"] = tensor([d], 0.1)
    # Token 19 is the mean of the others, a little lower: no input makes it argmax.
    columns = tensors["unembed.W_U"][1]
    for i in range(d):
        columns[i * vocab + vocab - 1] = sum(columns[i * vocab:i * vocab + vocab - 1]) / (vocab - 1)
    tensors["unembed.b_U"][1][vocab - 1] = -1.0
    tensors.update(extra or {})
    for name in drop:
        del tensors[name]
    save(out / "model.safetensors", tensors)
    (out / "config.json").write_text(json.dumps({"n_layers": 4, "d_model": d, "d_vocab": vocab, "n_ctx": 16, "d_head": 4,
                                                 "act_fn": "relu", "normalization_type": norm, **(config or {})}))
    return tensors


def readout(path, hook, weights):
    path.write_text(json.dumps({"assay-readout": 1, "hook": hook, "weights": [float(w).hex() for w in weights],
                                "bias": (0.5).hex()}))


root = Path(sys.argv[1])
layer = write(root / "LN", "LN")
for norm in ("LNPre", "RMS", "RMSPre"):
    write(root / norm, norm)
single = lambda x: struct.unpack("<f", struct.pack("<f", x))[0]
readout(root / "flat.json", "ln_final.hook_normalized", [2 / single(w) for w in layer["ln_final.w"][1]])
readout(root / "block.json", "blocks.2.ln2.hook_normalized", range(d))
readout(root / "elsewhere.json", "blocks.0.hook_resid_mid", range(d))
write(root / "none", None)
write(root / "shape", "LN", extra={"unembed.W_U": ([vocab, d], [0.5] * (d * vocab))})
write(root / "nan", "LN", extra={"ln_final.w": ([d], [math.nan] + [1.0] * (d - 1))})
write(root / "unread-nan", "LN", extra={"embed.W_E": ([1, 1], [math.nan])})
write(root / "missing", "LN", drop=["ln_final.b"])
write(root / "surplus", "LNPre", extra={"ln_final.w": ([d], [2.0] * d)})
write(root / "cap", "RMS", config={"output_logits_soft_cap": 30.0})
write(root / "shards", "LN")
(root / "shards" / "model.safetensors").rename(root / "shards" / "model-00001-of-00002.safetensors")
(root / "shards" / "model.safetensors.index.json").write_text("{}")
for norm in ("LN", "LNPre", "RMS", "RMSPre"):
    whole(root / ("whole-" + norm), norm, 21)
