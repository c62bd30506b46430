#include <cmath>

#include "catch.hpp"
#include "check_case.hpp"

// Claims about erasers inside a model: each is accepted just where it holds, and every altered file or step is refused.
using namespace check_test;

namespace {

constexpr int kBits = 12;

struct InsideCase : Case {
  TinyModel model;
  TinySae sae = make_sae(5, "blocks.0.hook_resid_mid", 4);
  std::size_t rank = 1;
  Vector left{0, 0, 0, 1}, right{0, 0, 0, 1}, bias{0.25, 0.5, -1, 0};
  std::string hook = "blocks.0.hook_resid_mid";

  explicit InsideCase(unsigned seed = 1) : model(seed) {
    for (std::size_t i = 0; i < model.f; ++i) {
      model.weights["blocks.0.mlp.W_in"][3 * model.f + i] = 0;
    }
    for (std::size_t t = 0; t < model.V; ++t) {
      model.weights["unembed.W_U"][3 * model.V + t] = 0;
    }
    inputs.model = (folder.path() / "model").string();
    inputs.eraser = (folder.path() / "eraser").string();
    inputs.request = (folder.path() / "case.request").string();
    sae.threshold = {0.5, 0.5, 0.5};
  }
  /// Feature 1 projected out, its pre-activation behind it `constant`.
  void project(double constant) {
    const Vector w = sae.direction(1);
    double square = 0, at = static_cast<double>(sae.b_enc[1]);
    for (std::size_t i = 0; i < 4; ++i) {
      square += w[i] * w[i];
      at += w[i] * bias[i];
    }
    right = w;
    for (std::size_t i = 0; i < 4; ++i) {
      left[i] = w[i] / square;
      bias[i] += left[i] * (constant - at);
    }
  }
  bool accepts(const std::string& claim, const std::string& step, bool with_sae = true) {
    model.save(inputs.model);
    if (with_sae) {
      inputs.sae = (folder.path() / "sae").string();
      sae.save(*inputs.sae);
    } else {
      inputs.sae.reset();
    }
    TensorFile file;
    file.add("bias", "F64", "[4]", bias);
    file.add("proj_left", "F64", "[4," + std::to_string(rank) + "]", left);
    file.add("proj_right", "F64", "[" + std::to_string(rank) + ",4]", right);
    write_file(*inputs.eraser + "/eraser.safetensors", file.bytes());
    write_file(*inputs.eraser + "/eraser.json",
               "{\"assay-eraser\":1,\"kind\":\"orth\",\"hook\":\"" + hook + "\",\"rank\":" +
                   std::to_string(rank) + ",\"d\":4,\"gridBits\":" + std::to_string(kBits) +
                   ",\"modelWeights\":\"" + digest(inputs.model + "/model.safetensors") + "\"}");
    write_file(*inputs.request, "assay-request 1\n" + claim + "\nend\n");
    lines = header(*this, "erasure", "DEPLOYED");
    lines.push_back("eraser " + digest(*inputs.eraser + "/eraser.json") + " " +
                    digest(*inputs.eraser + "/eraser.safetensors"));
    lines.push_back("statement " + digest(*inputs.request));
    lines.push_back(step);
    lines.push_back("end 1");
    return check().accepted;
  }
  bool unread(const std::string& at = "3") {
    return accepts("unread c hook " + hook, "c UNREAD : " + at, false);
  }
  bool range(double x) {
    return accepts("site-range c at-most " + millionths(x), "c SITE-RANGE :", false);
  }
  bool real(const std::string& feature = "1") {
    return accepts("never-fires-real c feature " + feature, "c NEVER-FIRES-REAL :");
  }
  bool deployed(const std::string& range, const std::string& feature = "1") {
    return accepts("never-fires c feature " + feature + " range " + range, "c NEVER-FIRES :");
  }
  static std::string millionths(double x) {
    return std::to_string(static_cast<long long>(std::llround(x * 1e6))) + "/1000000";
  }
};

/// The largest |x_i| that hook_resid_mid can be said to have by averaging values, in plain double.
double largest_value(const TinyModel& m) {
  double largest = 0;
  for (std::size_t i = 0; i < m.d; ++i) {
    double lo = m.at("blocks.0.attn.b_O", i), hi = lo;
    for (std::size_t h = 0; h <= m.H; ++h) {
      double least = INFINITY, most = -INFINITY;
      for (std::size_t t = 0; t < m.V; ++t) {
        double x = m.at("embed.W_E", t * m.d + i);
        if (h < m.H) {
          const Vector v = m.project("V", h, t);
          x = 0;
          for (std::size_t j = 0; j < m.e; ++j) {
            x += v[j] * m.at("blocks.0.attn.W_O", (h * m.e + j) * m.d + i);
          }
        }
        least = std::min(least, x);
        most = std::max(most, x);
      }
      lo += least;
      hi += most;
    }
    largest = std::max({largest, hi, -lo});
  }
  return largest;
}

}  // namespace

