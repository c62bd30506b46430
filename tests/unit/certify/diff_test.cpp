#include "../../../certify/gate/exact_number.hpp"
#include "../../../certify/gate/request_order.hpp"
#include "../../../certify/gate/run_domain.hpp"
#include "../../../certify/gate/spec_order.hpp"
#include "assay/certify/gate.hpp"
#include "catch.hpp"
#include "certify_fixture.hpp"

using namespace assay::certify;
using assay::ExitCode;

namespace {

const std::string kHead = R"(spec "t" version 1;
class few = ids {1, 2};
class many = ids {1, 2, 3};
class other = ids {7};
ap Few = tok in few;
ap Many = tok in many;
ap Other = tok in other;
)";

/// Whether property `now` is shown to imply property `old`, and back.
std::pair<bool, bool> order(const std::string& old_claim, const std::string& now_claim) {
  const auto spec = [](const std::string& claim) {
    return assay::spec::parse_spec(kHead + "prop p: " + claim + ";\n", "t.spec");
  };
  const assay::spec::Spec old = spec(old_claim);
  const assay::spec::Spec now = spec(now_claim);
  const PropertyOrder found = compare(old, old.properties[0], now, now.properties[0]);
  REQUIRE(found.now_implies_old == found.reason.empty());
  return {found.now_implies_old, found.old_implies_now};
}

using Pair = std::pair<bool, bool>;

}  // namespace

TEST_CASE("one property implies another when no run tells them apart the wrong way") {
  REQUIRE(order("all G !Few", "all G(!Few)") == Pair(true, true));
  REQUIRE(order("all G !Few", "all !F Few") == Pair(true, true));
  REQUIRE(order("all G !Few", "all G !Many") == Pair(true, false));  // few lies within many
  REQUIRE(order("all G !Many", "all G !Few") == Pair(false, true));
  REQUIRE(order("all G !Few", "all G !Other") == Pair(false, false));
  REQUIRE(order("all G(Few -> !Other)", "all G !Few") == Pair(true, false));  // no token is both
  REQUIRE(order("all G[0:4] !Few", "all G !Few") == Pair(true, false));
  REQUIRE(order("all G !Few", "all G[0:4] !Few") == Pair(false, true));
  REQUIRE(order("all G(Few -> F Other)", "all G(Many -> F Other)") == Pair(true, false));
  REQUIRE(order("all F Other", "all G F Other") ==
          Pair(true, false));  // endless runs tell them apart
  REQUIRE(order("all G !Few", "some G !Few") == Pair(false, false));
}

TEST_CASE("a bound on a probability says more of a larger event and with a smaller limit") {
  REQUIRE(order("Pmax <= 0.1 [F Few]", "Pmax <= 0.05 [F Few]") == Pair(true, false));
  REQUIRE(order("Pmax <= 0.1 [F Few]", "Pmax <= 0.1 [F Many]") == Pair(true, false));
  REQUIRE(order("Pmax <= 0.1 [F Many]", "Pmax <= 0.1 [F Few]") == Pair(false, true));
  REQUIRE(order("Pmax <= 0.1 [F Few]", "Pmax <= 0.2 [F Many]") == Pair(false, false));
  REQUIRE(order("Pmin >= 0.1 [F Many]", "Pmin >= 0.1 [F Few]") == Pair(true, false));
  REQUIRE(order("Pmin >= 0.1 [F Few]", "Pmin >= 0.05 [F Few]") == Pair(false, true));
}

TEST_CASE("a property that nothing can violate says nothing") {
  const auto empty = [](const std::string& claim) {
    const assay::spec::Spec spec =
        assay::spec::parse_spec(kHead + "prop p: " + claim + ";\n", "t.spec");
    return says_nothing(spec, spec.properties[0]);
  };
  REQUIRE(empty("all G(Few -> Many)"));
  REQUIRE(empty("all G(Few | !Few)"));
  REQUIRE(empty("Pmax <= 1 [F Few]"));
  REQUIRE_FALSE(empty("all G(Many -> Few)"));
  REQUIRE_FALSE(empty("all G !Few"));
  REQUIRE_FALSE(empty("Pmax <= 0.999 [F Few]"));
}

