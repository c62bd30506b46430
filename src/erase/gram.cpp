#include "gram.hpp"

#include <algorithm>
#include <array>

#include "assay/base/errors.hpp"
#include "parallel.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kMostPending = std::size_t{1} << 18U;  ///< 2^18 · 2^44 < 2^63
constexpr std::size_t kTile = kPanel * kPanel;

}  // namespace

std::size_t PackedRows::pairs(std::size_t block) const {
  return (std::min(rows - block * kGramRows, kGramRows) + 1) / 2;
}

const std::uint32_t* PackedRows::block(std::size_t panel, std::size_t block) const {
  return lines_[(panel * kPanelWords + block * kBlockWords) / kLineWords].words;
}

std::uint32_t* PackedRows::words(std::size_t panel, std::size_t pair) {
  const std::size_t block = pair / (kGramRows / 2), within = pair % (kGramRows / 2);
  return lines_[(panel * kPanelWords + block * kBlockWords + within * kPanel) / kLineWords].words;
}

GramSums::GramSums(std::size_t columns)
    : columns_(columns), panels_((columns + kPanel - 1) / kPanel) {
  for (std::size_t q = 0; q < panels_; ++q) {
    for (std::size_t p = q; p < panels_; ++p) {
      pairs_.emplace_back(static_cast<std::uint16_t>(p), static_cast<std::uint16_t>(q));
    }
  }
  recent_.assign(pairs_.size() * kTile, 0);
}

void GramSums::add(const PackedRows& rows) {
  require(rows.columns == columns_ && rows.rows <= kChunkRows, "GramSums::add: another width");
  if (pending_ + rows.rows > kMostPending) {
    spill();
  }
  pending_ += rows.rows;
  const GramKernel kernel = gram_kernels().front().kernel;
  for_each_index(pairs_.size(), [&](std::size_t, std::size_t t) {
    const auto [p, q] = pairs_[t];
    std::int64_t* tile = recent_.data() + t * kTile;
    for (std::size_t b = 0; b < kPanel; b += kStrip) {
      std::array<std::int64_t, kStrip * kPanel> sums{};
      for (std::size_t block = 0; block < rows.blocks(); ++block) {
        kernel(rows.block(p, block), rows.block(q, block) + b, rows.pairs(block), sums.data());
      }
      for (std::size_t s = 0; s < sums.size(); ++s) {
        tile[b * kPanel + s] += sums[s];
      }
    }
  });
}

void GramSums::spill() {
  tiles_.resize(recent_.size(), 0);
  for (std::size_t t = 0; t < tiles_.size(); ++t) {
    tiles_[t] += recent_[t];
    recent_[t] = 0;
  }
  pending_ = 0;
}

void GramSums::merge(const GramSums& other) {
  require(other.columns_ == columns_, "GramSums::merge: another width");
  tiles_.resize(recent_.size(), 0);
  for (std::size_t t = 0; t < tiles_.size(); ++t) {
    tiles_[t] += other.recent_[t] + (other.tiles_.empty() ? 0 : other.tiles_[t]);
  }
}

std::size_t GramSums::entry(std::size_t i, std::size_t j) const {
  const std::size_t hi = std::max(i, j), lo = std::min(i, j), p = hi / kPanel, q = lo / kPanel;
  const std::size_t before = q * panels_ - q * (q + 1) / 2 + q;  // pairs with an earlier q
  return (before - q + p) * kTile + (lo % kPanel) * kPanel + hi % kPanel;
}

/// Of a tile with p = q only the entries with i >= j are those of `at`; the others are never read.
Wide GramSums::at(std::size_t i, std::size_t j) const {
  const std::size_t at = entry(i, j);
  return recent_[at] + (tiles_.empty() ? 0 : tiles_[at]);
}

void GramSums::put(std::size_t i, std::size_t j, Wide sum) {
  tiles_.resize(recent_.size(), 0);
  const std::size_t at = entry(i, j);
  recent_[at] = 0;
  tiles_[at] = sum;
}

}  // namespace assay::erase
