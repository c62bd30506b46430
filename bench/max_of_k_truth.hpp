#pragma once

#include "max_of_k_pooled.hpp"

namespace assay::bench {

/// Every input: those proved right one by one, from partial sums shared by inputs that begin alike.
[[nodiscard]] Certified enumerate(const Tables& tables);

/// Share of `count` drawn inputs that are right, in doubles.
[[nodiscard]] double sample(const Tables& tables, std::size_t count, std::uint64_t seed);

}  // namespace assay::bench
