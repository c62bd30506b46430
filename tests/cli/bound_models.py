"""Writes small one-layer models of several families: python3 bound_models.py DIR."""
import json
import math
import random
import struct
import sys
from pathlib import Path


def write(out, seed, positions="standard", window=None, norm=None, act="relu", attn_only=False, vocab=6):
    rng = random.Random(seed)
    d, heads, head, mlp, ctx = 8, 2, 4, 10, 8

    def tensor(shape, size):
        return shape, [rng.gauss(0, size) for _ in range(math.prod(shape))]

    tensors = {"embed.W_E": tensor([vocab, d], 1.0)}
    for name in "QKV":
        tensors["blocks.0.attn.W_" + name] = tensor([heads, d, head], 0.5)
        tensors["blocks.0.attn.b_" + name] = tensor([heads, head], 0.2)
    tensors["blocks.0.attn.W_O"] = tensor([heads, head, d], 0.6)
    if positions == "standard":
        tensors["pos_embed.W_pos"] = tensor([ctx, d], 0.5)
    if positions == "relative_bias":
        tensors["blocks.0.attn.rel_bias"] = tensor([heads, window or ctx], 0.5)
    if not attn_only:
        tensors["blocks.0.mlp.W_in"] = tensor([d, mlp], 0.6)
        tensors["blocks.0.mlp.b_in"] = tensor([mlp], 0.3)
        tensors["blocks.0.mlp.W_out"] = tensor([mlp, d], 0.5)
    tensors["unembed.W_U"] = tensor([d, vocab], 0.6)
    header, data = {}, b""
    for name in sorted(tensors):
        shape, values = tensors[name]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * len(values)]}
        data += struct.pack("<%df" % len(values), *values)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    config = {"n_layers": 1, "d_model": d, "n_ctx": ctx, "d_head": head, "n_heads": heads, "d_vocab": vocab,
              "d_vocab_out": vocab, "act_fn": act, "normalization_type": norm, "attn_only": attn_only,
              "positional_embedding_type": positions, "attention_window": window}
    if not attn_only:
        config["d_mlp"] = mlp
    (out / "config.json").write_text(json.dumps(config))


root = Path(sys.argv[1])
write(root / "absolute", 1)
write(root / "relative", 2, positions="relative_bias", window=4)
write(root / "rotary", 3, positions="rotary")
write(root / "attention", 4, attn_only=True)
write(root / "gelu", 5, norm="LNPre", act="gelu")
write(root / "gelu_new", 6, positions="relative_bias", window=4, norm="LNPre", act="gelu_new")
write(root / "attention_norm", 7, norm="LNPre", attn_only=True)
write(root / "plain_gelu", 8, positions="none", window=3, act="gelu")
deep = json.loads((root / "absolute" / "config.json").read_text())
deep["n_layers"] = 2
(root / "deep").mkdir(exist_ok=True)
(root / "deep" / "config.json").write_text(json.dumps(deep))
(root / "deep" / "model.safetensors").write_bytes((root / "absolute" / "model.safetensors").read_bytes())
