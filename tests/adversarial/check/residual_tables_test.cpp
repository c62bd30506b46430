#include <algorithm>
#include <cstring>
#include <limits>
#include <numbers>
#include <utility>

#include "catch.hpp"
#include "check_case.hpp"
#include "check_residual.hpp"

using namespace check_test;

namespace {

std::string axes(std::size_t a, std::size_t b) {
  return "[" + std::to_string(a) + "," + std::to_string(b) + "]";
}

/// A residual without a model: rank 2, one-hot labels of three classes in a file of their own.
struct TableCase : Case {
  std::size_t n, d, r = 2, k = 3;
  std::vector<double> x, z, left, right, bias;
  std::vector<Vector> Y;
  int bits = 10;
  std::string type = "F64", hook_of_rows, hook = "blocks.1.hook_resid_post";
  std::string rank_said, more_config, counts;  ///< rank_said: another than r
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
  assay_check::Outcome outcome(const std::string& tau, const std::string& step) {
    std::string labels = labels_sha;
    if (labels.empty() && apart) {
      labels = digest(inputs.data[1]);
    }
    write_file(*inputs.request, "assay-request 1\nresidual r data " + digest(inputs.data[0]) +
                                    (labels.empty() ? "" : " labels " + labels) + " max-r2 " + tau +
                                    "\nend\n");
    lines = {"assay-cert 1", "kind erasure", "semantics DEPLOYED"};
    if (says_model) {
      lines.push_back("model " + std::string(64, '0') + " " + std::string(64, '0'));
    }
    lines.push_back("eraser " + digest(*inputs.eraser + "/eraser.json") + " " +
                    digest(*inputs.eraser + "/eraser.safetensors"));
    lines.push_back("statement " + digest(*inputs.request));
    lines.push_back(step);
    lines.push_back("end 1");
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

std::string billionths(double x) {
  return std::to_string(static_cast<long long>(x * 1e9)) + "/1000000000";
}

}  // namespace

TEST_CASE(
    "residual tables: accepted just above the largest R2 of any combination, rejected below") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    TableCase c(seed);
    const double r2 = c.best();
    INFO(r2);
    CHECK(c.accepts(billionths(r2 * 1.0005)));
    CHECK_FALSE(c.accepts(billionths(r2 * 0.999)));
    c.type = "F32";
    c.save();
    CHECK(c.accepts(billionths(r2 * 1.0005)));
    CHECK_FALSE(c.accepts(billionths(r2 * 0.999)));
  }
}

TEST_CASE("residual tables: a width beyond elimination is shown by dominance, and no tau below") {
  TableCase c(3, 700, 270);
  c.k = 1;
  c.z.resize(c.n);
  for (std::size_t row = 0; row < c.n; ++row) {
    c.z[row] = c.x[row * c.d] > 0.3 ? 1 : 0;
  }
  c.save();
  const double r2 = best_r2(c.Y, c.z);
  INFO(r2);
  REQUIRE(r2 > 0.3);
  CHECK(c.accepts(billionths(r2 * 1.001)));
  CHECK_FALSE(c.accepts(billionths(r2 * 0.9999)));
  for (std::size_t row = 0; row < c.n; ++row) {
    c.x[row * c.d + 7] =
        c.x[row * c.d + 9];  // an exact copy says nothing new; its double is refused
  }
  c.left[7 * 2] = c.left[9 * 2];
  c.left[7 * 2 + 1] = c.left[9 * 2 + 1];
  c.save();
  CHECK(c.accepts("9/10"));
  for (std::size_t row = 0; row < c.n; ++row) {
    c.x[row * c.d + 9] = std::ldexp(std::nearbyint(c.x[row * c.d + 9] * 64), -6);
    c.x[row * c.d + 7] = 2 * c.x[row * c.d + 9];
  }
  std::fill(c.left.begin(), c.left.end(), 0.0);
  c.save();
  CHECK_FALSE(c.accepts("9/10"));
}

