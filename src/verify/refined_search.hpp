#pragma once

#include <chrono>
#include <optional>

#include "assay/base/progress.hpp"
#include "refined_attack.hpp"
#include "refined_pairs.hpp"

namespace assay::verify {

/// OUT facts about one decoder, shared between the properties of one run.
struct SharedOuts {
  std::vector<std::vector<OutFact>> of;  ///< [V]
};

/// Backward from the bad steps of one property: a step is refuted by an OUT or ATOM lemma on the whole pattern, else the
/// pattern is divided (an older token joins it, a token set is cut), or shown not to be reached in this state.
class RefinedSearch {
 public:
  RefinedSearch(const RefinedInput& input, const RefinedLetters& letters, const spec::Dfa& dfa,
                bounds::LemmaBounder& bounder, ContextAttack& attack, SharedOuts& shared,
                RefinedProperty& result);

  /// The facts and states that show the property, or nullopt: then `unknown()` says what is missing.
  [[nodiscard]] std::optional<RefinedProof> run();
  [[nodiscard]] const Unknown& unknown() const { return unknown_; }

 private:
  struct Goal {
    RefinedPairs::Step step;
    ViewBox box;
    double attacked = 0;  ///< the lead met when the box was divided
    std::shared_ptr<const bounds::Lemma> above = nullptr;  ///< a bound on a box that holds this one
  };

  bool is_within_limits(const Goal& goal);
  bool settle(const Goal& goal);
  bool attempt(const Goal& goal);
  bool by_atom(const Goal& goal);
  bool exclude_by_atom(const Goal& goal);
  /// ATOM on the box, when a bound shows it; else the bound is remembered as the one that failed.
  bool show_atom(std::size_t which, bool truth, const ViewBox& box, const Goal& goal);
  bool by_out(const Goal& goal, ContextAttack::Met& met);
  bool out_of_top_k(const ViewBox& box, std::uint32_t token, const ContextAttack::Met& met);
  bool exclude_directly(const Goal& goal);
  bool carve(const Goal& goal, const ContextAttack::Met& met);
  /// Last tokens that must be known for one head alone to move.
  std::size_t near_positions(const ViewBox& box);
  [[nodiscard]] ContextAttack::Met emits(const ViewBox& box, std::uint32_t token);
  [[nodiscard]] std::vector<ViewBox> suggested(const Goal& goal);
  /// The newest position that is not one token: its length first, then single tokens (the last token, and where
  /// `is_near`) or halves.
  [[nodiscard]] std::vector<ViewBox> divided(const ViewBox& box, bool is_near) const;
  void divide(const Goal& goal, const ContextAttack::Met& met);
  bool exclude_view(const Goal& goal, const ContextAttack::Met& met);
  void give_up(const Goal& goal, const std::string& why);
  [[nodiscard]] std::vector<const ViewBox*> known(const RefinedPairs::Step& step,
                                                  std::vector<ViewBox>& room) const;
  [[nodiscard]] std::optional<std::vector<ViewBox>> left_of(const Goal& goal);
  [[nodiscard]] std::string pattern_text(const ViewBox& box) const;
  [[nodiscard]] RefinedProof proof();

  const RefinedInput& input_;
  const RefinedLetters& letters_;
  const spec::Dfa& dfa_;
  bounds::LemmaBounder& bounder_;
  ContextAttack& attack_;
  SharedOuts& shared_;
  RefinedProperty& result_;
  RefinedPairs pairs_;
  std::vector<Goal> goals_;
  std::vector<AtomFact> atoms_;
  std::vector<std::vector<ViewBox>> excluded_;        ///< of each node
  std::vector<std::vector<ContextAttack::Met>> met_;  ///< of each token, contexts that emit it
  std::vector<std::pair<ViewBox, std::vector<ViewBox>>> divisions_;
  std::shared_ptr<const bounds::Lemma> failed_;  ///< the last bound that was not enough
  enum class Failed {
    out,
    before,
    atom_after,
    atom_here
  } failed_of_ = Failed::out;                  ///< about what
  std::map<std::uint32_t, std::size_t> near_;  ///< near_positions of a last token
  double gap_ = 0, enough_ = 0;                ///< of it: nats or units above what was asked for
  Unknown unknown_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  Progress progress_;
};

}  // namespace assay::verify
