#include "suffix_vertices.hpp"

#include <algorithm>
#include <cmath>

#include "clones.hpp"
#include "forward_error.hpp"
#include "four.hpp"

namespace assay::automata {
namespace {

constexpr double kStill = 0x1p-40;  ///< nats: what a head that does not move may still add

/// out = near + share (value − near)
ASSAY_CLONES void place_block(const double* near_all, const double* near, const double* value,
                              double share, double* out) {
  for (std::size_t k = 0; k < kBlock; k += 4) {
    store(out + k, load(near_all + k) + share * (load(value + k) - load(near + k)));
  }
}

ASSAY_CLONES void add_scaled(double factor, const double* x, std::size_t n, double* sum) {
  for (std::size_t u = 0; u < n; u += 4) {
    store(sum + u, load(sum + u) + factor * load(x + u));
  }
}

/// sum += weight (post − slope pre)
ASSAY_CLONES void add_loss(double weight, double slope, const double* post, const double* pre,
                           std::size_t n, double* sum) {
  for (std::size_t u = 0; u < n; u += 4) {
    store(sum + u, load(sum + u) + weight * (load(post + u) - slope * load(pre + u)));
  }
}

ASSAY_CLONES void raise(const double* x, std::size_t n, double* top) {
  for (std::size_t u = 0; u < n; u += 4) {
    const Four a = load(x + u), b = load(top + u);
    store(top + u, a > b ? a : b);
  }
}

}  // namespace

bool SuffixVertices::make(const SuffixHeads& heads, const SuffixRanges& ranges,
                          const FarTokens* far) {
  std::size_t moving = 0, head = 0;
  double still = 0;
  for (std::size_t h = 0; h < t_.H; ++h) {
    const double add = heads.most(h) * t_.head_reach[h];
    if (add < kStill) {
      still += add;
    } else {
      ++moving;
      head = h;
    }
  }
  if (moving > 1) {
    return false;
  }
  radius_ = forward_error::enlarge(t_.vertex_radius + 2 * still);
  tokens_.clear();
  const std::size_t words = FarTokens::words(t_.V);
  for (std::uint32_t u = 0; u < t_.V; ++u) {
    bool may = far == nullptr;
    for (std::size_t j = 0; !may && j < far->sets.size() / words; ++j) {
      may = ((far->sets[j * words + u / 64] >> (u % 64)) & 1U) != 0;
    }
    if (may) {
      tokens_.push_back(u);
    }
  }
  if (far == nullptr || far->surely < t_.far || tokens_.empty()) {
    tokens_.push_back(SuffixHeads::kNobody);
  }
  count_ = tokens_.size();
  padded_ = (count_ + 3) / 4 * 4;
  place(heads, head);
  find_logits(ranges);
  return true;
}

/// The directions' values at every vertex, rounded as one end of a range is.
void SuffixVertices::place(const SuffixHeads& heads, std::size_t head) {
  const std::size_t row = t_.blocks * kBlock;
  at_.resize(count_ * row);
  const double* base = t_.along_base.data() + heads.back[0] * row;
  for (std::size_t b = 0; b < t_.blocks; ++b) {
    double all[kBlock], near[kBlock];
    std::copy_n(base + b * kBlock, kBlock, all);
    const double* moving = nullptr;
    for (std::size_t h = 0; h < t_.H; ++h) {
      const double* table = t_.along.data() + (h * t_.blocks + b) * t_.V * kBlock;
      for (std::size_t k = 0; k < kBlock; ++k) {
        double sum = 0;
        for (std::size_t j = 0; j < SuffixBounds::kKnown; ++j) {
          sum += heads.heads[h].p[j] * table[heads.back[j] * kBlock + k];
        }
        all[k] += sum;
        near[k] = h == head ? sum : near[k];
      }
      moving = h == head ? table : moving;
    }
    for (std::size_t v = 0; v < count_; ++v) {
      double* out = at_.data() + v * row + b * kBlock;
      if (tokens_[v] == SuffixHeads::kNobody) {
        std::copy_n(all, kBlock, out);
      } else {
        place_block(all, near, moving + tokens_[v] * kBlock, heads.share(head, tokens_[v]), out);
      }
    }
  }
}

void SuffixVertices::find_logits(const SuffixRanges& ranges) {
  const std::size_t row = t_.blocks * kBlock;
  std::vector<std::size_t> active;
  unstable_.clear();
  first_slopes_.clear();
  for (std::size_t j = 0; j < t_.f; ++j) {
    if (ranges.hi[j] > 0) {
      active.push_back(j);
      if (ranges.lo[j] < 0) {
        unstable_.push_back(j);
        first_slopes_.push_back(ranges.hi[j] > -ranges.lo[j] ? 1.0 : 0.0);
      }
    }
  }
  AffinePanels map(active.size(), t_.V);
  std::vector<double> post(count_ * active.size());
  for (std::size_t p = 0; p < map.padded / AffinePanels::kPanel; ++p) {
    for (std::size_t i = 0; i < active.size(); ++i) {
      std::copy_n(t_.post_logits.panels.data() + (p * t_.f + active[i]) * AffinePanels::kPanel,
                  AffinePanels::kPanel,
                  map.panels.data() + (p * active.size() + i) * AffinePanels::kPanel);
    }
  }
  for (std::size_t v = 0; v < count_; ++v) {
    for (std::size_t i = 0; i < active.size(); ++i) {
      const double z = at_[v * row + active[i]];
      post[v * active.size() + i] = z > 0 ? z : 0;
    }
  }
  std::vector<double> found(count_ * map.padded);
  map.apply(post.data(), active.size(), count_, found.data());
  logits_.assign(t_.V * padded_, 0.0);
  largest_.assign(padded_, -INFINITY);
  for (std::size_t t = 0; t < t_.V; ++t) {
    double* l = logits_.data() + t * padded_;
    for (std::size_t v = 0; v < padded_; ++v) {  // the last vertex fills the row up
      const std::size_t from = std::min(v, count_ - 1);
      l[v] = t_.bias[t] + at_[from * row + t_.f + t] + found[from * map.padded + t];
    }
    raise(l, padded_, largest_.data());
  }
  width_.clear();
  for (const std::size_t j : unstable_) {
    width_.push_back(ranges.hi[j] - ranges.lo[j]);
  }
  pre_.resize(unstable_.size() * padded_);
  post_.resize(unstable_.size() * padded_);
  for (std::size_t i = 0; i < unstable_.size(); ++i) {
    for (std::size_t v = 0; v < padded_; ++v) {
      const double z = at_[std::min(v, count_ - 1) * row + unstable_[i]];
      pre_[i * padded_ + v] = z;
      post_[i * padded_ + v] = z > 0 ? z : 0;
    }
  }
}

SuffixVertices::Bound SuffixVertices::evaluate(std::uint32_t token, const SuffixMixture& mixture) {
  kappa_.resize(unstable_.size());
  sum_.assign(logits_.begin() + static_cast<std::ptrdiff_t>(token * padded_),
              logits_.begin() + static_cast<std::ptrdiff_t>((token + 1) * padded_));
  for (const auto& [y, share] : mixture.shares) {
    add_scaled(-share, logits_.data() + y * padded_, padded_, sum_.data());
  }
  for (std::size_t i = 0; i < unstable_.size(); ++i) {
    double k = t_.kappa[token * t_.padded_f + unstable_[i]];
    for (const auto& [y, share] : mixture.shares) {
      k -= share * t_.kappa[y * t_.padded_f + unstable_[i]];
    }
    kappa_[i] = k;
    if (k < 0) {
      add_loss(-k, slopes_[i], post_.data() + i * padded_, pre_.data() + i * padded_, padded_,
               sum_.data());
    }
  }
  last_ = static_cast<std::size_t>(
      std::max_element(sum_.begin(), sum_.begin() + static_cast<std::ptrdiff_t>(count_)) -
      sum_.begin());
  return {sum_[last_], tokens_[last_]};
}

SuffixVertices::Bound SuffixVertices::bound(std::uint32_t token, const SuffixMixture& mixture) {
  slopes_ = first_slopes_;
  return evaluate(token, mixture);
}

/// The bound is convex in the slopes and linear in the mixture's shares at one vertex.
SuffixVertices::Bound SuffixVertices::step(std::uint32_t token, SuffixMixture& mixture,
                                           std::size_t number) {
  const double rate = 1 / std::sqrt(1.0 + static_cast<double>(number));
  for (std::size_t i = 0; i < unstable_.size(); ++i) {
    const double z = pre_[i * padded_ + last_];
    const double next = slopes_[i] + (kappa_[i] < 0 ? rate * z / width_[i] : 0.0);
    slopes_[i] = next > 0 ? std::min(next, 1.0) : 0.0;
  }
  std::uint32_t winner = token == 0 ? 1 : 0;
  for (std::uint32_t y = 0; y < t_.V; ++y) {
    if (y != token && logits_[y * padded_ + last_] > logits_[winner * padded_ + last_]) {
      winner = y;
    }
  }
  const double share = 2.0 / (3.0 + static_cast<double>(number));
  std::vector<std::pair<std::uint32_t, double>> shares;
  bool met = false;
  for (const auto& [y, old] : mixture.shares) {
    shares.emplace_back(y, (1 - share) * old + (y == winner ? share : 0.0));
    met = met || y == winner;
  }
  if (!met) {
    shares.emplace_back(winner, share);
  }
  mixture = SuffixMixture::of(std::move(shares));
  return evaluate(token, mixture);
}

SuffixVertices::Bound SuffixVertices::nearest(std::uint32_t token) const {
  const double* l = logits_.data() + token * padded_;
  std::size_t best = 0;
  for (std::size_t v = 1; v < count_; ++v) {
    best = l[v] - largest_[v] > l[best] - largest_[best] ? v : best;
  }
  return {l[best] - largest_[best], tokens_[best]};
}

}  // namespace assay::automata
