#pragma once

#include <cstdint>
#include <vector>

#include "assay/spec/formula.hpp"

namespace assay::test {

/// A formula on the endless word stem · loop · loop · …, by its definition: truth at every position of
/// stem · loop^16, whose last position is followed by the first one of the last loop. Looking back is
/// settled by then for bounds that are small.
class LassoWord {
 public:
  using Truth = std::vector<bool>;

  LassoWord(std::vector<std::uint64_t> stem, const std::vector<std::uint64_t>& loop)
      : word_(std::move(stem)), back_(loop.size()) {
    for (int i = 0; i < 16; ++i) {
      word_.insert(word_.end(), loop.begin(), loop.end());
    }
  }

  [[nodiscard]] bool holds(const spec::Formula& f) const { return truth(f)[0]; }

 private:
  [[nodiscard]] std::size_t after(std::size_t i) const {
    return i + 1 < word_.size() ? i + 1 : word_.size() - back_;
  }

  [[nodiscard]] Truth truth(const spec::Formula& f) const {
    using spec::Op;
    const std::size_t n = word_.size();
    std::vector<Truth> c;
    for (const auto& child : f.children) {
      c.push_back(truth(*child));
    }
    Truth out(n, false);
    // what lies ahead, from a first guess until nothing changes
    const auto fixed_point = [&](bool guess, auto step) {
      out.assign(n, guess);
      for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t i = n; i-- > 0;) {
          const bool now = step(i, out[after(i)]);
          changed = changed || now != out[i];
          out[i] = now;
        }
      }
    };
    for (std::size_t i = 0; i < n; ++i) {
      switch (f.op) {
        case Op::constant_true:
          out[i] = true;
          break;
        case Op::constant_false:
          break;
        case Op::atom:
          out[i] = ((word_[i] >> f.atom) & 1U) != 0;
          break;
        case Op::not_:
          out[i] = !c[0][i];
          break;
        case Op::and_:
          out[i] = true;
          for (const Truth& t : c) {
            out[i] = out[i] && t[i];
          }
          break;
        case Op::or_:
          for (const Truth& t : c) {
            out[i] = out[i] || t[i];
          }
          break;
        case Op::next_weak:
        case Op::next_strong:
          out[i] = c[0][after(i)];
          break;
        case Op::yesterday:
          out[i] = i > 0 && c[0][i - 1];
          break;
        case Op::once:
        case Op::historically:
          out[i] = f.op == Op::historically;
          for (std::size_t j = f.hi && *f.hi < i ? i - *f.hi : 0; j <= i; ++j) {
            out[i] = f.op == Op::once ? out[i] || c[0][j] : out[i] && c[0][j];
          }
          break;
        case Op::until:
        case Op::weak_until:
          fixed_point(f.op == Op::weak_until,
                      [&](std::size_t k, bool later) { return c[1][k] || (c[0][k] && later); });
          return out;
        case Op::eventually:
        case Op::globally:
          return ahead(f, c[0]);
      }
    }
    return out;
  }

  [[nodiscard]] Truth ahead(const spec::Formula& f, const Truth& child) const {
    const bool exists = f.op == spec::Op::eventually;
    const std::size_t n = word_.size();
    Truth out(n, !exists);
    for (std::size_t i = 0; i < n; ++i) {
      std::size_t at = i;
      const std::size_t most = f.hi ? *f.hi : f.lo + 2 * n;
      for (std::size_t d = 0; d <= most; ++d, at = after(at)) {
        if (d >= f.lo && child[at] == exists) {
          out[i] = exists;
        }
      }
    }
    return out;
  }

  std::vector<std::uint64_t> word_;
  std::size_t back_;
};

}  // namespace assay::test
