#pragma once

#include <optional>
#include <string>

#include "assay/automata/interval_chain_files.hpp"
#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/rational.hpp"

namespace assay::verify {

/// What is asked of a given interval chain: the probability of reaching a label from `init`.
struct ChainQuery {
  std::string label;
  std::optional<std::size_t> within;          ///< steps; none: ever
  std::optional<Rational> at_most, at_least;  ///< thresholds to decide
};

enum class ChainVerdict { holds, violated, unknown, not_asked };

struct ChainAnswer {
  automata::Grid most = 0;   ///< no state `init` reaches with more, whatever nature does
  automata::Grid least = 0;  ///< none reaches with less
  ChainVerdict at_most = ChainVerdict::not_asked, at_least = ChainVerdict::not_asked;
  std::size_t sweeps = 0, end_components = 0;
  double seconds = 0;
  std::string request;      ///< `assay-request 1`: what the certificate states
  std::string certificate;  ///< `assay-cert 1`, kind chain; concludes both bounds

  [[nodiscard]] ExitCode code() const;
};

/// Both bounds by exact integer interval iteration (UPPER, LOWER, WITHIN), each checked once more
/// before it is given out. Throws UsageError for a label that the chain does not have.
[[nodiscard]] ChainAnswer solve_chain(const automata::LabelledChain& chain, const Digest& file,
                                      const ChainQuery& query);

/// Whether value/2^40 <= p, >= p; exactly.
[[nodiscard]] bool is_at_most(automata::Grid value, const Rational& p);
[[nodiscard]] bool is_at_least(automata::Grid value, const Rational& p);

}  // namespace assay::verify
