#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/bounds/domain.hpp"
#include "assay/bounds/float_error.hpp"
#include "assay/bounds/quantity.hpp"
#include "assay/num/linear_problem.hpp"

namespace assay::bounds {

struct TextStarts;

struct BoundOptions {
  std::size_t nodes = 256;          ///< budget: cases bounded for one quantity, both sides
  std::uint64_t enumerate = 65536;  ///< most contexts of a case that may be enumerated; 0: none
  double seconds = 0;               ///< safety stop; 0: none
  bool keep_proof = false;          ///< for a certificate; cases of more than 65536 contexts
                                    ///< are then not enumerated (the format's limit)
  LinearSolver solver =
      {};  ///< for the last open cases of a side, when the budget is spent; its answers are only hints
  std::size_t solver_cases = 0;  ///< that it is asked about
  std::function<void(std::size_t done, std::size_t budget)> progress = {};
  bool decide = false;                          ///< enough when the sign of the upper end is known
  std::shared_ptr<const TextStarts> text = {};  ///< set by Bounder, see `attack_from`
};

/// lo <= quantity <= hi in every context of the domain (REAL semantics, outward-rounded).
struct BoundResult {
  double lo = 0, hi = 0;
  double attained_lo = 0, attained_hi = 0;  ///< replayed through the reference forward pass
  std::vector<TokenId> witness_lo, witness_hi;
  std::size_t nodes = 0;
  std::size_t text_contexts = 0;  ///< of the domain in the text of `attack_from`, at most 512
  double seconds = 0;
  bool closed = false;     ///< both ends are attained up to the rounding room
  bool stopped = false;    ///< by the safety stop or an interrupt: the enclosure holds all the same
  bool exhausted = false;  ///< nothing left to divide on either side: what is left is rounding
  std::string method;      ///< "enumeration", "relaxation", "relaxation and splits"

  struct Proof;
  std::shared_ptr<const Proof> proof;  ///< with keep_proof
};

class BoundCertificate;
struct FiringVerdict;

/// Bounds quantities of one model; what a domain's quantities share is kept between calls.
class Bounder {
 public:
  /// Keeps references. Throws InputError for a model that the bounds do not speak of.
  Bounder(const Transformer& model, const Sae* sae);
  ~Bounder();
  Bounder(const Bounder&) = delete;
  Bounder& operator=(const Bounder&) = delete;

  /// Best-first branch and bound: a case is bounded by LINEAR, FOLD and their normalised kin,
  /// split on the query token, the length or the token set where the heads disagree most, and
  /// enumerated when that is cheaper than the rest of the budget.
  /// Throws InputError naming the field of a request that cannot be answered, and
  /// Error(internal) as a soundness alarm when a replayed value lies outside its bound.
  [[nodiscard]] BoundResult bound(const Domain& domain, const Quantity& quantity,
                                  const BoundOptions& options);

  /// How far float32 may be from the quantity over the domain; what a bound cannot be given for says why.
  [[nodiscard]] FloatError float_error(const Domain& domain, const Quantity& quantity,
                                       const FloatOptions& options);

  /// From now on contexts of the domain that these documents hold start the search for attained
  /// values too, beside the maximisers.
  void attack_from(std::vector<std::vector<TokenId>> documents);

  /// What the feature does in every context (firing.hpp). `own` is its bound on the domain, made with
  /// the same options.
  [[nodiscard]] FiringVerdict firing(const Domain& domain, std::uint32_t feature,
                                     const BoundResult& own, const BoundOptions& options);
  /// Adds the claim feature-on or feature-off; `may` adds nothing and gives "".
  std::string write(BoundCertificate& certificate, const std::string& id, const Domain& domain,
                    std::uint32_t feature, const FiringVerdict& verdict);

  /// Adds the claim and its proof to the certificate; `result` was made with keep_proof. Gives
  /// the claim's id there.
  std::string write(BoundCertificate& certificate, const std::string& id, const Domain& domain,
                    const Quantity& quantity, const BoundResult& result);
  /// Adds the claim that float32 stays within the error. Gives the claim's id there.
  std::string write(BoundCertificate& certificate, const std::string& id, const Domain& domain,
                    const Quantity& quantity, const FloatError& error, const FloatOptions& options);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The quantity after the last token, by the reference forward pass.
[[nodiscard]] double replay(const Transformer& model, const Sae* sae, const Quantity& quantity,
                            const std::vector<TokenId>& context);

}  // namespace assay::bounds
