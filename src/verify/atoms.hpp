#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/bounds/concrete.hpp"
#include "assay/model/forward.hpp"
#include "assay/verify/check.hpp"

namespace assay::verify {

/// What the atoms of one position are known to be; bit i = Spec::atoms[i].
struct Decided {
  std::uint64_t must = 0;
  std::uint64_t may = 0;
  std::vector<AtomValue> values;
};

/// `value cmp threshold band`: true when all of the interval lies in the region by at least the
/// band, false when all of it lies outside by at least the band, otherwise undecided.
[[nodiscard]] std::optional<bool> decide(const spec::Atom& atom, const Interval& value);

/// Reads the atoms of a resolved spec off the model: enclosed for replay, in double for search.
class Atoms {
 public:
  explicit Atoms(const CheckInput& input);

  /// Hooks that these atoms need; none when they speak of tokens alone.
  [[nodiscard]] std::vector<std::string> hooks(std::uint64_t atoms) const;
  [[nodiscard]] Decided enclosed(std::uint64_t atoms, TokenId token,
                                 const bounds::ConcreteValues& values) const;
  /// Row `row` of the pass has `token` as query. With no hook needed the pass may be empty.
  [[nodiscard]] std::uint64_t nominal(std::uint64_t atoms, TokenId token, const ForwardPass& pass,
                                      std::size_t row) const;
  /// The same with the band of each atom: what lies within it is not decided.
  [[nodiscard]] Decided in_double(std::uint64_t atoms, TokenId token, const ForwardPass& pass,
                                  std::size_t row) const;
  [[nodiscard]] std::vector<std::uint64_t> nominal_run(std::uint64_t atoms,
                                                       const Sample& run) const;

  /// @pre the atom speaks of tokens.
  [[nodiscard]] bool token_truth(std::size_t atom, TokenId token) const;

 private:
  [[nodiscard]] double nominal_value(const spec::Atom& atom, const ForwardPass& pass,
                                     std::size_t row) const;
  [[nodiscard]] std::optional<Interval> enclosed_value(const spec::Atom& atom,
                                                       const bounds::ConcreteValues& values) const;

  const CheckInput& input_;
  std::vector<std::vector<bool>> tokens_;  ///< [atoms][d_vocab], empty for features and readouts
};

/// The end of a context that decides what the model computes at its last token: all of it, or
/// the attention window when positions are relative.
[[nodiscard]] std::vector<TokenId> relevant(const Transformer& model,
                                            const std::vector<TokenId>& context);

}  // namespace assay::verify
