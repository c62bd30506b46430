#pragma once

#include <map>
#include <span>
#include <vector>

#include "activation.hpp"
#include "interval.hpp"
#include "linear.hpp"
#include "network.hpp"

namespace assay_check {

/// <q, row> for every row of a head's table: |value[r] − exact| <= error[r] less 16 roundings of size[r],
/// |value[r]|, |exact| <= size[r] <= largest; offset encloses <q, the table's offset>.
struct Dots {
  std::vector<double> value, error, size;
  double largest = 0;
  Interval offset;
};
using Projection = std::vector<Dots>;  ///< of the values, one a head

/// Enclosures of the inputs of attention. With LN1 x̂(p,t) = s(p,t) (E'_t + W'_p) + b, E' = P W_E ∘ w,
/// W' = P W_pos ∘ w; without it s = 1, b = 0. Keys and values are thus
///   k(p,t) = s(p,t) (row t + row V + p) + offset,
/// the rows V + p only with positions `standard`; a `position` is 0 for the other kinds.
class Attention {
 public:
  explicit Attention(const Network& net);

  [[nodiscard]] const Network& net() const { return net_; }
  [[nodiscard]] const Activation& activation() const { return activation_; }
  /// p of the query of a context of n tokens.
  [[nodiscard]] std::size_t query_position(std::size_t n) const {
    return net_.standard() ? n - 1 : 0;
  }

  /// x(p,t), d_model entries.
  [[nodiscard]] std::vector<Interval> input(std::size_t token, std::size_t position) const;
  /// R_j q_h for a query token, d_head entries; j matters with positions `rotary` only.
  [[nodiscard]] Ball query(std::size_t head, std::size_t token, std::size_t position,
                           std::size_t back);
  [[nodiscard]] Dots key_dots(std::size_t head, const Ball& query) const;
  /// <g, v_h W_O[h]>
  [[nodiscard]] Projection project(std::span<const Interval> g) const;
  [[nodiscard]] std::vector<Interval> key(std::size_t head, std::size_t token,
                                          std::size_t position);
  [[nodiscard]] std::vector<Interval> value(std::size_t head, std::size_t token,
                                            std::size_t position);

  /// s(p,t) for every token: mid times a factor 1 ± spread. Without LN1 mid is empty and s = 1.
  struct Scale {
    std::vector<double> mid;
    double spread = 0, largest = 1;
  };
  [[nodiscard]] const Scale& scale(std::size_t position);
  /// e^{rel_bias[h][j]} up to a factor common to all j.
  [[nodiscard]] const Interval& bias_weight(std::size_t head, std::size_t back) const {
    return bias_[net_.rel_bias.empty() ? 0 : head * net_.span() + back];
  }
  /// LN(y) with these w, b.
  [[nodiscard]] std::vector<Interval> normalise(std::span<const Interval> y,
                                                const std::vector<float>& w,
                                                const std::vector<float>& b) const;

 private:
  /// Row r, entry i at mid[i * rows + r]: within rad[r] of the exact; norm[r] >= Σ_i |mid|.
  struct Table {
    std::vector<double> mid, rad, norm;
    Ball offset;
  };
  [[nodiscard]] std::size_t rows() const { return net_.d_vocab + net_.W_pos.size() / net_.d_model; }
  [[nodiscard]] Table table(std::size_t head, const std::vector<float>& W,
                            const std::vector<float>& b) const;
  [[nodiscard]] Dots dots(const Table& table, const Ball& q) const;
  [[nodiscard]] std::vector<Interval> entry(const Table& table, std::size_t token,
                                            std::size_t position);
  void fill_bias();

  const Network& net_;
  Activation activation_;
  std::vector<Ball> inputs_;  ///< E'_t, then W'_p
  std::vector<Table> keys_, values_;
  std::vector<Interval> bias_;
  std::map<std::size_t, Scale> scales_;
  std::map<std::size_t, std::vector<std::pair<Interval, Interval>>> turns_;  ///< cos, sin of jθ_i
};

}  // namespace assay_check
