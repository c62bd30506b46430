#include "replay.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/spec/progression.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kMaxCarry = 64;

class Player {
 public:
  Player(const CheckInput& input, const Atoms& atoms, const spec::FormulaPtr& formula,
         const Candidate& run)
      : input_(input),
        atoms_(atoms),
        run_(run),
        progression_(formula),
        state_(progression_.initial()),
        context_(run.prompt) {
    for (const std::size_t a : spec::atoms_of(formula)) {
      used_ |= std::uint64_t{1} << a;
    }
  }

  Replay run() {
    if (context_.empty()) {
      return {std::nullopt, "the prompt is empty"};
    }
    std::vector<Interval> logits = values_at_end().logits;
    const std::size_t most = std::min(run_.max_new, run_.tokens.size() + kMaxCarry);
    for (std::size_t i = 0; i < most; ++i) {
      const TokenId token = i < run_.tokens.size() ? run_.tokens[i] : most_likely(logits);
      if (!run_.surely_emitted(logits, token)) {
        return {std::nullopt,
                place(i, token) +
                    " is not surely in the decoder's support (a tie with the cut, or outside)"};
      }
      context_.push_back(token);
      bounds::ConcreteValues values = values_at_end();
      if (const std::string reason = read(i, token, values); !reason.empty()) {
        return {std::nullopt, reason};
      }
      if (run_.is_endless ? i + 1 == run_.tokens.size() : progression_.is_false(state_)) {
        show_live_features();
        return {std::move(out_), ""};
      }
      logits = std::move(values.logits);
    }
    return {std::nullopt, "the run ends before the property is refuted"};
  }

 private:
  bounds::ConcreteValues values_at_end() const {
    return bounds::enclose(*input_.model, relevant(*input_.model, context_));
  }

  static TokenId most_likely(const std::vector<Interval>& logits) {
    const auto best =
        std::max_element(logits.begin(), logits.end(),
                         [](const Interval& a, const Interval& b) { return a.lo < b.lo; });
    return TokenId(static_cast<std::size_t>(best - logits.begin()));
  }

  std::string place(std::size_t i, TokenId token) const {
    return "token " + std::to_string(i + 1) + " ('" + token_text(input_, {token}) + "')";
  }

  /// Reads the letter; the reason why not, or nothing.
  std::string read(std::size_t i, TokenId token, const bounds::ConcreteValues& values) {
    Decided decided = atoms_.enclosed(used_, token, values);
    if (decided.must != decided.may) {
      std::size_t a = 0;
      while ((((decided.must ^ decided.may) >> a) & 1U) == 0) {
        ++a;
      }
      return "ap " + input_.spec->atoms[a].name + " is not decided at " + place(i, token) +
             ": its value lies within the band of its threshold";
    }
    state_ = progression_.next(state_, decided.must);
    out_.tokens.push_back(token);
    out_.steps.push_back({token, decided.must, std::move(decided.values), {}});
    return "";
  }

  /// In double, for people: the strongest features of every dictionary along the run.
  void show_live_features() {
    const std::size_t first = context_.size() - out_.tokens.size();
    for (const auto& [name, sae] : input_.saes) {
      const std::string hook = sae->hook_name;
      const ForwardPass pass = forward(*input_.model, context_, std::vector<std::string>{hook});
      Matrix features = pre_activations(*sae, pass.hooks.at(hook));
      apply_activation(*sae, features);
      for (std::size_t i = 0; i < out_.steps.size(); ++i) {
        const auto row = features.row(first + i);
        for (std::size_t f = 0; f < row.size(); ++f) {
          if (row[f] > 0) {
            out_.steps[i].live.emplace_back(name + "/" + std::to_string(f), row[f]);
          }
        }
      }
    }
    for (WitnessStep& step : out_.steps) {
      std::stable_sort(step.live.begin(), step.live.end(),
                       [](const auto& a, const auto& b) { return a.second > b.second; });
      step.live.resize(std::min(step.live.size(), input_.limits.live_features));
    }
  }

  const CheckInput& input_;
  const Atoms& atoms_;
  const Candidate& run_;
  spec::Progression progression_;
  spec::Progression::State state_;
  std::vector<TokenId> context_;
  std::uint64_t used_ = 0;
  Violated out_;
};

}  // namespace

Replay replay(const CheckInput& input, const Atoms& atoms, const spec::FormulaPtr& formula,
              const Candidate& run) {
  try {
    return Player(input, atoms, formula, run).run();
  } catch (const InputError& e) {  // a model outside what can be enclosed
    return {std::nullopt, std::string("the run cannot be replayed in intervals: ") + e.what()};
  }
}

Replay replay(const CheckInput& input, const Atoms& atoms, const spec::FormulaPtr& formula,
              const Sample& run) {
  const automata::FittedAutomaton& automaton = *input.automaton;
  Replay out = replay(input, atoms, formula,
                      Candidate{automaton.prompts.at(run.prompt), run.tokens, automaton.max_new,
                                [&automaton](std::span<const Interval> logits, TokenId token) {
                                  return bounds::surely_emittable(automaton.decoder, logits, token);
                                }});
  if (out.violated) {
    out.violated->prompt = run.prompt;
  }
  return out;
}

}  // namespace assay::verify
