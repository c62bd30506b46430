#include "assay/torch_bridge/options.hpp"

#include <cmath>

#include "assay/base/errors.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::torch_bridge;

TEST_CASE("defaults are the provable family") {
  ModelOptions o;
  resolve(o);
  REQUIRE(o.d_head == 16);
  REQUIRE(o.d_mlp == 256);
  REQUIRE(*o.range_penalty == 0.2);
  const TransformerConfig c = config_of(o, 96);
  REQUIRE(c.positions == PosKind::relative);
  REQUIRE(c.relative_bias);
  REQUIRE(c.attention_window == 8);
  REQUIRE(c.norm == NormKind::none);
  REQUIRE(c.attn_scale == 4.0);
}

TEST_CASE("sizes that do not fit are refused by name") {
  ModelOptions heads;
  heads.d_model = 10;
  REQUIRE_THROWS_AS(resolve(heads), UsageError);
  ModelOptions window;
  window.window = window.n_ctx + 1;
  REQUIRE_THROWS_AS(resolve(window), UsageError);
  ModelOptions device;
  device.device = "gpu";
  REQUIRE_THROWS_AS(resolve(device), UsageError);
  ModelOptions rate;
  rate.lr = std::nan("");
  REQUIRE_THROWS_AS(resolve(rate), UsageError);
  SaeOptions k;
  k.k = k.d_sae + 1;
  REQUIRE_THROWS_AS(resolve(k), UsageError);
  SaeOptions mixed;
  mixed.l1 = 0.1;
  REQUIRE_THROWS_AS(resolve(mixed), UsageError);
  SaeOptions resume;
  resume.resume = true;
  REQUIRE_THROWS_AS(resolve(resume), UsageError);
}

TEST_CASE("the range penalty is refused where it is not defined, and off by default there") {
  for (int kind = 0; kind < 3; ++kind) {
    ModelOptions o;
    o.layer_norm = kind == 0;
    o.window = kind == 1 ? 0 : 8;
    o.positions = kind == 2 ? "standard" : "relative";
    ModelOptions asked = o;
    asked.range_penalty = 0.2;
    REQUIRE_THROWS_AS(resolve(asked), UsageError);
    resolve(o);
    REQUIRE(*o.range_penalty == 0.0);
  }
}

TEST_CASE("the learning rate warms up, stays and falls, on steps alone") {
  REQUIRE(learning_rate(1.0, 0, 1000) == Approx(0.01));
  REQUIRE(learning_rate(1.0, 99, 1000) == Approx(1.0));
  REQUIRE(learning_rate(1.0, 400, 1000) == 1.0);
  REQUIRE(learning_rate(1.0, 999, 1000) < 0.03);
  REQUIRE(learning_rate(1.0, 0, 1) == 1.0);
}

TEST_CASE("options that do not change the result are not part of the resolved object") {
  ModelOptions a;
  ModelOptions b;
  b.out = "elsewhere";
  b.checkpoint = "file";
  b.resume = true;
  b.seconds = 5;
  b.pause_at = 3;
  resolve(a);
  resolve(b);
  REQUIRE(options_json(a) == options_json(b));
  b.seed = 2;
  REQUIRE(options_json(a) != options_json(b));
}
