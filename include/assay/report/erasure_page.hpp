#pragma once

#include <string>
#include <utility>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/certify/claim.hpp"
#include "assay/certify/statement.hpp"

namespace assay::report {

/// What the independent checker accepted of one certificate.
struct AcceptedErasure {
  std::string kind;   ///< first word of the request's line: "residual", "covariance", "unread", …
  std::string claim;  ///< its id
  std::string bound;  ///< a fraction, or ""
  bool is_upper = true;
  certify::Level level = certify::Level::assumed;
  std::string statement;  ///< the checker's words
};

/// One erasure as people read it. Everything in it is text of the caller's and taken as hostile.
struct ErasurePage {
  std::string name;    ///< of the concept
  std::string site;    ///< hook, and what bypasses it in words
  std::string bypass;  ///< "" where nothing is known of the site's place
  std::string map;     ///< "leace, rank 1 of 64 dimensions, outputs on the grid 2^-16"
  std::vector<std::pair<std::string, Digest>> files;
  std::vector<AcceptedErasure> accepted;
  std::vector<certify::Table> figures;  ///< OBSERVED, as the tool that measured them wrote them
  std::vector<certify::Table> attacks;
  std::vector<std::string> attack_pictures;  ///< SVG
  std::vector<std::string> not_claimed;      ///< beyond what every erasure leaves unclaimed
  std::vector<std::string> commands;         ///< that check it again
};

/// One self-contained HTML page: no script, nothing fetched. What is not claimed stands on it whatever the rest says, in the
/// size of the claims. Same input, same bytes.
[[nodiscard]] std::string render_erasure_page(const ErasurePage& page);

/// What no erasure claims.
[[nodiscard]] const std::vector<std::string>& erasure_never_claims();

}  // namespace assay::report
