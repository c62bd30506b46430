#include "assay/bounds/site_certificate.hpp"

#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay::bounds {

SiteCertificate::SiteCertificate(const NormalisedSite& site, const Sae* sae)
    : site_(site), sae_(sae) {}

void SiteCertificate::take(const Reading& reading) {
  ++claims_;
  reads_features_ = reads_features_ || reading.words.starts_with("feature ");
  if (reading.readout) {
    require(!readout_ || *readout_ == *reading.readout, "SiteCertificate: a second readout");
    readout_ = reading.readout;
  }
}

void SiteCertificate::add(const std::string& id, const Reading& reading, const SiteBound& bound) {
  take(reading);
  statement_ += "site-bound " + id + " " + reading.words + " site " + site_.name + " lo " +
                hex_float(bound.lo) + " hi " + hex_float(bound.hi) + "\n";
  steps_ += id + " SITE-SPHERE :\n";
}

void SiteCertificate::add_nullified(const std::string& id, const Reading& reading, double width) {
  take(reading);
  statement_ += "nullified " + id + " " + reading.words + " site " + site_.name + " width " +
                hex_float(width) + "\n";
  steps_ += id + " NULLIFIED :\n";
}

void SiteCertificate::add(const std::string& id, const NeverArgmax& never) {
  ++claims_;
  statement_ += "never-argmax " + id + " " + std::to_string(never.token) + "\n";
  steps_ += id + " NEVER-ARGMAX : M " + std::to_string(never.mixture.size());
  for (const Share& share : never.mixture) {
    steps_ += " " + std::to_string(share.token) + " " +
              hex_float(std::ldexp(static_cast<double>(share.parts), -40));
  }
  steps_ += "\n";
}

std::string SiteCertificate::request() const {
  return "assay-request 1\n" + statement_ + "end\n";
}

std::string SiteCertificate::certificate() const {
  std::string text = "assay-cert 1\nkind site\nsemantics REAL\nmodel " + site_.config_digest.hex() +
                     " " + site_.weights_digest.hex() + "\n";
  if (reads_features_) {
    text += "sae " + sae_->config_digest.hex() + " " + sae_->weights_digest.hex() + "\n";
  }
  if (readout_) {
    text += "readout R1 " + readout_->hex() + "\n";
  }
  return text + "statement " + sha256(request()).hex() + "\n" + steps_ + "end " +
         std::to_string(claims_) + "\n";
}

}  // namespace assay::bounds
