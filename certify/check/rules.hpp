#pragma once

#include <array>
#include <string_view>

#include "erasure_claim.hpp"
#include "session.hpp"

namespace assay_check {

/// A rule, and the kind of certificate it belongs to; `spec`: those about runs, `runs`: exact and refined,
/// `cases`: bounds and refined.
struct Rule {
  std::string_view name, kind;
  bool concludes;
  void (*apply)(Session&, const Step&);
  [[nodiscard]] bool is_of(const Header& h) const {
    return kind == "spec"    ? h.is_about_runs()
           : kind == "runs"  ? h.kind == "exact" || h.kind == "refined"
           : kind == "cases" ? h.has_cases()
                             : kind == h.kind;
  }
};

inline constexpr std::array<Rule, 79> kRules = {{
    {"SUFFIX", "bounds", false, rule_suffix},
    {"ROOT", "cases", false, rule_root},
    {"PART", "cases", false, rule_part},
    {"NEURONS", "bounds", false, rule_neurons},
    {"CASE-NEURONS", "cases", false, rule_neurons},
    {"NORM-NEURONS", "bounds", false, rule_norm_neurons},
    {"BOX", "bounds", false, rule_box},
    {"NEURON-RANGE", "bounds", false, rule_range},
    {"CASE-RANGE", "cases", false, rule_range},
    {"NORM-RANGE", "bounds", false, rule_range},
    {"BOX-RANGE", "bounds", false, rule_range},
    {"SPREAD", "bounds", false, rule_spread},
    {"LINEAR", "cases", false, rule_target},
    {"FOLD", "cases", false, rule_target},
    {"HULL", "cases", false, rule_hull},
    {"NORM-LINEAR", "bounds", false, rule_norm_linear},
    {"NORM-FOLD", "bounds", false, rule_target},
    {"SPHERE", "bounds", false, rule_sphere},
    {"PART-NUM", "bounds", false, rule_part_num},
    {"FINAL-SPREAD", "bounds", false, rule_final_spread},
    {"FINAL", "bounds", false, rule_final},
    {"ENUM", "cases", false, rule_enum},
    {"JOIN", "cases", false, rule_join},
    {"RIVAL", "cases", false, rule_rival},
    {"BOUND", "bounds", true, rule_bound},
    {"FLOAT32", "bounds", true, rule_float32},
    {"MUST-ON", "bounds", true, rule_must_on},
    {"MUST-OFF", "bounds", true, rule_must_off},
    {"FEATURE-OFF", "bounds", true, rule_feature_off},
    {"FEATURE-OFF-MLP", "bounds", true, rule_feature_off},
    {"TOKEN-OUT", "bounds", true, rule_token_out},
    {"SITE-SPHERE", "site", true, rule_site_sphere},
    {"NULLIFIED", "site", true, rule_nullified},
    {"NEVER-ARGMAX", "site", true, rule_never_argmax},
    {"DFA", "spec", false, rule_dfa},
    {"INV", "automaton", true, rule_inv},
    {"WINDOWS", "exact", false, rule_windows},
    {"EXACT", "exact", true, rule_exact},
    {"BUCHI", "exact", false, rule_buchi},
    {"LIVE", "exact", true, rule_live},
    {"LASSO", "exact", true, rule_lasso},
    {"LEMMA", "refined", false, rule_lemma},
    {"OUT", "refined", false, rule_out},
    {"ATOM", "refined", false, rule_atom},
    {"NEVER", "refined", false, rule_never},
    {"STATE", "refined", false, rule_state},
    {"REFINED", "refined", true, rule_refined},
    {"EVENT", "runs", false, rule_event},
    {"PAIR", "exact", false, rule_pair},
    {"CHANCE", "exact", true, rule_chance},
    {"MOST", "refined", false, rule_most},
    {"LEAF", "refined", false, rule_leaf},
    {"CHANCE-BOXES", "refined", true, rule_chance_boxes},
    {"WITNESS", "spec", true, rule_witness},
    {"RESIDUAL", "erasure", true, rule_residual},
    {"UNREAD", "erasure", true, rule_unread},
    {"SITE-RANGE", "erasure", true, rule_site_range},
    {"NEVER-FIRES", "erasure", true, rule_never_fires},
    {"NEVER-FIRES-REAL", "erasure", true, rule_never_fires_real},
    {"ADVANTAGE", "erasure", true, rule_advantage},
    {"TWO-HALVES", "erasure", true, rule_two_halves},
    {"LEAKAGE", "erasure", true, rule_leakage},
    {"MMD", "erasure", true, rule_mmd},
    {"MMD-LEAKAGE", "erasure", true, rule_mmd_leakage},
    {"LEDGER", "erasure", true, rule_ledger},
    {"INTERFACE", "erasure", true, rule_interface},
    {"PROBE", "erasure", true, rule_probe},
    {"CHANGE", "erasure", true, rule_change},
    {"OPERATOR", "erasure", true, rule_operator},
    {"DIVERGENCE", "erasure", true, rule_divergence},
    {"WORST", "erasure", true, rule_worst},
    {"VALUES", "chain", false, rule_values},
    {"RANKS", "chain", false, rule_ranks},
    {"REACH-MOST", "chain", true, rule_reach_most},
    {"REACH-LEAST", "chain", true, rule_reach_least},
    {"CELL", "level", false, rule_cell},
    {"POINT", "level", false, rule_point},
    {"STEP", "level", false, rule_step},
    {"LEVEL-INV", "level", true, rule_level_inv},
}};

}  // namespace assay_check
