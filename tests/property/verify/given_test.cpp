// Properties of given machines against a second, dumb program: every run of a small random machine up to a length, finite or
// round for ever, the formula read by its definition.
#include "assay/verify/given.hpp"

#include <functional>

#include "../spec/ltlf_words.hpp"
#include "catch.hpp"
#include "lasso_words.hpp"

using namespace assay;
using automata::Hoa;
using automata::HoaLabel;
using test::Word;
using Verdict = verify::GivenResult::Verdict;

namespace {

constexpr std::size_t kAps = 3;

/// A literal or two, or a disjunction of them, or true, or (seldom) false.
HoaLabel random_label(Random& random) {
  HoaLabel out;
  const auto literal = [&] {
    out.program.push_back(static_cast<int>(random.below(kAps)));
    if (random.below(2) == 0) {
      out.program.push_back(HoaLabel::kNot);
    }
  };
  switch (random.below(12)) {
    case 0:
      out.program = {HoaLabel::kTrue};
      return out;
    case 1:
      out.program = {HoaLabel::kFalse};
      return out;
    default:
      literal();
      for (std::size_t i = random.below(3); i > 0; --i) {
        literal();
        out.program.push_back(random.below(3) == 0 ? HoaLabel::kOr : HoaLabel::kAnd);
      }
      return out;
  }
}

Hoa random_machine(Random& random) {
  Hoa out;
  out.aps = {"a", "b", "c"};
  out.states = 1 + random.below(4);
  out.start = {random.below(out.states)};
  if (random.below(4) == 0) {
    out.start.push_back(random.below(out.states));
  }
  out.finite_words = random.below(2) == 0;
  out.buchi = out.finite_words || random.below(2) == 0;
  out.state_names.assign(out.states, "");
  for (std::size_t s = 0; s < out.states; ++s) {
    out.accepting.push_back(out.buchi && random.below(2) == 0);
  }
  for (std::size_t s = 0; s < out.states; ++s) {
    for (std::size_t k = random.below(3); k > 0; --k) {
      const bool own = out.buchi && !out.finite_words && random.below(6) == 0;
      out.edges.push_back(
          {s, random.below(out.states), random_label(random), out.accepting[s] || own});
    }
  }
  return out;
}

struct Run {
  std::vector<std::size_t> states;  ///< one more than letters
  std::vector<bool> accepting;      ///< of each edge
  Word letters;
};

/// Every path from a start state of at most `most` edges.
void for_each_path(const Hoa& machine, std::size_t most,
                   const std::function<void(const Run&)>& visit) {
  Run run;
  const std::function<void()> grow = [&] {
    if (!run.letters.empty()) {
      visit(run);
    }
    if (run.letters.size() == most) {
      return;
    }
    for (const Hoa::Edge& edge : machine.edges) {
      for (std::uint64_t letter = 0; edge.from == run.states.back() && letter < (1U << kAps);
           ++letter) {
        if (edge.label.holds(letter)) {
          run.states.push_back(edge.to);
          run.accepting.push_back(edge.accepting);
          run.letters.push_back(letter);
          grow();
          run.states.pop_back();
          run.accepting.pop_back();
          run.letters.pop_back();
        }
      }
    }
  };
  for (const std::size_t s : machine.start) {
    run.states = {s};
    grow();
  }
}

/// What the dumb program met: runs that satisfy the formula, and others.
struct Met {
  bool satisfied = false, violated = false;
  void note(bool holds) { (holds ? satisfied : violated) = true; }
  [[nodiscard]] bool nothing() const { return !satisfied && !violated; }
};

Met finite_runs(const Hoa& machine, const spec::Formula& f, std::size_t most) {
  Met out;
  for_each_path(machine, most, [&](const Run& run) {
    if (machine.accepting[run.states.back()]) {
      out.note(test::holds(f, run.letters, 0));
    }
  });
  return out;
}

Met endless_runs(const Hoa& machine, const spec::Formula& f, std::size_t most) {
  Met out;
  for_each_path(machine, most, [&](const Run& run) {
    for (std::size_t home = 0; home < run.letters.size(); ++home) {
      if (run.states[home] != run.states.back()) {
        continue;
      }
      bool accepted = !machine.buchi;
      for (std::size_t e = home; e < run.accepting.size(); ++e) {
        accepted = accepted || run.accepting[e];
      }
      if (accepted) {
        const auto cut = run.letters.begin() + static_cast<std::ptrdiff_t>(home);
        out.note(test::LassoWord({run.letters.begin(), cut}, {cut, run.letters.end()}).holds(f));
      }
    }
  });
  return out;
}

spec::Spec spec_of(const spec::FormulaPtr& formula, bool some) {
  // every ap is named, so that the property's letters are the machine's
  spec::Spec out =
      spec::parse_spec(std::string("spec \"t\" version 1; ap a = tok = id 0; ap b = tok = id 1; ap "
                                   "c = tok = id 2; prop P: ") +
                           (some ? "some" : "all") + " (a | !a) & (b | !b) & (c | !c);",
                       "t");
  out.properties[0].formula = spec::junction(spec::Op::and_, {formula, out.properties[0].formula});
  return out;
}

/// The run that is told is one of the machine, and decides the formula as it is said to.
void check_run(const Hoa& machine, const verify::GivenResult& r, const spec::Formula& f,
               bool want) {
  Word letters;
  std::vector<std::vector<bool>> at(1, std::vector<bool>(machine.states, false));
  for (const std::size_t s : machine.start) {
    at[0][s] = true;
  }
  for (const verify::GivenStep& step : r.run) {
    bool there = false;
    for (const Hoa::Edge& e : machine.edges) {
      there = there || (at.back()[e.from] && e.to == step.state && e.label.holds(step.letter));
    }
    REQUIRE(there);
    at.emplace_back(machine.states, false);
    at.back()[step.state] = true;
    letters.push_back(step.letter);
  }
  if (machine.finite_words) {
    CHECK(machine.accepting[r.run.back().state]);
    CHECK(test::holds(f, letters, 0) == want);
  } else if (r.loop > 0) {
    REQUIRE(r.loop <= r.run.size());
    const auto cut = letters.end() - static_cast<std::ptrdiff_t>(r.loop);
    CHECK(test::LassoWord({letters.begin(), cut}, {cut, letters.end()}).holds(f) == want);
    if (r.run.size() > r.loop) {
      CHECK(r.run[r.run.size() - r.loop - 1].state == r.run.back().state);
    }
  }
}

}  // namespace

TEST_CASE("given machines: random formulas, against every run up to a length") {
  Random random(77);
  constexpr std::size_t kPairs = 2000;  // formula and machine, decided by both
  std::size_t counts[2][2] = {}, without_run = 0, valid = 0, lassos = 0, contradicted = 0,
              pairs = 0;
  for (int n = 0; n < 20000 && pairs < kPairs; ++n) {
    const Hoa machine = random_machine(random);
    const spec::FormulaPtr f = test::random_formula(random, 3, kAps, 3);
    const bool some = random.below(3) == 0;
    const spec::Spec spec = spec_of(f, some);
    const Met met =
        machine.finite_words ? finite_runs(machine, *f, 5) : endless_runs(machine, *f, 4);
    verify::GivenResult r;
    try {
      r = verify::check_given(spec, machine, {})[0];
    } catch (const std::exception& e) {
      CHECK(std::string(e.what()).find("has no run") != std::string::npos);
      CHECK(met.nothing());
      ++without_run;
      continue;
    }
    INFO(spec::formula_text(f, spec.atoms) << (some ? " some\n" : " all\n") << to_hoa(machine));
    if (r.verdict == Verdict::unknown) {
      CHECK(r.reason.find("whatever the machine does") != std::string::npos);
      CHECK(!(some ? met.satisfied : met.violated));
      ++valid;
      continue;
    }
    const bool holds = r.verdict == Verdict::holds;
    ++pairs;
    ++counts[some][holds];
    CHECK((!met.violated || some || !holds));
    CHECK((!met.satisfied || !some || holds));
    contradicted += some ? met.satisfied : met.violated;
    if (holds == some) {  // a run was found
      REQUIRE(!r.run.empty());
      check_run(machine, r, *f, some);
      lassos += r.loop > 0 ? 1 : 0;
    }
  }
  CHECK(pairs == kPairs);
  CHECK(valid > 20);
  CHECK(without_run > 100);
  CHECK(lassos > 40);
  CHECK(contradicted > 700);
  for (const auto& row : counts) {
    CHECK(row[0] > 25);
    CHECK(row[1] > 25);
  }
}
