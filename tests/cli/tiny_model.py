"""Writes a tiny hand-made model, a transcoder and a text: python3 tiny_model.py DIR [D_MODEL [DOCUMENTS]].

The weights are fixed pseudo-random numbers; embeddings alone tell digits from letters, so there is
a linear concept to erase at blocks.0.hook_resid_mid.
"""
import json
import math
import random
import struct
import sys
from pathlib import Path

out = Path(sys.argv[1])
d = int(sys.argv[2]) if len(sys.argv) > 2 else 16
documents = int(sys.argv[3]) if len(sys.argv) > 3 else 60
rng = random.Random(7)
vocab = ["\n", " "] + list("0123456789") + list("abcdefghijklmnopqrstuvwxyz.@:/<>")
heads, window, mlp = 2, 8, 2 * d
head = d // heads
v = len(vocab) + 1


def tensor(shape, size):
    return shape, [rng.gauss(0, size) for _ in range(math.prod(shape))]


tensors = {
    "embed.W_E": tensor([v, d], 1.0),
    "blocks.0.attn.W_Q": tensor([heads, d, head], 0.2),
    "blocks.0.attn.W_K": tensor([heads, d, head], 0.2),
    "blocks.0.attn.W_V": tensor([heads, d, head], 0.3),
    "blocks.0.attn.W_O": tensor([heads, head, d], 0.3),
    "blocks.0.attn.b_Q": tensor([heads, head], 0.0),
    "blocks.0.attn.b_K": tensor([heads, head], 0.0),
    "blocks.0.attn.b_V": tensor([heads, head], 0.0),
    "blocks.0.attn.b_O": tensor([d], 0.0),
    "blocks.0.attn.rel_bias": tensor([heads, window], 0.5),
    "blocks.0.mlp.W_in": tensor([d, mlp], 0.3),
    "blocks.0.mlp.b_in": tensor([mlp], 0.1),
    "blocks.0.mlp.W_out": tensor([mlp, d], 0.3),
    "blocks.0.mlp.b_out": tensor([d], 0.0),
    "unembed.W_U": tensor([d, v], 0.3),
    "unembed.b_U": tensor([v], 0.0),
}


def save(path, tensors):
    header, data = {}, b""
    for name in sorted(tensors):
        shape, values = tensors[name]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * len(values)]}
        data += struct.pack("<%df" % len(values), *values)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


model = out / "model"
model.mkdir(parents=True)
save(model / "model.safetensors", tensors)
(model / "config.json").write_text(json.dumps({
    "n_layers": 1, "d_model": d, "n_ctx": 64, "d_head": head, "n_heads": heads, "d_mlp": mlp,
    "d_vocab": v, "d_vocab_out": v, "act_fn": "relu", "normalization_type": None, "attn_only": False,
    "positional_embedding_type": "relative_bias", "attention_window": window, "relative_bias": True}))
(model / "tokenizer.json").write_text(json.dumps({"type": "char", "vocab": vocab + ["\ufffd"], "unknown": len(vocab)}))

corpus = out / "text"
corpus.mkdir()
for i in range(documents):
    words = []
    for _ in range(150):
        if rng.random() < 0.25:
            words.append(str(rng.randrange(100000)))
        else:
            words.append("".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randrange(1, 8))))
    (corpus / ("d%04d.txt" % i)).write_text("\n".join(" ".join(words[j:j + 10]) for j in range(0, 150, 10)) + "\n")

sae, width = out / "sae", 24
sae.mkdir()
save(sae / "sae_weights.safetensors", {
    "W_enc": tensor([d, width], 0.5), "W_dec": tensor([width, d], 0.3), "b_enc": tensor([width], 0.1),
    "b_dec": tensor([d], 0.0), "threshold": ([width], [1.0] * width)})
(sae / "cfg.json").write_text(json.dumps({
    "architecture": "jumprelu_transcoder", "d_in": d, "d_sae": width, "d_out": d, "dtype": "float32",
    "apply_b_dec_to_input": False, "normalize_activations": "none",
    "metadata": {"sae_lens_version": "6.18.0", "hook_name": "blocks.0.hook_resid_mid",
                 "hook_name_out": "blocks.0.hook_mlp_out"}}))
