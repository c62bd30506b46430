#pragma once
// Probabilities of continuations by a second, dumb program: whole contexts, plain doubles.

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "assay/model/forward.hpp"
#include "assay/spec/progression.hpp"

namespace assay::test {

struct Sampling {
  const char* words;
  double rho, temperature, cut_temperature;  ///< rho 0: no cut; k below
  std::size_t k;
};

/// The probabilities of the next token, from the decoder's definition.
inline std::vector<double> next(const Sampling& d, const std::vector<double>& logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p(logits.size(), 0);
  double sum = 0;
  for (std::size_t t = 0; t < p.size(); ++t) {
    const auto greater = static_cast<std::size_t>(
        std::count_if(logits.begin(), logits.end(), [&](double l) { return l > logits[t]; }));
    const bool kept =
        (d.rho == 0 || logits[t] - top >= d.cut_temperature * std::log(d.rho)) && greater < d.k;
    p[t] = kept ? std::exp((logits[t] - top) / d.temperature) : 0;
    sum += p[t];
  }
  for (double& x : p) {
    x /= sum;
  }
  return p;
}

/// The letter of a context's last token: bit 0 for token 0, bit 1 for token 2.
inline std::uint64_t token_letter(const std::vector<TokenId>& context) {
  const std::size_t t = context.back().at();
  return (t == 0 ? 1U : 0U) | (t == 2 ? 2U : 0U);
}

/// The probability that the monitored formula becomes false within the steps left.
class Tree {
 public:
  using Letter = std::function<std::uint64_t(const std::vector<TokenId>&)>;
  Tree(const Transformer& model, const Sampling& decoder, const spec::FormulaPtr& monitored,
       Letter letter = token_letter)
      : model_(model), decoder_(decoder), progression_(monitored), letter_(std::move(letter)) {}

  double from(const std::vector<TokenId>& context, std::size_t steps) {
    return walk(context, progression_.initial(), steps);
  }

 private:
  double walk(const std::vector<TokenId>& context, spec::Progression::State state,
              std::size_t steps) {
    if (progression_.is_false(state)) {
      return 1;
    }
    double sum = 0;
    if (steps > 0) {
      const std::vector<double> p = next(decoder_, next_logits(model_, context));
      for (std::size_t t = 0; t < p.size(); ++t) {
        if (p[t] > 0) {
          std::vector<TokenId> longer = context;
          longer.emplace_back(t);
          sum += p[t] * walk(longer, progression_.next(state, letter_(longer)), steps - 1);
        }
      }
    }
    return sum;
  }

  const Transformer& model_;
  const Sampling& decoder_;
  spec::Progression progression_;
  Letter letter_;
};

}  // namespace assay::test
