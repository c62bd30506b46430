#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "attention.hpp"
#include "domain.hpp"

namespace assay_check {

/// A set of contexts: lengths [a, b] and B_j, the tokens allowed j back.
struct ContextCase {
  std::size_t a = 0, b = 0;
  std::vector<SetPointer> last;  ///< B_j for j < last.size(), else `rest`
  SetPointer rest;
  std::string parent;               ///< of a PART
  std::optional<std::size_t> back;  ///< J of a PART by token; else a PART by length
  std::string domain;               ///< of a ROOT
  std::vector<std::size_t> suffix;  ///< of a SUFFIX

  [[nodiscard]] const SetPointer& set(std::size_t back_) const {
    return back_ < last.size() ? last[back_] : rest;
  }
  /// B_0 is one token and, with positions `standard`, there is one length.
  [[nodiscard]] bool is_ready(const Network& net) const {
    return set(0)->size() == 1 && (!net.standard() || a == b);
  }
};

/// Weights e^{s_h(j,u)} of a ready case, and the pass that ATTN-MAX needs.
class ReadyCase {
 public:
  ReadyCase(Attention& attention, const ContextCase& contexts);

  /// <g, x(p,c) + b_O>
  [[nodiscard]] Interval base(std::span<const Interval> g) const { return dot(g, residual_); }
  /// True when L is shown to be an ATTN-MAX number for head h and the direction sign · g of the
  /// projection. rule_attn_max.cpp
  [[nodiscard]] bool is_bound(std::size_t head, const Projection& g, double sign, double L) const;
  /// Numbers held, for the memory limit.
  [[nodiscard]] std::size_t size() const;

 private:
  /// The positions j that share one weight table.
  struct Slot {
    SetPointer set;
    std::size_t position = 0;  ///< of the keys; 0 unless `standard`
    const Attention::Scale* scale = nullptr;
    std::vector<double> weight;  ///< one a token of the set
  };
  struct Head {
    std::vector<Slot> slots;
    double error = 0;  ///< weights are within this factor 1 ± error of the exact
  };
  void add_slots(const ContextCase& contexts);
  void fill_weights(std::size_t head, std::size_t token);
  double fill_exponents(std::size_t head, const Dots& dots, bool rotary, Slot& slot) const;
  [[nodiscard]] double slot_maximum(const Slot& slot, const Dots& nu, double sign, double L,
                                    double relative, double slack) const;

  Attention& attention_;
  std::size_t position_ = 0;           ///< of the query
  std::size_t fewest_ = 0, most_ = 0;  ///< keys seen
  std::vector<std::size_t> slot_of_;   ///< by j
  std::vector<Head> heads_;
  std::vector<Interval> residual_;
};

}  // namespace assay_check
