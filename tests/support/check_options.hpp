#pragma once
// What a test certificate over general contexts is about, and how it is written.

#include <cstddef>
#include <optional>
#include <string>

#include "check_model.hpp"

namespace check_test {

struct TestQuantity {
  std::string words;  ///< as in the request
  std::string hook;   ///< pre, mid, post, mlp_out, resid_post, logits
  Vector g;           ///< value = <g, hook> + beta
  double beta = 0;
};

/// The leaves of the certificates: one query token, lengths [a, b].
struct Leaf {
  std::string id;
  std::size_t a = 0, b = 0, c = 0;
};

struct GeneralOptions {
  double room = 1e-9;   ///< of every ATTN-MAX number, relative
  bool sphere = false;  ///< SPHERE instead of FINAL
  double joint = 0;  ///< above 0: HEADS with T now and then, L and θ off their best by about this
  bool signs = false;  ///< folds on parts by the sign of a neuron, with M
  std::optional<std::size_t> hull =
      {};  ///< HULL instead of LINEAR and FOLD: the head that moves, or H: all, one place free
  std::optional<std::size_t> each = {};  ///< HULL with EACH and this place
};

}  // namespace check_test
