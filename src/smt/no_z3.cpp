#include <stdexcept>

#include "assay/smt/invariant.hpp"
#include "assay/smt/linear_program.hpp"
#include "assay/smt/scripts.hpp"
#include "level_search.hpp"

namespace assay::smt {

SecondOpinion check_invariant(const InvariantProblem& /*problem*/, const Limits& /*limits*/) {
  return {Opinion::not_built, 0, "built without Z3"};
}

SecondOpinion check_reachability(const InvariantProblem& /*problem*/, bool /*claimed*/,
                                 const Limits& /*limits*/) {
  return {Opinion::not_built, 0, "built without Z3"};
}

SecondOpinion check_scripts_apart(const std::vector<Script>& /*scripts*/,
                                  const Limits& /*limits*/) {
  return {Opinion::not_built, 0, "built without Z3"};
}

std::optional<std::vector<double>> minimise(const LinearProblem& /*problem*/,
                                            unsigned /*resources*/) {
  return std::nullopt;
}

std::string level_bmc(const LevelProblem& /*problem*/, const LevelLimits& /*limits*/) {
  throw std::runtime_error("built without Z3");
}

std::string level_spacer(const LevelProblem& /*problem*/, const LevelLimits& /*limits*/) {
  throw std::runtime_error("built without Z3");
}

std::string solver_version() {
  return "none";
}

}  // namespace assay::smt
