#include "suffix_heads.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clones.hpp"
#include "four.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kKnown = SuffixBounds::kKnown;
constexpr std::size_t kOwnPositions = 2;  ///< nearest unknown positions with a group of their own
constexpr double kLowest = std::numeric_limits<double>::lowest();
constexpr int kNewton = 5;  ///< Dinkelbach's steps, each from below, before the one that bounds

/// lo += near + min(0, min_u ω (ν − near)), hi likewise, for kBlock directions side by side.
ASSAY_CLONES void free_range(const double* table, std::size_t V, const double* omega,
                             const std::uint32_t* back, const double* p, double* lo, double* hi) {
  Four near[4], top[4], bottom[4];
  for (std::size_t k = 0; k < 4; ++k) {
    near[k] = p[0] * load(table + back[0] * kBlock + 4 * k);
    for (std::size_t j = 1; j < kKnown; ++j) {
      near[k] += p[j] * load(table + back[j] * kBlock + 4 * k);
    }
    top[k] = bottom[k] = Four{};
  }
  for (std::size_t u = 0; u < V; ++u) {
    for (std::size_t k = 0; k < 4; ++k) {
      const Four x = omega[u] * (load(table + u * kBlock + 4 * k) - near[k]);
      top[k] = x > top[k] ? x : top[k];
      bottom[k] = x < bottom[k] ? x : bottom[k];
    }
  }
  for (std::size_t k = 0; k < 4; ++k) {
    store(lo + 4 * k, load(lo + 4 * k) + (near[k] + bottom[k]));
    store(hi + 4 * k, load(hi + 4 * k) + (near[k] + top[k]));
  }
}

/// max_u ω(u) (ν(u) − near), not below 0; V is a multiple of 4 and ω ends in zeros.
ASSAY_CLONES double free_gain(const double* nu, const double* omega, std::size_t V, double near) {
  Four top{};
  for (std::size_t u = 0; u < V; u += 4) {
    const Four x = load(omega + u) * (load(nu + u) - near);
    top = x > top ? x : top;
  }
  return std::max(std::max(top[0], top[1]), std::max(top[2], top[3]));
}

/// F += B max_{u} w(u) (sign ν(u) − L), floor where the position may be empty; S += B w there.
ASSAY_CLONES void group_term(const double* table, const std::uint32_t* tokens, std::size_t count,
                             const double* weights, double B, double sign, double floor,
                             const Four* L, Four* F, Four* S) {
  Four top[4], slope[4];
  for (std::size_t k = 0; k < 4; ++k) {
    top[k] = Four{} + floor;
    slope[k] = Four{};
  }
  for (std::size_t i = 0; i < count; ++i) {
    const double* row = table + tokens[i] * kBlock;
    const double w = weights[tokens[i]];
    const Four all = Four{} + w;
    for (std::size_t k = 0; k < 4; ++k) {
      const Four x = w * (sign * load(row + 4 * k) - L[k]);
      slope[k] = x > top[k] ? all : slope[k];
      top[k] = x > top[k] ? x : top[k];
    }
  }
  for (std::size_t k = 0; k < 4; ++k) {
    F[k] += B * top[k];
    S[k] += B * slope[k];
  }
}

}  // namespace

SuffixHeads::SuffixHeads(const SuffixBounds::Tables& t, const std::vector<std::uint32_t>& newest,
                         const FarTokens* far)
    : tables(&t), heads(t.H) {
  std::copy_n(newest.begin(), kKnown, back.begin());
  for (std::size_t h = 0; h < t.H; ++h) {
    const double* w = t.weight_row(h, back[0]);
    Head& head = heads[h];
    for (std::size_t j = 0; j < kKnown; ++j) {
      head.p[j] = w[back[j]] * t.nearness(h, j);
      head.known += head.p[j];
    }
    for (double& p : head.p) {
      p /= head.known;
    }
  }
  set_shares();
  if (far != nullptr) {
    set_groups(*far);
  }
}

void SuffixHeads::set_shares() {
  const SuffixBounds::Tables& t = *tables;
  omega.assign(t.H * t.padded_V, 0.0);
  for (std::size_t h = 0; h < t.H; ++h) {
    const double* w = t.weight_row(h, back[0]);
    double B = 0;
    for (std::size_t j = kKnown; j < t.window; ++j) {
      B += t.nearness(h, j);
    }
    for (std::size_t u = 0; u < t.V; ++u) {
      const double b = B * w[u];
      omega[h * t.padded_V + u] = b / (heads[h].known + b);
    }
  }
}

double SuffixHeads::share(std::size_t head, std::uint32_t token) const {
  return omega[head * tables->padded_V + token];
}

double SuffixHeads::most(std::size_t head) const {
  const auto begin = omega.begin() + static_cast<std::ptrdiff_t>(head * tables->padded_V);
  return *std::max_element(begin, begin + static_cast<std::ptrdiff_t>(tables->V));
}

