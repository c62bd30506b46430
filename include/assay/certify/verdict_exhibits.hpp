#pragma once

#include <string>
#include <vector>

#include "assay/certify/exhibits.hpp"
#include "assay/spec/spec.hpp"
#include "assay/verify/check.hpp"

namespace assay::certify {

/// The property's sentence and the automaton that watches for its violation: of its bad prefixes; where no prefix is bad,
/// that of the finite runs which satisfy it. Of a bound on a probability: of the event that the bound speaks of.
/// Without states where there are more than can be drawn. With a tokenizer, an atom "this token" says the token's text.
[[nodiscard]] PropertyExhibit property_exhibit(const spec::Spec& spec,
                                               const spec::Property& property,
                                               const std::string& claim,
                                               const Tokenizer* tokenizer = nullptr);

/// A replayed run, token by token: the atoms that are true, where its last `loop` tokens begin to come again for ever, the state of `property_exhibit`'s automaton, live features.
[[nodiscard]] Counterexample run_exhibit(const verify::CheckInput& input,
                                         const spec::Property& property, const std::string& claim,
                                         const std::vector<TokenId>& prompt,
                                         const verify::Violated& violated, std::size_t loop = 0);

}  // namespace assay::certify
