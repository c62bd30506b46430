#include "assay/smt/invariant.hpp"
#include "assay/smt/level_problem.hpp"
#include "assay/smt/linear_program.hpp"

namespace assay::smt {

SecondOpinion check_invariant(const InvariantProblem& /*problem*/, const Limits& /*limits*/) {
  return {Opinion::not_built, 0, "built without Z3"};
}

SecondOpinion check_reachability(const InvariantProblem& /*problem*/, bool /*claimed*/,
                                 const Limits& /*limits*/) {
  return {Opinion::not_built, 0, "built without Z3"};
}

std::optional<std::vector<double>> minimise(const LinearProblem& /*problem*/,
                                            unsigned /*resources*/) {
  return std::nullopt;
}

LevelAnswer find_level_run(const LevelProblem& /*problem*/, const LevelLimits& /*limits*/) {
  return {{}, {}, "built without Z3"};
}

LevelAnswer find_level_invariant(const LevelProblem& /*problem*/, const LevelLimits& /*limits*/) {
  return {{}, {}, "built without Z3"};
}

std::string solver_version() {
  return "none";
}

}  // namespace assay::smt
