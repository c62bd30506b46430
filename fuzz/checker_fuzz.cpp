#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "automaton.hpp"
#include "check_general.hpp"
#include "check_refined.hpp"
#include "machine.hpp"
#include "progression.hpp"
#include "reject.hpp"
#include "request.hpp"
#include "rule_chain_file.hpp"
#include "runs.hpp"
#include "sae.hpp"
#include "safetensors.hpp"
#include "spec.hpp"

namespace {

/// A tiny model, and a statement about it that a context refutes.
std::unique_ptr<check_test::GeneralCase> make_false(const check_test::Family& family,
                                                    const std::string& kind) {
  check_test::TestDomain small;
  small.hi = 3;
  small.sets = {{0, 2}, {1, 3}};
  small.rest = {0, 3};
  auto c = check_test::make_general(family, small, kind, {1e-9, false, 0.2, true});
  c->brute_force();
  c->state(-c->U[1] - 1, c->reached[0] - 1e-9);
  c->lines.resize(c->find("statement") + 1);
  return c;
}

/// A tiny model, and a property that a run of it violates.
std::unique_ptr<check_test::RefinedCase> make_violated() {
  auto c = check_test::make_refined({3, "greedy", "sets 1 2", false, false, 2});
  c->lines.resize(c->find("statement") + 1);
  return c;
}

/// The bytes are the steps of a certificate: none may be accepted.
void check_steps(check_test::Case& c, const std::string& steps) {
  if (c.check_text(c.text() + steps).accepted) {
    std::abort();
  }
}

}  // namespace

/// The checker's rules ('p', 'n', 'r' first) and readers ('m', 'u', 'd': machine, runs, chain; else the first byte
/// chooses one). Reject is the only way
/// out but success.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace assay_check;
  if (size == 0) {
    return 0;
  }
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'p') {
    static const auto kCase =
        make_false({"relative_bias", "relu", "", true, false, 3, 3}, "difference");
    check_steps(*kCase, bytes);
    return 0;
  }
  if (data[0] == 'n') {
    static const auto kCase = make_false({"rotary", "gelu_new", "LN", false, false, 3, 5}, "logit");
    check_steps(*kCase, bytes);
    return 0;
  }
  if (data[0] == 'r') {
    static const auto kCase = make_violated();
    check_steps(*kCase, bytes);
    return 0;
  }
  try {
    switch (data[0] == 'm' || data[0] == 'u' || data[0] == 'd' ? data[0] : data[0] % 5) {
      case 'm':
        static_cast<void>(parse_machine(bytes, "input"));
        break;
      case 'u':
        static_cast<void>(parse_runs(bytes, "input", 48));
        break;
      case 'd':
        static_cast<void>(parse_chain(bytes, "input"));
        break;
      case 0:
        static_cast<void>(parse_automaton(bytes, "input"));
        break;
      case 1:
        static_cast<void>(parse_request(bytes, "input"));
        break;
      case 2:
        static_cast<void>(Safetensors(bytes, "input"));
        break;
      case 3:
        static_cast<void>(read_readout(bytes, "input"));
        break;
      default: {
        Spec spec = parse_spec(bytes, "input");
        for (const SpecProperty& property : spec.properties) {
          Progression monitor(spec.formulas, property.formula);
          static_cast<void>(monitor.step(monitor.step(monitor.initial(), 1), 2));
        }
      }
    }
  } catch (const Reject&) {
    return 0;
  }
  return 0;
}
