#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attention.hpp"
#include "case.hpp"
#include "request.hpp"

namespace assay_check {

/// ID RULE premises : words
struct Step {
  std::string id;
  std::string_view rule;
  std::vector<std::string_view> premises, words;
};

/// Ranges that a block of lines gives: neurons (z_j) or the coordinates of P m.
struct RangeFact {
  std::string opener, line;  ///< the rule that opened the block, and that of its lines
  std::string case_id;
  std::string spread;            ///< NORM-NEURONS: the SPREAD it stands on
  std::size_t expected = 0;      ///< complete when there are as many
  std::vector<Interval> ranges;  ///< of the z_j, or of (P m)_i
};

/// 1/sqrt(|P y|²/d + eps) lies in [lo, hi] on the case.
struct SpreadFact {
  std::string case_id;
  double lo = 0, hi = 0;
};

/// σ·Q <= bound on the case (FACTS), or <σh, r> <= bound (PART-NUM).
struct BoundFact {
  std::string case_id;
  const RequestClaim* claim = nullptr;
  bool high = true;  ///< side hi
  double bound = 0;
};

struct HullTable;  ///< rule_hull.cpp

/// What the steps of kind `bounds` have shown so far.
class Facts {
 public:
  explicit Facts(Attention& attention) : attention_(attention) {}

  std::map<std::string, ContextCase> cases;
  std::map<std::string, RangeFact> ranges;
  std::map<std::string, SpreadFact> spreads, final_spreads;
  std::map<std::pair<std::string, std::size_t>, RequestClaim>
      against;                                                    ///< claim, Y; rule_rival.cpp
  std::pair<std::string, std::shared_ptr<const HullTable>> hull;  ///< of a case and head
  std::string open;  ///< the id of the RangeFact whose lines come now

  void add(const Step& step, const BoundFact& fact, bool part = false);
  /// nullptr: none. `part`: of PART-NUM, else a fact.
  [[nodiscard]] const BoundFact* find(std::string_view id, bool part = false) const;
  /// The facts of a claim, which no other claim's steps may cite.
  void forget(const std::string& claim);
  /// The lines after a step that opens a block are its lines, one a number, and there are no others.
  void need_block_in_place(const Step& step) const;
  [[nodiscard]] const ContextCase& find_case(const Step& step, std::string_view id) const;
  /// The case's tables; refused when it is not ready.
  [[nodiscard]] std::shared_ptr<const ReadyCase> ready(const Step& step, std::string_view id);
  /// True when `id` is `ancestor` or a part, over any number of PART steps, of it.
  [[nodiscard]] bool is_within(const std::string& id, const std::string& ancestor) const;
  /// Complete neuron ranges of the case or of one it is a part of.
  [[nodiscard]] const RangeFact& neurons(const Step& step, std::string_view id,
                                         const std::string& case_id) const;
  /// The ranges on a part of their case: those of z_J end at 0 on a part by the sign of z_J.
  [[nodiscard]] std::vector<Interval> ranges_on(const std::string& case_id,
                                                const RangeFact& fact) const;
  /// s_J with s_J z_J >= 0 on the case, when it is or lies in a part by the sign of z_J.
  [[nodiscard]] std::optional<double> neuron_sign(const std::string& case_id, std::size_t J) const;
  /// A complete BOX.
  [[nodiscard]] const RangeFact& box(const Step& step, std::string_view id) const;
  [[nodiscard]] const SetPointer& every_token();

  /// W_in[:, j]; under LN2 h_j = P(w2 ∘ W_in[:, j]).
  [[nodiscard]] std::vector<Interval> neuron_direction(std::size_t j) const;
  /// b_in[j]; under LN2 c_j = <b2, W_in[:, j]> + b_in[j].
  [[nodiscard]] Interval neuron_offset(std::size_t j) const;
  /// e_i − (1/d) 1, so that <g, m> = (P m)_i.
  [[nodiscard]] std::vector<Interval> coordinate_direction(std::size_t i) const;
  [[nodiscard]] std::shared_ptr<const Projection> neuron_projection(std::size_t j);
  [[nodiscard]] std::shared_ptr<const Projection> coordinate_projection(std::size_t i);

 private:
  [[nodiscard]] const RangeFact& complete(const Step& step, std::string_view id, bool box) const;
  using Projections = std::map<std::size_t, std::shared_ptr<const Projection>>;
  [[nodiscard]] std::shared_ptr<const Projection> projection(Projections& known, std::size_t key,
                                                             const std::vector<Interval>& g);

  std::map<std::string, BoundFact, std::less<>> bounds_, parts_;  ///< facts, PART-NUM
  std::map<std::string, std::vector<std::string>> of_claim_;      ///< ids of both
  Attention& attention_;
  SetPointer every_token_;
  std::map<std::string, std::shared_ptr<const ReadyCase>> ready_;
  std::size_t ready_numbers_ = 0, projection_numbers_ = 0;
  Projections neurons_, coordinates_;
};

/// Reject in the name of the step's rule.
[[noreturn]] void refuse(const Step& step, const std::string& reason);

}  // namespace assay_check
