// FAST-FOLD, VERTICES and the attack against brute force: every context of every suffix state of small
// models, logits enclosed in intervals.
#include <map>

#include "assay/automata/suffix_bounds.hpp"
#include "assay/base/errors.hpp"
#include "assay/bounds/concrete.hpp"
#include "catch.hpp"
#include "random_subject.hpp"

using namespace assay;
using automata::Edge;
using automata::Emission;
using automata::FarTokens;
using automata::SuffixBounds;

namespace {

constexpr const char* kDecoders[] = {
    "greedy",  "min-p:0.1", "min-p:0.6", "min-p:0.3:2:before", "min-p:0.3:2:after",
    "top-k:2", "top-k:1"};

/// A random model whose unknown tokens weigh `far` as much; `alone`: only for its first head.
Transformer far_model(std::size_t V, std::size_t w, std::uint64_t seed, double far, bool alone) {
  Transformer model = test::random_model(V, w, 8, seed);
  for (std::size_t h = 0; h < 2; ++h) {
    for (std::size_t j = SuffixBounds::kKnown; j < w; ++j) {
      float& b = model.rel_bias.data[h * w + j];
      b = alone && h == 1 ? -80.0F : b + static_cast<float>(std::log(far));
    }
  }
  for (float& x : model.W_U.data) {
    x *= 3;
  }
  return model;
}

/// The logits of every context, enclosed once.
class Truth {
 public:
  explicit Truth(const Transformer& model) : model_(model) {}

  const std::vector<Interval>& logits(const std::vector<TokenId>& context) {
    auto& slot = known_[context];
    if (slot.empty()) {
      slot = bounds::enclose(model_, context).logits;
    }
    return slot;
  }
  std::vector<Edge> edges(const Emission& emission, const std::vector<TokenId>& context) {
    std::vector<double> lo, hi;
    for (const Interval l : logits(context)) {
      lo.push_back(l.lo);
      hi.push_back(l.hi);
    }
    std::vector<Edge> out(lo.size());
    emission.decide(lo, hi, out);
    return out;
  }
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  const Transformer& model_;
  std::map<std::vector<TokenId>, std::vector<Interval>> known_;
};

/// Contexts of a state, oldest first: each unknown position's tokens in its set.
std::vector<std::vector<TokenId>> contexts_of(const std::vector<TokenId>& known, std::size_t far,
                                              const std::vector<std::vector<TokenId>>& sets,
                                              std::size_t surely) {
  std::vector<std::vector<TokenId>> all{known}, longest{known};
  if (surely > 0) {
    all.clear();
  }
  for (std::size_t j = 0; j < far; ++j) {
    std::vector<std::vector<TokenId>> next;
    for (const auto& context : longest) {
      for (const TokenId t : sets[j]) {
        next.push_back(context);
        next.back().insert(next.back().begin(), t);
      }
    }
    longest = next;
    if (j + 1 >= surely) {
      all.insert(all.end(), longest.begin(), longest.end());
    }
  }
  return all;
}

struct Tally {
  std::size_t absent = 0, witnessed = 0, open = 0, contexts = 0;
};

/// No excluded edge is possible in any context, every witnessed edge is sure in one of them.
void compare(const std::vector<Edge>& found, const Emission& emission, Truth& truth,
             const std::vector<std::vector<TokenId>>& contexts, bool check_witnesses,
             Tally& tally) {
  std::vector<bool> sure(found.size(), false);
  for (const auto& context : contexts) {
    const std::vector<Edge> real = truth.edges(emission, context);
    ++tally.contexts;
    for (std::size_t t = 0; t < found.size(); ++t) {
      CHECK_FALSE((found[t] == Edge::absent && real[t] == Edge::witnessed));
      sure[t] = sure[t] || real[t] == Edge::witnessed;
    }
  }
  for (std::size_t t = 0; t < found.size(); ++t) {
    CHECK((!check_witnesses || found[t] != Edge::witnessed || sure[t]));
    tally.absent += found[t] == Edge::absent ? 1 : 0;
    tally.witnessed += found[t] == Edge::witnessed ? 1 : 0;
    tally.open += found[t] == Edge::open ? 1 : 0;
  }
}

std::vector<std::vector<TokenId>> known_of_every_state(std::size_t V) {
  std::vector<std::vector<TokenId>> out;
  for (std::size_t n = 1; n <= SuffixBounds::kKnown; ++n) {
    std::vector<std::vector<TokenId>> next{{}};
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<std::vector<TokenId>> longer;
      for (const auto& x : next) {
        for (std::size_t t = 0; t < V; ++t) {
          longer.push_back(x);
          longer.back().emplace_back(t);
        }
      }
      next = longer;
    }
    out.insert(out.end(), next.begin(), next.end());
  }
  return out;
}

