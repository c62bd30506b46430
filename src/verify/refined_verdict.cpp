#include <algorithm>

#include "assay/base/errors.hpp"
#include "exact_search.hpp"
#include "refined_box.hpp"
#include "refined_facts.hpp"
#include "refined_letters.hpp"

namespace assay::verify {
namespace {

/// The cover conditions of REFINED, from the facts alone.
class Inspection {
 public:
  Inspection(const RefinedInput& input, const spec::Dfa& dfa, const RefinedProof& proof)
      : input_(input),
        dfa_(dfa),
        proof_(proof),
        atoms_(input.runs.subject),
        letters_(input.runs.subject, atoms_, dfa),
        settled_(can_turn_bad(dfa)),
        outs_(letters_.vocabulary()),
        states_(dfa.states),
        work_(input.limits.cover) {
    settled_.flip();
    for (const OutFact& fact : proof.outs) {
      require(shows_out(input.runs.emission, fact), "RefinedHolds: an OUT that is not shown");
      outs_.at(fact.token).push_back(&fact.box);
    }
    for (const AtomFact& fact : proof.atoms) {
      require(shows_atom(input.runs.subject, fact), "RefinedHolds: an ATOM that is not shown");
    }
    for (const StateBox& state : proof.states) {
      require(state.spec < dfa.states && !dfa.bad[state.spec], "RefinedHolds: a bad state");
      states_[state.spec].push_back(&state.box);
    }
  }

  void prompts() {
    if (settled_[0]) {
      return;
    }
    const std::size_t window = input_.runs.subject.model->config.attention_window;
    for (const ViewBox& box : prompt_boxes(input_.runs.prompts, letters_.vocabulary(), window)) {
      need(box, states_[0]);
    }
  }

  void pairs() {
    for (const StateBox& state : proof_.states) {
      for (std::uint32_t t = 0; t < letters_.vocabulary(); ++t) {
        for (const std::size_t letter : letters_.of(t)) {
          step(state, t, letter);
        }
      }
    }
  }

 private:
  void need(const ViewBox& box, const std::vector<const ViewBox*>& list) {
    const auto left = uncovered(box, list, work_);
    if (!left) {
      throw Error(ExitCode::unknown, "the re-check of the invariant takes too long");
    }
    require(left->empty(), "RefinedHolds: a view that is reached is not covered");
  }

  void step(const StateBox& from, std::uint32_t token, std::size_t letter) {
    const std::uint32_t to = dfa_.next(from.spec, letter);
    if (settled_[to]) {
      return;
    }
    std::vector<ViewBox> before;
    const auto add = [&](const ViewBox& box) {
      if (auto views = predecessor(box, token)) {
        before.push_back(std::move(*views));
      }
    };
    for (std::size_t i = 0; !dfa_.bad[to] && i < states_[to].size(); ++i) {
      add(*states_[to][i]);
    }
    for (const AtomFact& fact : proof_.atoms) {
      for (const RefinedLetters::Measured& m : letters_.measured()) {
        if (m.atom == fact.atom && (((letter >> m.bit) & 1U) != 0) != fact.truth) {
          add(fact.box);
        }
      }
    }
    std::vector<const ViewBox*> list;
    list.reserve(before.size() + outs_[token].size());
    for (const ViewBox& box : before) {
      list.push_back(&box);
    }
    list.insert(list.end(), outs_[token].begin(), outs_[token].end());
    need(from.box, list);
  }

  const RefinedInput& input_;
  const spec::Dfa& dfa_;
  const RefinedProof& proof_;
  Atoms atoms_;
  RefinedLetters letters_;
  std::vector<bool> settled_;
  std::vector<std::vector<const ViewBox*>> outs_, states_;
  std::size_t work_;
};

}  // namespace

RefinedHolds::RefinedHolds(const RefinedInput& input, spec::Dfa dfa, RefinedProof proof)
    : dfa_(std::move(dfa)), proof_(std::move(proof)) {
  require(dfa_.has_bad() && !dfa_.bad[0], "RefinedHolds: nothing to show");
  Inspection inspection(input, dfa_, proof_);
  inspection.prompts();
  inspection.pairs();
}

}  // namespace assay::verify
