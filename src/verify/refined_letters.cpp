#include "refined_letters.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"

namespace assay::verify {

RefinedLetters::RefinedLetters(const CheckInput& input, const Atoms& atoms, const spec::Dfa& dfa)
    : fixed_(input.model->config.d_vocab, 0) {
  for (std::size_t i = 0; i < dfa.atoms.size(); ++i) {
    const spec::Atom& atom = input.spec->atoms[dfa.atoms[i]];
    using Kind = spec::Atom::Kind;
    if (atom.kind == Kind::feature || atom.kind == Kind::readout) {
      measured_.push_back({i, dfa.atoms[i]});
      continue;
    }
    if (atom.kind != Kind::token_in && atom.kind != Kind::token_is) {
      throw UsageError("ap " + atom.name + ": expected a token, a feature or a readout");
    }
    for (std::size_t t = 0; t < fixed_.size(); ++t) {
      fixed_[t] |= atoms.token_truth(dfa.atoms[i], TokenId(t)) ? std::size_t{1} << i : 0;
    }
  }
}

std::vector<std::size_t> RefinedLetters::of(std::size_t token) const {
  std::vector<std::size_t> out = {fixed_[token]};
  for (const Measured& m : measured_) {
    for (std::size_t i = out.size(); i-- > 0;) {
      out.push_back(out[i] | (std::size_t{1} << m.bit));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace assay::verify
