"""Writes small one-layer models of several families: python3 bound_models.py DIR."""
import json
import math
import random
import sys
from pathlib import Path

from tensor_file import save


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
    save(out / "model.safetensors", tensors)
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


def dictionary(out, architecture, extra, seed=9, features=6, d=8):
    """An encoder on the residual stream after attention; biases spread, so that some features never lead."""
    rng = random.Random(seed)
    tensors = {"W_enc": ([d, features], [rng.gauss(0, 0.3) for _ in range(d * features)]),
               "b_enc": ([features], [3.0 * (i - features // 2) for i in range(features)]),
               "W_dec": ([features, d], [rng.gauss(0, 0.3) for _ in range(d * features)]), "b_dec": ([d], [0.1] * d)}
    if architecture == "jumprelu":
        tensors["threshold"] = ([features], [0.5] * features)
    save(out / "sae_weights.safetensors", tensors)
    (out / "cfg.json").write_text(json.dumps({
        "architecture": architecture, "d_in": d, "d_sae": features, "dtype": "float32", "apply_b_dec_to_input": True,
        "normalize_activations": "none", "reshape_activations": "none", **extra,
        "metadata": {"sae_lens_version": "6.18.0", "hook_name": "blocks.0.hook_resid_mid"}}))


dictionary(root / "topk", "topk", {"k": 2, "rescale_acts_by_decoder_norm": False})
dictionary(root / "jumprelu", "jumprelu", {})
dictionary(root / "standard", "standard", {})
dictionary(root / "topk-rescaled", "topk", {"k": 2, "rescale_acts_by_decoder_norm": True})
