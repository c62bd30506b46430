#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace assay::spec {

/// A conjunction of literals over the bits of a letter: letter & care == value.
struct Cube {
  std::size_t care = 0;
  std::size_t value = 0;
};

/// Disjoint cubes whose union is the set; `members` has 2^bits entries. Bits that do not matter are
/// left out.
[[nodiscard]] std::vector<Cube> cover(const std::vector<bool>& members);

/// "a & !b | c", with names[i] for bit i; "true" for all letters, "false" for none. The operators
/// between the literals are `and_sign` and `or_sign`.
[[nodiscard]] std::string cover_text(const std::vector<Cube>& cubes,
                                     const std::vector<std::string>& names,
                                     const std::string& and_sign = " & ",
                                     const std::string& or_sign = " | ");

/// One letter in words: "Harm, no Tool".
[[nodiscard]] std::string letter_text(std::size_t letter, const std::vector<std::string>& names);

}  // namespace assay::spec
