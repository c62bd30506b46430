#pragma once

#include <string>

#include "assay/verify/check.hpp"

namespace assay::verify {

/// A line longer than this makes a certificate unreadable (docs/certificate-format.md).
inline constexpr std::size_t kMaxCertificateLine = std::size_t{1} << 20U;

/// The two lines that conclude a property that holds: its monitor and its invariant.
[[nodiscard]] std::string dfa_line(const std::string& id, const std::string& property,
                                   const spec::Dfa& dfa);
[[nodiscard]] std::string invariant_line(const std::string& property, const std::string& dfa_id,
                                         const Holds& holds);
[[nodiscard]] bool fits_certificate(const Holds& holds);

/// `assay-cert 1`, kind automaton: every property decided, in the spec's order; empty when none
/// is. Throws UsageError when the spec's properties read more than one dictionary.
[[nodiscard]] std::string automaton_certificate(const CheckInput& input, const CheckResult& result);

/// The lines before the first step. `evidence` is the kind's own line, e.g. "automaton SHA".
[[nodiscard]] std::string certificate_header(const CheckInput& input, const std::string& kind,
                                             const std::string& evidence);

}  // namespace assay::verify
