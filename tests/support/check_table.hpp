#pragma once
// An eraser and its rows without a model, for the tests of the rules of kind erasure.

#include <algorithm>
#include <cstring>
#include <numbers>

#include "check_case.hpp"
#include "check_residual.hpp"

namespace check_test {

inline std::string axes(std::size_t a, std::size_t b) {
  return "[" + std::to_string(a) + "," + std::to_string(b) + "]";
}

/// Keys of eraser.json: the rows it was fitted on.
inline std::string fitted_on(const std::string& sha) {
  return ",\"fitActivations\":[\"" + sha + "\"]";
}

/// A residual without a model: rank 2, one-hot labels of three classes in a file of their own.
struct TableCase : Case {
  std::size_t n, d, r = 2, k = 3;
  std::vector<double> x, z, left, right, bias;
  std::vector<Vector> Y;
  int bits = 10;
  std::string type = "F64", hook_of_rows, hook = "blocks.1.hook_resid_post";
  std::string rank_said, counts;  ///< rank_said: another than r
  std::string more_config = fitted_on(std::string(64, '0'));
  Vector document, symbol;  ///< of each row; empty: none in the file
  bool apart = true, with_document = false, says_model = false;
  std::string labels_sha;  ///< another than that of the file

  explicit TableCase(unsigned seed = 1, std::size_t rows = 90, std::size_t width = 4)
      : n(rows), d(width) {
    inputs.model.clear();
    inputs.eraser = (folder.path() / "eraser").string();
    inputs.request = (folder.path() / "case.request").string();
    std::mt19937_64 random(seed);
    const auto unit = [&random] { return static_cast<double>(random() >> 11) * 0x1p-52 - 1; };
    for (std::size_t row = 0; row < n; ++row) {
      const std::size_t label = random() % k;
      for (std::size_t c = 0; c < k; ++c) {
        z.push_back(c == label ? 1 : 0);
      }
      for (std::size_t i = 0; i < d; ++i) {
        const double shift = i < 2 ? 0.5 * static_cast<double>(label == i) : 0.0;
        x.push_back(static_cast<double>(static_cast<float>(unit() + shift)));
      }
    }
    for (std::size_t i = 0; i < d * r; ++i) {
      left.push_back(0.3 * unit());
      right.push_back(0.3 * unit());
    }
    for (std::size_t i = 0; i < d; ++i) {
      bias.push_back(0.1 * unit());
    }
    save();
  }
  void add_x(TensorFile& file) const {
    const std::string shape = axes(n, d);
    if (type == "F64") {
      file.add("x", "F64", shape, x);
    } else if (type == "F32") {
      file.add("x", "F32", shape, std::vector<float>(x.begin(), x.end()));
    } else {  // BF16: the upper half of a float32
      std::vector<std::uint16_t> upper;
      for (const double v : x) {
        const auto narrow = static_cast<float>(v);
        std::uint32_t word = 0;
        std::memcpy(&word, &narrow, 4);
        upper.push_back(static_cast<std::uint16_t>(word >> 16));
      }
      file.add("x", "BF16", shape, upper);
    }
  }
  void save() {
    TensorFile rows, labels;
    add_x(rows);
    if (!hook_of_rows.empty()) {
      rows.name_hook(hook_of_rows);
    }
    (apart ? labels : rows).add("z", "F64", k == 1 ? "[" + std::to_string(n) + "]" : axes(n, k), z);
    if (with_document) {
      rows.add("document", "F64", "[1]", Vector{0});
    }
    for (const auto& [name, values] :
         {std::pair("document", document), std::pair("symbol", symbol)}) {
      if (!values.empty()) {
        rows.add(name, "F64", "[" + std::to_string(n) + "]", values);
      }
    }
    inputs.data = {(folder.path() / "x.safetensors").string()};
    write_file(inputs.data[0], rows.bytes());
    if (apart) {
      inputs.data.push_back((folder.path() / "z.safetensors").string());
      write_file(inputs.data[1], labels.bytes());
    }
    TensorFile weights;
    weights.add("bias", "F64", "[" + std::to_string(d) + "]", bias);
    weights.add("proj_left", "F64", axes(d, r), left);
    weights.add("proj_right", "F64", axes(r, d), right);
    write_file(*inputs.eraser + "/eraser.safetensors", weights.bytes());
    write_file(*inputs.eraser + "/eraser.json",
               R"({"assay-eraser":1,"kind":"leace","hook":")" + hook + R"(","rank":)" +
                   (rank_said.empty() ? std::to_string(r) : rank_said) + R"(,"d":)" +
                   std::to_string(d) + R"(,"gridBits":)" + std::to_string(bits) + more_config +
                   "}");
    deploy();
  }
  void deploy() {
    Y.assign(n, Vector(d));
    for (std::size_t row = 0; row < n; ++row) {
      Vector c(r);
      for (std::size_t q = 0; q < r; ++q) {
        for (std::size_t j = 0; j < d; ++j) {
          c[q] += right[q * d + j] * (x[row * d + j] - bias[j]);
        }
      }
      for (std::size_t i = 0; i < d; ++i) {
        double moved = 0;
        for (std::size_t q = 0; q < r; ++q) {
          moved += left[i * r + q] * c[q];
        }
        Y[row][i] = std::nearbyint((x[row * d + i] - moved) * std::ldexp(1, bits));
      }
    }
  }
  [[nodiscard]] std::string ones() const {
    std::string all;
    for (std::size_t c = 0; c < k; ++c) {
      double sum = 0;
      for (std::size_t row = 0; row < n; ++row) {
        sum += z[row * k + c];
      }
      all += std::to_string(static_cast<long>(sum)) + " ";
    }
    return all;
  }
  /// The largest R² of a combination of the first two labels, half a degree apart.
  [[nodiscard]] double best() const {
    double largest = 0;
    for (int step = 0; step < 360; ++step) {
      const double angle = step * std::numbers::pi / 360;
      Vector mixed;
      for (std::size_t row = 0; row < n; ++row) {
        mixed.push_back(std::cos(angle) * z[row * k] + std::sin(angle) * z[row * k + 1]);
      }
      largest = std::max(largest, best_r2(Y, mixed));
    }
    return largest;
  }
  /// "data SHA[ labels SHA]"
  [[nodiscard]] std::string named() const {
    std::string labels = labels_sha;
    if (labels.empty() && apart) {
      labels = digest(inputs.data[1]);
    }
    return "data " + digest(inputs.data[0]) + (labels.empty() ? "" : " labels " + labels);
  }
  assay_check::Outcome outcome(const std::string& tau, const std::string& step) {
    return outcome(std::vector<std::string>{"residual r " + named() + " max-r2 " + tau},
                   std::vector<std::string>{step});
  }
  /// Claims of the request, steps of the certificate.
  assay_check::Outcome outcome(const std::vector<std::string>& claims,
                               const std::vector<std::string>& steps) {
    std::string request = "assay-request 1\n";
    for (const std::string& claim : claims) {
      request += claim + "\n";
    }
    write_file(*inputs.request, request + "end\n");
    lines = {"assay-cert 1", "kind erasure", "semantics DEPLOYED"};
    if (says_model) {
      lines.push_back("model " + std::string(64, '0') + " " + std::string(64, '0'));
    }
    lines.push_back("eraser " + digest(*inputs.eraser + "/eraser.json") + " " +
                    digest(*inputs.eraser + "/eraser.safetensors"));
    lines.push_back("statement " + digest(*inputs.request));
    lines.insert(lines.end(), steps.begin(), steps.end());
    lines.push_back("end " + std::to_string(steps.size()));
    return check();
  }
  bool accepts(const std::string& tau, const std::string& step) {
    return outcome(tau, step).accepted;
  }
  bool accepts(const std::string& tau = "1/2") {
    return accepts(tau, "r RESIDUAL : " + std::to_string(n) + " " + ones() + tau);
  }
  /// As it stands now, against the one that was accepted.
  bool refused() {
    save();
    return !accepts();
  }
};

}  // namespace check_test
