#pragma once
// Tiny random one-layer transformers of every family, evaluated in plain double as a forward pass is
// (queries and keys turned by their own positions), with brute force over a domain. Nothing rigorous.

#include "check_model.hpp"

namespace check_test {

struct Family {
  std::string positions = "relative_bias", act = "relu", norm;  ///< norm: "", LN, LNPre
  bool bias = true, attn_only = false;
  std::size_t window = 3;  ///< 0: null
  unsigned seed = 1;
};

struct FamilyModel {
  Family family;
  std::size_t V = 4, d = 4, H = 2, e = 4, f = 5, ctx = 5, rotary = 2;
  std::map<std::string, std::vector<float>> weights;
  std::map<std::string, std::string> shapes;

  explicit FamilyModel(const Family& family_) : family(family_) {
    std::mt19937_64 random(family.seed);
    const auto make = [&](const std::string& name, const std::vector<std::size_t>& shape,
                          double size, double shift = 0) {
      std::size_t count = 1;
      std::string text;
      for (const std::size_t n : shape) {
        count *= n;
        text += (text.empty() ? "[" : ",") + std::to_string(n);
      }
      shapes[name] = text + "]";
      for (std::size_t i = 0; i < count; ++i) {
        const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
        weights[name].push_back(static_cast<float>((2 * unit - 1) * size + shift));
      }
    };
    f = family.attn_only ? 0 : f;
    const std::string a = "blocks.0.attn.", m = "blocks.0.mlp.";
    make("embed.W_E", {V, d}, 1);
    if (family.positions == "standard") {
      make("pos_embed.W_pos", {ctx, d}, 0.5);
    }
    for (const char* name : {"Q", "K", "V"}) {
      make(a + "W_" + name, {H, d, e}, 1);
      make(a + "b_" + name, {H, e}, 0.3);
    }
    make(a + "W_O", {H, e, d}, 0.7);
    make(a + "b_O", {d}, 0.3);
    if (family.bias) {
      make(a + "rel_bias", {H, span()}, 1);
    }
    if (!family.attn_only) {
      make(m + "W_in", {d, f}, 1);
      make(m + "b_in", {f}, 0.3);
      make(m + "W_out", {f, d}, 0.8);
      make(m + "b_out", {d}, 0.3);
    }
    make("unembed.W_U", {d, V}, 1);
    make("unembed.b_U", {V}, 0.3);
    if (family.norm == "LN") {
      for (const char* name : {"blocks.0.ln1", "blocks.0.ln2", "ln_final"}) {
        if (!family.attn_only || std::string(name) != "blocks.0.ln2") {
          make(std::string(name) + ".w", {d}, 0.3, 1);
          make(std::string(name) + ".b", {d}, 0.3);
        }
      }
    }
  }

  [[nodiscard]] std::size_t span() const { return family.window == 0 ? ctx : family.window; }
  [[nodiscard]] bool standard() const { return family.positions == "standard"; }
  [[nodiscard]] double at(const std::string& name, std::size_t i) const {
    return static_cast<double>(weights.at(name)[i]);
  }
  [[nodiscard]] std::string config() const {
    const auto text = [](const std::string& s) { return s.empty() ? "null" : "\"" + s + "\""; };
    return "{\"n_layers\":1,\"d_model\":4,\"n_ctx\":5,\"d_head\":4,\"n_heads\":2,\"d_mlp\":5,"
           "\"d_vocab\":4,\"d_vocab_out\":4,\"act_fn\":" +
           text(family.act) + ",\"normalization_type\":" + text(family.norm) +
           ",\"attn_only\":" + (family.attn_only ? "true" : "false") +
           ",\"positional_embedding_type\":" + text(family.positions) + ",\"attention_window\":" +
           (family.window == 0 ? "null" : std::to_string(family.window)) +
           ",\"relative_bias\":" + (family.bias ? "true" : "false") +
           ",\"eps\":1e-2,\"rotary_dim\":2,\"rotary_base\":10,\"attn_scale\":1.7,\"bos\":null}\n";
  }
  void save(const std::filesystem::path& dir) const {
    write_file(dir / "config.json", config());
    TensorFile file;
    for (const auto& [name, data] : weights) {
      file.add(name, "F32", shapes.at(name), data);
    }
    write_file(dir / "model.safetensors", file.bytes());
  }

