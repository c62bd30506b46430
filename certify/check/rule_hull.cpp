#include <algorithm>
#include <map>

#include "reject.hpp"
#include "target.hpp"

namespace assay_check {

/// The places that every context fills, with one token alone, are fixed. A vertex has one token in all the others; the
/// first one, where a context may lack them all, has none. With at most one other place each vertex is a context.
struct ReadyCase::Vertices {
  /// A token and the row of its position among the values, which is there with positions `standard` alone.
  struct Place {
    std::uint32_t token = 0;
    std::size_t row = 0;
  };
  std::vector<Place> fixed, free;
  bool has_bare = false, are_contexts = false;
  /// What the fixed have of their own weight, and each vertex's token of all weight, to the nearest; `off`: how much
  /// their errors and the roundings of a value at a vertex move it at most, in units of the largest value.
  struct Head {
    std::vector<double> fixed, token;
    double off = 0;
  };
  std::vector<Head> heads;
};

/// z_j at every vertex of a case: mid[j][v] + rest[j].
struct HullTable {
  std::shared_ptr<const ReadyCase::Vertices> vertices;
  std::vector<ReadyCase::AtVertices> neurons;
};

// Without positions in keys or scores a token has one weight and one value wherever it stands; with them the rule wants
// at most one free place.
std::shared_ptr<const ReadyCase::Vertices> ReadyCase::vertices(std::size_t at,
                                                               std::size_t i) const {
  const auto out = std::make_shared<Vertices>();
  std::map<std::uint32_t, Interval> weight;
  std::vector<std::size_t> fixed, free;
  const auto row = [&](std::size_t j) {
    return attention_.net().d_vocab + heads_[0].slots[slot_of_[j]].position;
  };
  for (std::size_t j = 0; j < most_; ++j) {
    const TokenSet& set = *heads_[0].slots[slot_of_[j]].set;
    const bool is_fixed = j < fewest_ && (set.size() == 1 || j == at);
    (is_fixed ? fixed : free).push_back(j);
    out->has_bare = out->has_bare || j >= fewest_;
    if (is_fixed) {
      out->fixed.push_back({set[j == at ? i : 0], row(j)});
      continue;
    }
    for (const std::uint32_t u : set) {
      static_cast<void>(weight[u]);
    }
  }
  out->has_bare = out->has_bare || free.empty();
  out->are_contexts = free.size() <= 1;
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    Vertices::Head& shares = out->heads.emplace_back();
    Interval n, F;
    std::vector<Interval> share;
    for (const std::size_t j : fixed) {
      share.push_back(weights(h, j)[j == at ? i : 0] * attention_.bias_weight(h, j));
      n = n + share.back();
    }
    shares.off = 2 * sum_error_factor(fixed.size()) + static_cast<double>(heads_.size()) * 0x1p-50;
    for (const Interval& w : share) {
      const Interval of = w / n;
      shares.fixed.push_back(of.lo());
      shares.off += of.hi() - of.lo();
    }
    for (const std::size_t j : free) {
      const TokenSet& set = *heads_[h].slots[slot_of_[j]].set;
      const std::vector<Interval> w = weights(h, j);
      for (std::size_t k = 0; k < set.size(); ++k) {
        weight[set[k]] = w[k];
      }
      F = F + attention_.bias_weight(h, j);
    }
    double widest = 0;
    for (const auto& [u, w] : weight) {
      const Interval of = F * w / (n + F * w);
      shares.token.push_back(of.lo());
      widest = std::max(widest, of.hi() - of.lo());
    }
    shares.off = enlarge(shares.off + 2 * widest);
  }
  for (const auto& entry : weight) {
    out->free.push_back({entry.first, row(free.front())});
  }
  return out;
}

// At a vertex a head gives near + share (ν(u) − near); in any context a mean of these over the vertices. `head`: the one
// at vertex v; as many as there are: all of them.
ReadyCase::AtVertices ReadyCase::at_vertices(const Vertices& all, std::size_t head,
                                             std::span<const Interval> g,
                                             const Projection& projection) const {
  AtVertices out{std::vector<double>(all.free.size() + (all.has_bare ? 1 : 0), 0.0), base(g)};
  const bool has_rows = attention_.net().standard();
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    const Dots& nu = projection[h];
    const Vertices::Head& shares = all.heads[h];
    double near = 0, error = 0;
    const auto at = [&](const Vertices::Place& p) {
      error = std::max(error, nu.error[p.token] + (has_rows ? nu.error[p.row] : 0));
      return nu.value[p.token] + (has_rows ? nu.value[p.row] : 0);
    };
    for (std::size_t i = 0; i < all.fixed.size(); ++i) {
      near += shares.fixed[i] * at(all.fixed[i]);
    }
    std::vector<double> value(all.has_bare ? 1 : 0, near);
    for (std::size_t i = 0; i < all.free.size(); ++i) {
      value.push_back(near + shares.token[i] * (at(all.free[i]) - near));
    }
    const double radius = enlarge(error + shares.off * (has_rows ? 2 : 1) * nu.largest);
    out.rest = out.rest + nu.offset + Interval(-radius, radius);
    if (h == head || head == heads_.size()) {
      for (std::size_t v = 0; v < value.size(); ++v) {
        out.mid[v] += value[v];
      }
    } else {
      const auto [least, most] = std::minmax_element(value.begin(), value.end());
      out.rest = out.rest + Interval(*least, *most);
    }
  }
  return out;
}

