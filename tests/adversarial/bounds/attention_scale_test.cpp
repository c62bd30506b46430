#include "../../../src/bounds/attention_scale.hpp"

#include <boost/multiprecision/cpp_dec_float.hpp>

#include "catch.hpp"

using assay::Interval;
using assay::bounds::attention_scale;
using Exact = boost::multiprecision::cpp_dec_float_100;

namespace {

Interval scale_of(const std::string& extra) {
  return attention_scale(assay::parse_config(
      R"({"n_layers":1,"d_model":8,"n_ctx":16,"n_heads":1,"d_mlp":4,"d_vocab":3,"act_fn":"relu",)"
      R"("normalization_type":null,"relative_bias":true,"attention_window":4,)" +
          extra + "}",
      "config.json"));
}

bool encloses(Interval i, const Exact& x) {
  return Exact(i.lo) <= x && x <= Exact(i.hi);
}

}  // namespace

TEST_CASE("attn_scale: sqrt(d_head) is the real number, not its nearest double") {
  for (int d_head = 1; d_head <= 200; ++d_head) {
    const Interval scale = scale_of("\"d_head\":" + std::to_string(d_head));
    REQUIRE(encloses(scale, boost::multiprecision::sqrt(Exact(d_head))));
    REQUIRE(scale.width() <= 1e-14 * scale.hi);
  }
}

TEST_CASE("attn_scale: a stated one is held as the decimal and as its nearest double") {
  for (const char* text : {"0.1", "1.7", "2.8284271247461903", "8", "1e-3"}) {
    const Interval scale = scale_of("\"d_head\":4,\"attn_scale\":" + std::string(text));
    REQUIRE(encloses(scale, Exact(text)));
    REQUIRE(scale.contains(std::strtod(text, nullptr)));
    REQUIRE(scale.width() <= 1e-14 * scale.hi);
  }
  REQUIRE(scale_of("\"d_head\":4,\"attn_scale\":-1").contains(2.0));  // TransformerLens's unset
  REQUIRE(scale_of("\"d_head\":4,\"use_attn_scale\":false").contains(1.0));
  REQUIRE_THROWS(scale_of("\"d_head\":4,\"attn_scale\":0"));
  REQUIRE_THROWS(scale_of("\"d_head\":4,\"attn_scale\":-2"));
}
