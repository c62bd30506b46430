#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "exact_machine.hpp"

namespace assay::verify {

/// The window machine up to what a property can observe: two windows of one class show the same
/// letter and have successors in the same classes, so that no property over these atoms tells
/// them apart. Moore's refinement; the constructor checks the partition once more, in one pass.
class ExactQuotient {
 public:
  /// The windows, each class by its first one; nullopt when one of them is not evaluated or has a
  /// successor outside (a search that left settled pairs out), for then there is no machine to minimise.
  [[nodiscard]] static std::optional<ExactQuotient> of(const WindowMachine& machine,
                                                       std::vector<WindowMachine::Index> windows,
                                                       std::uint64_t atoms);

  [[nodiscard]] std::size_t classes() const { return successors_.size(); }
  /// Ascending successor classes, and the letter, of each class.
  [[nodiscard]] const std::vector<std::vector<std::uint32_t>>& successors() const {
    return successors_;
  }
  [[nodiscard]] const std::vector<std::pair<std::uint64_t, std::uint64_t>>& letters() const {
    return letters_;
  }
  /// Of the i-th window.
  [[nodiscard]] const std::vector<std::uint32_t>& class_of() const { return class_of_; }

 private:
  ExactQuotient() = default;
  void refine(const std::vector<std::vector<std::uint32_t>>& after);
  void check(const std::vector<std::vector<std::uint32_t>>& after);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen_;  ///< letter of each window
  std::vector<std::uint32_t> class_of_;
  std::vector<std::vector<std::uint32_t>> successors_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> letters_;
};

}  // namespace assay::verify
