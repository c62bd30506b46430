#include "proof_pass.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

#include "../src/bounds/activation.hpp"
#include "assay/base/errors.hpp"

namespace assay::bench {

using namespace bounds;

namespace {

constexpr double kAbove = std::numeric_limits<double>::infinity();

Interval entry(const Ball& all, std::size_t row, std::size_t column) {
  return all.radius(index(row), index(column)) == 0 ? Interval(all.mid(index(row), index(column)))
                                                    : all.at(index(row), index(column));
}

std::vector<Ball> negative(std::vector<Ball> nu) {
  for (Ball& ball : nu) {
    ball.mid = -ball.mid;
  }
  return nu;
}

}  // namespace

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

ProofPass::ProofPass(const Transformer& model, const Sae* sae)
    : model_(model), sae_(sae), net_(model) {
  const double start = cpu_seconds();
  const Network again(model);  // the pass's own share of what net_ is
  seconds += cpu_seconds() - start;
}

ProofPass::Works& ProofPass::works(const Domain& domain) {
  Works& works = works_[domain];
  if (works.own == nullptr) {
    works.found = std::make_unique<DomainWork>(net_, domain);
    const double start = cpu_seconds();
    works.own = std::make_unique<DomainWork>(net_, domain);
    seconds += cpu_seconds() - start;
  }
  return works;
}

void ProofPass::prove(const Domain& domain, const Quantity& quantity, const BoundResult& result) {
  require(result.proof != nullptr, "proof pass: a result without its proof");
  const Target target = make_target(net_, sae_, quantity);
  if (target.kind != Target::Kind::folded || (net_.norm && target.uses_mlp())) {
    throw InputError("proof pass: LayerNorm before the MLP is not measured");
  }
  Works& w = works(domain);
  side(w, result.proof->hi, 0, target);
  side(w, result.proof->lo, 0, negated(target));
}

/// The leaves that the certificate names: a node's own bound where its children prove no better.
void ProofPass::side(Works& works, const std::vector<BranchNode>& tree, std::size_t at,
                     const Target& target) {
  const BranchNode& node = tree[at];
  double below = -kAbove;
  for (const std::size_t child : node.children) {
    below = std::max(below, proved_hi(tree, child));
  }
  if (node.bound && (node.children.empty() || node.hi <= below)) {
    leaf(works, node, target);
    return;
  }
  for (const std::size_t child : node.children) {
    side(works, tree, child, target);
  }
}

double ProofPass::heads(CaseWork& work, const std::vector<Ball>& nu, const HeadNumbers& numbers) {
  if (!numbers.theta.empty()) {
    require(work.joint() != nullptr, "proof pass: joint numbers of a case without a joint bound");
    return work.joint()->proved(nu, numbers);
  }
  Interval sum(0.0);
  for (std::size_t h = 0; h < nu.size(); ++h) {
    if (!work.ready().holds(h, nu[h].mid.data(), nu[h].radius.data(), numbers.L[h])) {
      return kAbove;
    }
    sum += Interval(numbers.L[h]);
  }
  return sum.hi;
}

/// Stable neurons need no number of their own: their part of the range is still proved.
const std::vector<Interval>& ProofPass::neuron_ranges(Works& works, const BranchNode& node,
                                                      const std::shared_ptr<CaseWork>& work) {
  const auto known = works.ranges.find(work);
  if (known != works.ranges.end()) {
    return known->second;
  }
  const auto search = works.found->work(node.box);
  const CaseNeurons& found = search->neurons();
  const double start = cpu_seconds();
  std::vector<Interval> out;
  for (std::size_t j = 0; j < net_.f; ++j) {
    std::vector<Interval> g(net_.d);
    for (std::size_t i = 0; i < net_.d; ++i) {
      g[i] = entry(net_.neuron_directions, i, j);
    }
    std::vector<Ball> nu;
    for (std::size_t h = 0; h < net_.heads; ++h) {
      nu.push_back(work->ready().places().along_neuron(h, j));
    }
    const Interval base = work->ready().base(g);
    const Interval hi = base + Interval(heads(*work, nu, found.U[j]));
    const Interval lo = base - Interval(heads(*work, negative(nu), found.D[j]));
    out.push_back(Interval(lo.lo, hi.hi) + entry(net_.neuron_offsets, 0, j));
    ++ranges;
  }
  seconds += cpu_seconds() - start;
  return works.ranges.emplace(work, std::move(out)).first->second;
}

void ProofPass::leaf(Works& works, const BranchNode& node, const Target& target) {
  const CaseBound& bound = *node.bound;
  if (bound.rule != CaseRule::linear && bound.rule != CaseRule::fold &&
      bound.rule != CaseRule::hull) {
    throw InputError("proof pass: a leaf that is neither LINEAR, FOLD nor HULL");
  }
  double start = cpu_seconds();
  const auto work = works.own->work(node.box);
  if (bound.rule == CaseRule::hull) {
    const double hi = work->vertices()->proved(target.fold, bound.slopes);
    seconds += cpu_seconds() - start;
    ++leaves;
    excess = std::max(excess, (hi - bound.hi) / (1 + std::fabs(bound.hi)));
    return;
  }
  const std::vector<Interval>* unclipped = nullptr;
  if (bound.rule == CaseRule::fold) {
    seconds += cpu_seconds() - start;
    unclipped = &neuron_ranges(works, node, work);
    start = cpu_seconds();
  }
  Interval sum = target.fold.const0;
  std::vector<Interval> G = target.fold.g0;
  const auto add = [&](std::size_t j, Interval c) {
    sum += c * entry(net_.neuron_offsets, 0, j);
    for (std::size_t i = 0; i < net_.d; ++i) {
      G[i] += c * entry(net_.neuron_directions, i, j);
    }
  };
  if (unclipped != nullptr) {
    const std::vector<Interval> z = clipped(*unclipped, node.neurons);
    for (std::size_t j = 0; j < net_.f; ++j) {
      const Interval kappa = target.fold.kappa[j];
      const Interval rest = kappa * residual_range(net_.act, z[j], bound.slopes[j]);
      sum += Interval(rest.hi);
      if (bound.slopes[j] != 0.0) {
        add(j, kappa * Interval(bound.slopes[j]));
      }
    }
    for (std::size_t p = 0; p < node.neurons.size(); ++p) {
      add(node.neurons[p].neuron, Interval(bound.mu[p] * node.neurons[p].sign));
    }
  }
  std::vector<Ball> nu;
  for (std::size_t h = 0; h < net_.heads; ++h) {
    nu.push_back(work->ready().places().along(h, to_direction(G)));
  }
  sum += work->ready().base(G) + Interval(heads(*work, nu, bound.heads));
  seconds += cpu_seconds() - start;
  ++leaves;
  excess = std::max(excess, (sum.hi - bound.hi) / (1 + std::fabs(bound.hi)));
}

}  // namespace assay::bench
