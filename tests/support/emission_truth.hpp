#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"

/// Decoders by their definition, on logits that are whole multiples of ln 2: weights are powers of two, so that every
/// comparison, ties and equalities with a cut included, is exact.
namespace emission_truth {

struct Decoder {
  enum class Kind { greedy, min_p, top_k, top_p, plain } kind = Kind::greedy;
  int halvings = 1;               ///< min-p: rho = 2^-halvings
  std::int64_t num = 1, den = 2;  ///< top-p
  int k = 1;
  int temperature = 1;  ///< 1 or 2
  bool temperature_first = false;
  enum class Mask { none, before, after } mask = Mask::none;
  std::vector<int> allowed;

  /// As `--decoder` and as a runs file write it.
  [[nodiscard]] std::string option() const {
    const std::string t = ":" + std::to_string(temperature);
    const std::string order = t + (temperature_first ? ":before" : ":after");
    switch (kind) {
      case Kind::greedy:
        return "greedy";
      case Kind::plain:
        return "plain" + t;
      case Kind::top_k:
        return "top-k:" + std::to_string(k) + t;
      case Kind::min_p:
        return "min-p:1/" + std::to_string(1 << halvings) + order;
      case Kind::top_p:
        return "top-p:" + std::to_string(num) + "/" + std::to_string(den) + order;
    }
    return {};
  }
  [[nodiscard]] std::string allow() const {
    std::string out = mask == Mask::before ? "before:" : "after:";
    for (std::size_t i = 0; i < allowed.size(); ++i) {
      out += (i == 0 ? "" : ",") + std::to_string(allowed[i]);
    }
    return out;
  }
};

inline bool is_allowed(const Decoder& d, std::size_t t) {
  return d.mask == Decoder::Mask::none ||
         std::find(d.allowed.begin(), d.allowed.end(), static_cast<int>(t)) != d.allowed.end();
}

/// Whether each token may be emitted when token t has logit levels[t] ln 2; `clear` turns false where a tie or an
/// equality with a cut decides.
inline std::vector<bool> kept(const Decoder& d, const std::vector<int>& levels, bool& clear) {
  std::vector<bool> out(levels.size(), false);
  const auto read = [&](std::size_t y) {
    return d.mask != Decoder::Mask::before || is_allowed(d, y);
  };
  for (std::size_t t = 0; t < levels.size(); ++t) {
    if (!is_allowed(d, t)) {
      continue;
    }
    int top = levels[t], greater = 0;
    std::int64_t above = 0, total = 0;
    const int divide = d.temperature_first ? d.temperature : 1;
    for (std::size_t y = 0; y < levels.size(); ++y) {
      if (!read(y)) {
        continue;
      }
      const std::int64_t weight = std::int64_t{1} << (levels[y] / divide + 16);
      top = std::max(top, levels[y]);
      total += weight;
      clear = clear && (y == t || levels[y] != levels[t]);
      if (levels[y] > levels[t]) {
        ++greater;
        above += weight;
      }
    }
    const int cut = -d.halvings * divide;
    switch (d.kind) {
      case Decoder::Kind::greedy:
        out[t] = levels[t] == top;
        break;
      case Decoder::Kind::plain:
        out[t] = true;
        break;
      case Decoder::Kind::top_k:
        out[t] = greater < d.k;
        break;
      case Decoder::Kind::min_p:
        out[t] = levels[t] - top >= cut;
        clear = clear && levels[t] - top != cut;
        break;
      case Decoder::Kind::top_p:
        out[t] = above * d.den < d.num * total;
        clear = clear && above * d.den != d.num * total;
        break;
    }
  }
  return out;
}

inline Decoder random_decoder(std::mt19937_64& random, int tokens) {
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  Decoder d;
  d.kind = static_cast<Decoder::Kind>(below(5));
  d.halvings = 1 + below(4);
  d.den = std::vector<std::int64_t>{2, 3, 4, 8, 10, 100}[static_cast<std::size_t>(below(6))];
  d.num = 1 + below(static_cast<int>(d.den));
  d.k = 1 + below(tokens + 1);
  d.temperature = 1 + below(2);
  d.temperature_first = below(2) == 0;
  d.mask = static_cast<Decoder::Mask>(below(3));
  for (int t = 0; t < tokens; ++t) {
    if (below(2) == 0 || (t + 1 == tokens && d.allowed.empty())) {
      d.allowed.push_back(t);
    }
  }
  return d;
}

/// Calls decide(decoder, lo, hi), which says 0 (outside), 1 (open) or 2 (inside) of each token, on random boxes: what
/// it says must be so at every corner and level of the box, and at a point where nothing is tied it must say it.
template <class Decide>
void compare(const Decide& decide, std::size_t trials, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::size_t decided = 0, clear_points = 0, boundaries = 0;
  for (std::size_t trial = 0; trial < trials; ++trial) {
    const std::size_t n = 1 + random() % 5;
    const Decoder d = random_decoder(random, static_cast<int>(n));
    std::vector<int> first(n), last(n);
    std::vector<double> lo, hi;
    for (std::size_t t = 0; t < n; ++t) {
      first[t] = 2 * (static_cast<int>(random() % 7) - 3);  // even: levels are halved by T = 2
      last[t] = first[t] + (random() % 3 == 0 ? 2 : 0);
      const auto end = [](int level, double to) {
        const double x = level * 0x1.62e42fefa39efp-1;  // within an ulp of level * ln 2
        return level == 0 ? 0.0 : std::nextafter(std::nextafter(x, to), to);
      };
      lo.push_back(end(first[t], -HUGE_VAL));
      hi.push_back(end(last[t], HUGE_VAL));
    }
    const std::vector<int> said = decide(d, lo, hi);
    bool clear = true;
    std::vector<int> at = first;
    for (std::uint64_t corner = 0; corner < (std::uint64_t{1} << n); ++corner) {
      for (std::size_t t = 0; t < n; ++t) {
        at[t] = ((corner >> t) & 1U) != 0 ? last[t] : first[t];
      }
      const std::vector<bool> truth = kept(d, at, clear);
      for (std::size_t t = 0; t < n; ++t) {
        INFO(d.option() << " " << d.allow() << " token " << t << " trial " << trial);
        REQUIRE((said[t] != 0 || !truth[t]));
        REQUIRE((said[t] != 2 || truth[t]));
        decided += said[t] != 1 ? 1 : 0;
      }
    }
    boundaries += clear ? 0 : 1;
    if (first == last && clear) {
      ++clear_points;
      for (const int s : said) {
        INFO(d.option() << " " << d.allow() << " trial " << trial);
        REQUIRE(s != 1);
      }
    }
  }
  CHECK(decided > trials);
  CHECK(clear_points > trials / 20);
  CHECK(boundaries > trials / 4);
}

}  // namespace emission_truth
