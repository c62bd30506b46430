#pragma once

#include <map>
#include <memory>

#include "../src/bounds/bound_proof.hpp"
#include "../src/bounds/domain_work.hpp"

namespace assay::bench {

/// The producer's final pass over the proofs of bounds, apart from the search for their numbers: every
/// leaf that the certificate names is formed once more, outward-rounded, from its numbers.
///
///   LINEAR, FOLD   const0 + Sum_j ... + base(G) + HEADS <= the leaf's hi
///   CASE-RANGE     base(g_j) + HEADS, once a case
///   HULL           the largest sum over the vertices, which are placed once a case
///
/// Models without LayerNorm 2 before the MLP, or quantities that do not read the MLP; no ENUM leaves.
class ProofPass {
 public:
  ProofPass(const Transformer& model, const Sae* sae);

  void prove(const bounds::Domain& domain, const bounds::Quantity& quantity,
             const bounds::BoundResult& result);

  double seconds = 0;  ///< CPU, of the pass alone: tables of the weights, cases and leaves
  std::size_t leaves = 0, ranges = 0;
  double excess =
      0;  ///< of a leaf's sum over its bound, relative: rounding, for this is not the prover's own order

 private:
  /// Numbers are looked up in `found`, as the search left them; what the pass itself needs is in `own`.
  struct Works {
    std::unique_ptr<bounds::DomainWork> found, own;
    std::map<std::shared_ptr<bounds::CaseWork>, std::vector<Interval>> ranges;  ///< of own's cases
  };
  Works& works(const bounds::Domain& domain);
  void side(Works& works, const std::vector<bounds::BranchNode>& tree, std::size_t at,
            const bounds::Target& target);
  void leaf(Works& works, const bounds::BranchNode& node, const bounds::Target& target);
  const std::vector<Interval>& neuron_ranges(Works& works, const bounds::BranchNode& node,
                                             const std::shared_ptr<bounds::CaseWork>& work);
  double heads(bounds::CaseWork& work, const std::vector<bounds::Ball>& nu,
               const bounds::HeadNumbers& numbers);

  const Transformer& model_;
  const Sae* sae_;
  bounds::Network net_;
  std::map<bounds::Domain, Works> works_;
};

/// CPU seconds of this thread.
[[nodiscard]] double cpu_seconds();

}  // namespace assay::bench