void SuffixHeads::set_groups(const FarTokens& far) {
  const SuffixBounds::Tables& t = *tables;
  const std::size_t words = FarTokens::words(t.V), positions = far.sets.size() / words;
  std::vector<std::uint64_t> set(words);
  for (std::size_t from = 0; from < positions;) {
    const std::size_t to = from < kOwnPositions ? from + 1 : positions;
    Group group;
    group.nearness.assign(t.H, 0.0);
    group.surely = far.surely >= to;
    set.assign(words, 0);
    for (std::size_t j = from; j < to; ++j) {
      for (std::size_t k = 0; k < words; ++k) {
        set[k] |= far.sets[j * words + k];
      }
      for (std::size_t h = 0; h < t.H; ++h) {
        group.nearness[h] += t.nearness(h, kKnown + j);
      }
    }
    for (std::uint32_t u = 0; u < t.V; ++u) {
      if (((set[u / 64] >> (u % 64)) & 1U) != 0) {
        group.tokens.push_back(u);
      }
    }
    if (!group.tokens.empty()) {
      groups.push_back(std::move(group));
    }
    from = to;
  }
  if (groups.empty()) {  // nothing can stand before the known tokens
    groups.push_back({{back[0]}, std::vector<double>(t.H, 0.0), false});
  }
  for (std::size_t h = 0; h < t.H; ++h) {
    const double* w = t.weight_row(h, back[0]);
    Head& head = heads[h];
    head.s_lo = head.s_hi = head.known;
    for (const Group& g : groups) {
      double least = w[g.tokens[0]], most = least;
      for (const std::uint32_t u : g.tokens) {
        least = std::min(least, w[u]);
        most = std::max(most, w[u]);
      }
      head.s_lo += g.surely ? g.nearness[h] * least : 0.0;
      head.s_hi += g.nearness[h] * most;
    }
    stretch = std::max(stretch, head.s_hi / head.s_lo * (1 + 0x1p-10));
  }
}

/// What the groups add to F(L) and to its slope; the maximising token of each.
double SuffixHeads::slope_form(std::size_t h, const double* nu, double L, double& slope,
                               std::uint32_t* at) const {
  const double* w = tables->weight_row(h, back[0]);
  double sum = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    double top = groups[g].surely ? kLowest : 0.0;
    std::uint32_t arg = kNobody;
    for (const std::uint32_t u : groups[g].tokens) {
      const double x = w[u] * (nu[u] - L);
      arg = x > top ? u : arg;
      top = x > top ? x : top;
    }
    sum += groups[g].nearness[h] * top;
    slope += arg == kNobody ? 0.0 : groups[g].nearness[h] * w[arg];
    if (at != nullptr) {
      at[g] = arg;
    }
  }
  return sum;
}

double SuffixHeads::maximum(std::size_t h, const double* nu, std::uint32_t* at) const {
  const Head& head = heads[h];
  double near = 0;
  for (std::size_t j = 0; j < kKnown; ++j) {
    near += head.p[j] * nu[back[j]];
  }
  if (!free()) {
    double L = near;
    for (int step = 0; step < kNewton; ++step) {
      double slope = head.known;
      const double F = head.known * (near - L) + slope_form(h, nu, L, slope, at);
      if (F == 0) {
        break;
      }
      L += F / slope;
    }
    double slope = 0;
    const double F = head.known * (near - L) + slope_form(h, nu, L, slope, at);
    L += F / (F >= 0 ? head.s_lo : head.s_hi);
    return L;
  }
  const double* w = omega.data() + h * tables->padded_V;
  const double gain = free_gain(nu, w, tables->padded_V, near);
  if (at != nullptr) {
    at[0] = kNobody;
    for (std::uint32_t u = 0; u < tables->V && gain > 0; ++u) {
      if (w[u] * (nu[u] - near) == gain) {
        at[0] = u;
        break;
      }
    }
  }
  return near + gain;
}

void SuffixHeads::add_output(std::size_t h, const std::uint32_t* at, double* out) const {
  const SuffixBounds::Tables& t = *tables;
  const double* w = t.weight_row(h, back[0]);
  const Head& head = heads[h];
  std::vector<std::pair<double, std::uint32_t>> terms;
  double total = head.known;
  for (std::size_t g = 0; g < places(); ++g) {
    if (at[g] != kNobody) {
      const double share = this->share(h, at[g]);
      const double weight =
          free() ? head.known * share / (1 - share) : groups[g].nearness[h] * w[at[g]];
      terms.emplace_back(weight, at[g]);
      total += weight;
    }
  }
  for (std::size_t j = 0; j < kKnown; ++j) {
    terms.emplace_back(head.p[j] * head.known, back[j]);
  }
  for (const auto& [weight, token] : terms) {
    const double* v = t.value(h, token);
    for (std::size_t i = 0; i < t.d; ++i) {
      out[i] += weight / total * v[i];
    }
  }
}

void SuffixHeads::add_range(std::size_t h, const double* table, double* lo, double* hi) const {
  const SuffixBounds::Tables& t = *tables;
  const Head& head = heads[h];
  if (free()) {
    free_range(table, t.V, omega.data() + h * t.padded_V, back.data(), head.p.data(), lo, hi);
    return;
  }
  const double* w = t.weight_row(h, back[0]);
  for (const double sign : {1.0, -1.0}) {
    Four near[4], L[4];
    for (std::size_t k = 0; k < 4; ++k) {
      near[k] = Four{};
      for (std::size_t j = 0; j < kKnown; ++j) {
        near[k] += sign * head.p[j] * load(table + back[j] * kBlock + 4 * k);
      }
      L[k] = near[k];
    }
    for (int step = 0; step <= kNewton; ++step) {
      Four F[4], S[4];
      for (std::size_t k = 0; k < 4; ++k) {
        F[k] = head.known * (near[k] - L[k]);
        S[k] = Four{} + head.known;
      }
      for (const Group& g : groups) {
        group_term(table, g.tokens.data(), g.tokens.size(), w, g.nearness[h], sign,
                   g.surely ? kLowest : 0.0, L, F, S);
      }
      for (std::size_t k = 0; k < 4; ++k) {
        const Four bound = F[k] >= 0 ? F[k] / head.s_lo : F[k] / head.s_hi;
        L[k] += step == kNewton ? bound : F[k] / S[k];
      }
    }
    double* end = sign > 0 ? hi : lo;
    for (std::size_t k = 0; k < 4; ++k) {
      store(end + 4 * k, load(end + 4 * k) + sign * L[k]);
    }
  }
}

}  // namespace assay::automata
