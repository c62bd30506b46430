#pragma once

#include <map>
#include <set>
#include <string>

#include "assay/bounds/site.hpp"

namespace assay::bounds {

/// The request and the certificate (kind site) of what was proved of one normalised site.
class SiteCertificate {
 public:
  /// Keeps references.
  SiteCertificate(const NormalisedSite& site, const Sae* sae);

  /// lo <= reading <= hi for every input, with the bound's own ends.
  void add(const std::string& id, const Reading& reading, const SiteBound& bound);
  /// The reading is one number to within `width`. @pre bound.is_nullified(width)
  void add_nullified(const std::string& id, const Reading& reading, double width);
  void add(const std::string& id, const NeverArgmax& never);

  [[nodiscard]] std::size_t claims() const { return claims_; }
  [[nodiscard]] std::string request() const;
  [[nodiscard]] std::string certificate() const;

 private:
  void take(const Reading& reading);

  const NormalisedSite& site_;
  const Sae* sae_;
  std::string statement_, steps_;
  std::size_t claims_ = 0;
  bool reads_features_ = false;
  std::optional<Digest> readout_;  ///< of the one that is called R1
};

}  // namespace assay::bounds