TEST_CASE("residual tables: labels are the file's own, each 0 or 1, and independent") {
  TableCase c;
  REQUIRE(c.accepts());
  const TableCase clean;
  for (const double odd : {2.0, 0.5, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    c.z[4] = odd;
    CHECK(c.refused());
  }
  c.z = clean.z;
  REQUIRE_FALSE(c.refused());
  for (std::size_t row = 0; row < c.n; ++row) {
    c.z[row * 3] = c.z[row * 3 + 1];  // two equal columns, not one-hot
  }
  CHECK(c.refused());
  for (std::size_t row = 0; row < c.n; ++row) {
    c.z[row * 3] = 0;  // a class without rows
  }
  CHECK(c.refused());
  c.z = clean.z;
  c.apart = false;  // labels beside the rows
  REQUIRE_FALSE(c.refused());
  c.labels_sha = digest(c.inputs.data[0]);  // named as labels too: its x is not labels
  CHECK_FALSE(c.accepts());
  c.labels_sha.clear();
  c.apart = true;
  c.save();
  c.labels_sha = std::string(64, 'a');
  CHECK_FALSE(c.accepts());
  c.labels_sha = digest(c.inputs.data[0]);
  CHECK_FALSE(c.accepts());
}

TEST_CASE("residual tables: rows that are not finite, of another width or hook are refused") {
  TableCase c;
  REQUIRE(c.accepts());
  for (const std::string type : {"F64", "F32", "BF16"}) {
    c.type = type;
    REQUIRE_FALSE(c.refused());
    for (const double odd : {std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity(), 1e30}) {
      const double before = std::exchange(c.x[5], odd);
      CHECK(c.refused());
      c.x[5] = before;
    }
  }
  c.type = "F64";
  c.with_document = true;
  REQUIRE_FALSE(c.refused());
  c.hook_of_rows = c.hook;
  REQUIRE_FALSE(c.refused());
  c.hook_of_rows = "blocks.0.hook_resid_post";
  CHECK(c.refused());
  c.hook_of_rows.clear();
  REQUIRE_FALSE(c.refused());
  TableCase narrow(1, 90, 3);
  REQUIRE(narrow.accepts());
  c.inputs.eraser = narrow.inputs.eraser;
  CHECK_FALSE(c.accepts());
}

TEST_CASE("residual tables: counts, rank and origin are the given ones") {
  TableCase c;
  REQUIRE(c.accepts());
  const std::string ones = c.ones();
  CHECK(c.accepts("1/2", "r RESIDUAL : 90 " + ones + "2/4"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 91 " + ones + "1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 90 1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 90 30 1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 90 " + ones + "0 1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 90 1 " + ones.substr(ones.find(' ') + 1) + "1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 90 " + ones + "1/3"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL q : 90 " + ones + "1/2"));
  for (const char* rank : {"0", "1", "3", "5", "65", "-2", "2.0"}) {
    c.rank_said = rank;
    CHECK(c.refused());
  }
  c.rank_said.clear();
  REQUIRE_FALSE(c.refused());
  c.says_model = true;  // of a model that --model does not give
  CHECK_FALSE(c.accepts());
  c.says_model = false;
  c.more_config = ",\"modelWeights\":\"" + std::string(64, '0') + "\"";
  CHECK(c.refused());
  c.more_config.clear();
  c.bits = 25;
  CHECK(c.refused());
}

TEST_CASE("residual tables: rows of the fit are called so") {
  TableCase c;
  const std::string step = "r RESIDUAL : 90 " + c.ones() + "1/2";
  const auto words = [&] {
    const assay_check::Outcome done = c.outcome("1/2", step);
    REQUIRE(done.accepted);
    return done.lines.front();
  };
  CHECK(words().find("rows of the fit") == std::string::npos);
  c.more_config =
      ",\"fitActivations\":[\"" + std::string(64, '0') + "\",\"" + digest(c.inputs.data[0]) + "\"]";
  c.save();
  CHECK(words().find("rows of the fit") != std::string::npos);
}
