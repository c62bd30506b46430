#include <stdexcept>

#include "catch.hpp"
#include "check_case.hpp"
#include "elementary.hpp"
#include "interval.hpp"
#include "progression.hpp"

using namespace check_test;

TEST_CASE("interval operations enclose long double arithmetic") {
  std::mt19937_64 random(1);
  const auto number = [&](double size) {
    return (static_cast<double>(random() >> 11) * 0x1p-52 - 1) * size;
  };
  for (int trial = 0; trial < 20000; ++trial) {
    const double x = number(600), y = number(3), p = std::fabs(number(1e3)) + 1e-6;
    using L = long double;
    // long double is good to 2^-63: it may miss the truth by that much.
    const auto holds = [](const assay_check::Interval& i, L value, double width) {
      const L slack = std::fabs(value) * 0x1p-62L;
      return static_cast<L>(i.lo()) <= value + slack && value - slack <= static_cast<L>(i.hi()) &&
             i.hi() - i.lo() <= width * std::fabs(static_cast<double>(value));
    };
    CHECK(holds(assay_check::exponential(x), std::exp(static_cast<L>(x)), 5e-15));
    CHECK(holds(assay_check::logarithm(p), std::log(static_cast<L>(p)),
                p > 0.9 && p < 1.1 ? 1 : 1e-14));
    CHECK(holds(assay_check::square_root(p), std::sqrt(static_cast<L>(p)), 1e-15));
    CHECK(holds(assay_check::Interval(x) * y, static_cast<L>(x) * y, 1e-15));
    CHECK(holds(assay_check::Interval(x) / p, static_cast<L>(x) / p, 1e-15));
  }
}

TEST_CASE("what is accepted is true of every context") {
  std::size_t accepted = 0;
  for (unsigned seed = 100; seed < 130; ++seed) {
    const std::vector<Tokens> suffixes = {{0}, {2, 1}, {4, 4, 3}, {1, 0, 2, 3}};
    const Tokens& suffix = suffixes[seed % 4];
    const bool mid = seed % 8 < 4;
    const auto c =
        make_bounds({seed, suffix, mid ? "blocks.0.hook_resid_mid" : "blocks.0.mlp.hook_post",
                     seed % 3 == 0 ? -1e-6 : 1e-6, seed % 2 == 0 ? "after" : "before"});
    const double feature = c->model.brute_force(suffix, [&](const Tokens& context) {
      const Vector m = c->model.mid(context);
      return c->sae.pre(1, mid ? m : c->model.post(m));
    });
    const double token = c->model.brute_force(suffix, [&](const Tokens& context) {
      const Vector l = c->model.logits(context);
      return l[2] - *std::max_element(l.begin(), l.end());
    });
    const double cut = std::log(0.1) * (seed % 2 == 0 ? 1 : 2);
    CHECK(feature <= c->feature_bound + 1e-9);
    if (c->check().accepted) {
      ++accepted;
      CHECK(feature <= static_cast<double>(c->sae.threshold[1]));
      CHECK(token < cut);
    } else {
      CHECK(seed % 3 == 0);
    }
    // False statements: whatever slopes and numbers a certificate of this shape carries, none passes.
    c->sae.threshold[1] = static_cast<float>(feature - 1e-4);
    if (c->sae.threshold[1] >= 0) {
      c->sae.save(*c->inputs.sae);
      c->set_word("sae", 2, digest(*c->inputs.sae + "/sae_weights.safetensors"));
      std::mt19937_64 random(seed);
      for (int trial = 0; trial < 20; ++trial) {
        const auto saved = c->lines;
        const std::size_t index = (mid ? 4 : 12) + random() % 2;
        const double L = std::strtod(c->word("f FEATURE", index).c_str(), nullptr);
        c->set_word("f FEATURE", index, hex(L - static_cast<double>(random() % 1000) * 1e-2));
        CHECK_FALSE(c->check().accepted);
        c->lines = saved;
      }
    }
  }
  CHECK(accepted == 20);
}

TEST_CASE("one head, one direction: the bound accepted is the brute-force maximum, no less") {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    const auto c = make_bounds({seed, {1, 3}, "blocks.0.hook_resid_mid", 1e-3, "after"});
    REQUIRE(c->check().accepted);
    const Vector g = c->sae.direction(1);
    for (std::size_t h = 0; h < 2; ++h) {
      const double truth = c->model.brute_force({1, 3}, [&](const Tokens& context) {
        double top = 0, bottom = 0;
        for (std::size_t j = 0; j < context.size(); ++j) {
          const std::size_t u = context[context.size() - 1 - j];
          const double a = c->model.weight(h, 3, j, u);
          const Vector v = c->model.value(h, u);
          double nu = 0;
          for (std::size_t i = 0; i < 4; ++i) {
            nu += g[i] * v[i];
          }
          top += a * nu;
          bottom += a;
        }
        return top / bottom;
      });
      const auto accepts = [&](double L) {
        const auto saved = c->lines;
        c->set_word("f FEATURE", 4 + h, hex(L));
        const bool yes = c->check().accepted;
        c->lines = saved;
        return yes;
      };
      CHECK(accepts(truth + 1e-12));
      CHECK_FALSE(accepts(truth - 1e-12));
    }
  }
}

