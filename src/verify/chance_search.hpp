#pragma once

#include <map>
#include <memory>
#include <optional>

#include "assay/base/progress.hpp"
#include "assay/base/random.hpp"
#include "chance_event.hpp"
#include "chance_leaves.hpp"
#include "chance_sample.hpp"

namespace assay::verify {

/// Refines a partition of all views best-first where it moves the bound most: a token that nature leans on gets a lemma
/// about the leaf, a leaf whose lemmas are made is divided. The budget counts lemmas; what was done does not depend on time.
class ChanceSearch {
 public:
  ChanceSearch(const RefinedInput& input, const RefinedLetters& letters, const spec::Dfa& event,
               std::size_t horizon, ChanceThreshold threshold, bounds::LemmaBounder& bounder,
               RefinedProperty& result);

  /// Until the threshold is shown, the budget is used up, or nothing is left to refine.
  void run();

  [[nodiscard]] const std::vector<ChanceLeaf>& leaves() const { return leaves_; }
  [[nodiscard]] const std::vector<bounds::Lemma>& facts() const { return facts_; }
  /// r over the prompts of the statement: the largest (upper), the least.
  [[nodiscard]] automata::Grid bound(bool upper) const;
  /// Contexts of the leaf that decides the bound.
  [[nodiscard]] std::vector<automata::WindowCode> worst_pool() const;
  [[nodiscard]] std::size_t links() const { return links_; }

 private:
  struct Gain {
    double score = 0;
    std::size_t leaf = 0;
    std::uint32_t token = 0;
    bool divides = false;
  };
  void add_leaf(const ViewBox& box, const ChanceLeaf* parent);
  void fill_pool(ChanceLeaf& leaf, const ChanceLeaf* parent);
  [[nodiscard]] automata::WindowCode random_context(const ViewBox& box);
  [[nodiscard]] bool is_initial(const ChanceLeaf& leaf) const;
  [[nodiscard]] automata::Grid worst(const std::vector<automata::Grid>& values, bool upper) const;
  [[nodiscard]] std::vector<Gain> gains(const LeafChain& chain, const LeafChain::Values& values);
  void spread(const LeafChain& chain, const std::vector<std::vector<automata::Grid>>& ahead,
              const std::vector<std::vector<double>>& weight,
              std::vector<std::vector<double>>& next, std::vector<std::vector<double>>& of_token);
  void take(ChanceLeaf& leaf, bounds::Lemma lemma);
  bool bound_ends(const LeafChain& chain);
  /// The newest positions that must be known one by one until one head alone moves; 0: no such number.
  [[nodiscard]] std::size_t near_positions(std::uint32_t token);
  /// The newest position of the box that is not one token.
  [[nodiscard]] static std::size_t newest_set(const ViewBox& box);
  [[nodiscard]] bool is_far(const ViewBox& box);
  [[nodiscard]] std::vector<ViewBox> singles(const ViewBox& box) const;
  void bound_token(std::size_t leaf, std::uint32_t token);
  bool divide(std::size_t leaf, std::uint32_t token);
  [[nodiscard]] bounds::Quantity mixture(const ChanceLeaf& leaf, std::uint32_t token,
                                         double& expected) const;

  const RefinedInput& input_;
  const RefinedLetters& letters_;
  const spec::Dfa& event_;
  std::size_t horizon_;
  ChanceThreshold threshold_;
  bool upper_;
  bounds::LemmaBounder& bounder_;
  RefinedProperty& result_;
  ChanceForward forward_;
  std::vector<ViewBox> prompts_;
  std::vector<ChanceLeaf> leaves_;
  std::vector<bounds::Lemma> facts_;
  std::map<std::uint32_t, std::size_t> near_;  ///< by the current token
  std::vector<automata::Grid> initial_;        ///< u_N(leaf, init)
  std::vector<std::vector<double>> typical_;   ///< of the leaves: mean distribution of the pool
  std::size_t links_ = 0;
  Random random_{7};
  Progress progress_;
};

}  // namespace assay::verify
