#include <string>

#include "assay/base/errors.hpp"
#include "assay/torch_bridge/twin.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::torch_bridge;

namespace {

std::string record_of(const std::string& what, const std::string& ending,
                      const std::string& options, const std::string& validation) {
  return R"({"what":")" + what + R"(","ending":")" + ending + R"(","options":)" + options +
         R"(,"corpus":"sha256:ab","steps":7,"figures":{"validation_loss_nats_per_token":)" +
         validation + "}}";
}

std::string some_options() {
  ModelOptions o;
  o.steps = 7;
  o.seed = 3;
  o.window = 5;
  o.text = "somewhere";
  o.positions = "none";
  resolve(o);
  return options_json(o);
}

}  // namespace

TEST_CASE("the options of a record are the options it was written from") {
  const std::string written = some_options();
  const RunRecord r = parse_record(record_of("train model", "finished", written, "1.5"), "f");
  REQUIRE(options_json(r.options) == written);
  REQUIRE(r.corpus == "sha256:ab");
  REQUIRE(r.steps == 7);
  REQUIRE(r.validation == 1.5);
}

TEST_CASE("a record of a version without far heads is of a model whose heads all look far") {
  std::string old = some_options();
  for (const std::string key : {R"("provable":0.0,)", R"("far-heads":4,)"}) {
    const std::size_t at = old.find(key);
    REQUIRE(at != std::string::npos);
    old.erase(at, key.size());
  }
  const RunRecord r = parse_record(record_of("train model", "finished", old, "1.5"), "f");
  REQUIRE(options_json(r.options) == some_options());
}

TEST_CASE("a record of another command, of an unfinished run or without a loss is refused") {
  const std::string o = some_options();
  const auto refused = [](const std::string& json) {
    REQUIRE_THROWS_AS(parse_record(json, "f"), InputError);
  };
  refused(record_of("train sae", "finished", o, "1.5"));
  refused(record_of("train model", "interrupted", o, "1.5"));
  refused(record_of("train model", "finished", o, "null"));
  refused(record_of("train model", "finished", "{}", "1.5"));
  refused("");
  refused("[]");
}
