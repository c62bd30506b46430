// What is written for other people's checkers, read back by small programs of this file.
#include "assay/automata/step_machine.hpp"

#include <map>
#include <set>
#include <sstream>

#include "../spec/ltlf_words.hpp"
#include "assay/base/errors.hpp"
#include "assay/spec/formula.hpp"
#include "catch.hpp"

using namespace assay;
using automata::Hoa;
using automata::HoaLabel;
using automata::StepMachine;

namespace {

/// An AIGER circuit, one step at a time.
class Aiger {
 public:
  explicit Aiger(const std::string& text) {
    std::istringstream in(text);
    std::string magic;
    std::size_t variables = 0, outputs = 0, gates = 0, latches = 0;
    in >> magic >> variables >> inputs_ >> latches >> outputs >> gates;
    REQUIRE(magic == "aig");
    REQUIRE(variables == inputs_ + latches + gates);
    REQUIRE(outputs == 1);
    next_.resize(latches);
    for (auto& n : next_) {
      in >> n;
    }
    in >> output_;
    REQUIRE(in.get() == '\n');
    const auto delta = [&] {
      std::size_t out = 0;
      for (unsigned shift = 0;; shift += 7) {
        const int byte = in.get();
        REQUIRE(byte >= 0);
        out |= static_cast<std::size_t>(byte & 0x7F) << shift;
        if (byte < 0x80) {
          return out;
        }
      }
    };
    for (std::size_t g = 0; g < gates; ++g) {
      const std::size_t lhs = 2 * (1 + inputs_ + latches + g);
      const std::size_t first = delta(), second = delta();
      REQUIRE(first > 0);
      REQUIRE(first + second <= lhs);
      gates_.emplace_back(lhs - first, lhs - first - second);
    }
    std::string symbol;
    in >> symbol;
    REQUIRE(std::set<std::string>{"i0", "l0"}.count(symbol) == 1);
  }

  [[nodiscard]] std::size_t inputs() const { return inputs_; }

  /// The output is 1 in some state that inputs lead to.
  [[nodiscard]] bool reaches() const {
    std::set<std::vector<bool>> met{std::vector<bool>(next_.size(), false)};
    std::vector<std::vector<bool>> open(met.begin(), met.end());
    while (!open.empty()) {
      const std::vector<bool> state = open.back();
      open.pop_back();
      for (std::size_t input = 0; input < (std::size_t{1} << inputs_); ++input) {
        std::vector<bool> value{false};
        for (std::size_t i = 0; i < inputs_; ++i) {
          value.push_back(((input >> i) & 1U) != 0);
        }
        value.insert(value.end(), state.begin(), state.end());
        const auto of = [&](std::size_t literal) {
          return value[literal / 2] != (literal % 2 == 1);
        };
        for (const auto& [a, b] : gates_) {
          value.push_back(of(a) && of(b));
        }
        if (of(output_)) {
          return true;
        }
        std::vector<bool> after;
        for (const std::size_t n : next_) {
          after.push_back(of(n));
        }
        if (met.insert(after).second) {
          open.push_back(after);
        }
      }
    }
    return false;
  }

 private:
  std::size_t inputs_ = 0, output_ = 0;
  std::vector<std::size_t> next_;
  std::vector<std::pair<std::size_t, std::size_t>> gates_;
};

StepMachine random_machine(Random& random) {
  StepMachine out;
  out.aps = {"a", "b"};
  const std::size_t states = 1 + random.below(9);
  out.steps.resize(states);
  for (auto& steps : out.steps) {
    std::set<StepMachine::Step> some;
    for (std::size_t k = 0; k < 1 + random.below(3); ++k) {
      some.insert({static_cast<std::uint32_t>(random.below(4)),
                   static_cast<std::uint32_t>(random.below(states))});
    }
    steps.assign(some.begin(), some.end());
  }
  std::set<std::uint32_t> initial;
  for (std::size_t k = 0; k < 1 + random.below(2); ++k) {
    initial.insert(static_cast<std::uint32_t>(random.below(states)));
  }
  out.initial.assign(initial.begin(), initial.end());
  return out;
}

bool reaches_bad(const StepMachine& machine, const spec::Dfa& monitor) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> met;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> open;
  const auto meet = [&](std::uint32_t s, std::uint32_t m) {
    if (met.emplace(s, m).second) {
      open.emplace_back(s, m);
    }
  };
  for (const std::uint32_t s : machine.initial) {
    meet(s, 0);
  }
  while (!open.empty()) {
    const auto [s, m] = open.back();
    open.pop_back();
    if (monitor.bad[m]) {
      return true;
    }
    for (const StepMachine::Step& step : machine.steps[s]) {
      meet(step.to, monitor.next(m, step.letter));
    }
  }
  return false;
}

}  // namespace

