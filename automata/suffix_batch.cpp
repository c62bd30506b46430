#include "suffix_batch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "assay/base/errors.hpp"
#include "assay/bounds/concrete.hpp"
#include "clones.hpp"
#include "four.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kRows = 192;     ///< folded side by side
constexpr std::size_t kMixtureOf = 8;  ///< rivals of the mean mixture
constexpr std::size_t kVertexSteps = 24;
/// Separation beyond the error bound that a witness must show, as in exact mode.
constexpr double kRoom = 0x1p-34;

/// Σ_j (κ_t − κ_y)_j c_j + |κ_t − κ_y|_j w_j
ASSAY_CLONES double swing(const double* kt, const double* ky, const double* c, const double* w,
                          std::size_t n) {
  Four sum{};
  for (std::size_t j = 0; j < n; j += 4) {
    const Four k = load(kt + j) - load(ky + j);
    const Four size = k < 0 ? -k : k;
    sum += k * load(c + j) + size * load(w + j);
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

[[noreturn]] void alarm(std::size_t token) {
  throw Error(ExitCode::internal,
              "soundness alarm: token " + std::to_string(token) +
                  " is excluded after a state and emitted after one of its contexts");
}

}  // namespace

std::vector<std::uint32_t> SuffixBatch::newest_first(WindowCode state) const {
  std::vector<std::uint32_t> back(codes_.window());
  back.resize(codes_.back(state, back.data()));
  return back;
}

/// A state without unknown tokens is one context.
void SuffixBatch::decide_exact(const SuffixBounds::Query& query, Edge* edges) {
  const std::vector<TokenId> context = codes_.decode(query.state);
  const WindowCode window = t_.forward.codes().encode(context);
  t_.forward.evaluate(std::span(&window, 1), scratch_);
  const auto decide = [&](auto&& lo, auto&& hi) {
    for (std::size_t t = 0; t < t_.V; ++t) {
      lo_[t] = lo(t);
      hi_[t] = hi(t);
    }
    emission_.decide(lo_, hi_, kinds_);
  };
  const auto& radius = t_.forward.logit_radius();
  decide([&](std::size_t t) { return scratch_.logits[t] - (radius[t] + kRoom); },
         [&](std::size_t t) { return scratch_.logits[t] + (radius[t] + kRoom); });
  if (std::find(kinds_.begin(), kinds_.end(), Edge::open) != kinds_.end()) {
    const bounds::ConcreteValues values = bounds::enclose(t_.model, context);
    decide([&](std::size_t t) { return values.logits[t].lo; },
           [&](std::size_t t) { return values.logits[t].hi; });
  }
  std::copy(kinds_.begin(), kinds_.end(), edges);
  ++work_.exact;
  work_.witnessed += static_cast<std::size_t>(std::count(edges, edges + t_.V, Edge::witnessed));
  work_.open += static_cast<std::size_t>(std::count(edges, edges + t_.V, Edge::open));
}

void SuffixBatch::open_states(std::span<const SuffixBounds::Query> queries, std::span<Edge> out) {
  states_.clear();
  for (std::size_t i = 0; i < queries.size(); ++i) {
    Edge* edges = out.data() + i * t_.V;
    const std::vector<std::uint32_t> back = newest_first(queries[i].state);
    require(!back.empty(), "SuffixBounds: the empty context");
    if (back.size() < SuffixBounds::kKnown || t_.far == 0) {
      decide_exact(queries[i], edges);
      continue;
    }
    State state;
    state.query = &queries[i];
    state.edges = edges;
    state.heads = std::make_unique<SuffixHeads>(t_, back, queries[i].far);
    state.mean.assign(t_.V, 0.0);
    state.witnessed.assign(t_.V, 0);
    state.beaten.assign(needed() > 1 ? t_.V : 0, 0);
    if (queries[i].before != nullptr) {
      std::copy_n(queries[i].before, t_.V, edges);
    } else {
      std::fill_n(edges, t_.V, Edge::open);
    }
    states_.push_back(std::move(state));
    ++work_.states;
  }
}

/// Queues the context (known tokens after `far`, nearest first) unless it was looked at.
void SuffixBatch::add_context(State& state, const std::vector<std::uint32_t>& far) {
  WindowCode window = 0;
  for (std::size_t i = far.size(); i-- > 0;) {
    window = t_.forward.codes().append(window, far[i]);
  }
  for (std::size_t i = SuffixBounds::kKnown; i-- > 0;) {
    window = t_.forward.codes().append(window, state.heads->back[i]);
  }
  if (state.tried.insert(window).second) {
    jobs_.push_back({&state, window});
  }
}

/// The known tokens alone, and for each head the context it attends to most.
void SuffixBatch::first_contexts() {
  for (State& state : states_) {
    const SuffixHeads& heads = *state.heads;
    const FarTokens* far = state.query->far;
    if (far == nullptr || far->surely == 0) {
      add_context(state, {});
    }
    for (std::size_t h = 0; h < t_.H; ++h) {
      const double* w = t_.weight_row(h, heads.back[0]);
      std::vector<std::uint32_t> tokens;
      for (std::size_t j = 0; j < t_.far; ++j) {
        const std::uint64_t* set =
            far == nullptr ? nullptr : far->sets.data() + j * FarTokens::words(t_.V);
        std::uint32_t arg = SuffixHeads::kNobody;
        for (std::uint32_t u = 0; u < t_.V; ++u) {
          const bool may = set == nullptr || ((set[u / 64] >> (u % 64)) & 1U) != 0;
          arg = may && (arg == SuffixHeads::kNobody || w[u] > w[arg]) ? u : arg;
        }
        if (arg == SuffixHeads::kNobody) {
          break;
        }
        tokens.push_back(arg);
      }
      add_context(state, tokens);
    }
  }
  evaluate_contexts();
  for (State& state : states_) {
    state.ranked.resize(t_.V);
    for (std::uint32_t t = 0; t < t_.V; ++t) {
      state.ranked[t] = t;
    }
    std::stable_sort(state.ranked.begin(), state.ranked.end(),
                     [&state](auto a, auto b) { return state.mean[a] > state.mean[b]; });
  }
}

/// What one context of the state shows: its softmax joins the mean, its surely emitted tokens
/// are witnessed.
void SuffixBatch::read(State& state, const double* logits) {
  const auto& radius = t_.forward.logit_radius();
  double top = logits[0];
  for (std::size_t t = 0; t < t_.V; ++t) {
    lo_[t] = logits[t] - (radius[t] + kRoom);
    hi_[t] = logits[t] + (radius[t] + kRoom);
    top = std::max(top, logits[t]);
  }
  if (state.ranked.empty()) {
    double sum = 0;
    for (std::size_t t = 0; t < t_.V; ++t) {
      sum += std::exp(logits[t] - top);
    }
    for (std::size_t t = 0; t < t_.V; ++t) {
      state.mean[t] += std::exp(logits[t] - top) / sum;
    }
  }
  emission_.decide(lo_, hi_, kinds_);
  for (std::size_t t = 0; t < t_.V; ++t) {
    if (kinds_[t] == Edge::witnessed) {
      if (state.edges[t] == Edge::absent) {
        alarm(t);
      }
      state.witnessed[t] = 1;
    }
  }
}

void SuffixBatch::evaluate_contexts() {
  for (std::size_t at = 0; at < jobs_.size(); at += ExactForward::kBatch) {
    const std::size_t n = std::min(ExactForward::kBatch, jobs_.size() - at);
    std::vector<WindowCode> windows(n);
    for (std::size_t i = 0; i < n; ++i) {
      windows[i] = jobs_[at + i].window;
    }
    t_.forward.evaluate(windows, scratch_);
    for (std::size_t i = 0; i < n; ++i) {
      read(*jobs_[at + i].state, scratch_.logits.data() + i * t_.forward.stride());
    }
  }
  work_.contexts += jobs_.size();
  jobs_.clear();
}

/// NEURON-RANGE, and the same along W_U: block by block, so that a block's table is read once.
void SuffixBatch::ranges() {
  for (State& state : states_) {
    const double* base = t_.along_base.data() + state.heads->back[0] * t_.blocks * kBlock;
    state.ranges.lo.assign(base, base + t_.blocks * kBlock);
    state.ranges.hi = state.ranges.lo;
  }
  for (std::size_t h = 0; h < t_.H; ++h) {
    for (std::size_t b = 0; b < t_.blocks; ++b) {
      const double* table = t_.along.data() + (h * t_.blocks + b) * t_.V * kBlock;
      for (State& state : states_) {
        state.heads->add_range(h, table, state.ranges.lo.data() + b * kBlock,
                               state.ranges.hi.data() + b * kBlock);
      }
    }
  }
  for (State& state : states_) {
    for (std::size_t k = 0; k < t_.directions; ++k) {
      const double r = t_.range_radius[k] * state.heads->stretch;
      state.ranges.lo[k] -= r;
      state.ranges.hi[k] += r;
    }
    state.ranges.set_slopes(t_.f, t_.padded_f);
  }
}

/// SCREEN   l_t − l_y <= bias_t − bias_y + hi(<W_U,t, m>) − lo(<W_U,y, m>)
///                       + Σ_j κ_j c_j + |κ_j| w_j,   relu(z_j) ∈ [c_j − w_j, c_j + w_j]
void SuffixBatch::screen_state(State& state) {
  const std::size_t pf = t_.padded_f;
  std::vector<double> c(pf, 0.0), w(pf, 0.0);
  for (std::size_t j = 0; j < t_.f; ++j) {
    const double lo = state.ranges.lo[j] > 0 ? state.ranges.lo[j] : 0.0;
    const double hi = state.ranges.hi[j] > 0 ? state.ranges.hi[j] : 0.0;
    c[j] = lo + (hi - lo) / 2;
    w[j] = (hi - lo) / 2;
  }
  const std::size_t rivals = std::min(t_.V, needed() + 1);
  for (std::uint32_t t = 0; t < t_.V; ++t) {
    std::size_t shown = 0;
    for (std::size_t k = 0; wants(state, t) && k < rivals; ++k) {
      const std::uint32_t y = state.ranked[k];
      if (y == t) {
        continue;
      }
      const double bound =
          t_.bias[t] - t_.bias[y] + state.ranges.hi[t_.f + t] - state.ranges.lo[t_.f + y] +
          swing(t_.kappa.data() + t * pf, t_.kappa.data() + y * pf, c.data(), w.data(), pf);
      shown += below_cut(bound, t_.screen_radius, state.heads->stretch) ? 1 : 0;
      if (shown >= needed()) {
        exclude(state, t, work_.screened);
      }
    }
  }
}

void SuffixBatch::exclude(State& state, std::uint32_t token, std::size_t& counter) {
  if (state.edges[token] != Edge::absent) {
    state.edges[token] = Edge::absent;
    ++counter;
  }
}

/// What round r compares the token with: the likeliest rival, the mean, the two likeliest half
/// each, the second. For top-k every single rival of the likeliest k + 3, at once.
std::vector<SuffixMixture> SuffixBatch::mixtures(const State& state, std::uint32_t token,
                                                 std::size_t round) const {
  std::vector<std::pair<std::uint32_t, double>> rivals;
  const std::size_t count = needed() > 1 ? needed() + 3 : kMixtureOf;
  for (const std::uint32_t y : state.ranked) {
    if (y != token && rivals.size() < count) {
      rivals.emplace_back(y, std::max(state.mean[y], 1e-300));
    }
  }
  std::vector<SuffixMixture> out;
  if (needed() > 1) {
    for (const auto& rival : rivals) {
      out.push_back(SuffixMixture::of({{rival.first, 1.0}}));
    }
    return out;
  }
  if (rivals.empty() || (round > 1 && rivals.size() < 2)) {
    return out;
  }
  switch (round) {
    case 0:
      out.push_back(SuffixMixture::of({{rivals[0].first, 1.0}}));
      break;
    case 1:
      out.push_back(SuffixMixture::of(rivals));
      break;
    case 2:
      out.push_back(SuffixMixture::of({{rivals[0].first, 1.0}, {rivals[1].first, 1.0}}));
      break;
    default:
      out.push_back(SuffixMixture::of({{rivals[1].first, 1.0}}));
  }
  return out;
}

/// True when the row's token needs no further row of its kind.
bool SuffixBatch::settle(State& state, const SuffixFold::Row& row) {
  const bool below = below_cut(row.hi, t_.fold_radius, state.heads->stretch);
  if (below && state.witnessed[row.token] != 0 && needed() == 1) {
    alarm(row.token);
  }
  if (!wants(state, row.token) || !below) {
    return !wants(state, row.token);
  }
  if (needed() == 1 || ++state.beaten[row.token] >= needed()) {
    exclude(state, row.token, work_.folded);
  }
  return true;
}

void SuffixBatch::fold_rows(std::vector<SuffixFold::Row>& rows, std::vector<State*>& owners,
                            bool last) {
  if (rows.empty()) {
    return;
  }
  fold_.run(rows);
  std::vector<std::size_t> kept;
  const auto attack = [&] {
    for (const std::size_t r : kept) {
      if (options_.attack && owners[r]->query->far == nullptr) {
        add_context(*owners[r], fold_.best_context(rows[r], r));
      }
    }
    evaluate_contexts();
  };
  const auto drop_settled = [&] {
    kept.clear();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (!settle(*owners[r], rows[r])) {
        kept.push_back(r);
      }
    }
  };
  const auto narrow = [&] {
    fold_.keep(kept);
    for (std::size_t k = 0; k < kept.size(); ++k) {
      rows[k] = std::move(rows[kept[k]]);
      owners[k] = owners[kept[k]];
    }
    rows.resize(kept.size());
    owners.resize(kept.size());
  };
  drop_settled();
  attack();
  const std::size_t steps = last && needed() == 1 ? options_.slope_steps : 0;
  for (std::size_t step = 0; step < steps && !kept.empty(); ++step) {
    narrow();
    fold_.step(rows, step);
    drop_settled();
    if (step % 4 == 3) {
      attack();
    }
  }
  rows.clear();
  owners.clear();
}

