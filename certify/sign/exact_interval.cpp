#include "exact_interval.hpp"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay::certify {
namespace {

using Big = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<
    512, 512, boost::multiprecision::unsigned_magnitude, boost::multiprecision::checked, void>>;

constexpr std::uint32_t kOne = 1000000;
constexpr unsigned kBits = 240;  ///< fixed point of the weights

/// A non-negative number between two integers, in units of 2^-kBits.
struct Between {
  Big lo = 0, hi = 0;
  void add(const Between& x) {
    lo += x.lo;
    hi += x.hi;
  }
  /// times a / b, rounded outward
  [[nodiscard]] Between scaled(const Big& a, const Big& b) const {
    return {lo * a / b, (hi * a + b - 1) / b};
  }
};

/// P(X >= k) <= alpha / 2 for X ~ Binomial(n, m / 10^6): 1 surely, -1 surely not, 0 not decided.
///   P(X >= k) = T / (T + B) with T, B the sums of w(j) over j >= k and j < k, w relative to the largest:
///   w(j + 1) / w(j) = (n - j) m / ((j + 1) (10^6 - m))
int tail_within(std::uint64_t n, std::uint64_t k, std::uint32_t m, const Rational& alpha) {
  if (k == 0 || m == kOne) {
    return -1;  // the tail is 1
  }
  if (m == 0) {
    return 1;  // the tail is 0
  }
  const std::uint64_t centre = n * m / kOne;
  Between tail, below;
  const Big unit = Big(1) << kBits;
  Between w{unit, unit};
  for (std::uint64_t j = centre;; ++j) {
    (j >= k ? tail : below).add(w);
    if (j == n) {
      break;
    }
    w = w.scaled(Big(n - j) * m, Big(j + 1) * (kOne - m));
  }
  w = {unit, unit};
  for (std::uint64_t j = centre; j > 0; --j) {
    w = w.scaled(Big(j) * (kOne - m), Big(n - j + 1) * m);
    (j - 1 >= k ? tail : below).add(w);
  }
  // T / (T + B) <= num / (2 den), T's ends against B's opposite ones
  const Big num = static_cast<std::uint64_t>(alpha.num),
            twice = Big(static_cast<std::uint64_t>(alpha.den)) * 2;
  if (tail.hi * twice <= num * (tail.hi + below.lo)) {
    return 1;
  }
  return tail.lo * twice > num * (tail.lo + below.hi) ? -1 : 0;
}

/// The lower end for k of n, see above; for the upper end the same of the failures.
bool is_lower_end(std::uint64_t n, std::uint64_t k, std::uint32_t end, const Rational& alpha) {
  if (k == 0) {
    return end == 0;
  }
  return tail_within(n, k, end, alpha) == 1 &&
         (end + 2 > kOne || tail_within(n, k, end + 2, alpha) == -1);
}

}  // namespace

std::uint32_t parse_millionths(const std::string& text) {
  const bool shaped = text.size() == 8 && (text[0] == '0' || text[0] == '1') && text[1] == '.' &&
                      text.find_first_not_of("0123456789", 2) == std::string::npos;
  if (!shaped) {
    throw InputError("statistics: expected a number from 0 to 1 with six decimals, found '" +
                     visible(text) + "'");
  }
  const auto value = static_cast<std::uint32_t>(std::stoul(text.substr(0, 1) + text.substr(2)));
  if (value > kOne) {
    throw InputError("statistics: expected at most 1, found " + text);
  }
  return value;
}

std::string interval_fault(std::uint64_t n, std::uint64_t k, std::uint64_t undecided,
                           const Rational& alpha, const StatedInterval& stated) {
  if (n == 0 || n > kMostTrials || k > n || undecided > n - k) {
    return "its counts are not those of 1 to " + std::to_string(kMostTrials) + " runs";
  }
  if (alpha.num <= 0 || alpha.num >= alpha.den) {
    return "its alpha is not between 0 and 1";
  }
  if (!is_lower_end(n, k, stated.lo, alpha)) {
    return "its lower end is not the Clopper-Pearson end of its counts";
  }
  if (!is_lower_end(n, n - k - undecided, kOne - stated.hi, alpha)) {
    return "its upper end is not the Clopper-Pearson end of its counts";
  }
  return "";
}

}  // namespace assay::certify
