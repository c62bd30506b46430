#pragma once
// A tiny random transformer, evaluated in plain double, with brute force over all contexts:
// the second opinion that the tests of assay-check compare with. Nothing here is rigorous.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace check_test {

using Tokens = std::vector<std::size_t>;
using Vector = std::vector<double>;

inline std::string hex(double x) {
  char text[64];
  std::snprintf(text, sizeof text, "%a", x);
  return text;
}

/// A new file each time: ext4 flushes a file that is cut to nothing and written again.
inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A safetensors file under construction: tensors lie in the order they are added.
class TensorFile {
 public:
  template <typename T>
  void add(const std::string& name, const char* dtype, const std::string& shape,
           const std::vector<T>& data) {
    const std::size_t begin = buffer_.size();
    buffer_.append(reinterpret_cast<const char*>(data.data()), data.size() * sizeof(T));
    header_ += header_.empty() ? "{" : ",";
    header_ += "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
               ",\"data_offsets\":[" + std::to_string(begin) + "," +
               std::to_string(buffer_.size()) + "]}";
  }
  void name_hook(const std::string& hook) {
    header_ += (header_.empty() ? "{" : ",") + ("\"__metadata__\":{\"hook\":\"" + hook + "\"}");
  }
  [[nodiscard]] std::string bytes() const {
    const std::string header = header_ + "}";
    const std::uint64_t size = header.size();
    std::string out(8, '\0');
    std::memcpy(out.data(), &size, 8);
    return out + header + buffer_;
  }

 private:
  std::string header_, buffer_;
};

struct TinyModel {
  std::size_t V = 5, d = 4, H = 2, e = 3, w = 4, f = 6;
  std::map<std::string, std::vector<float>> weights;
  std::map<std::string, std::string> shapes;

  explicit TinyModel(unsigned seed) {
    std::mt19937_64 random(seed);
    const auto make = [&](const std::string& name, const std::vector<std::size_t>& shape,
                          double size) {
      std::size_t count = 1;
      std::string text;
      for (const std::size_t n : shape) {
        count *= n;
        text += (text.empty() ? "[" : ",") + std::to_string(n);
      }
      shapes[name] = text + "]";
      for (std::size_t i = 0; i < count; ++i) {
        const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
        weights[name].push_back(static_cast<float>((2 * unit - 1) * size));
      }
    };
    const std::string a = "blocks.0.attn.", m = "blocks.0.mlp.";
    make("embed.W_E", {V, d}, 1);
    for (const char* name : {"Q", "K", "V"}) {
      make(a + "W_" + name, {H, d, e}, 1);
      make(a + "b_" + name, {H, e}, 0.3);
    }
    make(a + "W_O", {H, e, d}, 1);
    make(a + "b_O", {d}, 0.3);
    make(a + "rel_bias", {H, w}, 1);
    make(m + "W_in", {d, f}, 1);
    make(m + "b_in", {f}, 0.3);
    make(m + "W_out", {f, d}, 0.5);
    make(m + "b_out", {d}, 0.3);
    make("unembed.W_U", {d, V}, 0.5);
    make("unembed.b_U", {V}, 0.3);
  }

  [[nodiscard]] double at(const std::string& name, std::size_t i) const {
    return static_cast<double>(weights.at(name)[i]);
  }
  void save(const std::filesystem::path& dir) const {
    write_file(dir / "config.json",
               "{\"n_layers\":1,\"d_model\":4,\"n_ctx\":16,\"d_head\":3,\"n_heads\":2,\"d_mlp\":6,"
               "\"d_vocab\":5,\"d_vocab_out\":5,\"act_fn\":\"relu\",\"normalization_type\":null,"
               "\"attn_only\":false,\"positional_embedding_type\":\"relative_bias\","
               "\"attention_window\":4,\"relative_bias\":true,\"eps\":1e-5,\"bos\":null}\n");
    TensorFile file;
    for (const auto& [name, data] : weights) {
      file.add(name, "F32", shapes.at(name), data);
    }
    write_file(dir / "model.safetensors", file.bytes());
  }

