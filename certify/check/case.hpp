#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attention.hpp"
#include "domain.hpp"

namespace assay_check {

/// A set of contexts: lengths [a, b] and B_j, the tokens allowed j back.
struct ContextCase {
  std::size_t a = 0, b = 0;
  std::vector<SetPointer> last;  ///< B_j for j < last.size(), else `rest`
  SetPointer rest;
  std::string parent;  ///< of a PART
  /// What a PART is made by: the token J back, the length, or the sign of z_J.
  enum class Split { length, token, neuron } split = Split::length;
  std::size_t index = 0;            ///< J
  bool positive = true;             ///< of a PART by neuron: z_J >= 0, else z_J <= 0
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
  /// ATTN-JOINT: an upper bound of Σ_h <sign · g, head h's output>, theta [head][j] in units of the
  /// head's largest weight. rule_attn_joint.cpp
  [[nodiscard]] double joint_bound(const Projection& g, double sign, std::span<const double> L,
                                   std::span<const double> theta) const;
  [[nodiscard]] std::size_t fewest_keys() const { return fewest_; }
  [[nodiscard]] std::size_t most_keys() const { return most_; }
  /// HULL: what the weights say of the vertices, where place `at` has the i-th token of its set; <g, m>, in mid[v] + rest where `head`, or all of them, is at vertex v.
  /// rule_hull.cpp
  struct Vertices;
  struct AtVertices {
    std::vector<double> mid;
    Interval rest;
  };
  [[nodiscard]] std::shared_ptr<const Vertices> vertices(std::size_t at, std::size_t i) const;
  [[nodiscard]] AtVertices at_vertices(const Vertices& all, std::size_t head,
                                       std::span<const Interval> g, const Projection& nu) const;
  /// Numbers held at most, for the memory limit.
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
    bool known = true;  ///< else every weight is 0 here and a number above 0 in truth
    double error = 0;   ///< weights are within this factor 1 ± error of the exact
  };
  struct Terms;
  void add_slots(const ContextCase& contexts);
  void fill_weights(std::size_t head, std::size_t token);
  double fill_exponents(std::size_t head, const Dots& dots, bool rotary, Slot& slot) const;
  [[nodiscard]] Terms terms(std::size_t head, std::size_t slot, const Projection& g, double sign,
                            double L) const;
  struct Rate;
  struct Shares;
  struct Shared;
  static Rate rate_of(const Interval& D, std::size_t head);
  [[nodiscard]] std::vector<Interval> weights(std::size_t head, std::size_t back) const;
  void add_shares(std::size_t head, Shares& shares) const;
  [[nodiscard]] std::size_t share_numbers() const;
  [[nodiscard]] std::shared_ptr<const Shares> shares() const;
  static constexpr std::size_t kMaxShares = std::size_t{1} << 20;  ///< numbers kept of one case
  void fill_terms(std::size_t back, const Projection& g, double sign, std::span<const double> L,
                  std::span<const double> thetas, Shared& shared) const;

  Attention& attention_;
  std::size_t position_ = 0;           ///< of the query
  std::size_t fewest_ = 0, most_ = 0;  ///< keys seen
  std::vector<std::size_t> slot_of_;   ///< by j
  std::vector<Head> heads_;
  std::vector<Interval> residual_;
  mutable std::shared_ptr<const Shares> shares_;
};

}  // namespace assay_check
