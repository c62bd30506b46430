#pragma once

#include <array>
#include <vector>

#include "suffix_tables.hpp"

namespace assay::automata {

/// One state's attention: what the known tokens weigh, and what the unknown ones can.
///
///   ATTN-MAX, older tokens free   L = near + max(0, max_u ω(u) (ν(u) − near)),
///     near = Σ_known p_j ν(a_j),  ω(u) = B w(u) / (W + B w(u)),  B = Σ e^{b_j} over unknown j
///   ATTN-MAX, older tokens in sets   F(L) = W (near − L) + Σ_g B_g m_g(L),
///     m_g(L) = max_{u ∈ set g} w(u) (ν(u) − L), not below 0 unless surely there;
///     F(L) >= 0 |- maximum <= L + F(L) / S_lo,  F(L) < 0 |- maximum <= L + F(L) / S_hi,
///     S_lo <= every slope of −F <= S_hi
struct SuffixHeads {
  /// Unknown positions that share one token set.
  struct Group {
    std::vector<std::uint32_t> tokens;
    std::vector<double> nearness;  ///< [H], summed over the positions
    bool surely = false;
  };
  struct Head {
    std::array<double, SuffixBounds::kKnown> p{};
    double known = 0;           ///< W
    double s_lo = 0, s_hi = 0;  ///< of the slope, with sets
  };

  /// @param far null: every older token.
  SuffixHeads(const SuffixBounds::Tables& tables, const std::vector<std::uint32_t>& back,
              const FarTokens* far);

  [[nodiscard]] bool free() const { return groups.empty(); }
  /// The maximum along ν, [V] values. @param at where not null: the maximising token of each
  /// group (of the one group when free), kNobody where the position stays empty.
  [[nodiscard]] double maximum(std::size_t head, const double* nu, std::uint32_t* at) const;
  static constexpr std::uint32_t kNobody = UINT32_MAX;
  [[nodiscard]] std::size_t places() const { return free() ? 1 : groups.size(); }
  /// ω(u) with that token in every unknown position.
  [[nodiscard]] double share(std::size_t head, std::uint32_t token) const;
  /// The largest ω.
  [[nodiscard]] double most(std::size_t head) const;
  /// out += head's output with those tokens in the unknown positions: [d].
  void add_output(std::size_t head, const std::uint32_t* at, double* out) const;
  /// Adds this head's least and largest value along one block of directions: [kBlock] each.
  void add_range(std::size_t head, const double* table, double* lo, double* hi) const;

  const SuffixBounds::Tables* tables;
  std::array<std::uint32_t, SuffixBounds::kKnown> back{};
  std::vector<Head> heads;
  std::vector<double> omega;  ///< [H, padded_V]
  std::vector<Group> groups;  ///< none when free
  double stretch = 1;         ///< >= S_hi / S_lo of every head: what FAST-FOLD's r is multiplied by

 private:
  void set_shares();
  void set_groups(const FarTokens& far);
  [[nodiscard]] double slope_form(std::size_t head, const double* nu, double L, double& slope,
                                  std::uint32_t* at) const;
};

}  // namespace assay::automata
