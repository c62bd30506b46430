#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/base/index.hpp"

namespace assay::automata {

/// A context's end as one number: 1 to `window` tokens in base V+1, digit = token + 1, the last
/// token lowest. A context shorter than the window has leading zeros and so a code of its own.
using WindowCode = std::uint64_t;

class WindowCodes {
 public:
  /// Throws UsageError when (V+1)^window does not fit into 64 bits.
  WindowCodes(std::size_t vocabulary, std::size_t window) : base_(vocabulary + 1), window_(window) {
    require(vocabulary > 0 && window > 0, "WindowCodes: no tokens or no window");
    for (std::size_t i = 1; i < window; ++i) {
      if (keep_ > (UINT64_MAX / base_) / base_) {
        throw UsageError("exact mode: expected (tokens + 1)^window below 2^64, found " +
                         std::to_string(vocabulary) + " tokens and a window of " +
                         std::to_string(window));
      }
      keep_ *= base_;
    }
  }

  [[nodiscard]] std::size_t window() const { return window_; }
  [[nodiscard]] WindowCode append(WindowCode code, std::size_t token) const {
    return (code % keep_) * base_ + token + 1;
  }
  [[nodiscard]] std::size_t last(WindowCode code) const {
    return static_cast<std::size_t>(code % base_) - 1;
  }
  [[nodiscard]] WindowCode encode(std::span<const TokenId> context) const {
    WindowCode code = 0;
    for (const TokenId t : context) {
      code = append(code, t.at());
    }
    return code;
  }
  /// The tokens, newest first, into `out` (room for `window`); how many there are.
  std::size_t back(WindowCode code, std::uint32_t* out) const {
    std::size_t n = 0;
    for (; code != 0; code /= base_) {
      out[n++] = static_cast<std::uint32_t>(code % base_ - 1);
    }
    return n;
  }
  /// The tokens, oldest first.
  [[nodiscard]] std::vector<TokenId> decode(WindowCode code) const {
    std::vector<std::uint32_t> newest(window_);
    std::vector<TokenId> out;
    for (std::size_t n = back(code, newest.data()); n-- > 0;) {
      out.emplace_back(newest[n]);
    }
    return out;
  }

 private:
  std::uint64_t base_;
  std::size_t window_;
  std::uint64_t keep_ = 1;  ///< (V+1)^(window-1)
};

}  // namespace assay::automata
