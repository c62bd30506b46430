#include <map>
#include <stdexcept>

#include "assay/base/random.hpp"
#include "assay/spec/dfa.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/progression.hpp"
#include "catch.hpp"

using namespace assay::spec;

namespace {

using Word = std::vector<std::uint64_t>;

FormulaPtr random_formula(assay::Random& random, int depth) {
  const auto pick = random.below(depth <= 0 ? 3 : 13);
  const auto child = [&] { return random_formula(random, depth - 1); };
  const std::size_t lo = random.below(3);
  const std::size_t hi = lo + random.below(4);
  switch (pick) {
    case 0:
    case 1:
      return atom(random.below(3));
    case 2:
      return random.below(4) == 0 ? constant(random.below(2) == 0) : atom(random.below(3));
    case 3:
      return negation(child());
    case 4:
      return junction(Op::and_, {child(), child()});
    case 5:
      return junction(Op::or_, {child(), child()});
    case 6:
      return next(random.below(2) == 0 ? Op::next_weak : Op::next_strong, child());
    case 7:
      return until(Op::until, child(), child());
    case 8:
      return until(Op::weak_until, child(), child());
    case 9:
      return bounded(Op::globally, child());
    case 10:
      return bounded(Op::eventually, child());
    case 11:
      return bounded(Op::eventually, child(), lo, hi);
    default:
      return bounded(Op::globally, child(), lo, hi);
  }
}

/// The second, dumber program. Weak view of a truncated word (Eisner et al. 2003) on a negation
/// normal form: whatever lies beyond the end is true. False exactly for informative bad prefixes.
bool weak(const Formula& f, const Word& w, std::size_t i) {
  if (i >= w.size()) {
    return f.op != Op::constant_false;
  }
  const auto at = [&](std::size_t c, std::size_t j) { return weak(*f.children[c], w, j); };
  switch (f.op) {
    case Op::constant_true:
      return true;
    case Op::constant_false:
      return false;
    case Op::atom:
      return ((w[i] >> f.atom) & 1U) != 0;
    case Op::not_:
      return !at(0, i);
    case Op::and_:
      return at(0, i) && (f.children.size() < 2 || at(1, i));
    case Op::or_:
      return at(0, i) || (f.children.size() > 1 && at(1, i));
    case Op::next_weak:
    case Op::next_strong:
      return at(0, i + 1);
    case Op::until:
    case Op::weak_until:
      return at(1, i) || (at(0, i) && (i + 1 >= w.size() || weak(f, w, i + 1)));
    case Op::eventually:
      for (std::size_t j = i + f.lo; !f.hi || j <= i + *f.hi; ++j) {
        if (j >= w.size() || at(0, j)) {
          return true;
        }
      }
      return false;
    case Op::globally:
      for (std::size_t j = i + f.lo; j < w.size() && (!f.hi || j <= i + *f.hi); ++j) {
        if (!at(0, j)) {
          return false;
        }
      }
      return true;
    default:
      break;
  }
  throw std::logic_error("an operator of the past");
}

/// Exact truth at position i of the infinite word whose letters from `start` on repeat.
class Lasso {
 public:
  Lasso(Word letters, std::size_t start) : w_(std::move(letters)), start_(start) {}

  bool holds(const Formula& f, std::size_t i) const {
    const std::size_t steps = w_.size() + 1;  // enough to see every position again
    switch (f.op) {
      case Op::constant_true:
        return true;
      case Op::constant_false:
        return false;
      case Op::atom:
        return ((w_[i] >> f.atom) & 1U) != 0;
      case Op::not_:
        return !holds(*f.children[0], i);
      case Op::and_:
        return holds(*f.children[0], i) && holds(*f.children[1], i);
      case Op::or_:
        return holds(*f.children[0], i) || holds(*f.children[1], i);
      case Op::next_weak:
      case Op::next_strong:
        return holds(*f.children[0], after(i, 1));
      case Op::until:
      case Op::weak_until:
        for (std::size_t n = 0; n < steps; ++n) {
          if (holds(*f.children[1], after(i, n))) {
            return true;
          }
          if (!holds(*f.children[0], after(i, n))) {
            return false;
          }
        }
        return f.op == Op::weak_until;
      default:
        break;
    }
    const bool is_eventually = f.op == Op::eventually;
    const std::size_t last = f.hi ? *f.hi : f.lo + steps;
    for (std::size_t n = f.lo; n <= last; ++n) {
      if (holds(*f.children[0], after(i, n)) == is_eventually) {
        return is_eventually;
      }
    }
    return !is_eventually;
  }
  [[nodiscard]] std::size_t after(std::size_t i, std::size_t n) const {
    for (; n > 0; --n) {
      i = i + 1 < w_.size() ? i + 1 : start_;
    }
    return i;
  }
  [[nodiscard]] std::uint64_t letter(std::size_t n) const { return w_[after(0, n)]; }

