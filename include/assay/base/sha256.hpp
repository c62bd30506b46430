#pragma once

#include <memory>
#include <string_view>

#include "assay/base/digest.hpp"

namespace assay {

/// SHA-256 of bytes that come in pieces: by the processor's own instructions where it has them, else by
/// libsodium.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view bytes);
  /// @pre called once, at the end
  [[nodiscard]] Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay
