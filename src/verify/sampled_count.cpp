#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/spec/acceptor.hpp"
#include "assay/verify/sampled.hpp"
#include "replay.hpp"

namespace assay::verify {
namespace {

/// Reads the atoms of runs in double; a model of more layers has tokens only.
class Letters {
 public:
  Letters(const SampleInput& input, const Transformer& shell)
      : input_(with(input, shell)), atoms_(input_) {}

  [[nodiscard]] const CheckInput& input() const { return input_; }
  [[nodiscard]] const Atoms& atoms() const { return atoms_; }

  /// Letter by letter; a letter that is not decided ends the list.
  [[nodiscard]] std::vector<std::uint64_t> of(std::uint64_t used, const SampledRun& run) const {
    const std::vector<std::string> hooks = atoms_.hooks(used);
    ForwardPass pass;
    if (!hooks.empty()) {
      std::vector<TokenId> all = run.prompt;
      all.insert(all.end(), run.tokens.begin(), run.tokens.end());
      pass = forward(*input_.model, all, hooks);
    }
    std::vector<std::uint64_t> out;
    for (std::size_t i = 0; i < run.tokens.size(); ++i) {
      const Decided d = atoms_.in_double(used, run.tokens[i], pass, run.prompt.size() + i);
      if (d.must != d.may) {
        break;
      }
      out.push_back(d.must);
    }
    return out;
  }

 private:
  static CheckInput with(const SampleInput& input, const Transformer& shell) {
    CheckInput out = input.subject;
    out.model = out.model == nullptr ? &shell : out.model;
    return out;
  }

  CheckInput input_;
  Atoms atoms_;
};

/// The three verdicts of one property on runs.
struct Monitor {
  spec::Acceptor acceptor;
  std::vector<spec::Outlook> outlook;
  std::uint64_t used = 0;

  explicit Monitor(const spec::FormulaPtr& formula)
      : acceptor(spec::ltlf_acceptor(formula)), outlook(spec::outlooks(acceptor)) {
    for (const std::size_t a : acceptor.graph.atoms) {
      used |= std::uint64_t{1} << a;
    }
  }
};

enum class Said { violated, holds, open, undecided };

/// LTL3 along the run; at the end of one that is over, LTLf. A near tie is another run elsewhere: it counts neither way.
Said verdict_on(const Monitor& monitor, const std::vector<std::uint64_t>& letters,
                const SampledRun& run) {
  if (run.slack < kNearTie) {
    return Said::undecided;
  }
  std::uint32_t state = 0;
  for (const std::uint64_t letter : letters) {
    state = monitor.acceptor.graph.next(state, monitor.acceptor.graph.project(letter));
    if (monitor.outlook[state] != spec::Outlook::open) {
      return monitor.outlook[state] == spec::Outlook::violated ? Said::violated : Said::holds;
    }
  }
  if (letters.size() < run.tokens.size()) {
    return Said::undecided;
  }
  if (!run.is_over || letters.empty()) {
    return Said::open;
  }
  return monitor.acceptor.accepts(state) ? Said::holds : Said::violated;
}

Counterexample replayed(const SampleInput& input, const Letters& letters,
                        const spec::FormulaPtr& formula, const SampledRun& run, std::size_t index) {
  Counterexample out{index, std::nullopt, ""};
  if (input.subject.model == nullptr) {
    out.reason =
        "enclosures exist at one layer only; the run was drawn by the reference forward pass";
    return out;
  }
  const auto surely = [&input](std::span<const Interval> logits, TokenId token) {
    std::vector<double> lo, hi;
    for (const Interval& l : logits) {
      lo.push_back(l.lo);
      hi.push_back(l.hi);
    }
    std::vector<automata::Edge> edges(logits.size());
    input.emission.decide(lo, hi, edges);
    return edges[token.at()] == automata::Edge::witnessed;
  };
  Replay r = replay(letters.input(), letters.atoms(), formula,
                    Candidate{run.prompt, run.tokens, run.tokens.size(), surely});
  out.replayed = std::move(r.violated);
  out.reason = std::move(r.reason);
  return out;
}

SampledProperty count(const SampleInput& input, const Letters& letters,
                      const spec::Property& property, const Rational& alpha,
                      const std::vector<SampledRun>& runs) {
  SampledProperty out;
  out.name = property.name;
  out.alpha = alpha;
  const Monitor monitor(property.formula);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    switch (verdict_on(monitor, letters.of(monitor.used, runs[i]), runs[i])) {
      case Said::violated:
        ++out.violated;
        if (out.counterexamples.size() < input.kept) {
          out.counterexamples.push_back(replayed(input, letters, property.formula, runs[i], i));
        }
        break;
      case Said::holds:
        ++out.holds;
        break;
      case Said::open:
        ++out.open;
        break;
      case Said::undecided:
        ++out.undecided;
        break;
    }
  }
  out.interval.lo = automata::clopper_pearson(out.violated, runs.size(), alpha).lo;
  out.interval.hi = automata::clopper_pearson(out.violated + out.undecided, runs.size(), alpha).hi;
  return out;
}

}  // namespace

SampleResult count_runs(const SampleInput& input, std::vector<SampledRun> runs) {
  require(runs.size() == input.runs, "count_runs: the plan's number of runs");
  SampleResult out;
  out.plan = sampling_plan(input);
  const std::map<std::string, Rational> ledger = alpha_ledger(input);
  Transformer shell;
  shell.config = input.model->config;
  const Letters letters(input, shell);
  for (const spec::Property& property : input.subject.spec->properties) {
    if (const auto share = ledger.find(property.name); share != ledger.end()) {
      out.properties.push_back(count(input, letters, property, share->second, runs));
    } else if (const std::string why = beyond_sampling(input, property);
               !why.empty() && is_wanted(input, property.name)) {
      out.properties.push_back({});
      out.properties.back().name = property.name;
      out.properties.back().skipped = why;
    }
  }
  for (const SampledRun& run : runs) {
    out.tokens += run.tokens.size();
    out.near_ties += run.slack < kNearTie ? 1 : 0;
  }
  out.runs = std::move(runs);
  return out;
}

std::string sample_text(const SampleInput& input, const SampleResult& result) {
  std::string text = std::to_string(result.runs.size()) + " runs of at most " +
                     std::to_string(input.max_new) + " tokens under " + input.emission.text() +
                     "; prompts: " + input.prompts.words() + "\n";
  for (const SampledProperty& p : result.properties) {
    if (!p.skipped.empty()) {
      text += p.name + ": not counted: " + p.skipped + "\n";
      continue;
    }
    text += p.name + ": violated by " + std::to_string(p.violated) + ", kept for good by " +
            std::to_string(p.holds) + ", neither " + std::to_string(p.open) +
            (p.undecided > 0 ? ", not decided " + std::to_string(p.undecided) : "") +
            ": rate in [" + automata::millionths(p.interval.lo) + ", " +
            automata::millionths(p.interval.hi) + "], alpha " + p.alpha.text() + " (STATISTICAL)\n";
    if (!p.counterexamples.empty()) {
      const Counterexample& first = p.counterexamples.front();
      const SampledRun& run = result.runs[first.run];
      text +=
          "  run " + std::to_string(first.run) + ": " + token_text(input.subject, run.prompt) +
          " | " + token_text(input.subject, run.tokens) +
          (first.replayed ? " (replayed)" : " (not replayed in intervals: " + first.reason + ")") +
          "\n";
    }
  }
  text += "together with confidence 1 - " + input.alpha.text() + "; plan sha256 " +
          sha256(result.plan).hex();
  return text;
}

}  // namespace assay::verify