TEST_CASE("AIGER: the output can be 1 exactly when a bad prefix is a run of the machine") {
  Random random(5);
  std::size_t bad = 0, good = 0;
  for (int n = 0; n < 400; ++n) {
    const StepMachine machine = random_machine(random);
    // each ap is named, so that a letter of the monitor is one of the machine
    const spec::FormulaPtr f = spec::junction(
        spec::Op::and_,
        {test::random_formula(random, 3, 2, 3),
         spec::junction(spec::Op::or_, {spec::atom(0), spec::negation(spec::atom(0))}),
         spec::junction(spec::Op::or_, {spec::atom(1), spec::negation(spec::atom(1))})});
    const spec::Dfa monitor = spec::bad_prefix_dfa(f);
    REQUIRE(monitor.atoms.size() == 2);
    const bool want = reaches_bad(machine, monitor);
    const Aiger circuit(to_aiger(machine, monitor, "t"));
    CHECK(circuit.reaches() == want);
    ++(want ? bad : good);
  }
  CHECK(bad > 80);
  CHECK(good > 80);
}

TEST_CASE("steps: labels as the property's aps see them") {
  Hoa machine;
  machine.aps = {"a", "b", "c"};
  machine.states = 2;
  machine.start = {1, 0, 1};
  machine.state_names.assign(2, "");
  machine.accepting.assign(2, false);
  // a & (b | !c), then true
  machine.edges = {
      {0, 1, HoaLabel{{0, 1, 2, HoaLabel::kNot, HoaLabel::kOr, HoaLabel::kAnd}}, false},
      {1, 0, HoaLabel{{HoaLabel::kTrue}}, false}};
  const StepMachine steps = automata::steps_of(machine, {"c", "a"});
  CHECK(steps.initial == std::vector<std::uint32_t>{0, 1});
  // bit 0 is c, bit 1 is a: c may be true (with b) or false
  CHECK(steps.steps[0] == std::vector<StepMachine::Step>{{2, 1}, {3, 1}});
  CHECK(steps.steps[1] == std::vector<StepMachine::Step>{{0, 0}, {1, 0}, {2, 0}, {3, 0}});
  REQUIRE_THROWS_AS(automata::steps_of(machine, {"d"}), UsageError);
  HoaLabel wide;
  for (int i = 0; i < 17; ++i) {
    wide.program.push_back(i);
    if (i > 0) {
      wide.program.push_back(HoaLabel::kAnd);
    }
  }
  REQUIRE_THROWS_AS(wide.letters({0}), UsageError);
}

TEST_CASE("SMV: bounds and W are written out, and what is too long is left out") {
  StepMachine machine{{"a"}, {{{0, 0}, {1, 0}}}, {0}};
  const auto p = spec::atom(0);
  const auto text = [&](const spec::FormulaPtr& f, const spec::Dfa* monitor) {
    return to_smv(machine, f, {"a"}, monitor, "t");
  };
  CHECK(text(spec::bounded(spec::Op::eventually, p, 1, 2), nullptr)
            .find("LTLSPEC X (((ap_a) | X ((ap_a))));") != std::string::npos);
  CHECK(text(spec::until(spec::Op::weak_until, p, spec::negation(p)), nullptr)
            .find("LTLSPEC ((!(ap_a)) V ((ap_a) | (!(ap_a))));") != std::string::npos);
  CHECK(text(spec::past_bounded(spec::Op::historically, p, 0, 1), nullptr)
            .find("LTLSPEC ((ap_a) & Z ((ap_a)));") != std::string::npos);
  const auto long_one =
      spec::bounded(spec::Op::globally, spec::bounded(spec::Op::eventually, p, 0, 900), 0, 900);
  CHECK(text(long_one, nullptr).find("-- no LTLSPEC") != std::string::npos);
  const spec::Dfa monitor = spec::bad_prefix_dfa(spec::bounded(spec::Op::globally, p));
  const std::string with = text(spec::bounded(spec::Op::globally, p), &monitor);
  CHECK(with.find("INVARSPEC !(m in {") != std::string::npos);
  CHECK(with.find("INVAR case\n  s = 0 : TRUE;") != std::string::npos);
}
