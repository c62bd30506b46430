#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "assay/features/token_classes.hpp"

namespace assay::automata {

/// The coarsest partition of the vocabulary that refines `classes` (a partition) and tells apart
/// any two tokens of which different atoms are true: every block is a class and an atom set.
/// A block's name is its class; a block that is only part of its class is named by its tokens
/// (up to three of them) or by the class and the atoms that hold in it. Names are unique.
[[nodiscard]] std::vector<features::NamedTokens> token_partition(
    const std::vector<features::NamedTokens>& classes,
    const std::vector<std::uint64_t>& token_atoms, const std::vector<std::string>& atom_names,
    const Tokenizer* tokenizer);

}  // namespace assay::automata
