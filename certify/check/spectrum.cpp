#include "spectrum.hpp"

#include <cmath>
#include <cstdint>

#include "definite.hpp"

namespace assay_check {

// most·I − G in units of 2^(e−45), size <= 2^e: each entry is off by at most 1/2, so the matrix by at most n/2.
bool is_at_most(const std::vector<double>& G, std::size_t n, double error, double size,
                double most) {
  if (!(size > 0x1p-400 && size < 0x1p400)) {
    return false;
  }
  const int e = std::ilogb(size) + 1;
  const auto in_units = [e](double x) { return std::ldexp(x, 45 - e); };
  if (!(in_units(most) > 0 && in_units(most) < 0x1p60 && in_units(error) < 0x1p60)) {
    return false;
  }
  Triangle M(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double entry = std::nearbyint(in_units(G[i * n + j]));
      if (!(std::fabs(entry) <= 0x1p46)) {
        return false;
      }
      M[i].push_back(-Integer(static_cast<std::int64_t>(entry)));
    }
    M[i][i] += Integer(static_cast<std::int64_t>(std::floor(in_units(most))));
    M[i][i] -= Integer(n + 1) + Integer(static_cast<std::int64_t>(std::ceil(in_units(error))));
  }
  return is_positive_definite(M);
}

}  // namespace assay_check