 private:
  Word w_;
  std::size_t start_;
};

Word random_word(assay::Random& random, std::size_t length) {
  Word w;
  for (std::size_t i = 0; i < length; ++i) {
    w.push_back(random.below(8));
  }
  return w;
}

}  // namespace

TEST_CASE("BAD-PREFIX: progression is false exactly on the informative bad prefixes") {
  assay::Random random(3);
  std::size_t bad = 0;
  for (int n = 0; n < 600; ++n) {
    const FormulaPtr f = random_formula(random, 3);
    const FormulaPtr normal = negation_normal_form(f);
    for (int m = 0; m < 8; ++m) {
      const Word w = random_word(random, 1 + random.below(7));
      Progression progression(f);
      auto state = progression.initial();
      for (const std::uint64_t letter : w) {
        state = progression.next(state, letter);
      }
      INFO(formula_text(f, {}));
      REQUIRE(progression.is_false(state) == !weak(*normal, w, 0));
      bad += progression.is_false(state) ? 1 : 0;
    }
  }
  REQUIRE(bad > 500);
}

TEST_CASE("the automaton reports a safety formula violated exactly on the lassos that violate it") {
  assay::Random random(5);
  std::size_t safe = 0;
  std::size_t violated = 0;
  for (int n = 0; n < 500; ++n) {
    const FormulaPtr f = random_formula(random, 3);
    const Dfa dfa = bad_prefix_dfa(f);
    for (int m = 0; m < 6; ++m) {
      const Word w = random_word(random, 1 + random.below(5));
      const Lasso lasso(w, random.below(w.size()));
      std::uint32_t q = 0;
      for (std::size_t i = 0; i < dfa.states * w.size() + w.size() + 1; ++i) {
        q = dfa.next(q, dfa.project(lasso.letter(i)));
      }
      const bool holds = lasso.holds(*f, 0);
      INFO(formula_text(f, {}));
      if (dfa.bad[q]) {
        REQUIRE_FALSE(holds);
      }
      if (is_safety(f)) {
        REQUIRE(holds == !dfa.bad[q]);
        ++safe;
        violated += holds ? 0 : 1;
      }
    }
  }
  REQUIRE(safe > 400);
  REQUIRE(violated > 100);
}

TEST_CASE("minimisation keeps the language and is idempotent") {
  assay::Random random(9);
  for (int n = 0; n < 200; ++n) {
    Dfa dfa;
    dfa.atoms = {0};
    dfa.states = 1 + random.below(12);
    for (std::size_t s = 0; s < dfa.states; ++s) {
      dfa.bad.push_back(random.below(3) == 0);
      dfa.table.push_back(static_cast<std::uint32_t>(random.below(dfa.states)));
      dfa.table.push_back(static_cast<std::uint32_t>(random.below(dfa.states)));
    }
    const Dfa small = minimised(dfa);
    REQUIRE(small.states <= dfa.states);
    REQUIRE(minimised(small).table == small.table);
    for (int m = 0; m < 20; ++m) {
      std::uint32_t a = 0;
      std::uint32_t b = 0;
      for (int i = 0; i < 15; ++i) {
        REQUIRE(dfa.bad[a] == small.bad[b]);
        const auto letter = random.below(2);
        a = dfa.next(a, letter);
        b = small.next(b, letter);
      }
    }
  }
}
