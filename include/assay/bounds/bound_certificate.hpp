#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "assay/bounds/firing.hpp"

namespace assay::bounds {

class DomainWork;
struct Lemma;

/// The request and the certificate (kind bounds, general contexts) of the bounds added to it:
/// one claim `bound` each. Steps that claims share (cases, neuron ranges, boxes) are written once.
class BoundCertificate {
 public:
  BoundCertificate(const Transformer& model, const Sae* sae);
  ~BoundCertificate();
  BoundCertificate(const BoundCertificate&) = delete;
  BoundCertificate& operator=(const BoundCertificate&) = delete;

  /// What the certificate calls a readout; others are R1, R2, …
  void call(const Readout& readout, const std::string& name);

  /// The claim's id in the request: `wanted` when it can be one and is still free, else "bound_N".
  /// Throws Error(unknown) when the certificate would pass the format's limits.
  std::string add(const std::string& wanted, const Domain& domain, const Quantity& quantity,
                  const BoundResult& result, DomainWork& work);

  /// The same for a claim `float32` (FLOAT32-ANY-ORDER). @pre error.is_known()
  std::string add(const std::string& wanted, const Domain& domain, const Quantity& quantity,
                  const FloatError& error, const FloatOptions& options);
  /// feature-on or feature-off over the domain; "" and nothing for `may`.
  std::string add(const std::string& wanted, const Domain& domain, std::uint32_t feature,
                  const FiringVerdict& verdict, DomainWork& work);

  /// Writes LEMMA (docs/certificate-format.md, kind refined) and its proof; the id of the fact.
  std::string lemma(const Lemma& lemma, DomainWork& work);
  /// The steps so far and their number.
  [[nodiscard]] const std::string& steps() const;
  [[nodiscard]] std::size_t step_count() const;

  [[nodiscard]] std::size_t claims() const;
  [[nodiscard]] std::string request() const;
  [[nodiscard]] std::string certificate() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay::bounds
