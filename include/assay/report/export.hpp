#pragma once

#include <string>

#include "assay/report/render.hpp"

namespace assay::report {

/// The same certificate for people's and other programs' other formats. Each is a pure function of the payload and the key ids;
/// text of the payload is taken as hostile. Throw InputError when the payload is not a valid statement.

/// CommonMark: page one, claims, assumptions, failures, what is not claimed, mapping, how to verify.
[[nodiscard]] std::string render_markdown(const ReportInput& input);
/// The signed payload as it is, once it reads as a statement; its sha256 is the certificate's id.
[[nodiscard]] std::string payload_json(const ReportInput& input);
/// A section "Certification" to paste into a model card.
[[nodiscard]] std::string model_card_section(const ReportInput& input);
/// CycloneDX 1.6 JSON: the model as a machine-learning-model component, its materials, and the claims as declarations.
[[nodiscard]] std::string cyclonedx_json(const ReportInput& input);
/// SPDX 3.0.1 JSON-LD with the AI profile. Throws UsageError when the certificate has no time of issue, which SPDX asks for.
[[nodiscard]] std::string spdx_json(const ReportInput& input);

}  // namespace assay::report
