#include "assay/verify/closed.hpp"

#include <algorithm>
#include <limits>

#include "assay/spec/formula.hpp"
#include "exact_search.hpp"
#include "replay.hpp"
#include "subject.hpp"

namespace assay::verify {
namespace {

using Kind = spec::Atom::Kind;

bool is_of_tokens(const spec::Atom& atom) {
  return atom.kind == Kind::token_in || atom.kind == Kind::token_is;
}

class ClosedChecker {
 public:
  ClosedChecker(const CheckInput& input, const automata::Emission& emission,
                const PromptSet& prompts, const automata::ClosedGraph& graph)
      : input_(input),
        emission_(emission),
        prompts_(prompts),
        graph_(graph),
        atoms_(input),
        letters_(token_letters(input)) {}

  ClosedProperty one(const spec::Property& property) const {
    ClosedProperty out;
    out.name = property.name;
    if (const auto found = property.attributes.find("expect"); found != property.attributes.end()) {
      out.expected = found->second;
    }
    if (const std::string beyond = spec::beyond_universal(*input_.spec, property);
        !beyond.empty()) {
      out.reason = beyond;
      out.missing = "an engine for this kind of claim";
      return out;
    }
    try {
      decide(property, out);
    } catch (const UsageError& e) {  // over a limit: the property has no verdict
      out.reason = e.what();
      out.missing = "a smaller property";
    }
    return out;
  }

 private:
  void decide(const spec::Property& property, ClosedProperty& out) const {
    const spec::Dfa dfa = spec::bad_prefix_dfa(property.formula);
    if (!dfa.has_bad() || dfa.bad[0]) {
      out.reason = "valid or false by itself, or of no bad prefix: no run decides it";
      out.missing = "a safety property that some run can violate";
      return;
    }
    const automata::ClosureSafety safety = automata::check_safety(graph_, dfa, letters_);
    out.pairs = safety.pairs;
    out.bad_edges = safety.bad_edges.size();
    for (const automata::ClosureSafety::BadEdge& e : safety.bad_edges) {
      out.bad_open += e.open ? 1 : 0;
    }
    if (!safety.bad_reachable) {
      if (spec::is_safety(property.formula)) {
        out.verdict = ClosedProperty::Verdict::holds;
      } else {
        out.reason =
            "not a safety property: unbounded F or U, or a strong next, is never decided by "
            "prefixes";
        out.missing = "a bound, e.g. within k or F[0:k]";
      }
      return;
    }
    if (auto violated = replayed(property, safety)) {
      out.verdict = ClosedProperty::Verdict::violated;
      out.run.push_back(std::move(*violated));
      return;
    }
    out.reason =
        "a path of the machine violates it, and its shortest one is not a run of the model from "
        "the first of the prompts";
    out.missing = missing(dfa, safety);
  }

  std::string missing(const spec::Dfa& dfa, const automata::ClosureSafety& safety) const {
    for (const std::size_t a : dfa.atoms) {
      if (!is_of_tokens(input_.spec->atoms[a])) {
        return "the truth of '" + input_.spec->atoms[a].name +
               "', which this machine leaves free (assay check --mode refined reads it)";
      }
    }
    const automata::ClosureSafety::BadEdge& edge = safety.bad_edges.front();
    return "'" + token_text(input_, {TokenId(edge.token)}) + "' after '" +
           token_text(input_, graph_.codes().decode(graph_.state(edge.from))) + "' (" +
           (edge.open ? "open" : "witnessed by some context") + "), and " +
           std::to_string(safety.bad_edges.size() - 1) + " more edges";
  }

  std::optional<ExactViolated> replayed(const spec::Property& property,
                                        const automata::ClosureSafety& safety) const {
    Candidate candidate;
    candidate.prompt = prompts_.prompt_of(graph_.codes(), graph_.state(safety.path_start));
    candidate.tokens = safety.path;
    candidate.max_new = std::numeric_limits<std::size_t>::max();
    candidate.surely_emitted = [this](std::span<const Interval> logits, TokenId token) {
      std::vector<double> lo, hi;
      for (const Interval& l : logits) {
        lo.push_back(l.lo);
        hi.push_back(l.hi);
      }
      std::vector<automata::Edge> edges(logits.size());
      emission_.decide(lo, hi, edges);
      return edges[token.at()] == automata::Edge::witnessed;
    };
    Replay replay = verify::replay(input_, atoms_, property.formula, candidate);
    if (!replay.violated) {
      return std::nullopt;
    }
    return ExactViolated{candidate.prompt, std::move(*replay.violated)};
  }

  const CheckInput& input_;
  const automata::Emission& emission_;
  const PromptSet& prompts_;
  const automata::ClosedGraph& graph_;
  Atoms atoms_;
  std::vector<automata::Letter> letters_;
};

}  // namespace

const char* ClosedProperty::level() const {
  static constexpr const char* kNames[] = {"numeric only", "PROVED", ""};
  return kNames[static_cast<int>(verdict)];
}

const char* ClosedProperty::verdict_name() const {
  static constexpr const char* kNames[] = {"holds", "violated", "unknown"};
  return kNames[static_cast<int>(verdict)];
}

std::vector<automata::Letter> token_letters(const CheckInput& input) {
  const Atoms atoms(input);
  std::vector<automata::Letter> letters(input.model->config.d_vocab);
  for (std::size_t i = 0; i < input.spec->atoms.size(); ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    const bool decided = is_of_tokens(input.spec->atoms[i]);
    for (std::size_t t = 0; t < letters.size(); ++t) {
      const bool truth = decided && atoms.token_truth(i, TokenId(t));
      letters[t].must |= truth ? bit : 0;
      letters[t].may |= truth || !decided ? bit : 0;
    }
  }
  return letters;
}

std::vector<ClosedProperty> check_closed(const CheckInput& input,
                                         const automata::Emission& emission,
                                         const PromptSet& prompts,
                                         const automata::ClosedGraph& graph) {
  check_digests(input);
  const ClosedChecker checker(input, emission, prompts, graph);
  std::vector<ClosedProperty> out;
  for (const spec::Property* property : chosen(input)) {
    out.push_back(checker.one(*property));
  }
  return out;
}

ExitCode closed_code(const std::vector<ClosedProperty>& properties) {
  const auto any = [&](ClosedProperty::Verdict verdict) {
    return std::any_of(properties.begin(), properties.end(),
                       [&](const ClosedProperty& p) { return p.verdict == verdict; });
  };
  return any(ClosedProperty::Verdict::violated)  ? ExitCode::violated
         : any(ClosedProperty::Verdict::unknown) ? ExitCode::unknown
                                                 : ExitCode::ok;
}

}  // namespace assay::verify
