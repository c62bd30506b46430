#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "session.hpp"
#include "word_reader.hpp"

namespace assay_check {

/// const0 + <g0, m> + Σ_j κ_j act(z_j); κ has d_mlp entries.
struct Target {
  Interval const0;
  std::vector<Interval> g0, kappa;
};

/// An upper bound of Σ_h <sign · g, head h's output> by HEADS; rule_attn_joint.cpp
[[nodiscard]] double head_numbers(const Step& step, const ReadyCase& ready, const Projection& g,
                                  double sign, WordReader& words);
/// An upper bound of <g, m> by HEADS.
[[nodiscard]] Interval along(Session& session, const Step& step, const ReadyCase& ready,
                             const std::vector<Interval>& g, WordReader& words);
/// √d |h|
[[nodiscard]] Interval sphere_radius(std::span<const Interval> h);

/// The range lines that the step is followed by are of this kind, `count` of them; rule_ranges.cpp
void open_block(Session& session, const Step& step, const char* line, const std::string& case_id,
                const std::string& spread, std::size_t count);
/// The claim that sides hi-Y and lo-Y of a claim speak of, made once; rule_rival.cpp
[[nodiscard]] const RequestClaim& against(Session& session, const Step& step,
                                          const RequestClaim& claim, std::size_t y);
/// The fact that a step states about a case, its bound still open; CLAIM SIDE come after `before` premises.
[[nodiscard]] BoundFact read_subject(Session& session, const Step& step, std::string_view case_id,
                                     std::size_t before);
/// The case is the first premise, and `extra` ones stand between it and CLAIM SIDE.
[[nodiscard]] BoundFact read_subject(Session& session, const Step& step, std::size_t extra);
/// s_lo, s_hi of a step, shown to enclose 1/sqrt(S/d + eps) for S in [S_lo, S_hi].
[[nodiscard]] SpreadFact read_spread(Session& session, const Step& step, const std::string& case_id,
                                     double S_lo, double S_hi, WordReader& words);

/// A bound of the target on a ready case by `rule`: LINEAR, MLP-FOLD or FOLD, or NORM-FOLD; `neurons` names the
/// neuron ranges (not LINEAR). All words are read.
[[nodiscard]] double target_bound(Session& session, const Step& step, std::string_view rule,
                                  const std::string& case_id, const Target& target,
                                  std::string_view neurons, WordReader words);

}  // namespace assay_check