  [[nodiscard]] Vector project(const std::string& kind, std::size_t h, std::size_t u) const {
    const std::string a = "blocks.0.attn.";
    Vector out(e);
    for (std::size_t i = 0; i < e; ++i) {
      out[i] = at(a + "b_" + kind, h * e + i);
      for (std::size_t r = 0; r < d; ++r) {
        out[i] += at("embed.W_E", u * d + r) * at(a + "W_" + kind, (h * d + r) * e + i);
      }
    }
    return out;
  }
  [[nodiscard]] double weight(std::size_t h, std::size_t c, std::size_t j, std::size_t u) const {
    const Vector q = project("Q", h, c), k = project("K", h, u);
    double s = 0;
    for (std::size_t i = 0; i < e; ++i) {
      s += q[i] * k[i];
    }
    return std::exp(s / std::sqrt(3.0) + at("blocks.0.attn.rel_bias", h * w + j));
  }
  [[nodiscard]] Vector value(std::size_t h, std::size_t u) const {
    const Vector v = project("V", h, u);
    Vector out(d);
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t r = 0; r < e; ++r) {
        out[i] += v[r] * at("blocks.0.attn.W_O", (h * e + r) * d + i);
      }
    }
    return out;
  }
  [[nodiscard]] Vector residual(std::size_t c) const {
    Vector x(d);
    for (std::size_t i = 0; i < d; ++i) {
      x[i] = at("embed.W_E", c * d + i) + at("blocks.0.attn.b_O", i);
    }
    return x;
  }
  [[nodiscard]] Vector mid(const Tokens& context) const {
    Vector m = residual(context.back());
    for (std::size_t h = 0; h < H; ++h) {
      Vector sum(d);
      double total = 0;
      for (std::size_t j = 0; j < std::min(w, context.size()); ++j) {
        const std::size_t u = context[context.size() - 1 - j];
        const double a = weight(h, context.back(), j, u);
        const Vector v = value(h, u);
        total += a;
        for (std::size_t i = 0; i < d; ++i) {
          sum[i] += a * v[i];
        }
      }
      for (std::size_t i = 0; i < d; ++i) {
        m[i] += sum[i] / total;
      }
    }
    return m;
  }
  /// x W + b with W [n, width]
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
  [[nodiscard]] Vector pre(const Vector& m) const {
    return affine(m, "blocks.0.mlp.W_in", "blocks.0.mlp.b_in");
  }
  [[nodiscard]] Vector post(const Vector& m) const {
    Vector z = pre(m);
    for (double& x : z) {
      x = std::max(x, 0.0);
    }
    return z;
  }
  [[nodiscard]] Vector logits(const Tokens& context) const {
    Vector r = mid(context);
    const Vector y = affine(post(r), "blocks.0.mlp.W_out", "blocks.0.mlp.b_out");
    for (std::size_t i = 0; i < d; ++i) {
      r[i] += y[i];
    }
    return affine(r, "unembed.W_U", "unembed.b_U");
  }

  /// Calls `visit` for every context of length k … w that ends in the suffix (longer ones see
  /// the last w tokens only).
  void contexts(const Tokens& suffix, const std::function<void(const Tokens&)>& visit) const {
    std::vector<Tokens> level{suffix};
    for (std::size_t n = suffix.size(); n <= w; ++n) {
      std::vector<Tokens> next;
      for (const Tokens& context : level) {
        visit(context);
        for (std::size_t u = 0; u < V; ++u) {
          Tokens longer{u};
          longer.insert(longer.end(), context.begin(), context.end());
          next.push_back(longer);
        }
      }
      level = std::move(next);
    }
  }
  [[nodiscard]] double brute_force(const Tokens& suffix,
                                   const std::function<double(const Tokens&)>& value_of) const {
    double best = -HUGE_VAL;
    contexts(suffix, [&](const Tokens& c) { best = std::max(best, value_of(c)); });
    return best;
  }

  /// Dinkelbach's iteration: the exact maximum of <g, head h's output>, up to rounding.
  [[nodiscard]] double attention_max(std::size_t h, const Vector& g, const Tokens& suffix) const {
    Vector nu(V);
    for (std::size_t u = 0; u < V; ++u) {
      const Vector v = value(h, u);
      for (std::size_t i = 0; i < d; ++i) {
        nu[u] += g[i] * v[i];
      }
    }
    double best = -HUGE_VAL;
    for (std::size_t N = suffix.size(); N <= w; ++N) {
      double L = -1e6;
      for (int round = 0; round < 60; ++round) {
        double top = 0, bottom = 0;
        for (std::size_t j = 0; j < N; ++j) {
          std::size_t choice = 0;
          if (j < suffix.size()) {
            choice = suffix[suffix.size() - 1 - j];
          } else {
            for (std::size_t u = 1; u < V; ++u) {
              const auto gain = [&](std::size_t t) {
                return weight(h, suffix.back(), j, t) * (nu[t] - L);
              };
              choice = gain(u) > gain(choice) ? u : choice;
            }
          }
          const double a = weight(h, suffix.back(), j, choice);
          top += a * nu[choice];
          bottom += a;
        }
        if (!(top / bottom > L)) {
          break;
        }
        L = top / bottom;
      }
      best = std::max(best, L);
    }
    return best;
  }
};

}  // namespace check_test
