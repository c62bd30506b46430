#pragma once

#include <filesystem>
#include <optional>

#include "assay/erase/attack.hpp"
#include "assay/erase/tables.hpp"

namespace assay::erase {

/// What to attack: an eraser's directory, rows with 0/1 labels, one of their columns.
struct AttackFiles {
  std::filesystem::path eraser, activations;
  std::optional<std::filesystem::path> labels;
  std::size_t label = 0;          ///< column of z
  std::size_t most_rows = 20000;  ///< chosen by a hash of the row's number
  std::uint64_t seed = 1;
};

struct LoadedAttack {
  AttackRows rows;
  std::string hook, method;
  Digest activations;
  std::size_t file_rows = 0;  ///< in the file, before choosing
  bool rows_of_the_fit = false;
};

/// Before: the rows; after: their deployed outputs, as float32 holds them. Throws InputError for rows of
/// another site, UsageError for a label column there is none of, Refusal where labels are not 0 and 1.
[[nodiscard]] LoadedAttack load_attack(const AttackFiles& files);

}  // namespace assay::erase
