#include <algorithm>

#include "attention.hpp"
#include "lexis.hpp"
#include "reject.hpp"

namespace assay_check {

// ATTN-MAX
//   for every N in k … w:
//     Σ_{j<k} w(j,a_j)(ν(a_j) − L) + Σ_{k<=j<N} max_u w(j,u)(ν(u) − L) <= 0
//   ------------------------------------------------------------------------
//   <g, head h's output> <= L for every context that ends in a_{k-1} … a_0
// w(j,u) = weights[u] · bias_weight(j) > 0 up to a common factor, so the inner maximum is
// bias_weight(j) times one number that does not depend on j.
void Attention::check_max(std::size_t head, std::span<const Interval> nu, const Suffix& suffix,
                          double L, const std::string& rule) {
  const std::size_t k = suffix.size(), V = net_.d_vocab;
  const std::span<const Interval> weight = std::span(weights(suffix.back())).subspan(head * V, V);
  const Interval bound(L);
  double sum = 0;
  for (std::size_t j = 0; j < k; ++j) {
    const std::size_t a = suffix[k - 1 - j];
    sum = sum_up(sum, (bias_weight(head, j) * weight[a] * (nu[a] - bound)).hi());
  }
  bool holds = sum <= 0;
  double largest = -0x1p1000;
  for (std::size_t u = 0; u < V; ++u) {
    const double excess = sum_up(nu[u].hi(), -L);
    const double term = product_up(excess >= 0 ? weight[u].hi() : weight[u].lo(), excess);
    largest = std::max(largest, Interval(term).hi());  // Interval refuses a NaN
  }
  for (std::size_t j = k; j < net_.window; ++j) {
    const Interval& b = bias_weight(head, j);
    sum = sum_up(sum, product_up(largest >= 0 ? b.hi() : b.lo(), largest));
    holds = holds && sum <= 0;
  }
  if (!holds) {
    throw Reject(rule, "ATTN-MAX: the number for head " + std::to_string(head) +
                           " is not shown to be a bound");
  }
}

Interval Attention::sum_of_maxima(std::span<const Interval> nu, const Suffix& suffix,
                                  std::span<const std::string_view> words, std::string_view rule) {
  Interval sum;
  for (std::size_t h = 0; h < net_.n_heads; ++h) {
    const double L = parse_hex(words[h]);
    check_max(h, nu.subspan(h * net_.d_vocab, net_.d_vocab), suffix, L, std::string(rule));
    sum = sum + Interval(L);
  }
  return sum;
}

}  // namespace assay_check
