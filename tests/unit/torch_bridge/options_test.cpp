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
  REQUIRE(*o.provable == kProvable);
  REQUIRE(*o.far_heads == 1);
  REQUIRE(o.range_penalty == 0.0);
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

TEST_CASE("training for provability is refused by name where it is not defined, and off there") {
  for (int kind = 0; kind < 3; ++kind) {
    ModelOptions o;
    o.layer_norm = kind == 0;
    o.window = kind == 1 ? 0 : 8;
    o.positions = kind == 2 ? "standard" : "relative";
    ModelOptions slack = o;
    slack.provable = 0.2;
    REQUIRE_THROWS_WITH(resolve(slack), Catch::Contains("--provable needs"));
    ModelOptions range = o;
    range.range_penalty = 0.2;
    REQUIRE_THROWS_WITH(resolve(range), Catch::Contains("--range-penalty needs"));
    ModelOptions heads = o;
    heads.far_heads = 2;
    REQUIRE_THROWS_WITH(resolve(heads), Catch::Contains("--far-heads needs"));
    resolve(o);
    REQUIRE(*o.provable == 0.0);
    REQUIRE(*o.far_heads == o.n_heads);
  }
}

TEST_CASE("weights and head counts that make no sense are refused by name") {
  for (const double weight : {-1.0, std::nan(""), HUGE_VAL}) {
    ModelOptions slack;
    slack.provable = weight;
    REQUIRE_THROWS_WITH(resolve(slack), Catch::Contains("--provable: expected"));
    ModelOptions range;
    range.range_penalty = weight;
    REQUIRE_THROWS_WITH(resolve(range), Catch::Contains("--range-penalty: expected"));
  }
  for (const std::size_t count : {std::size_t{0}, std::size_t{5}}) {
    ModelOptions heads;
    heads.far_heads = count;
    REQUIRE_THROWS_WITH(resolve(heads), Catch::Contains("--far-heads: expected 1 to 4"));
  }
  ModelOptions known;
  known.known = 9;
  known.provable = 0.1;
  REQUIRE_THROWS_WITH(resolve(known), Catch::Contains("--known: expected 1 to 8"));
}

TEST_CASE("the free twin of the options keeps everything but what makes it provable") {
  ModelOptions o;
  o.range_penalty = 0.5;
  o.seed = 9;
  resolve(o);
  ModelOptions free = without_provability(o);
  resolve(free);
  REQUIRE(*free.provable == 0.0);
  REQUIRE(free.range_penalty == 0.0);
  REQUIRE(*free.far_heads == 4);
  free.provable = o.provable;
  free.range_penalty = o.range_penalty;
  free.far_heads = o.far_heads;
  REQUIRE(options_json(free) == options_json(o));
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
