#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "interval.hpp"
#include "network.hpp"

namespace assay_check {

/// The tokens a context is known to end in: tokens.back() is the current token.
using Suffix = std::vector<std::size_t>;

/// Enclosures of what one head sees: keys and outputs depend on the token alone, scores on
/// (current token, key token), and the relative bias on the distance.
class Attention {
 public:
  explicit Attention(const Network& net);

  [[nodiscard]] const Network& net() const { return net_; }

  /// <g, v_h(u) W_O[h]> for every token u: [H * V], head by head. g has d_model entries.
  [[nodiscard]] std::vector<Interval> project(std::span<const Interval> g) const;

  /// v_h(u) W_O[h]: d_model entries.
  [[nodiscard]] std::span<const Interval> output(std::size_t head, std::size_t token) const;

  /// e^{s_h(j, u)} divided by a positive factor that is the same for all j and u:
  /// weights(c)[h * V + u] * bias_weight(h, j).
  [[nodiscard]] const std::vector<Interval>& weights(std::size_t current);
  [[nodiscard]] const Interval& bias_weight(std::size_t head, std::size_t back) const;

  /// x_c + b_O: d_model entries.
  [[nodiscard]] std::vector<Interval> residual(std::size_t current) const;

  /// ATTN-MAX: throws Reject(rule, …) unless L bounds <g, head h's output> over all contexts that
  /// end in the suffix. nu: [V], this head's slice of project(g).
  void check_max(std::size_t head, std::span<const Interval> nu, const Suffix& suffix, double L,
                 const std::string& rule);
  /// The sum of the words' numbers, one for each head, each shown by check_max. nu: [H * V].
  [[nodiscard]] Interval sum_of_maxima(std::span<const Interval> nu, const Suffix& suffix,
                                       std::span<const std::string_view> words,
                                       std::string_view rule);

 private:
  [[nodiscard]] std::vector<Interval> head_vector(std::size_t head, std::size_t token,
                                                  const std::vector<float>& W,
                                                  const std::vector<float>& b) const;

  const Network& net_;
  std::vector<Interval> keys_;     // [H, V, d_head]
  std::vector<Interval> outputs_;  // [H, V, d_model]
  std::vector<Interval> bias_;     // [H, span]
  std::map<std::size_t, std::vector<Interval>> weights_;
};

}  // namespace assay_check
