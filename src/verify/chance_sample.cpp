#include "chance_sample.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "assay/base/errors.hpp"

namespace assay::verify {
namespace {

using automata::WindowCode;

constexpr std::size_t kStarts = 48, kSweeps = 3, kFinalists = 8;
constexpr std::size_t kShortRuns = 200, kRuns = 2000;

class Sampler {
 public:
  Sampler(const RefinedInput& input, const RefinedLetters& letters, const spec::Dfa& event,
          std::size_t horizon, bool largest)
      : input_(input),
        letters_(letters),
        event_(event),
        horizon_(horizon),
        largest_(largest),
        forward_(input) {
    const std::size_t w = forward_.codes().window();
    const PromptSet& prompts = input.runs.prompts;
    std::vector<std::uint32_t> all(forward_.vocabulary());
    std::iota(all.begin(), all.end(), 0U);
    choices_.assign(std::min(w, prompts.any() ? prompts.max_length : prompts.sets.size()), all);
    for (std::size_t i = 0; i < choices_.size() && !prompts.any(); ++i) {
      choices_[i].clear();
      for (const TokenId t : prompts.sets[prompts.sets.size() - choices_.size() + i]) {
        choices_[i].push_back(t.value);
      }
    }
  }

  ChanceSample run(const std::vector<WindowCode>& starts) {
    std::vector<Prompt> prompts;
    for (std::size_t i = 0; i < kStarts; ++i) {
      Prompt& prompt = prompts.emplace_back();
      for (const auto& set : choices_) {
        prompt.push_back(set[random_.below(set.size())]);
      }
    }
    for (const WindowCode code : starts) {
      Prompt prompt;
      for (const TokenId t : forward_.codes().decode(code)) {
        prompt.push_back(t.value);
      }
      if (is_prompt(prompt)) {
        prompts.push_back(std::move(prompt));
      }
    }
    std::vector<double> score = scores(prompts);
    for (std::size_t sweep = 0; sweep < kSweeps && climb(prompts, score); ++sweep) {
    }
    return best_of(prompts, score);
  }

 private:
  using Prompt = std::vector<std::uint32_t>;  ///< its end, oldest first

  [[nodiscard]] bool is_prompt(const Prompt& prompt) const {
    if (prompt.size() > choices_.size() ||
        (!input_.runs.prompts.any() && prompt.size() != choices_.size())) {
      return false;
    }
    for (std::size_t i = 0; i < prompt.size(); ++i) {
      const auto& set = choices_[choices_.size() - prompt.size() + i];
      if (!std::binary_search(set.begin(), set.end(), prompt[i])) {
        return false;
      }
    }
    return true;
  }
  [[nodiscard]] WindowCode code(const Prompt& prompt) const {
    WindowCode out = 0;
    for (const std::uint32_t t : prompt) {
      out = forward_.codes().append(out, t);
    }
    return out;
  }

  /// How much a token tells of the event: 1 for those that complete it from the first state.
  [[nodiscard]] double weight(std::uint32_t token) const {
    for (const std::size_t letter : letters_.of(token)) {
      if (event_.bad[event_.next(0, letter)]) {
        return 1;
      }
    }
    return 0;
  }

  /// Probability under the decoder, and a little of the plain one so that there is a slope everywhere.
  std::vector<double> scores(const std::vector<Prompt>& prompts) {
    std::vector<WindowCode> windows;
    for (const Prompt& prompt : prompts) {
      windows.push_back(code(prompt));
    }
    const std::vector<double> logits = forward_.logits(windows);
    const std::size_t V = forward_.vocabulary();
    std::vector<double> out, p;
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const double* l = logits.data() + i * V;
      forward_.distribution(l, p);
      const double top = *std::max_element(l, l + V);
      double mass = 0, raw = 0;
      for (std::uint32_t t = 0; t < V; ++t) {
        mass += weight(t) * p[t];
        raw += weight(t) * std::exp(l[t] - top);
      }
      out.push_back((largest_ ? 1 : -1) * (mass + 1e-4 * raw));
    }
    return out;
  }

  /// One sweep over the positions; whether anything moved.
  bool climb(std::vector<Prompt>& prompts, std::vector<double>& score) {
    bool moved = false;
    for (std::size_t back = 0; back < choices_.size(); ++back) {
      std::vector<Prompt> tried;
      std::vector<std::size_t> of;
      for (std::size_t i = 0; i < prompts.size(); ++i) {
        if (prompts[i].size() <= back) {
          continue;
        }
        for (const std::uint32_t t : choices_[choices_.size() - 1 - back]) {
          tried.push_back(prompts[i]);
          tried.back()[prompts[i].size() - 1 - back] = t;
          of.push_back(i);
        }
      }
      const std::vector<double> all = scores(tried);
      for (std::size_t k = 0; k < tried.size(); ++k) {
        if (all[k] > score[of[k]]) {
          score[of[k]] = all[k];
          prompts[of[k]] = tried[k];
          moved = true;
        }
      }
    }
    return moved;
  }

