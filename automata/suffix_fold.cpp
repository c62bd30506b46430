#include "suffix_fold.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "clones.hpp"
#include "four.hpp"

namespace assay::automata {
namespace {

constexpr double kWhole = 65536;
constexpr std::size_t kMaxRivals = 12;

/// c = κ a, and Σ_j c_j b_j + max(κ_j, 0) gap_j with the gap at its ends:
///   max over z in [lo, hi] of relu(z) − a z = max(relu(lo) − a lo, relu(hi) − a hi), a in [0, 1]
ASSAY_CLONES double fold_neurons(const double* kappa, const double* a, const double* lo,
                                 const double* hi, const double* b, std::size_t n, double* c) {
  const Four none{};
  Four sum{};
  for (std::size_t j = 0; j < n; j += 4) {
    const Four k = load(kappa + j), slope = load(a + j), low = load(lo + j), high = load(hi + j);
    const Four left = (low > 0 ? low : none) - slope * low;
    const Four right = (high > 0 ? high : none) - slope * high;
    const Four x = k * slope;
    store(c + j, x);
    sum += x * load(b + j) + (k > 0 ? k : none) * (left > right ? left : right);
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

ASSAY_CLONES void choose(const double* kappa, const double* rising, const double* falling,
                         std::size_t n, double* a) {
  for (std::size_t j = 0; j < n; j += 4) {
    store(a + j, load(kappa + j) > 0 ? load(rising + j) : load(falling + j));
  }
}

ASSAY_CLONES void subtract(double share, const double* other, std::size_t n, double* x) {
  for (std::size_t j = 0; j < n; j += 4) {
    store(x + j, load(x + j) - share * load(other + j));
  }
}

/// s(u) = w(u) (ν(u) − near)
ASSAY_CLONES void pulls(const double* w, const double* nu, double near, double scale, std::size_t n,
                        double* s) {
  for (std::size_t u = 0; u < n; ++u) {
    s[u] = w[u] * scale * (nu[u] - near);
  }
}

ASSAY_CLONES void add_scaled(double factor, const double* x, std::size_t n, double* sum) {
  for (std::size_t u = 0; u < n; ++u) {
    sum[u] += factor * x[u];
  }
}

}  // namespace

SuffixMixture SuffixMixture::of(std::vector<std::pair<std::uint32_t, double>> shares) {
  require(!shares.empty(), "SuffixMixture: no rival");
  std::stable_sort(shares.begin(), shares.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  shares.resize(std::min(shares.size(), kMaxRivals));
  double total = 0;
  for (const auto& share : shares) {
    total += share.second;
  }
  SuffixMixture out;
  double given = 0;
  for (const auto& [token, share] : shares) {
    const double part = std::floor(share / total * kWhole);
    if (part > 0 && part <= kWhole - given) {
      out.shares.emplace_back(token, part);
      given += part;
    }
  }
  if (out.shares.empty()) {
    out.shares.emplace_back(shares.front().first, 0.0);
  }
  out.shares.front().second += kWhole - given;
  for (auto& share : out.shares) {
    share.second /= kWhole;
  }
  return out;
}

/// κ = κ_t − Σ ω κ_y, G = W_U,t − Σ ω W_U,y, constant = bias_t − Σ ω bias_y
void SuffixFold::set_kappa(const std::vector<Row>& rows) {
  const std::size_t pf = t_.padded_f, pd = t_.padded_d;
  kappa_.resize(rows.size() * pf);
  G_.resize(rows.size() * pd);
  constant_.resize(rows.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    double* k = kappa_.data() + r * pf;
    double* g = G_.data() + r * pd;
    std::copy_n(t_.kappa.data() + rows[r].token * pf, pf, k);
    std::copy_n(t_.unembed.data() + rows[r].token * pd, pd, g);
    constant_[r] = t_.bias[rows[r].token];
    for (const auto& [y, share] : rows[r].mixture.shares) {
      subtract(share, t_.kappa.data() + y * pf, pf, k);
      subtract(share, t_.unembed.data() + y * pd, pd, g);
      constant_[r] -= share * t_.bias[y];
    }
  }
}

void SuffixRanges::set_slopes(std::size_t neurons, std::size_t padded) {
  rising.assign(padded, 0.0);
  falling.assign(padded, 0.0);
  for (std::size_t j = 0; j < neurons; ++j) {
    if (lo[j] >= 0) {
      rising[j] = falling[j] = 1;
    } else if (hi[j] > 0) {
      rising[j] = std::min(hi[j] / (hi[j] - lo[j]), 1.0);
      falling[j] = hi[j] > -lo[j] ? 1 : 0;
    }
  }
}

/// Û = constant + Σ κ a b_in + Σ max(κ,0) gap + <G, base> + Σ_h L_h,  G = G_0 + Σ_j κ_j a_j W_in[:,j]
void SuffixFold::bound(std::vector<Row>& rows) {
  const std::size_t n = rows.size(), pf = t_.padded_f, pd = t_.padded_d;
  places_ = 1;
  for (const Row& row : rows) {
    places_ = std::max(places_, row.heads->places());
  }
  folded_.assign(n * pf, 0.0);
  for (std::size_t r = 0; r < n; ++r) {
    const SuffixRanges& z = *rows[r].ranges;
    rows[r].hi =
        constant_[r] + fold_neurons(kappa_.data() + r * pf, slopes_.data() + r * pf, z.lo.data(),
                                    z.hi.data(), t_.b_in.data(), pf, folded_.data() + r * pf);
  }
  std::vector<double> through(n * pd);
  t_.into.apply(folded_.data(), pf, n, through.data());
  const auto& base = t_.forward.tables().base;
  for (std::size_t r = 0; r < n; ++r) {
    double* g = G_.data() + r * pd;
    double* x = through.data() + r * pd;
    double sum = 0;
    for (std::size_t i = 0; i < t_.d; ++i) {
      x[i] += g[i];
      sum += x[i] * base[rows[r].heads->back[0] * t_.d + i];
    }
    rows[r].hi += sum;
  }
  capacity_ = n;
  nu_.resize(t_.H * n * t_.padded_V);
  at_.assign(n * t_.H * places_, SuffixHeads::kNobody);
  for (std::size_t h = 0; h < t_.H; ++h) {
    t_.seen[h].apply(through.data(), pd, n, nu_.data() + h * n * t_.padded_V);
    for (std::size_t r = 0; r < n; ++r) {
      rows[r].hi += rows[r].heads->maximum(h, nu(h, r), at_.data() + (r * t_.H + h) * places_);
    }
  }
}

void SuffixFold::run(std::vector<Row>& rows) {
  set_kappa(rows);
  slopes_.resize(rows.size() * t_.padded_f);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    choose(kappa_.data() + r * t_.padded_f, rows[r].ranges->rising.data(),
           rows[r].ranges->falling.data(), t_.padded_f, slopes_.data() + r * t_.padded_f);
  }
  bound(rows);
}

void SuffixFold::keep(const std::vector<std::size_t>& rows) {
  const auto pack = [&rows](auto& data, std::size_t width) {
    for (std::size_t k = 0; k < rows.size(); ++k) {
      std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(rows[k] * width), width,
                  data.begin() + static_cast<std::ptrdiff_t>(k * width));
    }
    data.resize(rows.size() * width);
  };
  pack(slopes_, t_.padded_f);
  pack(at_, t_.H * places_);
}

/// Where κ < 0 and the neuron is unstable, dÛ/da = κ z at the maximiser, scaled by its width.
void SuffixFold::move_slopes(const Row& row, const double* pre, std::size_t r, double rate) {
  const SuffixRanges& z = *row.ranges;
  const double* k = kappa_.data() + r * t_.padded_f;
  double* a = slopes_.data() + r * t_.padded_f;
  for (std::size_t j = 0; j < t_.f; ++j) {
    if (!(z.lo[j] < 0 && z.hi[j] > 0)) {
      continue;
    }
    const double next =
        k[j] < 0 ? a[j] + rate * pre[j] / (z.hi[j] - z.lo[j]) : z.hi[j] / (z.hi[j] - z.lo[j]);
    a[j] = next > 0 ? std::min(next, 1.0) : 0.0;
  }
}

void SuffixFold::step(std::vector<Row>& rows, std::size_t number) {
  const std::size_t n = rows.size(), pd = t_.padded_d, pf = t_.padded_f, pV = t_.padded_V;
  std::vector<double> mid(n * pd, 0.0), post(n * pf), logits(n * pV), more(n * pV);
  for (std::size_t r = 0; r < n; ++r) {
    const SuffixHeads& heads = *rows[r].heads;
    std::copy_n(t_.forward.tables().base.data() + heads.back[0] * t_.d, t_.d, mid.data() + r * pd);
    for (std::size_t h = 0; h < t_.H; ++h) {
      heads.add_output(h, at_.data() + (r * t_.H + h) * places_, mid.data() + r * pd);
    }
  }
  t_.neurons.apply(mid.data(), pd, n, post.data());
  const std::vector<double> pre = post;
  for (double& x : post) {
    x = x > 0 ? x : 0;
  }
  t_.mid_logits.apply(mid.data(), pd, n, logits.data());
  t_.post_logits.apply(post.data(), pf, n, more.data());
  const double share = 2.0 / (3.0 + static_cast<double>(number));
  for (std::size_t r = 0; r < n; ++r) {
    std::uint32_t winner = rows[r].token == 0 ? 1 : 0;
    double best = -INFINITY;
    for (std::uint32_t y = 0; y < t_.V; ++y) {
      const double l = logits[r * pV + y] + more[r * pV + y];
      if (y != rows[r].token && l > best) {
        best = l;
        winner = y;
      }
    }
    std::vector<std::pair<std::uint32_t, double>> shares;
    bool met = false;
    for (const auto& [y, old] : rows[r].mixture.shares) {
      shares.emplace_back(y, (1 - share) * old + (y == winner ? share : 0.0));
      met = met || y == winner;
    }
    if (!met) {
      shares.emplace_back(winner, share);
    }
    rows[r].mixture = SuffixMixture::of(std::move(shares));
  }
  set_kappa(rows);
  for (std::size_t r = 0; r < n; ++r) {
    move_slopes(rows[r], pre.data() + r * pf, r, 1 / std::sqrt(1.0 + static_cast<double>(number)));
  }
  bound(rows);
}

std::vector<std::uint32_t> SuffixFold::best_context(const Row& row, std::size_t index) const {
  const SuffixHeads& heads = *row.heads;
  std::vector<double> pull(t_.H * t_.V), gain(t_.V);
  for (std::size_t h = 0; h < t_.H; ++h) {
    double near = 0;
    for (std::size_t j = 0; j < SuffixBounds::kKnown; ++j) {
      near += heads.heads[h].p[j] * nu(h, index)[heads.back[j]];
    }
    pulls(t_.weight_row(h, heads.back[0]), nu(h, index), near, 1 / heads.heads[h].known, t_.V,
          pull.data() + h * t_.V);
  }
  std::vector<std::uint32_t> out;
  for (std::size_t j = SuffixBounds::kKnown; j < t_.window; ++j) {
    std::fill(gain.begin(), gain.end(), 0.0);
    for (std::size_t h = 0; h < t_.H; ++h) {
      add_scaled(t_.nearness(h, j), pull.data() + h * t_.V, t_.V, gain.data());
    }
    const auto best = std::max_element(gain.begin(), gain.end());
    if (!(*best > 0)) {
      break;
    }
    out.push_back(static_cast<std::uint32_t>(best - gain.begin()));
  }
  return out;
}

}  // namespace assay::automata