void check_free(const Transformer& model, const automata::SuffixOptions& options, Tally& tally) {
  const std::size_t V = model.config.d_vocab;
  const auto states = known_of_every_state(V);
  Truth truth(model);
  std::vector<TokenId> all;
  for (std::size_t t = 0; t < V; ++t) {
    all.emplace_back(t);
  }
  for (const char* words : kDecoders) {
    const SuffixBounds bounds(model, Emission::parse(words));
    std::vector<SuffixBounds::Query> queries;
    for (const auto& known : states) {
      queries.push_back({bounds.codes().encode(known), nullptr, nullptr});
    }
    std::vector<Edge> edges(queries.size() * V);
    const automata::SuffixWork work = bounds.decide(queries, options, edges);
    CHECK(work.states + work.exact == states.size());
    for (std::size_t i = 0; i < states.size(); ++i) {
      const std::size_t far = states[i].size() < SuffixBounds::kKnown ? 0 : bounds.far_positions();
      compare({edges.begin() + static_cast<std::ptrdiff_t>(i * V),
               edges.begin() + static_cast<std::ptrdiff_t>((i + 1) * V)},
              bounds.emission(), truth,
              contexts_of(states[i], far, std::vector<std::vector<TokenId>>(far, all), 0), true,
              tally);
    }
  }
}

}  // namespace

TEST_CASE("suffix bounds: no excluded edge is possible, every witnessed edge is real") {
  Tally tally;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const double far = seed % 3 == 0 ? 1.0 : (seed % 3 == 1 ? 0.1 : 0.01);
    const Transformer model =
        far_model(2 + seed % 4, 2 + seed % 4 + seed % 2, seed, far, seed % 4 >= 2);
    check_free(model, {.slope_steps = seed % 2 == 0 ? 0U : 6U, .attack = true}, tally);
  }
  CHECK(tally.contexts >= 20000);
  CHECK(tally.absent > 1000);
  CHECK(tally.witnessed > 1000);
  CHECK(tally.open > 0);
  CHECK(tally.open < tally.witnessed);
}

TEST_CASE("suffix bounds: older tokens in sets, some of them surely there") {
  Tally tally;
  Random random(4);
  for (std::uint64_t seed = 0; seed < 56; ++seed) {
    const std::size_t V = 3 + seed % 3, w = 5;
    const Transformer model = far_model(V, w, seed, seed % 2 == 0 ? 1.0 : 0.2, seed % 4 >= 2);
    Truth truth(model);
    const SuffixBounds bounds(model, Emission::parse(kDecoders[seed % std::size(kDecoders)]));
    for (int draw = 0; draw < 12; ++draw) {
      std::vector<TokenId> known;
      for (int i = 0; i < 3; ++i) {
        known.emplace_back(random.below(V));
      }
      std::vector<std::uint64_t> bits(bounds.far_positions());
      std::vector<std::vector<TokenId>> sets(bits.size());
      for (std::size_t j = 0; j < bits.size(); ++j) {
        bits[j] = 1 + random.below((1U << V) - 1);
        for (std::size_t t = 0; t < V; ++t) {
          if (((bits[j] >> t) & 1U) != 0) {
            sets[j].emplace_back(t);
          }
        }
      }
      const FarTokens far{bits, static_cast<std::uint32_t>(random.below(bits.size() + 1))};
      std::vector<Edge> before(V, Edge::open), edges(V);
      before[0] = Edge::witnessed;
      const SuffixBounds::Query query{bounds.codes().encode(known), &far, before.data()};
      (void)bounds.decide(std::span(&query, 1), {.slope_steps = 6, .attack = false}, edges);
      compare(edges, bounds.emission(), truth, contexts_of(known, bits.size(), sets, far.surely),
              false, tally);
    }
  }
  CHECK(tally.absent > 200);
}

TEST_CASE("suffix bounds: an error that cannot be bounded excludes nothing") {
  Transformer steep = far_model(4, 5, 1, 1.0, false);
  for (float& x : steep.W_K.data) {
    x *= 1e6F;
  }
  Transformer broken = far_model(4, 5, 1, 1.0, true);
  broken.W_in.data[3] = std::nanf("");
  for (const Transformer* model : {&steep, &broken}) {
    const SuffixBounds bounds(*model, Emission::parse("greedy"));
    CHECK_FALSE(std::isfinite(bounds.radius()));
    const std::vector<TokenId> known{TokenId(0U), TokenId(1U), TokenId(2U)};
    const SuffixBounds::Query query{bounds.codes().encode(known), nullptr, nullptr};
    std::vector<Edge> edges(4);
    (void)bounds.decide(std::span(&query, 1), {}, edges);
    CHECK(std::count(edges.begin(), edges.end(), Edge::absent) == 0);
  }
}

TEST_CASE("suffix bounds: decoders that exclude nothing by bounds are refused") {
  const Transformer model = test::random_model(4, 5);
  CHECK_THROWS_AS(SuffixBounds(model, Emission::parse("plain")), UsageError);
}
