#pragma once

#include <vector>

#include "assay/bounds/attention.hpp"
#include "assay/bounds/domain.hpp"
#include "ball.hpp"

namespace assay::bounds {

/// A one-layer model's weights as exact reals, ready for products with error bounds.
struct Network {
  /// Throws InputError for a weight that is not finite.
  explicit Network(const Transformer& model);

  const Transformer* model = nullptr;
  std::size_t vocab = 0, d = 0, heads = 0, d_head = 0, f = 0, window = 0;
  bool absolute = false;  ///< learned absolute positions
  bool rotary = false;
  bool norm = false;
  ActFn act = ActFn::relu;
  Interval scale, eps;
  std::vector<Ball> W_Q, W_K, W_V, W_O;  ///< per head [d,d_head] and [d_head,d]
  std::vector<Ball> b_Q, b_K, b_V;       ///< per head [1,d_head]
  Ball neuron_directions;                ///< [d,f]: W_in, or its centred fold with LN2's weights
  Ball neuron_offsets;                   ///< [1,f]: b_in, with LN2's bias folded in
  std::vector<Ball> to_neurons;          ///< per head [d_head,f]: W_O times neuron_directions
  Rows W_in, W_out, W_U;                 ///< [d,f], [f,d], [d,Vo], exact
  Row b_out, b_U, b_O;

  /// Keys that a query of a context of this length sees.
  [[nodiscard]] std::size_t keys(std::size_t length) const {
    return window == 0 || length < window ? length : window;
  }
  /// Column j of neuron_directions.
  [[nodiscard]] std::vector<Interval> neuron_direction(std::size_t j) const;
  /// W_E[t] + W_pos[p] for the given tokens at one position: [n,d].
  [[nodiscard]] Ball embed(const TokenSet& tokens, std::size_t position) const;
  /// LayerNorm 1, row by row; x itself without normalisation.
  [[nodiscard]] Ball first_norm(Ball x) const;
};

/// [1, n]: the smallest mid ± radius that contains the box.
[[nodiscard]] Ball to_ball(const std::vector<Interval>& box);

/// The (position, token) pairs that a domain's contexts can show, and what each sends through
/// every head. Without absolute positions there is one position, 0.
class Places {
 public:
  Places(const Network& net, const Domain& domain);

  static constexpr std::uint32_t kNone = 0xffffffffU;

  [[nodiscard]] const Network& net() const { return net_; }
  [[nodiscard]] const Domain& domain() const { return domain_; }
  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::uint32_t row(std::size_t position, TokenId token) const {
    return row_of_[net_.absolute ? position : 0][token.at()];
  }
  /// LN1's largest denominator by its smallest, over the vocabulary and the domain's positions; 1 without
  /// normalisation. To the nearest: it only sizes the room left to a checker.
  [[nodiscard]] double unevenness() const { return unevenness_; }
  [[nodiscard]] const Ball& keys(std::size_t head) const { return keys_[head]; }
  [[nodiscard]] const Ball& values(std::size_t head) const { return values_[head]; }
  [[nodiscard]] Ball query(std::size_t head, std::uint32_t row) const;

  /// nu_h = <g, v_h W_O[h]> of every row: [rows,1].
  [[nodiscard]] Ball along(std::size_t head, const Direction& g) const;
  /// The same for neuron j's direction: [1,rows] or [rows,1], one number a row.
  [[nodiscard]] Ball along_neuron(std::size_t head, std::size_t j) const;

 private:
  void place(std::size_t position, const std::vector<bool>& tokens, std::vector<Ball>& parts);
  void measure(std::size_t position);

  const Network& net_;
  Domain domain_;
  std::vector<std::vector<std::uint32_t>> row_of_;
  std::size_t rows_ = 0;
  double smallest_ = 0, largest_ = 0, unevenness_ = 1;  ///< of the squares of LN1's denominators
  Ball normed_;
  std::vector<Ball> keys_, values_;
  mutable std::vector<Ball> neuron_values_;  ///< [f,rows] per head, made when first needed
};

}  // namespace assay::bounds
