#include "opinions.hpp"

#include "assay/smt/invariant.hpp"

namespace assay::verify {
namespace {

smt::InvariantProblem problem_of(const automata::Product& product,
                                 const automata::SearchResult& found) {
  smt::InvariantProblem p;
  p.atoms = product.dfa->atoms.size();
  for (const automata::FittedState& state : product.automaton->states) {
    p.states.push_back({product.dfa->project(state.must), product.dfa->project(state.may)});
  }
  for (const auto& [state, count] : product.automaton->initial) {
    p.initial.push_back(state.value);
  }
  for (const automata::FittedEdge& edge : product.automaton->edges) {
    p.edges.emplace_back(edge.from.value, edge.to.value);
  }
  p.monitor = product.dfa->table;
  p.bad = product.dfa->bad;
  for (const automata::ProductState& pair : found.reached) {
    p.invariant.emplace_back(pair.state.value, pair.spec);
  }
  return p;
}

}  // namespace

bool ask_solver(const automata::Product& product, const automata::SearchResult& found,
                PropertyResult& result) {
  const smt::InvariantProblem problem = problem_of(product, found);
  result.solver = smt::solver_version();
  bool contradicted = false;
  const auto note = [&](std::string& field, const smt::SecondOpinion& opinion) {
    field = smt::name(opinion.opinion);
    contradicted = contradicted || opinion.opinion == smt::Opinion::disagree;
    if (!opinion.detail.empty() && opinion.opinion != smt::Opinion::agree) {
      result.opinion_detail += (result.opinion_detail.empty() ? "" : "; ") + opinion.detail;
    }
  };
  if (!found.bad_reachable()) {
    note(result.invariant_opinion, smt::check_invariant(problem));
  }
  note(result.reachability_opinion, smt::check_reachability(problem, found.bad_reachable()));
  return contradicted;
}

}  // namespace assay::verify
