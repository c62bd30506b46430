"""The request file: claims, domains, directions, decoder (docs/certificate-format.md, Request file and Request lines)."""
from .lexis import NotRead, Words, ident, lines_of, need

QUANTITIES = {"neuron": 1, "feature": 1, "readout": 1, "residual-mid": 1, "logit": 1, "feature-difference": 2, "logit-difference": 2, "logit-margin": 1}


class Claim:
    def __init__(self, kind, **fields):
        self.kind = kind
        self.__dict__.update(fields)


class Domain:
    """lengths lo … hi (None: any), the last tokens in `sets`, the others in `rest`: words of sets, read when the vocabulary is known."""

    def __init__(self, words):
        self.lo, hi = words.nat(), words.take()
        self.hi = None if hi == "any" else int(hi) if hi.isdigit() else need(False, "no length")
        words.expect("sets")
        self.sets = [words.take() for _ in range(words.nat(1 << 20))]
        words.expect("rest")
        self.rest = words.take()
        need(1 <= len(self.sets) <= self.lo and (self.hi is None or self.lo <= self.hi), "lengths or sets")


class Request:
    def __init__(self, data):
        lines = lines_of(data, 16 << 20)
        need(lines[0] == "assay-request 1" and lines[-1] == "end" and "end" not in lines[:-1], "no request")
        self.claims, self.domains, self.directions, self.decoder = {}, {}, {}, None
        for line in lines[1:-1]:
            if line.startswith("#"):
                continue
            words = Words(line.split(" "))
            self.line(words.take(), words)
            words.end()
        need(self.claims, "no claim")

    def line(self, form, w):
        if form == "decoder":
            need(self.decoder is None, "two decoders")
            w.expect("min-p")
            rho = w.frac()
            w.expect("temperature")
            temperature = w.frac()
            w.expect("order")
            order = w.take()
            need(0 < rho <= 1 and temperature > 0 and order in ("before", "after"), "no decoder")
            self.decoder = (rho, temperature, order)
            return
        name = ident(w.take())
        if form == "domain":
            w.expect("lengths")
            need(name not in self.domains, "a domain stands twice")
            self.domains[name] = Domain(w)
            return
        if form == "direction":
            need(name not in self.directions, "a direction stands twice")
            self.directions[name] = w.hexes(w.nat())
            return
        reader = getattr(self, "claim_" + form.replace("-", "_"), None)
        if form in ("mmd", "mmd-leakage"):
            raise NotRead(f"line {form}")
        need(reader is not None, f"no line {form}")
        need(name not in self.claims, "a claim stands twice")
        self.claims[name] = Claim(form, **reader(w))

    @staticmethod
    def quantity(w):
        word = w.take()
        need(word in QUANTITIES, f"no quantity {word}")
        return (word, *[ident(w.take()) if word in ("readout", "residual-mid") else w.nat() for _ in range(QUANTITIES[word])])

    def domain(self, w):
        w.expect("domain")
        return ident(w.take())

    def claim_bound(self, w):
        out = {"quantity": self.quantity(w), "domain": self.domain(w)}
        w.expect("lo")
        out["lo"] = w.hex()
        w.expect("hi")
        out["hi"] = w.hex()
        need(out["lo"] <= out["hi"], "lo above hi")
        return out

    def claim_float32(self, w):
        out = {"quantity": self.quantity(w), "domain": self.domain(w)}
        w.expect("error")
        out["error"] = w.hex()
        out["ulps"] = (2, 2)
        if w:
            w.expect("ulps")
            out["ulps"] = (w.nat(4096), w.nat(4096))
        return out

    def claim_feature_on(self, w):
        return {"feature": w.nat(), "domain": self.domain(w)}

    def suffix(self, w):
        w.expect("suffix")
        out = []
        while w:
            out.append(w.nat())
        need(out, "a suffix without tokens")
        return out

    def claim_feature_off(self, w):
        feature = w.nat()
        if w.peek() == "suffix":
            return {"feature": feature, "suffix": self.suffix(w), "domain": None}
        return {"feature": feature, "domain": self.domain(w)}

    def claim_token_out(self, w):
        return {"token": w.nat(), "suffix": self.suffix(w)}

    def site(self, w):
        w.expect("site")
        return w.take()

    def claim_site_bound(self, w):
        out = {"quantity": self.quantity(w), "site": self.site(w)}
        w.expect("lo")
        out["lo"] = w.hex()
        w.expect("hi")
        out["hi"] = w.hex()
        need(out["lo"] <= out["hi"], "lo above hi")
        return out

    def claim_nullified(self, w):
        out = {"quantity": self.quantity(w), "site": self.site(w)}
        w.expect("width")
        return out | {"width": w.hex()}

    def claim_never_argmax(self, w):
        return {"token": w.nat()}

    def reach(self, w):
        out = {"label": ident(w.take()), "bound": w.frac(), "within": None}
        if w:
            w.expect("within")
            out["within"] = w.nat()
        return out

    claim_reach_at_most = claim_reach_at_least = reach

    def data(self, w):
        w.expect("data")
        out = {"data": w.take(), "labels": None}
        if w.peek() == "labels":
            w.take()
            out["labels"] = w.take()
        return out

    def claim_residual(self, w):
        out = self.data(w)
        w.expect("max-r2")
        return out | {"tau": w.frac()}

    def fields(self, w, **kinds):
        """WORD VALUE …, in this order."""
        out = {}
        for key, kind in kinds.items():
            w.expect(key.replace("_", "-"))
            out[key] = kind(w)
        return out

    def claim_advantage(self, w):
        out = self.data(w)
        return out | self.fields(w, loss=Words.take, form=Words.take, size=Words.frac, max_gain=Words.frac)

    def claim_covariance(self, w):
        out = self.data(w)
        return out | self.fields(w, of=Words.take, label=Words.nat, unit=Words.take, alpha=alpha, at_most=Words.frac)

    def claim_leakage(self, w):
        out = self.data(w)
        return out | self.fields(w, of=Words.take, label=Words.nat, unit=Words.take, alpha=alpha, at_least=Words.frac)

    def claim_interface(self, w):
        out = self.data(w)
        return out | self.fields(w, label=Words.nat, symbols=Words.nat, unit=Words.take, alpha=alpha, at_most=Words.frac)

    def claim_probe(self, w):
        out = self.data(w)
        return out | self.fields(w, probes=Words.take, index=Words.nat, label=Words.nat, unit=Words.take, alpha=alpha, at_least=Words.frac, at_most=Words.frac)

    def claim_ledger(self, w):
        return self.fields(w, total=Words.frac, spent=Words.frac)

    def claim_change(self, w):
        return self.data(w) | self.fields(w, at_most=Words.frac)

    def claim_operator(self, w):
        return self.fields(w, at_most=Words.frac)

    def claim_divergence(self, w):
        return self.data(w) | self.fields(w, unembedding=Words.take, kl=Words.frac, tv=Words.frac, kept=Words.nat)

    def claim_worst(self, w):
        return self.fields(w, readout=Words.take, region=Words.take, index=Words.nat, at_most=Words.frac)

    def claim_unread(self, w):
        return self.fields(w, hook=Words.take)

    def claim_site_range(self, w):
        return self.fields(w, at_most=Words.frac)

    def claim_never_fires(self, w):
        return self.fields(w, feature=Words.nat, range=Words.frac)

    def claim_never_fires_real(self, w):
        return self.fields(w, feature=Words.nat)


def alpha(w):
    a = w.frac()
    need(0 < a < 1, "an alpha outside (0, 1)")
    return a

