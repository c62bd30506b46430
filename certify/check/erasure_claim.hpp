#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace assay_check {

class Session;
struct Step;
struct RequestClaim;

/// A line of a request about an eraser: FORM ID KEY VALUE …
[[nodiscard]] bool is_erasure_form(std::string_view word);
struct ErasureClaim {
  std::string form, id;
  std::map<std::string, std::string, std::less<>> terms;
  explicit ErasureClaim(const RequestClaim& claim);  ///< of kind residual
  [[nodiscard]] const std::string& at(std::string_view key) const {
    return terms.find(key)->second;
  }
};

// The rules of kind erasure.
void rule_residual(Session& session, const Step& step);
void rule_advantage(Session& session, const Step& step);
void rule_two_halves(Session& session, const Step& step);
void rule_leakage(Session& session, const Step& step);
void rule_mmd(Session& session, const Step& step);
void rule_mmd_leakage(Session& session, const Step& step);
void rule_ledger(Session& session, const Step& step);
void rule_interface(Session& session, const Step& step);
void rule_probe(Session& session, const Step& step);
void rule_change(Session& session, const Step& step);
void rule_operator(Session& session, const Step& step);
void rule_divergence(Session& session, const Step& step);
void rule_worst(Session& session, const Step& step);
void rule_unread(Session& session, const Step& step);
void rule_site_range(Session& session, const Step& step);
void rule_never_fires(Session& session, const Step& step);
void rule_never_fires_real(Session& session, const Step& step);

}  // namespace assay_check
