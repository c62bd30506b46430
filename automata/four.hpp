#pragma once

namespace assay::automata {

/// Four doubles; one instruction with AVX, two with SSE2, the same numbers.
using Four = double __attribute__((vector_size(32), aligned(8), may_alias));

__attribute__((always_inline)) inline const Four& load(const double* p) {
  return *reinterpret_cast<const Four*>(p);
}
__attribute__((always_inline)) inline void store(double* p, const Four& x) {
  *reinterpret_cast<Four*>(p) = x;
}

}  // namespace assay::automata
