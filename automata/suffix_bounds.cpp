#include "assay/automata/suffix_bounds.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "suffix_batch.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kStates = 16;  ///< bounded side by side

Emission supported(Emission emission) {
  if (!emission.is_pairwise()) {
    throw UsageError("the proved automaton: expected greedy, min-p or top-k, found " +
                     emission.text());
  }
  return emission;
}

}  // namespace

SuffixWork& SuffixWork::operator+=(const SuffixWork& o) {
  states += o.states;
  exact += o.exact;
  screened += o.screened;
  folded += o.folded;
  witnessed += o.witnessed;
  open += o.open;
  contexts += o.contexts;
  return *this;
}

SuffixBounds::SuffixBounds(const Transformer& model, Emission emission)
    : emission_(supported(std::move(emission))),
      vocabulary_((require_exact_family(model), model.config.d_vocab)),
      far_(model.config.attention_window > kKnown ? model.config.attention_window - kKnown : 0),
      codes_(vocabulary_, std::min(kKnown, model.config.attention_window)),
      tables_(std::make_unique<const Tables>(model, kKnown)) {}

SuffixBounds::~SuffixBounds() = default;

double SuffixBounds::radius() const {
  return tables_->fold_radius;
}

SuffixWork SuffixBounds::decide(std::span<const Query> queries, const SuffixOptions& options,
                                std::span<Edge> out) const {
  require(out.size() == queries.size() * vocabulary_, "SuffixBounds: the size of `out`");
  SuffixBatch batch(*tables_, emission_, codes_, options);
  for (std::size_t at = 0; at < queries.size(); at += kStates) {
    const std::size_t n = std::min(kStates, queries.size() - at);
    batch.run(queries.subspan(at, n), out.subspan(at * vocabulary_, n * vocabulary_));
  }
  return batch.work();
}

}  // namespace assay::automata