  ChanceSample best_of(const std::vector<Prompt>& prompts, const std::vector<double>& score) {
    std::vector<std::size_t> order(prompts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return score[a] > score[b]; });
    // Where no token completes the event at once the score tells nothing: all of them run.
    const bool is_one_step = std::any_of(
        order.begin(), order.end(), [&](std::size_t i) { return score[i] != score[order[0]]; });
    std::vector<WindowCode> finalists;
    for (const std::size_t i : order) {
      const WindowCode c = code(prompts[i]);
      if (std::find(finalists.begin(), finalists.end(), c) == finalists.end() &&
          (!is_one_step || finalists.size() < kFinalists)) {
        finalists.push_back(c);
      }
    }
    std::size_t best = 0, most = 0;
    for (std::size_t i = 0; i < finalists.size(); ++i) {
      const std::size_t met = hits(finalists[i], kShortRuns);
      const std::size_t good = largest_ ? met : kShortRuns - met;
      if (i == 0 || good > most) {
        best = i;
        most = good;
      }
    }
    ChanceSample out;
    out.prompt = input_.runs.prompts.prompt_of(forward_.codes(), finalists[best]);
    out.runs = kRuns;
    out.hits = hits(finalists[best], kRuns);
    return out;
  }

  /// Fresh runs from the prompt that meet the event. A letter that is not the token's alone counts as nature likes.
  std::size_t hits(WindowCode prompt, std::size_t runs) {
    std::vector<WindowCode> at(runs, prompt);
    std::vector<std::uint32_t> q(runs, 0);
    std::vector<double> p;
    std::size_t met = 0;
    for (std::size_t n = 0; n < horizon_ && !at.empty(); ++n) {
      const std::vector<double> logits = forward_.logits(at);
      std::size_t kept = 0;
      for (std::size_t i = 0; i < at.size(); ++i) {
        forward_.distribution(logits.data() + i * forward_.vocabulary(), p);
        const std::uint32_t t = drawn(p);
        const std::uint32_t to = event_.next(q[i], letters_.of(t).front());
        met += event_.bad[to] ? 1 : 0;
        if (!event_.bad[to]) {
          at[kept] = forward_.codes().append(at[i], t);
          q[kept++] = to;
        }
      }
      at.resize(kept);
      q.resize(kept);
    }
    return met;
  }

  std::uint32_t drawn(const std::vector<double>& p) {
    double left = random_.unit();
    std::uint32_t last = 0;
    for (std::uint32_t t = 0; t < p.size(); ++t) {
      if (p[t] > 0) {
        last = t;
        if (left < p[t]) {
          return t;
        }
        left -= p[t];
      }
    }
    return last;
  }

  const RefinedInput& input_;
  const RefinedLetters& letters_;
  const spec::Dfa& event_;
  std::size_t horizon_;
  bool largest_;
  ChanceForward forward_;
  std::vector<std::vector<std::uint32_t>> choices_;
  Random random_{1};
};

}  // namespace

ChanceForward::ChanceForward(const RefinedInput& input)
    : emission_(input.runs.emission),
      forward_(*input.runs.subject.model, {}),
      scratch_(forward_.make_scratch()),
      temperature_(emission_.rule().temperature.nearest()) {}

std::vector<double> ChanceForward::logits(const std::vector<WindowCode>& windows) {
  const std::size_t V = vocabulary();
  std::vector<double> out(windows.size() * V);
  for (std::size_t at = 0; at < windows.size(); at += automata::ExactForward::kBatch) {
    const std::size_t n = std::min(automata::ExactForward::kBatch, windows.size() - at);
    forward_.evaluate(std::span(windows).subspan(at, n), scratch_);
    for (std::size_t r = 0; r < n; ++r) {
      const auto row = scratch_.logits.begin() + static_cast<std::ptrdiff_t>(r * forward_.stride());
      std::copy(row, row + static_cast<std::ptrdiff_t>(V),
                out.begin() + static_cast<std::ptrdiff_t>((at + r) * V));
    }
  }
  return out;
}

void ChanceForward::distribution(const double* logits, std::vector<double>& out) const {
  const std::size_t V = vocabulary();
  const std::span<const double> l(logits, V);
  std::vector<automata::Edge> kept(V);
  emission_.decide(l, l, kept);
  const double top = *std::max_element(l.begin(), l.end());
  out.assign(V, 0);
  double sum = 0;
  for (std::size_t t = 0; t < V; ++t) {
    if (kept[t] != automata::Edge::absent) {
      out[t] = std::exp((l[t] - top) / temperature_);
      sum += out[t];
    }
  }
  for (double& p : out) {
    p /= sum;
  }
}

ChanceSample sample_chance(const RefinedInput& input, const RefinedLetters& letters,
                           const spec::Dfa& event, std::size_t horizon, bool largest,
                           const std::vector<WindowCode>& starts) {
  return Sampler(input, letters, event, horizon, largest).run(starts);
}

}  // namespace assay::verify
