#include "assay/smt/invariant.hpp"

namespace assay::smt {

SecondOpinion check_invariant(const InvariantProblem& /*problem*/, const Limits& /*limits*/) {
  return {Opinion::not_built, 0, "built without Z3"};
}

SecondOpinion check_reachability(const InvariantProblem& /*problem*/, bool /*claimed*/,
                                 const Limits& /*limits*/) {
  return {Opinion::not_built, 0, "built without Z3"};
}

std::string solver_version() {
  return "none";
}

}  // namespace assay::smt
