#include "catch.hpp"
#include "check_case.hpp"
#include "check_residual.hpp"

using namespace check_test;

namespace {

constexpr std::size_t kRows = 60, kWidth = 3;
constexpr int kBits = 10;

struct ErasureCase : Case {
  std::vector<float> x;
  std::vector<std::int64_t> z;
  std::vector<Vector> Y;
  std::string n1;
  Vector left{0.5, -0.25, 1}, right{0.3, 0.7, -0.2}, bias{0.1, 0, -0.4};

  explicit ErasureCase(unsigned seed = 1, double signal = 0.4) {
    const auto& root = folder.path();
    inputs.model = (root / "model").string();
    inputs.eraser = (root / "eraser").string();
    inputs.request = (root / "case.request").string();
    inputs.data = {(root / "other").string(), (root / "data.safetensors").string()};
    write_file(inputs.data[0], "other");
    TinyModel(seed).save(inputs.model);
    std::mt19937_64 random(seed);
    std::size_t ones = 0;
    for (std::size_t r = 0; r < kRows; ++r) {
      z.push_back(static_cast<std::int64_t>(random() % 3 == 0));
      ones += static_cast<std::size_t>(z.back());
      for (std::size_t i = 0; i < kWidth; ++i) {
        x.push_back(static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-52 - 1 +
                                       signal * static_cast<double>(z.back())));
      }
    }
    n1 = std::to_string(ones);
    save();
  }
  void save(bool data_tensor = false, bool eraser_tensor = false) {
    TensorFile data;
    data.add("x", "F32", "[60,3]", x);
    data.add("z", "I64", "[60]", z);
    if (data_tensor) {
      data.add("z2", "I64", "[60]", z);
    }
    write_file(inputs.data[1], data.bytes());
    TensorFile weights;
    weights.add("bias", "F64", "[3]", bias);
    weights.add("proj_left", "F64", "[3,1]", left);
    weights.add("proj_right", "F64", "[1,3]", right);
    if (eraser_tensor) {
      weights.add("proj_right2", "F64", "[1,3]", right);
    }
    write_file(*inputs.eraser + "/eraser.safetensors", weights.bytes());
    write_file(
        *inputs.eraser + "/eraser.json",
        "{\"assay-eraser\":1,\"kind\":\"leace\",\"hook\":\"blocks.0.hook_resid_mid\",\"rank\":1,"
        "\"d\":3,\"gridBits\":" +
            std::to_string(kBits) + ",\"modelWeights\":\"" +
            digest(inputs.model + "/model.safetensors") + "\",\"note\":0.5}");
    Y.clear();
    for (std::size_t r = 0; r < kRows; ++r) {
      double c = 0;
      for (std::size_t i = 0; i < kWidth; ++i) {
        c += right[i] * (static_cast<double>(x[r * kWidth + i]) - bias[i]);
      }
      Y.emplace_back();
      for (std::size_t i = 0; i < kWidth; ++i) {
        const double v = static_cast<double>(x[r * kWidth + i]) - left[i] * c;
        Y.back().push_back(std::nearbyint(v * std::ldexp(1, kBits)));
      }
    }
  }
  bool accepts(const std::string& tau, const std::string& step) {
    write_file(*inputs.request, "assay-request 1\nresidual r data " + digest(inputs.data[1]) +
                                    " max-r2 " + tau + "\nend\n");
    lines = header(*this, "erasure", "DEPLOYED");
    lines.push_back("eraser " + digest(*inputs.eraser + "/eraser.json") + " " +
                    digest(*inputs.eraser + "/eraser.safetensors"));
    lines.push_back("statement " + digest(*inputs.request));
    lines.push_back(step);
    lines.push_back("end 1");
    return check().accepted;
  }
  bool accepts(const std::string& tau) { return accepts(tau, "r RESIDUAL : 60 " + n1 + " " + tau); }
};

std::string billionths(double x) {
  return std::to_string(static_cast<long long>(x * 1e9)) + "/1000000000";
}

}  // namespace

TEST_CASE("residual: accepted just above the largest R2, rejected just below") {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    ErasureCase c(seed, seed % 2 == 0 ? 0.0 : 0.5);
    const double r2 = best_r2(c.Y, Vector(c.z.begin(), c.z.end()));
    INFO(r2);
    CHECK(c.accepts(billionths(r2 * 1.00001)));
    CHECK_FALSE(c.accepts(billionths(r2 * 0.99999)));
    CHECK_FALSE(c.accepts("0"));
    CHECK_FALSE(c.accepts("-1/2"));
  }
}

TEST_CASE("residual: a tensor that nothing reads is refused") {
  ErasureCase c;
  REQUIRE(c.accepts("1/2"));
  c.save(true, false);
  CHECK_FALSE(c.accepts("1/2"));
  c.save(false, true);
  CHECK_FALSE(c.accepts("1/2"));
  c.save();
  CHECK(c.accepts("1/2"));
}

TEST_CASE("residual: counts, tau, labels, data and eraser are the given ones") {
  ErasureCase c;
  REQUIRE(c.accepts("1/2"));
  const std::string step = "r RESIDUAL : 60 " + c.n1 + " ";
  CHECK(c.accepts("1/2", step + "2/4"));
  CHECK_FALSE(c.accepts("1/2", step + "1/3"));
  CHECK_FALSE(c.accepts("1/2", step + "1"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 60 1 1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 59 " + c.n1 + " 1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 0 0 1/2"));
  CHECK_FALSE(c.accepts("1/2", "q RESIDUAL : 60 " + c.n1 + " 1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL x : 60 " + c.n1 + " 1/2"));
  c.x[5] = std::nanf("");
  c.save();
  CHECK_FALSE(c.accepts("1/2"));
  c.x[5] = 1e9F;  // beyond the grid
  c.save();
  CHECK_FALSE(c.accepts("1/2"));
  c.x[5] = 0;
  c.z[0] = 2;
  c.save();
  CHECK_FALSE(c.accepts("1/2"));
  c.z.assign(kRows, 0);
  c.save();
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 60 0 1/2"));
}

TEST_CASE(
    "residual: a constant output column says nothing, a dependent one and another model are "
    "refused") {
  ErasureCase c;
  for (std::size_t r = 0; r < kRows; ++r) {
    c.x[r * kWidth + 1] = 0;
  }
  c.left[1] = 0;
  c.save();
  CHECK(c.accepts("1/2"));
  ErasureCase dependent;
  dependent.left = {0, 0, 0};
  for (std::size_t r = 0; r < kRows; ++r) {
    dependent.x[r * kWidth] = std::ldexp(std::nearbyint(dependent.x[r * kWidth] * 128), -7);
    dependent.x[r * kWidth + 1] = 2 * dependent.x[r * kWidth];
  }
  dependent.save();
  CHECK_FALSE(dependent.accepts("1/2"));  // singular: nothing is shown
  ErasureCase other;
  REQUIRE(other.accepts("1/2"));
  TinyModel(77).save(other.inputs.model);
  CHECK_FALSE(other.check().accepted);
  CHECK_FALSE(other.accepts("1/2"));  // the eraser names the old weights
}
