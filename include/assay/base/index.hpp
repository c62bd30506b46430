#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace assay {

/// An index that cannot be mistaken for an index of another kind.
template <class Tag>
struct StrongIndex {
  std::uint32_t value = 0;

  constexpr StrongIndex() = default;
  constexpr explicit StrongIndex(std::size_t v) : value(static_cast<std::uint32_t>(v)) {}
  [[nodiscard]] constexpr std::size_t at() const { return value; }
  constexpr auto operator<=>(const StrongIndex&) const = default;
};

using TokenId = StrongIndex<struct TokenTag>;      ///< a vocabulary entry
using FeatureId = StrongIndex<struct FeatureTag>;  ///< an SAE latent, never a neuron
using NeuronId = StrongIndex<struct NeuronTag>;    ///< an MLP hidden unit
using HeadId = StrongIndex<struct HeadTag>;        ///< an attention head
using StateId = StrongIndex<struct StateTag>;      ///< a state of an automaton

}  // namespace assay

template <class Tag>
struct std::hash<assay::StrongIndex<Tag>> {
  std::size_t operator()(const assay::StrongIndex<Tag>& i) const noexcept {
    return std::hash<std::uint32_t>{}(i.value);
  }
};
