#pragma once
// Certificates of kind `site` for random norms of a five-layer model, written in plain double.

#include "check_case.hpp"

namespace check_test {

struct SiteCase : Case {
  static constexpr std::size_t d = 4, V = 6, layers = 5;
  std::string norm, site;  ///< LN, LNPre, RMS, RMSPre
  bool of_logits = true;
  Vector w, b;
  std::vector<float> W_U, b_U;
  TinySae sae;
  Vector readout;
  double bias = 0;
  std::map<std::string, std::string> config;  ///< keys over the usual ones
  TensorFile more;                            ///< unread tensors

  SiteCase(const std::string& norm_, const std::string& site_, unsigned seed)
      : norm(norm_), site(site_), of_logits(site_ == "ln_final") {
    std::mt19937_64 random(seed);
    const auto unit = [&](double size) {
      return static_cast<float>(size * (static_cast<double>(random() >> 11) * 0x1p-52 - 1));
    };
    for (std::size_t i = 0; i < d; ++i) {
      w.push_back(affine() ? static_cast<double>(1 + unit(0.7F)) : 1.0);
      b.push_back(affine() && centred() ? static_cast<double>(unit(0.5F)) : 0.0);
    }
    for (std::size_t i = 0; i < d * V; ++i) {
      W_U.push_back(unit(1));
    }
    for (std::size_t t = 0; t < V; ++t) {
      b_U.push_back(unit(0.3F));
    }
    for (std::size_t i = 0; i < d; ++i) {  // token 5 is the mean of 1, 2, 2 and 3, and lower
      W_U[i * V + 5] = (W_U[i * V + 1] + 2 * W_U[i * V + 2] + W_U[i * V + 3]) / 4;
      readout.push_back(static_cast<double>(unit(1)));
    }
    b_U[5] = (b_U[1] + 2 * b_U[2] + b_U[3]) / 4 - 0.5F;
    bias = static_cast<double>(unit(1));
    sae = make_sae(seed + 5, hook(), d);
    const auto& root = folder.path();
    inputs.model = (root / "model").string();
    inputs.sae = (root / "sae").string();
    inputs.request = (root / "case.request").string();
    inputs.readouts = {{"ro", (root / "ro.json").string()}};
    sae.save(*inputs.sae);
    write_readout();
    save();
  }

  [[nodiscard]] bool centred() const { return norm[0] == 'L'; }
  [[nodiscard]] bool affine() const { return norm == "LN" || norm == "RMS"; }
  [[nodiscard]] std::string hook() const {
    return norm == "RMS" ? site : site + ".hook_normalized";
  }
  void write_readout() const {
    std::string weights;
    for (const double x : readout) {
      weights += (weights.empty() ? "\"" : ",\"") + hex(x) + "\"";
    }
    write_file(inputs.readouts[0].second, "{\"assay-readout\":1,\"hook\":\"" + hook() +
                                              "\",\"weights\":[" + weights + "],\"bias\":\"" +
                                              hex(bias) + "\"}");
  }
  void save() const {
    TensorFile file = more;
    const auto floats = [](const Vector& x) { return std::vector<float>(x.begin(), x.end()); };
    const std::vector<float> unread = {NAN, 1};
    file.add("blocks.0.odd", "F32", "[2]", unread);
    if (affine()) {
      file.add(site + ".w", "F32", "[4]", floats(w));
      if (centred()) {
        file.add(site + ".b", "F32", "[4]", floats(b));
      }
    }
    if (of_logits) {
      file.add("unembed.W_U", "F32", "[4,6]", W_U);
      file.add("unembed.b_U", "F32", "[6]", b_U);
    }
    write_file(inputs.model + "/model.safetensors", file.bytes());
    std::map<std::string, std::string> all = {
        {"n_layers", "5"},      {"d_model", "4"},      {"d_vocab", "6"},
        {"act_fn", "\"silu\""}, {"gated_mlp", "true"}, {"normalization_type", "\"" + norm + "\""}};
    for (const auto& [key, value] : config) {
      all[key] = value;
    }
    std::string text;
    for (const auto& [key, value] : all) {
      if (value != "absent") {
        text += (text.empty() ? "{\"" : ",\"") + key + "\":" + value;
      }
    }
    write_file(inputs.model + "/config.json", text + "}\n");
  }

  /// g and c of a QUANTITY.
  void reading(const std::string& words, Vector& g, double& c) const {
    g.assign(d, 0);
    c = 0;
    const auto add = [&](std::size_t t, double sign) {
      for (std::size_t i = 0; i < d; ++i) {
        g[i] += sign * static_cast<double>(W_U[i * V + t]);
      }
      c += sign * static_cast<double>(b_U[t]);
    };
    if (words == "logit 2") {
      add(2, 1);
    } else if (words == "logit-difference 2 4") {
      add(2, 1);
      add(4, -1);
    } else if (words == "feature 1") {
      g = sae.direction(1);
      c = static_cast<double>(sae.b_enc[1]);
    } else {
      g = readout;
      c = bias;
    }
  }
  /// center and radius of SITE-SPHERE.
  [[nodiscard]] std::pair<double, double> sphere(const Vector& g, double c) const {
    double mean = 0, square = 0, center = c;
    for (std::size_t i = 0; i < d; ++i) {
      mean += centred() ? w[i] * g[i] / d : 0;
      center += b[i] * g[i];
    }
    for (std::size_t i = 0; i < d; ++i) {
      square += (w[i] * g[i] - mean) * (w[i] * g[i] - mean);
    }
    return {center, std::sqrt(d * square)};
  }
  /// x of the norm's input y.
  [[nodiscard]] Vector output(Vector y) const {
    double mean = 0, square = 0;
    for (const double v : y) {
      mean += centred() ? v / d : 0;
    }
    for (double& v : y) {
      v -= mean;
      square += v * v / d;
    }
    for (std::size_t i = 0; i < d; ++i) {
      y[i] = y[i] / std::sqrt(square + 1e-5) * w[i] + b[i];
    }
    return y;
  }

  /// One claim a line of `claims`, and these steps.
  void write(const std::string& claims, const std::vector<std::string>& steps) {
    write_file(*inputs.request, "assay-request 1\n" + claims + "\nend\n");
    lines = header(*this, "site", "REAL");
    lines.push_back("readout ro " + digest(inputs.readouts[0].second));
    lines.push_back("statement " + digest(*inputs.request));
    lines.insert(lines.end(), steps.begin(), steps.end());
    lines.push_back("end " + std::to_string(steps.size()));
  }
  [[nodiscard]] std::string bound_line(const std::string& words, double lo, double hi) const {
    return "site-bound q " + words + " site " + site + " lo " + hex(lo) + " hi " + hex(hi);
  }
  bool accepts_bound(const std::string& words, double lo, double hi) {
    write(bound_line(words, lo, hi), {"q SITE-SPHERE :"});
    return check().accepted;
  }
  bool accepts_width(const std::string& words, double width) {
    write("nullified q " + words + " site " + site + " width " + hex(width), {"q NULLIFIED :"});
    return check().accepted;
  }
};

inline const char* const kMixture = "never NEVER-ARGMAX : M 3 1 0x1p-2 2 0x1p-1 3 0x1p-2";

}  // namespace check_test
