#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/base/rational.hpp"

namespace assay::erase {

/// What all statistical claims of a project may spend together, and what on. The file
///   {"assay-ledger":1,"total":"1/100","entries":[{"rows":SHA,"eraser":SHA,"alpha":"1/1000"},…]}
/// is written before a number is looked at: an attempt that ends in a refusal is spent too.
struct Ledger {
  struct Entry {
    Digest rows;    ///< of the numbers x, in whatever file they stand
    Digest eraser;  ///< of its weights
    Rational alpha;
  };
  Rational total;
  std::vector<Entry> entries;

  [[nodiscard]] Rational spent() const;
  /// Adds an entry. Throws Refusal when these rows were used before, or when the sum of all alphas
  /// would pass the total.
  void spend(const Entry& entry);
};

[[nodiscard]] std::string ledger_json(const Ledger& ledger);
/// Throws InputError for a file that is none, UsageError where there is no file and no total is given, or
/// another total than the file's.
[[nodiscard]] Ledger load_ledger(const std::filesystem::path& path,
                                 const std::optional<Rational>& total);

}  // namespace assay::erase
