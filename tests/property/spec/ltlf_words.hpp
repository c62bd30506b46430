#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "assay/base/random.hpp"
#include "assay/spec/formula.hpp"

namespace assay::test {

using Word = std::vector<std::uint64_t>;

/// The second, dumber program: LTLf with past by its definition, at position i < w.size().
inline bool holds(const spec::Formula& f, const Word& w, std::size_t i) {
  using spec::Op;
  const auto at = [&](std::size_t c, std::size_t j) { return holds(*f.children[c], w, j); };
  const std::size_t n = w.size();
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
      for (std::size_t c = 0; c < f.children.size(); ++c) {
        if (!at(c, i)) {
          return false;
        }
      }
      return true;
    case Op::or_:
      for (std::size_t c = 0; c < f.children.size(); ++c) {
        if (at(c, i)) {
          return true;
        }
      }
      return false;
    case Op::next_weak:
      return i + 1 == n || at(0, i + 1);
    case Op::next_strong:
      return i + 1 < n && at(0, i + 1);
    case Op::until:
    case Op::weak_until:
      for (std::size_t j = i; j < n; ++j) {
        if (at(1, j)) {
          return true;
        }
        if (!at(0, j)) {
          return false;
        }
      }
      return f.op == Op::weak_until;
    case Op::eventually:
    case Op::globally: {
      const bool exists = f.op == Op::eventually;
      for (std::size_t j = i + f.lo; j < n && j <= (f.hi ? i + *f.hi : n); ++j) {
        if (at(0, j) == exists) {
          return exists;
        }
      }
      return !exists;
    }
    case Op::yesterday:
      return i > 0 && at(0, i - 1);
    case Op::once:
    case Op::historically: {
      const bool exists = f.op == Op::once;
      const std::size_t first = f.hi && *f.hi < i ? i - *f.hi : 0;
      for (std::size_t j = first; j <= i; ++j) {
        if (at(0, j) == exists) {
          return exists;
        }
      }
      return !exists;
    }
  }
  return false;
}

inline Word random_word(Random& random, std::size_t length, std::size_t letters) {
  Word w;
  for (std::size_t i = 0; i < length; ++i) {
    w.push_back(random.below(letters));
  }
  return w;
}

/// Looks back only.
inline spec::FormulaPtr random_past(Random& random, int depth, std::size_t atoms) {
  using spec::Op;
  const auto child = [&] { return random_past(random, depth - 1, atoms); };
  switch (depth <= 0 ? 0 : random.below(8)) {
    case 0:
      return spec::atom(random.below(atoms));
    case 1:
      return spec::negation(child());
    case 2:
      return spec::junction(Op::and_, {child(), child()});
    case 3:
      return spec::junction(Op::or_, {child(), child()});
    case 4:
      return spec::yesterday(child());
    case 5:
      return spec::past_bounded(Op::once, child());
    case 6:
      return spec::past_bounded(Op::historically, child());
    default: {
      const std::size_t lo = random.below(3);
      return spec::past_bounded(random.below(2) == 0 ? Op::once : Op::historically, child(), lo,
                                lo + random.below(4));
    }
  }
}

/// Every operator; bounds up to `most`.
inline spec::FormulaPtr random_formula(Random& random, int depth, std::size_t atoms,
                                       std::size_t most) {
  using spec::Op;
  const auto child = [&] { return random_formula(random, depth - 1, atoms, most); };
  switch (depth <= 0 ? random.below(2) : random.below(13)) {
    case 0:
      return random_past(random, 2, atoms);
    case 1:
      return random.below(8) == 0 ? spec::constant(random.below(2) == 0)
                                  : spec::atom(random.below(atoms));
    case 2:
      return spec::negation(child());
    case 3:
      return spec::junction(Op::and_, {child(), child()});
    case 4:
      return spec::junction(Op::or_, {child(), child(), child()});
    case 5:
      return spec::next(Op::next_weak, child());
    case 6:
      return spec::next(Op::next_strong, child());
    case 7:
      return spec::until(Op::until, child(), child());
    case 8:
      return spec::until(Op::weak_until, child(), child());
    case 9:
      return spec::bounded(random.below(2) == 0 ? Op::eventually : Op::globally, child());
    case 10:
      return spec::implication(child(), child());
    default: {
      const std::size_t lo = random.below(most / 2 + 1);
      return spec::bounded(random.below(2) == 0 ? Op::eventually : Op::globally, child(), lo,
                           lo + random.below(most / 2 + 1));
    }
  }
}

}  // namespace assay::test
