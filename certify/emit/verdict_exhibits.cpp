#include "assay/certify/verdict_exhibits.hpp"

#include <optional>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/spec/acceptor.hpp"
#include "assay/spec/cover.hpp"
#include "assay/spec/dfa.hpp"
#include "assay/spec/explain.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/print.hpp"

namespace assay::certify {
namespace {

constexpr std::size_t kMaxStates = 40;

/// What is drawn: the graph, and the kind of each state.
struct Watcher {
  spec::Dfa graph;
  std::vector<std::string> kinds;
};

Watcher of_prefixes(spec::Dfa dfa) {
  Watcher out{std::move(dfa), {}};
  const std::vector<bool> live = spec::can_turn_bad(out.graph);
  for (std::size_t s = 0; s < out.graph.states; ++s) {
    out.kinds.emplace_back(out.graph.bad[s] ? kBadState : live[s] ? kOpenState : kSettledState);
  }
  return out;
}

Watcher of_runs(const spec::FormulaPtr& formula) {
  Watcher out;
  const spec::Acceptor acceptor = spec::ltlf_acceptor(formula);
  for (const spec::Outlook outlook : spec::outlooks(acceptor)) {
    out.kinds.emplace_back(outlook == spec::Outlook::violated ? kBadState
                           : outlook == spec::Outlook::holds  ? kSettledState
                                                              : kOpenState);
  }
  out.graph = acceptor.graph;
  return out;
}

/// Nothing where the automaton is over its limits or has more states than are drawn.
std::optional<Watcher> watcher_of(const spec::Property& property) {
  const bool chance = property.claim == spec::Property::Claim::pmax ||
                      property.claim == spec::Property::Claim::pmin;
  const spec::FormulaPtr opposite = spec::negation(property.formula);
  try {
    spec::Dfa prefixes =
        spec::bad_prefix_dfa(chance && spec::is_safety(opposite) ? opposite : property.formula);
    Watcher out = prefixes.has_bad() ? of_prefixes(std::move(prefixes)) : of_runs(property.formula);
    return out.graph.states <= kMaxStates ? std::optional(std::move(out)) : std::nullopt;
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

std::string meaning_of(const spec::Spec& spec, const spec::Atom& atom, const Tokenizer* tokenizer) {
  if (atom.kind != spec::Atom::Kind::token_is || !atom.token || tokenizer == nullptr) {
    return spec::atom_text(spec, atom);
  }
  return "tok = \"" + tokenizer->decode({*atom.token}) + "\" (id " +
         std::to_string(atom.token->at()) + ")";
}

/// Raw bytes where there is a tokenizer: the file makes them visible.
std::string text_of(const verify::CheckInput& input, const std::vector<TokenId>& tokens) {
  return input.tokenizer != nullptr ? input.tokenizer->decode(tokens)
                                    : verify::token_text(input, tokens);
}

}  // namespace

PropertyExhibit property_exhibit(const spec::Spec& spec, const spec::Property& property,
                                 const std::string& claim, const Tokenizer* tokenizer) {
  PropertyExhibit out;
  out.claim = claim;
  out.sentence = spec::sentence(spec, property);
  out.formula = property.claim_text();
  for (const std::size_t a : spec::atoms_of(property.formula)) {
    out.atoms.emplace_back(spec.atoms[a].name, meaning_of(spec, spec.atoms[a], tokenizer));
  }
  const std::optional<Watcher> watcher = watcher_of(property);
  if (!watcher) {
    return out;
  }
  const spec::Dfa& graph = watcher->graph;
  out.states = watcher->kinds;
  std::vector<std::string> names;
  for (const std::size_t a : graph.atoms) {
    names.push_back(spec.atoms[a].name);
  }
  for (std::uint32_t from = 0; from < graph.states; ++from) {
    for (std::uint32_t to = 0; to < graph.states; ++to) {
      std::vector<bool> letters(graph.letters());
      bool any = false;
      for (std::size_t letter = 0; letter < letters.size(); ++letter) {
        letters[letter] = graph.next(from, letter) == to;
        any = any || letters[letter];
      }
      if (any) {
        out.edges.push_back({from, to, spec::cover_text(spec::cover(letters), names)});
      }
    }
  }
  return out;
}

Counterexample run_exhibit(const verify::CheckInput& input, const spec::Property& property,
                           const std::string& claim, const std::vector<TokenId>& prompt,
                           const verify::Violated& violated, std::size_t loop) {
  Counterexample out;
  out.claim = claim;
  out.prompt = text_of(input, prompt);
  out.replay =
      "Replayed on the model in outward-rounded arithmetic: every token surely lies in "
      "the decoder's support, and every atom is decided.";
  const std::optional<Watcher> watcher = watcher_of(property);
  std::uint32_t state = 0;
  for (const verify::WitnessStep& step : violated.steps) {
    RunStep shown{text_of(input, {step.token}), "", "", {}};
    for (std::size_t i = 0; i < input.spec->atoms.size(); ++i) {
      if (((step.letter >> i) & 1U) != 0) {
        shown.note += (shown.note.empty() ? "" : ", ") + input.spec->atoms[i].name;
      }
    }
    if (watcher) {
      state = watcher->graph.next(state, watcher->graph.project(step.letter));
      shown.state = std::to_string(state);
    }
    for (const verify::AtomValue& value : step.values) {
      shown.features.emplace_back(value.what, fixed((value.lo + value.hi) / 2, 3));
    }
    for (const auto& [feature, value] : step.live) {
      shown.features.emplace_back(feature, fixed(value, 3));
    }
    out.steps.push_back(std::move(shown));
  }
  const auto remark = [&](std::size_t step, const std::string& words) {
    std::string& note = out.steps.at(step).note;
    note += (note.empty() ? "" : "; ") + words;
  };
  if (loop > 0 && loop <= out.steps.size()) {
    const std::size_t first = out.steps.size() - loop;
    remark(first, "the loop begins here");
    remark(out.steps.size() - 1, "step " + std::to_string(first + 1) + " follows, and so for ever");
    out.replay += " The steps of the loop come again and again.";
  } else if (!out.steps.empty()) {
    remark(out.steps.size() - 1, "violates here");
  }
  return out;
}

}  // namespace assay::certify
