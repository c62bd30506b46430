#include "progression.hpp"

#include <algorithm>

#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxCubes = 1024;
constexpr std::size_t kMaxResiduals = 200'000;
constexpr std::size_t kMaxMemo = 2'000'000;

}  // namespace

Progression::Progression(Formulas& formulas, FormulaId f) : formulas_(formulas) {
  initial_ = number(expand(f));
}

Progression::ResidualId Progression::number(const Dnf& dnf) {
  const auto [it, fresh] = numbers_.emplace(dnf, residuals_.size());
  if (fresh) {
    if (residuals_.size() >= kMaxResiduals) {
      throw Reject("progression", "more residual formulas than the limit");
    }
    residuals_.push_back(dnf);
  }
  return it->second;
}

// G[a:b] f => G[c:d] f when [c, d] lies in [a, b];  F[a:b] f => F[c:d] f when [a, b] lies in [c, d].
bool Progression::implies(FormulaId f, FormulaId g) const {
  if (f == g) {
    return true;
  }
  const Formula& p = formulas_.at(f);
  const Formula& q = formulas_.at(g);
  if (p.op != q.op || p.a != q.a) {
    return false;
  }
  return (p.op == Op::globally && p.lo <= q.lo && q.hi <= p.hi) ||
         (p.op == Op::eventually && q.lo <= p.lo && p.hi <= q.hi);
}

bool Progression::implies(const Cube& f, const Cube& g) const {
  return std::all_of(g.begin(), g.end(), [&](FormulaId y) {
    return std::any_of(f.begin(), f.end(), [&](FormulaId x) { return implies(x, y); });
  });
}

Progression::Cube Progression::simplify(Cube cube) const {
  std::sort(cube.begin(), cube.end());
  cube.erase(std::unique(cube.begin(), cube.end()), cube.end());
  Cube kept;
  for (const FormulaId y : cube) {
    if (std::none_of(cube.begin(), cube.end(),
                     [&](FormulaId x) { return x != y && implies(x, y); })) {
      kept.push_back(y);
    }
  }
  return kept;
}

Progression::Dnf Progression::absorb(Dnf dnf) const {
  std::sort(dnf.begin(), dnf.end());
  dnf.erase(std::unique(dnf.begin(), dnf.end()), dnf.end());
  Dnf kept;
  for (std::size_t i = 0; i < dnf.size(); ++i) {
    bool covered = false;
    for (std::size_t j = 0; j < dnf.size() && !covered; ++j) {
      covered = i != j && implies(dnf[i], dnf[j]) && (j < i || !implies(dnf[j], dnf[i]));
    }
    if (!covered) {
      kept.push_back(dnf[i]);
    }
  }
  if (kept.size() > kMaxCubes) {
    throw Reject("progression", "residual formula over the limit");
  }
  return kept;
}

Progression::Dnf Progression::conjunction(const Dnf& f, const Dnf& g) const {
  if (f.size() * g.size() > kMaxCubes * 4) {
    throw Reject("progression", "residual formula over the limit");
  }
  Dnf all;
  for (const Cube& a : f) {
    for (const Cube& b : g) {
      Cube both = a;
      both.insert(both.end(), b.begin(), b.end());
      all.push_back(simplify(std::move(both)));
    }
  }
  return absorb(std::move(all));
}

Progression::Dnf Progression::disjunction(Dnf f, const Dnf& g) const {
  f.insert(f.end(), g.begin(), g.end());
  return absorb(std::move(f));
}

Progression::Dnf Progression::expand(FormulaId f) const {
  const Formula& n = formulas_.at(f);
  switch (n.op) {
    case Op::constant_false:
      return {};
    case Op::constant_true:
      return {{}};
    case Op::and_:
      return conjunction(expand(n.a), expand(n.b));
    case Op::or_:
      return disjunction(expand(n.a), expand(n.b));
    default:
      return {{f}};
  }
}

Progression::Dnf Progression::progress_bounded(const Formula& n, FormulaId f,
                                               std::uint64_t letter) {
  const std::uint32_t hi = n.hi == Formula::kUnbounded ? n.hi : n.hi - 1;  // used when n.hi > 0
  if (n.lo > 0) {
    return {{formulas_.make(n.op, n.a, 0, n.lo - 1, hi)}};
  }
  Dnf now = progress(n.a, letter);
  if (n.hi == 0) {
    return now;
  }
  const Dnf rest = {{n.hi == Formula::kUnbounded ? f : formulas_.make(n.op, n.a, 0, 0, hi)}};
  return n.op == Op::globally ? conjunction(now, rest) : disjunction(now, rest);
}

const Progression::Dnf& Progression::progress(FormulaId f, std::uint64_t letter) {
  const auto known = memo_.find({f, letter});
  if (known != memo_.end()) {
    return known->second;
  }
  const Formula n = formulas_.at(f);
  Dnf result;
  switch (n.op) {
    case Op::constant_false:
      break;
    case Op::constant_true:
      result = {{}};
      break;
    case Op::atom:
    case Op::not_atom:
      if (((letter >> n.a & 1) != 0) == (n.op == Op::atom)) {
        result = {{}};
      }
      break;
    case Op::and_:
      result = conjunction(progress(n.a, letter), progress(n.b, letter));
      break;
    case Op::or_:
      result = disjunction(progress(n.a, letter), progress(n.b, letter));
      break;
    case Op::next_weak:
    case Op::next_strong:
      result = expand(n.a);
      break;
    case Op::until:
    case Op::weak_until:
      result = disjunction(conjunction(progress(n.a, letter), {{f}}), progress(n.b, letter));
      break;
    case Op::eventually:
    case Op::globally:
      result = progress_bounded(n, f, letter);
      break;
    case Op::yesterday:
    case Op::once:
    case Op::historically:
      result = formulas_.read(f, letter).value ? Dnf{{}} : Dnf{};
      break;
  }
  if (memo_.size() >= kMaxMemo) {
    throw Reject("progression", "more steps than the limit");
  }
  return memo_.emplace(std::pair(f, letter), std::move(result)).first->second;
}

Progression::ResidualId Progression::step(ResidualId r, std::uint64_t letter) {
  const Dnf current = residuals_[r];
  Dnf next;
  for (const Cube& cube : current) {
    Dnf product = {{}};
    for (const FormulaId f : cube) {
      product = conjunction(product, progress(f, letter));
    }
    next = disjunction(std::move(next), product);
  }
  for (Cube& cube : next) {
    for (FormulaId& f : cube) {
      f = formulas_.read(f, letter).after;
    }
    cube = simplify(std::move(cube));
  }
  return number(absorb(std::move(next)));
}

}  // namespace assay_check
