"""Writes a hand-made model, dictionary, readout, text and fitted automaton: python3 spec_subject.py DIR

The next character depends on the current one alone (a bigram graph), the residual stream is the
one-hot current character, and feature i of the dictionary is on exactly at character i.
"""
import json
import struct
import sys
from pathlib import Path

out = Path(sys.argv[1])
vocab = list("\n </>=\":@_.ab019") + ["\ufffd"]
v = len(vocab)
graph = {"<": "/a", "/": "ab", "a": "b>=", "b": "a ", ">": "0<", "=": '"', '"': "ab", "0": "01", "1": " <", " ": "a<"}


def save(path, tensors):
    header, data = {}, b""
    for name in sorted(tensors):
        shape, values = tensors[name]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * len(values)]}
        data += struct.pack("<%df" % len(values), *values)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def follows(a, b):
    return vocab[b] in graph.get(vocab[a], "a")


def constant(shape, value=0.0):
    size = 1
    for n in shape:
        size *= n
    return shape, [value] * size


eye = [1.0 if i == j else 0.0 for i in range(v) for j in range(v)]
model = out / "model"
model.mkdir(parents=True)
save(model / "model.safetensors", {
    "embed.W_E": ([v, v], eye), "unembed.b_U": constant([v]),
    "unembed.W_U": ([v, v], [8.0 if follows(a, b) else -8.0 for a in range(v) for b in range(v)]),
    **{"blocks.0.attn." + n: constant([1, v, 1]) for n in ("W_Q", "W_K", "W_V")},
    **{"blocks.0.attn." + n: constant([1, 1]) for n in ("b_Q", "b_K", "b_V")},
    "blocks.0.attn.W_O": constant([1, 1, v]), "blocks.0.attn.b_O": constant([v]),
    "blocks.0.attn.rel_bias": constant([1, 3]), "blocks.0.mlp.W_in": constant([v, 1]),
    "blocks.0.mlp.b_in": constant([1]), "blocks.0.mlp.W_out": constant([1, v]), "blocks.0.mlp.b_out": constant([v])})
(model / "config.json").write_text(json.dumps({
    "n_layers": 1, "d_model": v, "n_ctx": 64, "d_head": 1, "n_heads": 1, "d_mlp": 1, "d_vocab": v, "d_vocab_out": v,
    "act_fn": "relu", "normalization_type": None, "attn_only": False, "positional_embedding_type": "relative_bias",
    "attention_window": 3, "relative_bias": True}))
(model / "tokenizer.json").write_text(json.dumps({"type": "char", "vocab": vocab, "unknown": v - 1}))

sae = out / "sae"
sae.mkdir()
save(sae / "sae_weights.safetensors", {"W_enc": ([v, v], eye), "W_dec": ([v, v], eye), "b_enc": constant([v]),
                                       "b_dec": constant([v]), "threshold": constant([v], 0.5)})
(sae / "cfg.json").write_text(json.dumps({
    "architecture": "jumprelu_transcoder", "d_in": v, "d_sae": v, "d_out": v, "dtype": "float32",
    "apply_b_dec_to_input": False, "normalize_activations": "none",
    "metadata": {"sae_lens_version": "6.18.0", "hook_name": "blocks.0.hook_resid_mid",
                 "hook_name_out": "blocks.0.hook_mlp_out"}}))
(out / "probe.json").write_text(json.dumps({
    "assay-readout": 1, "hook": "blocks.0.hook_resid_mid", "weights": ["0x0p+0"] * v, "bias": "-0x1p+0"}))
text = out / "text"
text.mkdir()
for i in range(40):
    (text / ("d%02d.txt" % i)).write_text('<a="ab">00%d1 </ab>\n' % (i % 2) * 20)

# small.spec: tokens and a feature; its automaton has one state a character
(out / "small.spec").write_text("""spec "small" version 1;
use model M = "model"; use sae T = "sae"; use readout digit_probe = "probe.json";
class digit = /[0-9]/;   # three of them
ap Lt = tok = "<"; ap Slash = tok = "/"; ap A = tok = "a"; ap D = tok in digit;
ap Zero = feat(T/best_feature(digit, "blocks.0.hook_resid_mid")) > 0;
ap Read = read(digit_probe) >= 0.0;
prop once: all absent(Lt & X[!] Lt) expect holds;
prop named: all G(Lt -> X(Slash -> X A)) expect violated;
prop zeros: all absent(run(Zero, 3)) doc "three zeros";
prop unread: all absent(Read);
prop alive: all responds(Lt, Slash);
""")
true = {"Lt": "<", "Slash": "/", "A": "a", "D": "019", "Zero": "0", "Read": ""}
names = list(true)
states = []
for t in range(v):
    bits = sum(1 << i for i, n in enumerate(names) if vocab[t] in true[n] and true[n])
    states.append({"name": "char %d" % t, "must": bits, "may": bits, "count": 1})
first = vocab.index(">")
(out / "automaton.json").write_text(json.dumps({
    "assay-automaton": 1, "aps": names, "decoder": {"minP": "1/10", "temperature": "1", "order": "after"},
    "prompts": [[first]], "maxNew": 12, "runs": 1, "seed": "1", "states": states,
    "initial": [[t, 1] for t in range(v) if follows(first, t)],
    "edges": [[a, b, 1] for a in range(v) for b in range(v) if follows(a, b)]}))
run = [vocab.index(c) for c in "0001<"]
(out / "samples.jsonl").write_text(json.dumps({"prompt": 0, "tokens": run}) + "\n")
