"""The one-layer network of the page in intervals, at concrete contexts (docs/certificate-format.md, The network)."""
import math
from fractions import Fraction
from functools import lru_cache

from . import functions as fn
from . import interval as iv
from .files import Decimal, digest, read, safetensors, strict_json
from .lexis import NotRead, need


def number(config, key, default):
    """A number of config.json: its decimal or the nearest double (claims hold of both)."""
    value = config.get(key, default)
    need(type(value) in (int, Decimal), f"{key} is no number")
    exact, double = Fraction(str(value)), Fraction(float(str(value)))
    need(exact > 0, f"{key} is not above 0")
    return iv.between(min(exact, double), max(exact, double))


def whole(config, key, default=None):
    value = config.get(key, default)
    need(type(value) is int and 0 < value < 1 << 31, f"{key} is no whole number above 0")
    return value


SWITCHES = (
    "parallel_attn_mlp gated_mlp use_local_attn final_rms use_qk_norm post_embedding_ln use_normalization_before_and_after "
    "rotary_adjacent_pairs use_NTK_by_parts_rope use_yarn_rope shortformer_pos"
).split()


def refuse_unsupported(c):
    """A key that would change the function."""
    for key in SWITCHES:
        need(c.get(key) in (None, False), f"{key} is on")
    for key in ("attn_scores_soft_cap", "output_logits_soft_cap"):
        need(c.get(key) is None or Fraction(str(c[key])) <= 0, f"{key} is on")
    need(c.get("attention_dir") in (None, "causal") and c.get("num_experts") is None and c.get("experts_per_token") is None, "another attention, or experts")