namespace {

constexpr std::size_t kNowhere = SIZE_MAX;

/// Where place `at` has the i-th token of its set; kNowhere: no such place.
std::shared_ptr<const HullTable> table_at(Session& session, const ReadyCase& ready,
                                          std::size_t head, std::size_t at, std::size_t i) {
  Facts& facts = session.facts();
  const auto made = std::make_shared<HullTable>(HullTable{ready.vertices(at, i), {}});
  for (std::size_t j = 0; j < session.attention().net().d_mlp; ++j) {
    made->neurons.push_back(ready.at_vertices(*made->vertices, head, facts.neuron_direction(j),
                                              *facts.neuron_projection(j)));
    made->neurons[j].rest = made->neurons[j].rest + facts.neuron_offset(j);
  }
  return made;
}

/// That of the last step when the case and the head are the same.
std::shared_ptr<const HullTable> table_of(Session& session, const ReadyCase& ready,
                                          const std::string& case_id, std::size_t head) {
  auto& last = session.facts().hull;
  const std::string key = case_id + " " + std::to_string(head);
  if (last.first != key) {
    last = {key, table_at(session, ready, head, kNowhere, 0)};
  }
  return last.second;
}

/// 1 where z_j is more above 0 than below it, else 0.
double either(const ReadyCase::AtVertices& z) {
  const auto [least, most] = std::minmax_element(z.mid.begin(), z.mid.end());
  return *most + z.rest.hi() > -(*least + z.rest.lo()) ? 1 : 0;
}

/// The largest bracket over the vertices; `words`: the slopes, or null, then `either`.
double largest(Session& session, const Step& step, const ReadyCase& ready, const HullTable& table,
               std::size_t head, const Target& target, WordReader* words) {
  const ReadyCase::AtVertices start =
      ready.at_vertices(*table.vertices, head, target.g0, session.attention().project(target.g0));
  std::vector<double> sum;
  for (const double mid : start.mid) {
    sum.push_back((target.const0 + start.rest + Interval(mid)).hi());
  }
  for (std::size_t j = 0; j < table.neurons.size(); ++j) {
    const ReadyCase::AtVertices& z = table.neurons[j];
    const double a = words != nullptr ? words->number() : either(z);
    if (!(a >= 0 && a <= 1)) {
      refuse(step, "slope " + std::to_string(j) + " is outside [0, 1]");
    }
    const Interval& kappa = target.kappa[j];
    const Interval line = kappa * Interval(a);
    const bool is_flat = kappa.is_zero() || (kappa.hi() <= 0 && a == 0);
    for (std::size_t v = 0; v < sum.size() && !is_flat; ++v) {
      const Interval at = z.rest + Interval(z.mid[v]);
      sum[v] = sum_up(sum[v], kappa.hi() > 0 ? product_up(kappa.hi(), positive_part(at).hi())
                                             : (line * at).hi());
    }
  }
  double out = sum[0];
  for (const double value : sum) {
    out = std::max(out, Interval(value).hi());  // refuses overflow
  }
  return out;
}

}  // namespace

// HULL on a ready case: relu, no LayerNorm; `*`: any positions, at most one place free; else none but a relative bias
//   v: the vertices; <g, v>, z_j(v): all values of <g, m>, z_j where head h is at v and the others at any vertex, or (`*`) all are at v
//   a_j in [0,1]      U = max_v [ const0 + <g0, v> + Σ_{κ_j > 0} κ_j relu(z_j(v)) + Σ_{κ_j <= 0} κ_j a_j z_j(v) ]
//   ------------------------------------------------------------------------------------------------------
//   const0 + <g0, m> + Σ_j κ_j relu(z_j) <= U
// EACH J, J a place of every context: U is the largest over the tokens of B_J, each there in its turn, with a_j 0 or 1
void rule_hull(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  if (net.normalised || net.attn_only() || net.act != ActKind::relu) {
    refuse(step, "expected relu neurons and no LayerNorm");
  }
  BoundFact fact = read_subject(session, step, 0);
  const Target target = claim_target(session, step, *fact.claim, fact.high);
  WordReader words(step, step.words);
  words.expect("H");
  const bool is_one = !words.next_is("*");
  if (is_one && (net.standard() || net.positions == PositionKind::rotary)) {
    refuse(step, "expected no positions but a relative bias, where one head moves");
  }
  const std::size_t head = is_one ? words.index(net.n_heads, "a head") : net.n_heads;
  if (!is_one) {
    words.expect("*");
  }
  const auto ready = session.facts().ready(step, fact.case_id);
  if (is_one && words.next_is("EACH")) {
    words.expect("EACH");
    const std::size_t at = words.index(ready->fewest_keys(), "a place of every context");
    const auto& set = session.facts().find_case(step, fact.case_id).set(at);
    for (std::size_t i = 0; i < set->size(); ++i) {
      const auto table = table_at(session, *ready, head, at, i);
      const double U = largest(session, step, *ready, *table, head, target, nullptr);
      fact.bound = i == 0 ? U : std::max(fact.bound, U);
    }
  } else {
    words.expect("S");
    const auto table = table_of(session, *ready, fact.case_id, head);
    if (!is_one && !table->vertices->are_contexts) {
      refuse(step, "more than one position is free");
    }
    fact.bound = largest(session, step, *ready, *table, head, target, &words);
  }
  words.end();
  session.facts().add(step, fact);
}

}  // namespace assay_check
