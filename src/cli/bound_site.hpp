#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "session.hpp"

namespace assay::cli {

/// `assay bound --site`: what is proved of a normalised site, at any depth.
struct SiteOptions {
  std::string model, site, sae, logit, minus, probe, certificate;
  std::optional<std::uint32_t> feature;
  bool never_argmax = false;
  std::size_t steps = 400;
  double tolerance = 1e-6;
};

void run_bound_site(const SiteOptions& options, Session& session);

}  // namespace assay::cli
