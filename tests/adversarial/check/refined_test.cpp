// Kind refined: certificates of tiny models for true properties are accepted, each line of them is needed or
// harmless, and nothing makes the checker accept a property that a run violates.
#include "catch.hpp"
#include "check_refined.hpp"

using namespace check_test;

namespace {

const std::vector<RefinedOptions> kTrue = {
    {1, "min-p 1/2 temperature 1 order after", "any 2", false, true, 2},
    {2, "min-p 1/2 temperature 3 order before", "any 7", false, true, 1},
    {3, "greedy", "sets 1 2", false, true, 2},
    {4, "top-k 1", "any 1", false, true, 2},
    {5, "top-k 2", "sets 0 1 2 3 4 0", false, true, 0},
    {6, "min-p 1/2 temperature 1 order after", "sets 3", true, true, 2},
    {7, "greedy", "any 4", true, true, 1},
    {8, "plain", "any 1", true, true, 2},
};

}  // namespace

TEST_CASE("refined: the certificates of true properties are accepted") {
  for (const RefinedOptions& options : kTrue) {
    const auto c = make_refined(options);
    INFO(options.decoder << ", " << options.prompts << ", seed " << c->options.seed);
    const auto outcome = c->check();
    INFO(outcome.lines.back());
    INFO(c->lines.size() << " lines, reachable " << c->reachable.size());
    CHECK(outcome.accepted);
    CHECK(outcome.lines.size() == 4);
    CHECK(outcome.lines[0].rfind("ACCEPT p PROVED HOLDS of every run of the model (real", 0) == 0);
    std::printf("%s %s: %zu lines, %zu reachable\n", options.decoder.c_str(),
                options.prompts.c_str(), c->lines.size(), c->reachable.size());
  }
}

TEST_CASE("refined: the certificates of false properties are rejected") {
  for (RefinedOptions options : kTrue) {
    options.holds = false;
    const auto c = make_refined(options);
    INFO(options.decoder << ", " << options.prompts << ", seed " << c->options.seed);
    const auto outcome = c->check();
    INFO(outcome.lines.back());
    CHECK_FALSE(outcome.accepted);
    CHECK(outcome.lines.back().find("REFINED: after STATE") != std::string::npos);
  }
}
