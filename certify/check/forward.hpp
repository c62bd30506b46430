#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "attention.hpp"

namespace assay_check {

/// Enclosures of every value at one position of a concrete token sequence. attn_only: pre, post, mlp_out
/// are empty and resid_post = mid.
struct Position {
  std::vector<Interval> mid, pre, post, mlp_out, resid_post;
  std::vector<Interval> unembedded;  ///< what W_U reads: resid_post, or LNfinal of it

  /// The value of a hook by its TransformerLens name; throws Reject on another name.
  [[nodiscard]] const std::vector<Interval>& hook(const std::string& name) const;
};

/// Evaluates last positions of contexts, section "The network".
class Forward {
 public:
  explicit Forward(Attention& attention) : attention_(attention) {}

  /// A context of n tokens; back[j] stands j back, for as many j as the query sees.
  [[nodiscard]] Position at(std::span<const std::size_t> back, std::size_t n);
  [[nodiscard]] std::vector<Interval> logits(const Position& at) const;

 private:
  [[nodiscard]] const std::vector<Interval>& scores(std::size_t query, std::size_t position,
                                                    std::size_t back, std::size_t token);
  [[nodiscard]] const std::vector<Interval>& values(std::size_t token, std::size_t position);
  void add_attention(std::span<const std::size_t> back, std::size_t position,
                     std::vector<Interval>& mid);

  Attention& attention_;
  std::map<std::array<std::size_t, 4>, std::vector<Interval>> scores_;  ///< one a head
  std::map<std::array<std::size_t, 2>, std::vector<Interval>> values_;  ///< [H * d_head]
};

}  // namespace assay_check
