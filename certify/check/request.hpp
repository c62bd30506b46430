#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attention.hpp"
#include "lexis.hpp"

namespace assay_check {

/// The min-p decoder that a claim about emitted tokens supposes.
struct MinP {
  Fraction min_p, temperature;
  bool temperature_first = false;  ///< order before

  /// l_u - max l strictly below this is never kept: ln rho, times T for order before.
  [[nodiscard]] Interval cut() const;
  [[nodiscard]] std::string text() const;
};

/// "P/Q" for both numbers and "before" or "after"; 0 < min-p <= 1, temperature > 0.
[[nodiscard]] MinP parse_min_p(std::string_view min_p, std::string_view temperature,
                               std::string_view order);

struct RequestClaim {
  enum class Kind { feature_off, token_out, residual } kind = Kind::feature_off;
  std::string id;
  std::size_t subject = 0;  ///< feature or token
  Suffix suffix;
  std::string data_sha;
  Fraction max_r2;
};

struct Request {
  std::optional<MinP> decoder;
  std::vector<RequestClaim> claims;
};

/// Throws Reject("request", …) with the file and line.
[[nodiscard]] Request parse_request(const std::string& text, const std::string& file);

}  // namespace assay_check