class Network:
    def __init__(self, folder):
        config_bytes, weights = read(f"{folder}/config.json"), read(f"{folder}/model.safetensors")
        self.digests = [digest(config_bytes), digest(weights)]
        self.config = c = strict_json(config_bytes)
        self.tensors, _ = safetensors(weights)
        need(isinstance(c, dict), "config.json is no object")
        self._loaded = False

    def load(self):
        """Reads the tensors as those of a one-layer model; kinds that look at fewer (site) never ask for it."""
        if self._loaded:
            return self
        c = self.config
        refuse_unsupported(c)
        need(whole(c, "n_layers") == 1, "not one layer")
        self.d, self.d_head = whole(c, "d_model"), whole(c, "d_head")
        self.heads = whole(c, "n_heads", self.d // self.d_head)
        need(c.get("n_key_value_heads") in (None, self.heads), "grouped queries")
        self.vocab, self.n_ctx = whole(c, "d_vocab"), whole(c, "n_ctx")
        self.out = self.vocab if c.get("d_vocab_out") in (None, -1) else whole(c, "d_vocab_out")
        self.attn_only = c.get("attn_only", False)
        self.positions = c.get("positional_embedding_type") or ("relative_bias" if c.get("relative_bias") else "standard")
        self.window = c.get("attention_window")
        self.relative = c["relative_bias"] if c.get("relative_bias") is not None else self.positions == "relative_bias"
        self.norm = c.get("normalization_type", c.get("normalization", "LN"))
        need(self.positions in ("standard", "rotary", "relative_bias", "none"), "positions that the page does not have")
        need(self.norm in (None, "LN", "LNPre"), "a normalisation that the page does not have")
        need(type(self.attn_only) is bool and type(self.relative) is bool, "a switch that is none")
        need(self.window is None or (type(self.window) is int and 0 < self.window <= self.n_ctx), "no window")
        need(self.relative or self.positions != "relative_bias", "no relative bias where positions ask for one")
        stated = c.get("attn_scale") not in (None, -1)
        self.scale = iv.UNIT if c.get("use_attn_scale") is False else number(c, "attn_scale", None) if stated else iv.sqrt(iv.of(self.d_head))
        self.eps = number(c, "eps", Decimal("1e-5"))
        self.f = 0 if self.attn_only else whole(c, "d_mlp", 4 * self.d)
        self.act = c.get("act_fn")
        need(self.attn_only or self.act in ("relu", "gelu", "gelu_new"), "an activation that the page does not have")
        d, h, k, f = self.d, self.heads, self.d_head, self.f
        shapes = {"embed.W_E": (self.vocab, d), "unembed.W_U": (d, self.out), "unembed.b_U": (self.out,)}
        for x in "QKV":
            shapes |= {f"blocks.0.attn.W_{x}": (h, d, k), f"blocks.0.attn.b_{x}": (h, k)}
        shapes |= {"blocks.0.attn.W_O": (h, k, d), "blocks.0.attn.b_O": (d,)}
        if not self.attn_only:
            shapes |= {"blocks.0.mlp.W_in": (d, f), "blocks.0.mlp.b_in": (f,), "blocks.0.mlp.W_out": (f, d), "blocks.0.mlp.b_out": (d,)}
        if self.positions == "standard":
            shapes["pos_embed.W_pos"] = (self.n_ctx, d)
        norms = ["blocks.0.ln1", "ln_final"] + ([] if self.attn_only else ["blocks.0.ln2"])
        if self.norm == "LN":
            shapes |= {f"{n}.{x}": (d,) for n in norms for x in "wb"}
        if self.relative:
            table = self.tensors.get("blocks.0.attn.rel_bias")
            need(table and len(table.shape) == 2 and table.shape[0] == h, "no relative bias")
            need(table.shape[1] >= (self.window or self.n_ctx), "a relative bias shorter than what it is read at")
            shapes["blocks.0.attn.rel_bias"] = table.shape
        biases = {n for n in shapes if n.rsplit(".", 1)[1].startswith("b_")}
        need(set(self.tensors) <= set(shapes) and set(shapes) - set(self.tensors) <= biases, "tensors that the family does not call for, or some are missing")
        need(all(self.tensors[n].shape == s and self.tensors[n].dtype == "F32" for n, s in shapes.items() if n in self.tensors), "a shape that is another")
        self.weights = {n: [iv.of(v) for v in t.exact()] for n, t in self.tensors.items()}
        for n in biases - set(self.tensors):  # absent: zero
            self.weights[n] = [iv.of(0)] * math.prod(shapes[n])
        if self.positions == "rotary":
            self.rotary = c.get("rotary_dim") or self.d_head
            base = number(c, "rotary_base", 10000)
            need(self.rotary % 2 == 0 and self.rotary <= self.d_head and base[0] > iv.ONE, "no rotation")
            log = fn.ln_interval(base)
            half = self.rotary // 2
            self.angles = [fn.exp(iv.mul(iv.neg(log), iv.of(Fraction(i, half)))) for i in range(half)]
        self._loaded = True
        return self

    # -- parts of the weights
    def row(self, name, i, width):
        return self.weights[name][i * width : (i + 1) * width]

    def column(self, name, j, rows, width):
        return [self.weights[name][i * width + j] for i in range(rows)]

    @lru_cache(maxsize=None)
    def in_column(self, j):
        return self.column("blocks.0.mlp.W_in", j, self.d, self.f)

    @lru_cache(maxsize=None)
    def unembed_column(self, t):
        return self.column("unembed.W_U", t, self.d, self.out)

    # -- LayerNorm
    def centred(self, y):
        mean = iv.div(iv.total(y), iv.of(len(y)))
        return [iv.sub(v, mean) for v in y]

    def layer_norm(self, name, y):
        if self.norm is None:
            return y
        p = self.centred(y)
        root = iv.sqrt(iv.add(iv.div(iv.total(iv.square(v) for v in p), iv.of(len(p))), self.eps))
        s = [iv.div(v, root) for v in p]
        if self.norm == "LNPre":
            return s
        w, b = self.weights[f"{name}.w"], self.weights[f"{name}.b"]
        return [iv.add(iv.mul(v, w[i]), b[i]) for i, v in enumerate(s)]

    # -- attention: position p, token t
    @lru_cache(maxsize=None)
    def embedded(self, p, t):
        x = self.row("embed.W_E", t, self.d)
        if self.positions == "standard":
            x = [iv.add(a, b) for a, b in zip(x, self.row("pos_embed.W_pos", p, self.d))]
        return x

    @lru_cache(maxsize=None)
    def projected(self, which, h, p, t):
        x = self.layer_norm("blocks.0.ln1", self.embedded(p, t))
        k, d = self.d_head, self.d
        w = self.weights[f"blocks.0.attn.W_{which}"]
        b = self.weights[f"blocks.0.attn.b_{which}"]
        return [iv.add(iv.dot(x, [w[(h * d + i) * k + a] for i in range(d)]), b[h * k + a]) for a in range(k)]

    def place(self, p):
        """Only absolute positions look at p."""
        return p if self.positions == "standard" else 0

    @lru_cache(maxsize=None)
    def turned(self, h, p, c, j):
        q = list(self.projected("Q", h, p, c))
        half = self.rotary // 2
        for i in range(half):
            cos, sin = fn.cos_sin(iv.scale(self.angles[i], j))
            a, b = q[i], q[i + half]
            q[i] = iv.sub(iv.mul(a, cos), iv.mul(b, sin))
            q[i + half] = iv.add(iv.mul(b, cos), iv.mul(a, sin))
        return q

    @lru_cache(maxsize=None)
    def score(self, h, p, c, j, u):
        """s_h(j,u) of the query c at position p (0 unless positions are absolute)."""
        key = self.projected("K", h, self.place(p - j), u)
        query = self.turned(h, p, c, j) if self.positions == "rotary" else self.projected("Q", h, p, c)
        s = iv.div(iv.dot(query, key), self.scale)
        if self.relative:
            s = iv.add(s, self.weights["blocks.0.attn.rel_bias"][h * self.tensors["blocks.0.attn.rel_bias"].shape[1] + j])
        return s

    @lru_cache(maxsize=None)
    def written(self, h, p, u):
        """v_h(u) W_O[h] of a key at position p."""
        v = self.projected("V", h, p, u)
        d, k = self.d, self.d_head
        w = self.weights["blocks.0.attn.W_O"]
        return [iv.dot(v, [w[(h * k + a) * d + i] for a in range(k)]) for i in range(d)]

    def view(self, tokens):
        return tuple(tokens if self.window is None else tokens[-self.window :])

    @lru_cache(maxsize=1 << 16)
    def mid(self, view, p):
        """m at the last token, which stands at position p (0 unless positions are absolute)."""
        c = view[-1]
        m = [iv.add(x, b) for x, b in zip(self.embedded(p, c), self.weights["blocks.0.attn.b_O"])]
        for h in range(self.heads):
            scores = [self.score(h, p, c, j, u) for j, u in enumerate(reversed(view))]
            top = max(s[1] for s in scores)
            w = [fn.exp(iv.sub(s, (top, top))) for s in scores]
            below = iv.total(w)
            need(below[0] > 0, "a sum of weights that is not shown to be above 0")
            values = [self.written(h, self.place(p - j), u) for j, u in enumerate(reversed(view))]
            for i in range(self.d):
                m[i] = iv.add(m[i], iv.div(iv.dot(w, [v[i] for v in values]), below))
        return m

    def context(self, tokens):
        """(view, position) that the values at the last token depend on."""
        n = len(tokens)
        need(n >= 1 and all(0 <= t < self.vocab for t in tokens), "a token that the model does not have")
        if self.positions == "standard" or self.window is None:
            need(n <= self.n_ctx, "a context longer than n_ctx")
        return self.view(tokens), self.place(n - 1)

    def activation(self, z):
        if self.act == "relu":
            return (max(z[0], 0), max(z[1], 0))
        if self.act == "gelu":
            phi = iv.add(iv.UNIT, fn.erf(iv.div(z, iv.sqrt(iv.of(2)))))
            return halved(iv.mul(z, phi))
        cube = iv.mul(iv.square(z), z)
        root = iv.sqrt(iv.div(iv.of(2), fn._ends(*fn.pi(fn.WIDE), fn.WIDE)))
        inner = iv.mul(root, iv.add(z, iv.mul(number({"c": Decimal("0.044715")}, "c", None), cube)))
        return halved(iv.mul(z, iv.add(iv.UNIT, fn.tanh(inner))))

    @lru_cache(maxsize=1 << 16)
    def layers(self, view, p):
        """The hooks by name, and the logits' residual stream."""
        m = self.mid(view, p)
        hooks = {"blocks.0.hook_resid_mid": m}
        if self.attn_only:
            hooks["blocks.0.hook_resid_post"] = m
            return hooks
        x = self.layer_norm("blocks.0.ln2", m)
        b = self.weights["blocks.0.mlp.b_in"]
        z = [iv.add(iv.dot(x, self.in_column(j)), b[j]) for j in range(self.f)]
        y = [self.activation(v) for v in z]
        w = self.weights["blocks.0.mlp.W_out"]
        o = [iv.add(iv.dot(y, [w[j * self.d + i] for j in range(self.f)]), self.weights["blocks.0.mlp.b_out"][i]) for i in range(self.d)]
        hooks |= {"blocks.0.mlp.hook_pre": z, "blocks.0.mlp.hook_post": y, "blocks.0.hook_mlp_out": o}
        hooks["blocks.0.hook_resid_post"] = [iv.add(a, c) for a, c in zip(m, o)]
        return hooks

    def hooks(self, tokens):
        return self.layers(*self.context(tokens))

    @lru_cache(maxsize=1 << 16)
    def logits_at(self, view, p):
        r = self.layer_norm("ln_final", self.layers(view, p)["blocks.0.hook_resid_post"])
        return [iv.add(iv.dot(r, self.unembed_column(t)), self.weights["unembed.b_U"][t]) for t in range(self.out)]

    def logits(self, tokens):
        return self.logits_at(*self.context(tokens))

    def plain(self):
        """What the first rules of `bounds` and the kinds `exact` and `refined` speak of."""
        self.load()
        if self.window is None or self.positions == "standard" or self.positions == "rotary" or self.norm or self.attn_only or self.act != "relu":
            return False
        return self.out == self.vocab


def halved(a):
    return (a[0] >> 1, -((-a[1]) >> 1))


class Dictionary:
    """A sparse autoencoder's encoder."""

    KINDS = ("standard", "transcoder", "jumprelu", "jumprelu_transcoder", "topk")

    def __init__(self, folder):
        cfg, weights = read(f"{folder}/cfg.json"), read(f"{folder}/sae_weights.safetensors")
        self.digests = [digest(cfg), digest(weights)]
        c = strict_json(cfg)
        self.tensors, _ = safetensors(weights)
        self.kind = c.get("architecture")
        need(self.kind in self.KINDS, "an encoder that the page does not have")
        if c.get("normalize_activations", "none") != "none":
            raise NotRead("an SAE that normalises what it reads")
        self.d, self.size = whole(c, "d_in"), whole(c, "d_sae")
        self.centre = c.get("apply_b_dec_to_input", not self.kind.endswith("transcoder"))
        self.hook = c.get("metadata", {}).get("hook_name", c.get("hook_name"))
        self.k = c.get("k")
        self.rescale = c.get("rescale_acts_by_decoder_norm", False)
        t = self.tensors
        need(t["W_enc"].shape == (self.d, self.size) and t["b_enc"].shape == (self.size,) and t["b_dec"].shape == (self.d,), "shapes of the SAE")
        self.threshold = t["threshold"].exact() if self.kind.startswith("jumprelu") else [Fraction(0)] * self.size
        self.encoder, self.bias, self.b_dec = t["W_enc"].exact(), t["b_enc"].exact(), t["b_dec"].exact()

    def column(self, i):
        need(0 <= i < self.size, "no such feature")
        return [self.encoder[a * self.size + i] for a in range(self.d)]

    def constant(self, i):
        """β_i."""
        return self.bias[i] - (sum(a * b for a, b in zip(self.b_dec, self.column(i))) if self.centre else 0)

    def before(self, i, hooks):
        """The pre-activation."""
        need(self.hook in hooks, "a hook that the page does not have")
        return iv.add(iv.dot(hooks[self.hook], [iv.of(v) for v in self.column(i)]), iv.of(self.constant(i)))

    def thresholded(self, i, pre):
        """The value of the feature, 0 when off, from its pre-activation."""
        if self.kind == "topk":
            raise NotRead("the value of a topk feature")
        theta = iv.of(self.threshold[i])
        if iv.at_most(pre, theta):
            return iv.ZERO
        return pre if iv.below(theta, pre) else iv.hull([iv.ZERO, pre])
