#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/base/index.hpp"
#include "assay/base/rational.hpp"
#include "assay/model/decoder.hpp"

namespace assay::bounds {

enum class ClaimKind { feature_off, token_out, residual };
/// "feature-off", "token-out", "residual"
[[nodiscard]] const char* name(ClaimKind kind);

/// One line of a request file: docs/certificate-format.md, "Request file".
struct Claim {
  std::string id;
  ClaimKind kind = ClaimKind::feature_off;
  std::uint32_t target = 0;     ///< feature (feature-off) or next token (token-out)
  std::vector<TokenId> suffix;  ///< T1 … Tk, the current token last
  Digest data;                  ///< residual only
  Rational max_r2;              ///< residual only

  [[nodiscard]] std::string text() const;  ///< the line
};

/// A request: the statement of a bounds certificate.
struct Request {
  std::optional<Decoder> decoder;
  std::vector<Claim> claims;
  std::string text;  ///< the file's bytes
  Digest digest;     ///< SHA-256 of `text`
};

/// Throws InputError naming file, line, what was expected and found.
[[nodiscard]] Request parse_request(const std::string& text, const std::string& file);
[[nodiscard]] Request load_request(const std::filesystem::path& file);

/// A request with these claims and this decoder; comment lines ("# …") first.
[[nodiscard]] Request make_request(const std::optional<Decoder>& decoder,
                                   const std::vector<Claim>& claims,
                                   const std::vector<std::string>& comments = {});

}  // namespace assay::bounds