  /// P y, and s = 1/sqrt(|P y|²/d + eps)
  static Vector centre(Vector y, double* s = nullptr) {
    double mean = 0, square = 0;
    for (const double x : y) {
      mean += x / static_cast<double>(y.size());
    }
    for (double& x : y) {
      x -= mean;
      square += x * x;
    }
    if (s != nullptr) {
      *s = 1 / std::sqrt(square / static_cast<double>(y.size()) + 1e-2);
    }
    return y;
  }
  /// w or b of a norm; ones and zeros where the family has none
  [[nodiscard]] double affine_part(const std::string& name, std::size_t i) const {
    return family.norm == "LN" ? at(name, i) : name.back() == 'w' ? 1 : 0;
  }
  [[nodiscard]] Vector normalise(const Vector& y, const std::string& name) const {
    double s = 0;
    Vector out = family.norm.empty() ? y : centre(y, &s);
    for (std::size_t i = 0; i < d && !family.norm.empty(); ++i) {
      out[i] = out[i] * s * affine_part(name + ".w", i) + affine_part(name + ".b", i);
    }
    return out;
  }
  [[nodiscard]] Vector input(std::size_t t, std::size_t p) const {
    Vector x(d);
    for (std::size_t i = 0; i < d; ++i) {
      x[i] = at("embed.W_E", t * d + i) + (standard() ? at("pos_embed.W_pos", p * d + i) : 0);
    }
    return x;
  }
  [[nodiscard]] Vector project(const std::string& kind, std::size_t h, std::size_t t,
                               std::size_t p) const {
    const Vector x = normalise(input(t, p), "blocks.0.ln1");
    const std::string a = "blocks.0.attn.";
    Vector out(e);
    for (std::size_t i = 0; i < e; ++i) {
      out[i] = at(a + "b_" + kind, h * e + i);
      for (std::size_t r = 0; r < d; ++r) {
        out[i] += x[r] * at(a + "W_" + kind, (h * d + r) * e + i);
      }
    }
    if (family.positions == "rotary" && kind != "V") {
      const std::size_t half = rotary / 2;
      for (std::size_t i = 0; i < half; ++i) {
        const double angle = static_cast<double>(p) *
                             std::pow(10.0, -static_cast<double>(i) / static_cast<double>(half));
        const double x0 = out[i], x1 = out[i + half];
        out[i] = x0 * std::cos(angle) - x1 * std::sin(angle);
        out[i + half] = x1 * std::cos(angle) + x0 * std::sin(angle);
      }
    }
    return out;
  }
  /// e^{score}: query c at p, key u at p - j
  [[nodiscard]] double weight(std::size_t h, std::size_t c, std::size_t p, std::size_t j,
                              std::size_t u) const {
    const Vector q = project("Q", h, c, p), k = project("K", h, u, p - j);
    double s = 0;
    for (std::size_t i = 0; i < e; ++i) {
      s += q[i] * k[i];
    }
    return std::exp(s / 1.7 + (family.bias ? at("blocks.0.attn.rel_bias", h * span() + j) : 0));
  }
  [[nodiscard]] Vector value(std::size_t h, std::size_t u, std::size_t p) const {
    const Vector v = project("V", h, u, p);
    Vector out(d);
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t r = 0; r < e; ++r) {
        out[i] += v[r] * at("blocks.0.attn.W_O", (h * e + r) * d + i);
      }
    }
    return out;
  }
  [[nodiscard]] Vector residual(std::size_t c, std::size_t p) const {
    Vector x = input(c, p);
    for (std::size_t i = 0; i < d; ++i) {
      x[i] += at("blocks.0.attn.b_O", i);
    }
    return x;
  }
  [[nodiscard]] double activation(double z) const {
    if (family.act == "relu") {
      return std::max(z, 0.0);
    }
    return family.act == "gelu"
               ? z * 0.5 * std::erfc(-z / std::sqrt(2.0))
               : 0.5 * z * (1 + std::tanh(std::sqrt(2 / M_PI) * (z + 0.044715 * z * z * z)));
  }

  struct Values {
    Vector mid, pre, post, mlp_out, resid_post, logits;
  };
  [[nodiscard]] Vector affine(const Vector& x, const std::string& W, const std::string& b) const {
    const std::size_t width = weights.at(b).size();
    Vector out(width);
    for (std::size_t i = 0; i < width; ++i) {
      out[i] = at(b, i);
      for (std::size_t r = 0; r < x.size(); ++r) {
        out[i] += x[r] * at(W, r * width + i);
      }
    }
    return out;
  }
  [[nodiscard]] Values evaluate(const Tokens& context) const {
    const std::size_t p = context.size() - 1;
    Values at_;
    at_.mid = residual(context.back(), p);
    for (std::size_t h = 0; h < H; ++h) {
      Vector sum(d);
      double total = 0;
      for (std::size_t j = 0; j < std::min(span(), context.size()); ++j) {
        const double a = weight(h, context.back(), p, j, context[p - j]);
        const Vector v = value(h, context[p - j], p - j);
        total += a;
        for (std::size_t i = 0; i < d; ++i) {
          sum[i] += a * v[i];
        }
      }
      for (std::size_t i = 0; i < d; ++i) {
        at_.mid[i] += sum[i] / total;
      }
    }
    at_.resid_post = at_.mid;
    if (!family.attn_only) {
      at_.pre =
          affine(normalise(at_.mid, "blocks.0.ln2"), "blocks.0.mlp.W_in", "blocks.0.mlp.b_in");
      for (const double z : at_.pre) {
        at_.post.push_back(activation(z));
      }
      at_.mlp_out = affine(at_.post, "blocks.0.mlp.W_out", "blocks.0.mlp.b_out");
      for (std::size_t i = 0; i < d; ++i) {
        at_.resid_post[i] += at_.mlp_out[i];
      }
    }
    at_.logits = affine(normalise(at_.resid_post, "ln_final"), "unembed.W_U", "unembed.b_U");
    return at_;
  }
};

