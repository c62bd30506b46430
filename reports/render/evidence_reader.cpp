#include "evidence_reader.hpp"

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "html.hpp"

namespace assay::report {
namespace {

constexpr std::size_t kMaxExhibitBytes = std::size_t{16} << 20;

}  // namespace

std::optional<std::string> EvidenceReader::read(const certify::Evidence& evidence) const {
  try {
    std::string bytes = read_file(directory_ / evidence.name, kMaxExhibitBytes);
    if (sha256(bytes) == evidence.sha256) {
      return bytes;
    }
  } catch (const InputError&) {
    return std::nullopt;
  }
  return std::nullopt;
}

const certify::Evidence* EvidenceReader::find(const std::string& name) const {
  for (const certify::Evidence& evidence : statement_.evidence) {
    if (evidence.name == name) {
      return &evidence;
    }
  }
  return nullptr;
}

std::vector<const certify::Evidence*> EvidenceReader::with_role(const std::string& role) const {
  std::vector<const certify::Evidence*> out;
  for (const certify::Evidence& evidence : statement_.evidence) {
    if (evidence.role == role) {
      out.push_back(&evidence);
    }
  }
  return out;
}

std::string withheld(const certify::Evidence& evidence, const std::string& why) {
  return "<p class=\"withheld\"><b>Withheld.</b> " + why + " File <code>" + esc(evidence.name) +
         "</code>, sha256 " + digest_html(evidence.sha256) + "</p>\n";
}

}  // namespace assay::report