namespace {

using assay_check::Formula;
using assay_check::FormulaId;
using assay_check::Formulas;
using assay_check::Op;

/// Truth on the infinite word stem · loop^ω at each of its positions, by fixed points.
std::vector<bool> truth(const Formulas& formulas, FormulaId f,
                        const std::vector<std::uint64_t>& word, std::size_t loop) {
  const Formula n = formulas.at(f);
  const std::size_t size = word.size();
  const auto next = [&](std::size_t i) { return i + 1 < size ? i + 1 : loop; };
  const auto far = [&](std::size_t i, std::size_t steps) {
    for (; steps > 0; --steps) {
      i = next(i);
    }
    return i;
  };
  const bool leaf = n.op <= Op::not_atom;
  const bool binary =
      n.op == Op::and_ || n.op == Op::or_ || n.op == Op::until || n.op == Op::weak_until;
  const std::vector<bool> a = leaf ? std::vector<bool>(size) : truth(formulas, n.a, word, loop);
  const std::vector<bool> b = binary ? truth(formulas, n.b, word, loop) : std::vector<bool>(size);
  std::vector<bool> out(size, n.op == Op::weak_until || n.op == Op::constant_true);
  for (std::size_t round = 0; round <= size; ++round) {
    for (std::size_t i = 0; i < size; ++i) {
      switch (n.op) {
        case Op::constant_false:
        case Op::constant_true:
          break;
        case Op::atom:
        case Op::not_atom:
          out[i] = ((word[i] >> n.a & 1) != 0) == (n.op == Op::atom);
          break;
        case Op::and_:
          out[i] = a[i] && b[i];
          break;
        case Op::or_:
          out[i] = a[i] || b[i];
          break;
        case Op::next_weak:
        case Op::next_strong:
          out[i] = a[next(i)];
          break;
        case Op::until:
        case Op::weak_until:
          out[i] = b[i] || (a[i] && out[next(i)]);
          break;
        case Op::eventually:
        case Op::globally: {
          const bool all = n.op == Op::globally;
          out[i] = all;
          const std::size_t hi = n.hi == Formula::kUnbounded ? n.lo + 2 * size : n.hi;
          for (std::size_t s = n.lo; s <= hi; ++s) {
            out[i] = all ? out[i] && a[far(i, s)] : out[i] || a[far(i, s)];
          }
          break;
        }
        case Op::yesterday:
        case Op::once:
        case Op::historically:
          throw std::invalid_argument("these formulas have no past");
      }
    }
  }
  return out;
}

FormulaId random_formula(Formulas& formulas, std::mt19937_64& random, int depth) {
  const auto sub = [&] { return random_formula(formulas, random, depth - 1); };
  const auto lo = static_cast<std::uint32_t>(random() % 3);
  const auto hi =
      random() % 4 == 0 ? Formula::kUnbounded : lo + static_cast<std::uint32_t>(random() % 3);
  const FormulaId a = depth > 0 ? sub() : 0;
  const FormulaId b = depth > 0 ? sub() : 0;
  switch (depth == 0 ? 0 : random() % 8) {
    case 0: {
      const FormulaId atom = formulas.atom(static_cast<std::uint32_t>(random() % 2));
      return random() % 2 == 0 ? atom : formulas.negate(atom);
    }
    case 1:
      return formulas.make(Op::and_, a, b);
    case 2:
      return formulas.make(Op::or_, a, b);
    case 3:
      return formulas.make(Op::next_weak, a);
    case 4:
      return formulas.make(Op::until, a, b);
    case 5:
      return formulas.make(Op::weak_until, a, b);
    case 6:
      return formulas.make(Op::eventually, a, 0, lo, hi);
    default:
      return formulas.make(Op::globally, a, 0, lo, hi);
  }
}

}  // namespace

TEST_CASE("progression agrees with the direct semantics on infinite words") {
  std::mt19937_64 random(17);
  std::size_t violated_safety = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    Formulas formulas;
    const FormulaId f = random_formula(formulas, random, 3);
    std::vector<std::uint64_t> word;
    for (std::size_t i = 0; i < 2 + static_cast<std::size_t>(trial) % 5; ++i) {
      word.push_back(random() % 4);
    }
    const std::size_t loop = random() % word.size();
    const bool value = truth(formulas, f, word, loop)[0];
    CHECK(truth(formulas, formulas.negate(f), word, loop)[0] == !value);
    assay_check::Progression monitor(formulas, f);
    std::size_t r = monitor.initial(), at = 0;
    for (int step = 0; step < 60; ++step) {
      r = monitor.step(r, word[at]);
      at = at + 1 < word.size() ? at + 1 : loop;
    }
    if (monitor.is_false(r)) {
      CHECK_FALSE(value);
    } else if (formulas.is_safety(f)) {
      CHECK(value);
    }
    violated_safety += monitor.is_false(r) && formulas.is_safety(f) ? 1 : 0;
  }
  CHECK(violated_safety > 100);
}