/// A domain line and, for each j, the tokens allowed j back.
struct TestDomain {
  std::size_t lo = 2, hi = 4;
  bool any = false;
  std::vector<Tokens> sets = {{0, 1, 2, 3}, {1, 3}};  ///< as written: the query's last
  Tokens rest = {0, 2, 3};

  static std::string text(const Tokens& set) {
    std::string out;
    for (std::size_t i = 0; i < set.size();) {
      std::size_t k = i;
      while (k + 1 < set.size() && set[k + 1] == set[k] + 1) {
        ++k;
      }
      out += (out.empty() ? "" : ",") + std::to_string(set[i]);
      out += k > i ? "-" + std::to_string(set[k]) : "";
      i = k + 1;
    }
    return out;
  }
  [[nodiscard]] std::string line(const std::string& id) const {
    std::string out = "domain " + id + " lengths " + std::to_string(lo) + " " +
                      (any ? "any" : std::to_string(hi)) + " sets " + std::to_string(sets.size());
    for (const Tokens& set : sets) {
      out += " " + text(set);
    }
    return out + " rest " + text(rest);
  }
  [[nodiscard]] const Tokens& back(std::size_t j) const {
    return j < sets.size() ? sets[sets.size() - 1 - j] : rest;
  }
  /// Every context of length lo … longest.
  void contexts(std::size_t longest, const std::function<void(const Tokens&)>& visit) const {
    std::vector<Tokens> level{{}};
    for (std::size_t n = 1; n <= longest; ++n) {
      std::vector<Tokens> next;
      for (const Tokens& context : level) {
        for (const std::size_t u : back(n - 1)) {
          Tokens longer{u};
          longer.insert(longer.end(), context.begin(), context.end());
          next.push_back(longer);
        }
      }
      level = std::move(next);
      for (const Tokens& context : level) {
        if (n >= lo) {
          visit(context);
        }
      }
    }
  }
};

}  // namespace check_test
