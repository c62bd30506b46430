#pragma once

#include <optional>

#include "assay/erase/tables.hpp"

namespace assay::erase {

/// The tensor `document` [n] of the rows' file: which document each row is from; none when the file has
/// none. Throws InputError unless it is n integers.
[[nodiscard]] std::optional<std::vector<std::int64_t>> read_documents(const ActivationTable& x);

/// The same of any tensor of integers [n] beside x.
[[nodiscard]] std::optional<std::vector<std::int64_t>> read_row_integers(const ActivationTable& x,
                                                                         const std::string& name);

/// The parts of rows: of every ten documents about six fit, two calibrate, two are attacked.
enum class TablePart { fit, calibration, attack };
/// By a hash of (seed, document) alone, so that no document is in two parts.
[[nodiscard]] TablePart part_of_document(std::int64_t document, std::uint64_t seed);

/// Numbers of the rows of a part, in order. @pre documents are those of the rows
[[nodiscard]] std::vector<std::size_t> rows_of_part(const std::vector<std::int64_t>& documents,
                                                    TablePart part, std::uint64_t seed);

struct WrittenPart {
  std::string name;
  std::size_t rows = 0, documents = 0;
  Digest digest;
};
/// fit.safetensors, calibration.safetensors and attack.safetensors in a directory: x, z and document of
/// the parts. Throws InputError where the rows' file has no tensor `document`, Refusal for an empty part.
std::vector<WrittenPart> split_table(const Tables& tables, std::uint64_t seed,
                                     const std::filesystem::path& directory);

}  // namespace assay::erase
