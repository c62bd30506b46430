"""Writes a model of four tokens, one of them rare after every context: python3 rare_model.py DIR."""
import json
import math
import random
import sys
from pathlib import Path

from tensor_file import save

out = Path(sys.argv[1])
d, heads, window, v = 8, 2, 4, 4
rng = random.Random(5)


def tensor(shape, size):
    return shape, [rng.gauss(0, size) for _ in range(math.prod(shape))]


out.mkdir(parents=True)
save(out / "model.safetensors", {
    "embed.W_E": tensor([v, d], 1.0),
    "blocks.0.attn.W_Q": tensor([heads, d, d // heads], 0.3),
    "blocks.0.attn.W_K": tensor([heads, d, d // heads], 0.3),
    "blocks.0.attn.W_V": tensor([heads, d, d // heads], 0.3),
    "blocks.0.attn.W_O": tensor([heads, d // heads, d], 0.3),
    "blocks.0.attn.b_Q": tensor([heads, d // heads], 0.0),
    "blocks.0.attn.b_K": tensor([heads, d // heads], 0.0),
    "blocks.0.attn.b_V": tensor([heads, d // heads], 0.0),
    "blocks.0.attn.b_O": tensor([d], 0.0),
    "blocks.0.attn.rel_bias": tensor([heads, window], 0.3),
    "blocks.0.mlp.W_in": tensor([d, 2 * d], 0.3),
    "blocks.0.mlp.b_in": tensor([2 * d], 0.1),
    "blocks.0.mlp.W_out": tensor([2 * d, d], 0.3),
    "blocks.0.mlp.b_out": tensor([d], 0.0),
    "unembed.W_U": tensor([d, v], 0.3),
    "unembed.b_U": ([v], [0.0, 0.5, -4.0, 0.0]),
})
(out / "config.json").write_text(json.dumps({
    "n_layers": 1, "d_model": d, "n_ctx": 64, "d_head": d // heads, "n_heads": heads, "d_mlp": 2 * d,
    "d_vocab": v, "d_vocab_out": v, "act_fn": "relu", "normalization_type": None, "attn_only": False,
    "positional_embedding_type": "relative_bias", "attention_window": window, "relative_bias": True}))
(out / "tokenizer.json").write_text(json.dumps({"type": "char", "vocab": ["a", "b", "#", "\ufffd"], "unknown": 3}))