TEST_CASE("inside: coordinates that nothing reads are accepted, and only those") {
  InsideCase c;
  REQUIRE(c.unread());
  CHECK_FALSE(c.unread("2"));
  CHECK_FALSE(c.unread("4"));
  CHECK_FALSE(c.unread(""));
  CHECK_FALSE(c.unread("3 3"));
  CHECK_FALSE(c.accepts("unread c hook blocks.0.hook_resid_post", "c UNREAD : 3", false));
  for (const char* tensor : {"blocks.0.mlp.W_in", "unembed.W_U"}) {
    InsideCase read;
    float& w = read.model.weights[tensor][3 * (tensor[0] == 'u' ? read.model.V : read.model.f) + 2];
    w = 1e-30F;
    CHECK_FALSE(read.unread());
    w = -0.0F;
    CHECK(read.unread());
  }
  InsideCase more;  // an eraser that does more than delete it
  more.left[0] = 1e-300;
  CHECK_FALSE(more.unread());
  more.left[0] = 0;
  more.right[1] = -1e-300;
  CHECK_FALSE(more.unread());
  more.right[1] = 0;
  more.bias[3] = 1e-300;
  CHECK_FALSE(more.unread());
  more.bias[3] = 0;
  CHECK(more.unread());
  more.hook = "blocks.0.hook_resid_post";
  CHECK(more.unread());
  more.model.weights["blocks.0.mlp.W_in"][3 * more.model.f] = 1;  // before that site
  CHECK(more.unread());
  more.hook = "blocks.0.hook_mlp_out";
  CHECK_FALSE(more.unread());
}

TEST_CASE("inside: a coordinate that is deleted twice is not deleted") {
  InsideCase c;  // x - (x + x) = -x
  c.rank = 2;
  c.left = {0, 0, 0, 0, 0, 0, 1, 1};
  c.right = {0, 0, 0, 1, 0, 0, 0, 1};
  CHECK_FALSE(c.unread("3 3"));
  for (std::size_t i = 0; i < c.model.f; ++i) {
    c.model.weights["blocks.0.mlp.W_in"][2 * c.model.f + i] = 0;
  }
  for (std::size_t t = 0; t < c.model.V; ++t) {
    c.model.weights["unembed.W_U"][2 * c.model.V + t] = 0;
  }
  c.bias[2] = 0;
  c.left = {0, 0, 0, 0, 1, 0, 0, 1};  // the control: 2 and 3
  c.right = {0, 0, 1, 0, 0, 0, 0, 1};
  CHECK(c.unread("2 3"));
  CHECK_FALSE(c.unread("3 2"));
}

TEST_CASE("inside: a site's range is accepted just above the largest sum of extremes") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    InsideCase c(seed);
    const double largest = largest_value(c.model);
    CHECK(c.range(largest + 2e-6));
    CHECK_FALSE(c.range(largest - 2e-6));
    CHECK_FALSE(c.range(0));
    CHECK_FALSE(c.range(-largest - 1));
  }
}

TEST_CASE(
    "inside: a projected feature never fires in real arithmetic where its constant allows it") {
  InsideCase c;
  c.project(0.25);
  REQUIRE(c.real());
  CHECK_FALSE(c.real("0"));
  CHECK_FALSE(c.real("3"));
  c.right[2] = std::nextafter(c.right[2], 9.0);  // no longer the encoder's column
  CHECK_FALSE(c.real());
  InsideCase above;
  above.project(0.75);  // over the threshold
  CHECK_FALSE(above.real());
  above.sae.threshold[1] = 1;
  CHECK(above.real());
  InsideCase elsewhere;
  elsewhere.project(0.25);
  elsewhere.sae.hook = "blocks.0.hook_mlp_out";
  CHECK_FALSE(elsewhere.real());
}

TEST_CASE("inside: as deployed the range and the rounding count") {
  InsideCase c;
  c.project(0.25);
  REQUIRE(c.deployed("8"));
  CHECK(c.deployed("1000000"));
  CHECK_FALSE(c.deployed("1000000000000000000"));
  CHECK_FALSE(c.deployed("0"));
  CHECK_FALSE(c.deployed("-8"));
  CHECK_FALSE(c.deployed("8", "0"));
  InsideCase close;  // below the threshold by less than the grid may add
  close.project(0.5 - 0x1p-20);
  CHECK(close.real());
  CHECK_FALSE(close.deployed("8"));
  InsideCase leaks;  // a projection that leaves a part of the feature: fine near 0, not far out
  leaks.project(0.25);
  for (double& l : leaks.left) {
    l *= 0.999;
  }
  CHECK(leaks.deployed("1"));
  CHECK_FALSE(leaks.deployed("1000"));
}

TEST_CASE("inside: what is said to be off is off, at every corner of the range") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    InsideCase c(seed);
    c.sae = make_sae(seed, "blocks.0.hook_resid_mid", 4);
    c.sae.threshold = {0.5, 0.5, 0.5};
    c.project(0.5 - 0.002 * seed / 20);
    if (seed % 2 == 0) {
      c.left[seed % 4] *= 0.9999;
    }
    if (!c.deployed("16")) {
      continue;
    }
    for (unsigned corner = 0; corner < 16; ++corner) {
      Vector x(4), y(4);
      double along = 0, pre = static_cast<double>(c.sae.b_enc[1]);
      for (std::size_t i = 0; i < 4; ++i) {
        x[i] = (corner >> i & 1U) != 0 ? 16 : -16;
        along += c.right[i] * (x[i] - c.bias[i]);
      }
      for (std::size_t i = 0; i < 4; ++i) {
        y[i] = std::nearbyint(std::ldexp(x[i] - c.left[i] * along, kBits));
        pre += c.right[i] * std::ldexp(y[i], -kBits);
      }
      CHECK(pre <= 0.5);
    }
  }
}
