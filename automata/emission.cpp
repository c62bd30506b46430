#include "assay/automata/emission.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "assay/base/errors.hpp"

namespace assay::automata {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<std::string> split(const std::string& words) {
  std::vector<std::string> parts(1);
  for (const char c : words) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

Interval enclosed(const Rational& r) {
  return Interval(static_cast<double>(r.num)) / Interval(static_cast<double>(r.den));
}

Rational number(const std::string& text, const std::string& words) {
  try {
    return parse_rational(text);
  } catch (const InputError& e) {
    throw UsageError("--decoder " + words + ": " + e.what());
  }
}

[[noreturn]] void refuse(const std::string& words) {
  throw UsageError(
      "--decoder: expected greedy, min-p:RHO[:T[:before|after]], top-k:K or plain, found " + words);
}

bool ordered(std::span<const double> lo, std::span<const double> hi) {
  for (std::size_t t = 0; t < lo.size(); ++t) {
    if (!(lo[t] <= hi[t])) {
      return false;
    }
  }
  return true;
}

}  // namespace

Emission Emission::parse(const std::string& words) {
  const std::vector<std::string> parts = split(words);
  Emission out;
  if (parts[0] == "greedy" && parts.size() == 1) {
    return out;
  }
  if (parts[0] == "plain" && parts.size() == 1) {
    out.kind_ = Kind::plain;
    return out;
  }
  if (parts[0] == "top-k" && parts.size() == 2) {
    const Rational k = number(parts[1], words);
    if (k.den != 1 || k.num < 1 || k.num > 1000000) {
      throw UsageError("--decoder top-k: expected a whole number of 1 or more, found " + parts[1]);
    }
    out.kind_ = Kind::top_k;
    out.k_ = static_cast<std::size_t>(k.num);
    return out;
  }
  if (parts[0] == "min-p" && parts.size() >= 2 && parts.size() <= 4) {
    out.kind_ = Kind::min_p;
    out.min_p_ = number(parts[1], words);
    out.temperature_ = parts.size() > 2 ? number(parts[2], words) : Rational{1, 1};
    if (out.min_p_.num <= 0 || out.min_p_.num > out.min_p_.den || out.temperature_.num <= 0) {
      throw UsageError("--decoder min-p: expected 0 < RHO <= 1 and T > 0, found " + words);
    }
    if (parts.size() > 3 && parts[3] != "before" && parts[3] != "after") {
      throw UsageError("--decoder min-p: expected before or after, found " + parts[3]);
    }
    out.temperature_first_ = parts.size() > 3 && parts[3] == "before";
    out.cut_ = out.min_p_.num == out.min_p_.den ? Interval(0.0) : log(enclosed(out.min_p_));
    if (out.temperature_first_) {
      out.cut_ = out.cut_ * enclosed(out.temperature_);
    }
    return out;
  }
  refuse(words);
}

std::string Emission::text() const {
  switch (kind_) {
    case Kind::greedy:
      return "greedy";
    case Kind::plain:
      return "plain";
    case Kind::top_k:
      return "top-k " + std::to_string(k_);
    case Kind::min_p:
      break;
  }
  return "min-p " + min_p_.text() + " temperature " + temperature_.text() + " order " +
         (temperature_first_ ? "before" : "after");
}

void Emission::decide(std::span<const double> lo, std::span<const double> hi,
                      std::span<Edge> out) const {
  std::fill(out.begin(), out.end(), kind_ == Kind::plain ? Edge::witnessed : Edge::open);
  if (kind_ == Kind::plain || !ordered(lo, hi)) {
    return;
  }
  if (kind_ == Kind::top_k) {
    decide_top_k(lo, hi, out);
    return;
  }
  double best = -kInfinity;  // the largest lower end
  double first = -kInfinity, second = -kInfinity;
  for (std::size_t t = 0; t < lo.size(); ++t) {  // the two largest upper ends
    best = std::max(best, lo[t]);
    second = std::max(second, std::min(first, hi[t]));
    first = std::max(first, hi[t]);
  }
  // absent: l_t < l_y + cut for the y of the largest lower end
  const double out_below = round_down(best + cut_.lo);
  // witnessed: l_t > l_y + cut for every other y, or alone on top, whatever the cut is
  const auto in_above = [this](double rival) {
    return cut_.hi < 0 ? std::min(round_up(rival + cut_.hi), rival) : rival;
  };
  const double for_first = in_above(second), for_others = in_above(first);
  for (std::size_t t = 0; t < lo.size(); ++t) {
    if (hi[t] < out_below) {
      out[t] = Edge::absent;
    } else if (lo[t] > (hi[t] == first ? for_first : for_others)) {
      out[t] = Edge::witnessed;
    }
  }
}

// absent: K tokens surely greater; witnessed: fewer than K others that may be as great
void Emission::decide_top_k(std::span<const double> lo, std::span<const double> hi,
                            std::span<Edge> out) const {
  if (k_ >= lo.size()) {
    std::fill(out.begin(), out.end(), Edge::witnessed);
    return;
  }
  std::vector<double> low(lo.begin(), lo.end()), high(hi.begin(), hi.end());
  const auto kth = [this](std::vector<double>& v, std::size_t k) {
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(k), v.end(),
                     std::greater<>());
    return v[k];
  };
  const double kth_low = kth(low, k_ - 1);
  const double kth_high = kth(high, k_ - 1), next_high = kth(high, k_);
  for (std::size_t t = 0; t < lo.size(); ++t) {
    // Without t itself the K-th largest upper end is next_high when t is among the first K.
    const double rival = hi[t] >= kth_high ? next_high : kth_high;
    if (hi[t] < kth_low) {
      out[t] = Edge::absent;
    } else if (lo[t] > rival) {
      out[t] = Edge::witnessed;
    }
  }
}

}  // namespace assay::automata