/// Tokens in the likeliest vertex of which the decoder may emit them: those contexts, evaluated.
void SuffixBatch::vertex_attack(State& state) {
  for (std::uint32_t t = 0; t < t_.V; ++t) {
    const SuffixVertices::Bound best = vertices_.nearest(t);
    if (wants(state, t) && (needed() > 1 || best.hi >= emission_.cut().lo)) {
      add_context(state, best.at == SuffixHeads::kNobody
                             ? std::vector<std::uint32_t>{}
                             : std::vector<std::uint32_t>(t_.far, best.at));
    }
  }
  evaluate_contexts();
}

void SuffixBatch::vertices(State& state) {
  state.at_vertices = vertices_.make(*state.heads, state.ranges, state.query->far);
  if (!state.at_vertices) {
    return;
  }
  if (options_.attack && state.query->far == nullptr) {
    vertex_attack(state);
  }
  for (std::uint32_t t = 0; t < t_.V; ++t) {
    if (wants(state, t)) {
      vertex_row(state, t);
    }
  }
  evaluate_contexts();
}

void SuffixBatch::vertex_row(State& state, std::uint32_t token) {
  for (std::size_t round = 0; round < (needed() > 1 ? 1U : 2U); ++round) {
    for (const SuffixMixture& mixture : mixtures(state, token, round)) {
      const SuffixVertices::Bound bound = vertices_.bound(token, mixture);
      if (below_cut(bound.hi, vertices_.radius(), 1) &&
          (needed() == 1 || ++state.beaten[token] >= needed())) {
        exclude(state, token, work_.folded);
        return;
      }
    }
  }
  std::vector<SuffixMixture> start = mixtures(state, token, 1);
  if (needed() == 1 && !start.empty()) {
    vertex_steps(state, token, std::move(start[0]));
  }
}

