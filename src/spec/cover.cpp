#include "assay/spec/cover.hpp"

#include <algorithm>

namespace assay::spec {
namespace {

/// Shannon's expansion on the highest bit of a range of letters, skipped where both halves agree.
void expand(const std::vector<bool>& members, std::size_t begin, std::size_t size, Cube path,
            std::vector<Cube>& out) {
  const auto first = members.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto last = first + static_cast<std::ptrdiff_t>(size);
  const auto set = static_cast<std::size_t>(std::count(first, last, true));
  if (set == 0) {
    return;
  }
  if (set == size) {
    out.push_back(path);
    return;
  }
  const std::size_t half = size / 2;
  const auto middle = first + static_cast<std::ptrdiff_t>(half);
  if (std::equal(first, middle, middle)) {
    expand(members, begin, half, path, out);
    return;
  }
  path.care |= half;
  expand(members, begin, half, path, out);
  path.value |= half;
  expand(members, begin + half, half, path, out);
}

}  // namespace

std::vector<Cube> cover(const std::vector<bool>& members) {
  std::vector<Cube> out;
  expand(members, 0, members.size(), {}, out);
  return out;
}

std::string cover_text(const std::vector<Cube>& cubes, const std::vector<std::string>& names,
                       const std::string& and_sign, const std::string& or_sign) {
  std::string out;
  for (const Cube& cube : cubes) {
    std::string literals;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (((cube.care >> i) & 1U) != 0) {
        literals += (literals.empty() ? "" : and_sign) +
                    (((cube.value >> i) & 1U) != 0 ? "" : "!") + names[i];
      }
    }
    out += (out.empty() ? "" : or_sign) + (literals.empty() ? "true" : literals);
  }
  return out.empty() ? "false" : out;
}

std::string letter_text(std::size_t letter, const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += (i == 0 ? "" : ", ") + std::string(((letter >> i) & 1U) != 0 ? "" : "no ") + names[i];
  }
  return out.empty() ? "any letter" : out;
}

}  // namespace assay::spec
