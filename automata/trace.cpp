#include "trace.hpp"

#include "assay/features/token_classes.hpp"

namespace assay::automata {

TraceReader::TraceReader(const Transformer& model, const Sae& sae, const AtomReader& atoms,
                         const std::vector<features::NamedTokens>& blocks,
                         const std::vector<StateFeature>& candidates)
    : model_(model),
      sae_(sae),
      atoms_(atoms),
      candidates_(candidates),
      block_of_(features::class_of_token(blocks, model.config.d_vocab)) {}

std::int64_t TraceReader::dominant(std::span<const double> pre) const {
  std::int64_t best = -1;
  double highest = 0;
  for (std::size_t c = 0; c < candidates_.size(); ++c) {
    const std::size_t i = candidates_[c].feature.at();
    const double value = pre[i] / candidates_[c].p99;
    if (pre[i] > static_cast<double>(sae_.threshold.data[i]) && value > highest) {
      best = static_cast<std::int64_t>(c);
      highest = value;
    }
  }
  return best;
}

Trace TraceReader::read(std::span<const TokenId> tokens, std::size_t first) const {
  Trace trace;
  if (tokens.size() <= first) {
    return trace;
  }
  const ForwardPass pass = forward(model_, tokens, atoms_.hooks());
  const Matrix pre = pre_activations(sae_, pass.hooks.at(sae_.hook_name));
  for (std::size_t r = first; r < tokens.size(); ++r) {
    trace.push_back({block_of_[tokens[r].at()], dominant(pre.row(r)),
                     atoms_.read(tokens[r], pre.row(r), pass.hooks, r)});
  }
  return trace;
}

}  // namespace assay::automata