/// Slopes and mixture improved; contexts that mix the vertices met are tried where that fails.
void SuffixBatch::vertex_steps(State& state, std::uint32_t token, SuffixMixture mixture) {
  std::vector<std::uint32_t> met;
  SuffixVertices::Bound bound = vertices_.bound(token, mixture);
  for (std::size_t step = 0; step < kVertexSteps; ++step) {
    if (bound.at != SuffixHeads::kNobody &&
        std::find(met.begin(), met.end(), bound.at) == met.end()) {
      met.push_back(bound.at);
    }
    bound = vertices_.step(token, mixture, step);
    if (below_cut(bound.hi, vertices_.radius(), 1)) {
      exclude(state, token, work_.folded);
      return;
    }
  }
  if (!options_.attack || state.query->far != nullptr) {
    return;
  }
  const std::size_t most = std::min<std::size_t>(met.size(), 3);
  for (std::size_t a = 0; a < most; ++a) {
    for (std::size_t b = 0; b < most; ++b) {
      std::vector<std::uint32_t> far(t_.far, met[met.size() - 1 - b]);
      far[0] = met[met.size() - 1 - a];
      add_context(state, far);
    }
  }
}

void SuffixBatch::fold_round(std::size_t round) {
  std::vector<SuffixFold::Row> rows;
  std::vector<State*> owners;
  const bool last = round == (needed() > 1 ? 0U : 3U);
  for (State& state : states_) {
    std::fill(state.beaten.begin(), state.beaten.end(), std::uint16_t{0});  // each rival once
    for (std::uint32_t t = 0; t < t_.V; ++t) {
      if (!wants(state, t) || (state.at_vertices && state.query->far == nullptr)) {
        continue;
      }
      for (SuffixMixture& mixture : mixtures(state, t, round)) {
        rows.push_back({state.heads.get(), &state.ranges, t, std::move(mixture), 0});
        owners.push_back(&state);
      }
      if (rows.size() >= kRows) {
        fold_rows(rows, owners, last);
      }
    }
  }
  fold_rows(rows, owners, last);
}

void SuffixBatch::finish() {
  for (State& state : states_) {
    for (std::size_t t = 0; t < t_.V; ++t) {
      if (state.edges[t] == Edge::open && state.witnessed[t] != 0) {
        state.edges[t] = Edge::witnessed;
      }
      work_.witnessed += state.edges[t] == Edge::witnessed ? 1 : 0;
      work_.open += state.edges[t] == Edge::open ? 1 : 0;
    }
  }
}

void SuffixBatch::run(std::span<const SuffixBounds::Query> queries, std::span<Edge> out) {
  open_states(queries, out);
  first_contexts();
  ranges();
  for (State& state : states_) {
    vertices(state);
    if (!state.at_vertices) {
      screen_state(state);
    }
  }
  const std::size_t rounds = needed() > 1 ? 1 : 4;
  for (std::size_t round = 0; round < rounds; ++round) {
    fold_round(round);
  }
  finish();
}

}  // namespace assay::automata
