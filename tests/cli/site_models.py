"""Writes four-layer model directories that hold little but the final norm: python3 site_models.py DIR."""
import json
import math
import random
import struct
import sys
from pathlib import Path

d, vocab = 8, 20


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
    header, data = {}, b""
    for name in sorted(tensors):
        shape, values = tensors[name]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * len(values)]}
        data += struct.pack("<%df" % len(values), *values)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
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