TEST_CASE("domains are compared as sets") {
  const std::string any = "every run of the model: any prompt of 1 to 64 tokens, decoder greedy, ";
  const std::string open = "any number of new tokens";
  const auto covers = [](const std::string& old, const std::string& now) {
    const DomainOrder found = compare_domains(old, now);
    return Pair(found.now_covers_old, found.old_covers_now);
  };
  const auto in = [&](const std::string& sets) {
    return "every run of the model: prompts in " + sets + ", decoder greedy, " + open;
  };
  REQUIRE(covers(any + open, any + open) == Pair(true, true));
  REQUIRE(covers(any + open, any + "at most 9 new tokens") == Pair(false, true));
  REQUIRE(covers(any + "at most 9 new tokens", any + "at most 10 new tokens") == Pair(true, false));
  REQUIRE(covers(in("3-5 7"), in("3-6 7,9")) == Pair(true, false));
  REQUIRE(covers(in("3-4,5 7"), in("3-5 7")) == Pair(true, true));
  REQUIRE(covers(in("3 7"), in("3 8")) == Pair(false, false));
  REQUIRE(covers(in("3 7"), in("3 7 7")) == Pair(false, false));
  REQUIRE(covers(in("3 7"), in("* 7")) == Pair(true, false));
  REQUIRE(covers(in("* *"), any + open) == Pair(true, false));
  REQUIRE(covers(any + open, "every endless run of" + (any + open).substr(12)) ==
          Pair(false, true));
  REQUIRE(
      covers(any + open, "every run of the model: any prompt of 1 to 64 tokens, decoder top-k 2, " +
                             open) == Pair(false, false));
  REQUIRE(covers("one thing", "another thing") == Pair(false, false));
}

TEST_CASE("request lines: shorter suffixes and tighter limits say more") {
  const auto lines = [](const std::string& old, const std::string& now) {
    const RequestOrder found = compare_requests(old, "", now, "");
    return Pair(found.now_implies_old, found.old_implies_now);
  };
  REQUIRE(lines("token-out a 3 suffix 1 2 3", "token-out b 3 suffix 2 3") == Pair(true, false));
  REQUIRE(lines("token-out a 3 suffix 2 3", "token-out a 3 suffix 1 2 3") == Pair(false, true));
  REQUIRE(lines("token-out a 3 suffix 1 2", "token-out a 3 suffix 2 1") == Pair(false, false));
  REQUIRE(lines("token-out a 3 suffix 1", "token-out a 4 suffix 1") == Pair(false, false));
  REQUIRE(lines("token-out a 3 suffix 1", "feature-off a 3 suffix 1") == Pair(false, false));
  REQUIRE(lines("residual a data 00 max-r2 1/100", "residual a data 00 max-r2 1/200") ==
          Pair(true, false));
  REQUIRE(lines("residual a data 00 max-r2 1/100", "residual a data 00 max-r2 1/50") ==
          Pair(false, true));
  REQUIRE(compare_requests("residual a data 00 max-r2 1/2", "", "residual a data 11 max-r2 1/2", "")
              .other_data);
  REQUIRE(lines("bound a neuron 3 domain d lo -0x1p+0 hi 0x1p+0",
                "bound a neuron 3 domain d lo -0x1p-1 hi 0x1p+0") ==
          Pair(false, false));  // its domain is in no file
  REQUIRE(upper_limit("residual hi data 00 max-r2 1/100") == "1/100");
  REQUIRE(upper_limit("token-out a 3 suffix 1 2") == "");
}

TEST_CASE("numbers of claims are exact") {
  REQUIRE(exact_number("0x1.8p-3") == ExactNumber(3, 16));
  REQUIRE(exact_number("-0x1p+0") == ExactNumber(-1));
  REQUIRE(exact_number("0x0p+0") == ExactNumber(0));
  REQUIRE(exact_number("2/6") == ExactNumber(1, 3));
  REQUIRE(exact_number("0.031250") == ExactNumber(1, 32));
  REQUIRE(exact_number("9007199254740993") > ExactNumber(9007199254740992));
  for (const char* bad : {"", "-", "nan", "inf", "1e3", "1/0", "1.", ".5", "0x", "0x1", "0x1p",
                          "0x1p9999999999", "1/2/3", "+1", " 1", "1 "}) {
    CAPTURE(bad);
    REQUIRE_FALSE(exact_number(bad));
  }
}

TEST_CASE("only what a proof shows is a bound") {
  Claim claim = fixture::Case::claim();
  claim.bound = "0x0p+0";
  REQUIRE(shown_bound(claim).empty());  // the signer's number, in no statement
  claim.kind = "residual";
  claim.formal = "residual a data 00 max-r2 1/7";
  REQUIRE(shown_bound(claim) == "1/7");
  claim.status = Status::unknown;
  REQUIRE(shown_bound(claim).empty());
}

TEST_CASE("codes have one order") {
  std::vector<Finding> all;
  for (const int code : {3, 7, 1, 8, 6, 5, 4, 2, 9, 10}) {
    all.push_back({static_cast<ExitCode>(code), "", ""});
    REQUIRE(worst(all) == static_cast<ExitCode>(code));
  }
  REQUIRE(worst({}) == ExitCode::ok);
}
