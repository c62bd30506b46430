#include "branch.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <queue>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "climb.hpp"
#include "text_starts.hpp"

namespace assay::bounds {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::size_t kRootSteps = 64;  // of the slopes' descent
constexpr std::size_t kSteps = 16;
constexpr std::size_t kRowsANode = 128;  // enumerated contexts that cost one node
constexpr std::size_t kMostWorks = 1024;
constexpr std::size_t kMostRows = std::size_t{1} << 18;
constexpr std::size_t kMostCases = std::size_t{1} << 20;

TokenSet single(TokenId t) {
  return {t};
}

}  // namespace

SetRef DomainWork::intern(const TokenSet& set) {
  SetRef& ref = sets_[set];
  if (!ref) {
    ref = std::make_shared<const TokenSet>(set);
  }
  return ref;
}

Box DomainWork::root() {
  Box box = root_box(places_.net(), places_.domain());
  for (SetRef& set : box.back) {
    set = intern(*set);
  }
  return box;
}

bool DomainWork::is_ready(const Box& box) const {
  return box.back[0]->size() == 1 && (!places_.net().absolute || box.min_length == box.max_length);
}

DomainWork::Key DomainWork::key(const Box& box) {
  Key key{box.min_length, box.max_length};
  for (const SetRef& set : box.back) {
    key.push_back(reinterpret_cast<std::uintptr_t>(set.get()));
  }
  return key;
}

std::shared_ptr<const QueryWeights> DomainWork::query(const Box& box) {
  const std::size_t length = places_.net().absolute ? box.min_length : 0;
  auto& query = queries_[{box.back[0]->front().value, length}];
  if (!query) {
    query = std::make_shared<const QueryWeights>(places_, box.back[0]->front(), length);
  }
  return query;
}

std::shared_ptr<CaseWork> DomainWork::work(const Box& box) {
  if (works_.size() >= kMostWorks) {
    works_.clear();
  }
  std::shared_ptr<CaseWork>& work = works_[key(box)];
  if (!work) {
    work = std::make_shared<CaseWork>(ReadyCase(query(box), box));
  }
  return work;
}

std::shared_ptr<Enumeration> DomainWork::enumeration(const Box& box) {
  const auto found = enumerations_.find(key(box));
  if (found != enumerations_.end()) {
    return found->second;
  }
  auto made = Enumeration::make(work(box)->ready());
  auto shared = made ? std::make_shared<Enumeration>(std::move(*made)) : nullptr;
  enumerated_rows_ += shared ? shared->size() : 1;
  if (enumerated_rows_ > kMostRows) {
    enumerations_.clear();
    enumerated_rows_ = shared ? shared->size() : 1;
  }
  enumerations_[key(box)] = shared;
  return shared;
}

namespace {

/// The search on one side of one quantity.
class Search {
 public:
  Search(DomainWork& domain, const Target& target, const BoundOptions& options, std::size_t budget)
      : domain_(domain),
        net_(domain.places().net()),
        target_(target),
        options_(options),
        budget_(budget),
        coordinate_(domain.places(), target),
        start_(std::chrono::steady_clock::now()) {
    result_.attained = -kInf;
  }

  BranchResult run() {
    add(domain_.root());
    climb();
    climb_text();
    while (!queue_.empty() && !result_.closed && !result_.stopped) {
      const std::size_t top = queue_.top().second;
      const double hi = std::max(queue_.top().first, floor_);
      if (options_.decide && (hi < 0 || result_.attained >= 0)) {
        break;
      }
      if (is_closed(hi)) {
        climb();
        result_.closed = is_closed(hi);
        break;
      }
      if (floor_ >= queue_.top().first || result_.nodes >= budget_) {
        result_.exhausted = floor_ >= queue_.top().first;
        break;
      }
      queue_.pop();
      refine(top);
      check_stop();
    }
    climb();
    result_.exhausted = result_.exhausted || queue_.empty();
    result_.hi = proved_hi(result_.tree, 0);
    result_.closed = is_closed(result_.hi);
    result_.context = whole(best_box_, best_back_);
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool is_closed(double hi) const {
    return hi - result_.attained <= 1e-7 * (1 + std::fabs(result_.attained));
  }

  void check_stop() {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
    result_.stopped = interrupted() || (options_.seconds > 0 && spent.count() > options_.seconds);
    if (options_.progress) {
      options_.progress(std::min(result_.nodes, budget_), budget_);
    }
  }

  /// Bounds a case and queues it; divides one that is not ready.
  std::size_t add(Box box) {
    if (result_.tree.size() > kMostCases) {
      throw InputError("request", "tokens", "fewer than 2^20 (query token, length) cases", "more");
    }
    const std::size_t at = result_.tree.size();
    result_.tree.push_back({std::move(box), std::nullopt, kInf, {}, {}});
    if (!domain_.is_ready(result_.tree[at].box)) {
      divide(at, by_readiness(result_.tree[at].box));
      return at;
    }
    ++result_.nodes;
    const auto work = domain_.work(result_.tree[at].box);
    CaseBound bound = bound_case(*work, target_, at < 2 ? kRootSteps : kSteps);
    require(!std::isnan(bound.hi), "bound_case: not a number");
    if (!std::isfinite(bound.hi)) {
      throw InputError("request", "quantity", "values that a double can hold", "overflow");
    }
    try_maximisers(work->ready(), bound);
    result_.tree[at].hi = bound.hi;
    result_.tree[at].bound = std::move(bound);
    queue_.emplace(result_.tree[at].hi, at);
    return at;
  }

  [[nodiscard]] Split by_readiness(const Box& box) const {
    return {net_.absolute && box.min_length < box.max_length ? Split::By::length : Split::By::token,
            0};
  }

  /// Values of the contexts that the heads would choose.
  void try_maximisers(const ReadyCase& ready, const CaseBound& bound) {
    for (const CaseMaximum& m : bound.maxima) {
      if (!m.back.empty()) {
        offer(ready, m.back);
      }
    }
  }

  double value(const ReadyCase& ready, const std::vector<TokenId>& back) const {
    return nearest_values(
               net_, target_,
               nearest_mid(ready, std::vector<const std::vector<TokenId>*>(net_.heads, &back)))
        .front();
  }

  bool offer(const ReadyCase& ready, const std::vector<TokenId>& back) {
    const double v = value(ready, back);
    if (!(v > result_.attained)) {
      return false;
    }
    result_.attained = v;
    best_box_ = ready.box();
    best_back_ = back;
    is_climbed_ = false;
    return true;
  }

  /// Coordinate ascent from the best context, within the whole domain.
  void climb() {
    if (best_back_.empty() || is_climbed_) {
      return;
    }
    Context best{best_box_, best_back_, result_.attained};
    if (bounds::climb(domain_, target_, coordinate_, best)) {
      take(best);
    }
    is_climbed_ = true;
  }

  void climb_text() {
    if (options_.text != nullptr && !options_.text->contexts.empty()) {
      const Context best = climb_from_text(domain_, target_, coordinate_, *options_.text).front();
      if (best.value > result_.attained) {
        if (!best_back_.empty()) {
          result_.before_text = whole(best_box_, best_back_);
        }
        take(best);
      }
    }
  }

  void take(const Context& context) {
    result_.attained = context.value;
    best_box_ = context.box;
    best_back_ = context.back;
  }

  /// Enumerates a case or divides it.
  void refine(std::size_t at) {
    const std::uint64_t contexts = result_.tree[at].box.contexts(net_);
    const std::uint64_t cost = (contexts + kRowsANode - 1) / kRowsANode;
    if (contexts <= options_.enumerate && result_.nodes + cost <= budget_) {
      if (const auto all = domain_.enumeration(result_.tree[at].box)) {
        return take_enumeration(at, *all, cost);
      }
    }
    const Split split = choose(at);
    if (split.by == Split::By::none) {
      floor_ = std::max(floor_, result_.tree[at].hi);  // one context: nothing left to divide
      return;
    }
    result_.was_split = true;
    divide(at, split);
  }

  void take_enumeration(std::size_t at, Enumeration& all, std::uint64_t cost) {
    const Enumeration::Best best = all.best(net_, target_);
    result_.nodes += cost;
    result_.enumerated = true;
    offer(domain_.work(result_.tree[at].box)->ready(), best.back);
    is_climbed_ = true;
    BranchNode& node = result_.tree[at];
    if (best.hi < node.hi) {
      node.hi = best.hi;
      node.bound = CaseBound{};
      node.bound->rule = CaseRule::enumeration;
      node.bound->hi = best.hi;
    }
    floor_ = std::max(floor_, node.hi);
  }

  /// The children cover the case: token sets B_j, or lengths, in two or more parts.
  void divide(std::size_t at, const Split& split) {
    const Box box = result_.tree[at].box;
    result_.tree[at].split = split;
    std::vector<Box> parts;
    if (split.by == Split::By::length) {
      if (net_.absolute) {
        for (std::size_t n = box.min_length; n <= box.max_length; ++n) {
          parts.push_back(with_lengths(box, n, n));
        }
      } else {
        parts.push_back(with_lengths(box, box.min_length, split.slot));
        parts.push_back(with_lengths(box, split.slot + 1, box.max_length));
      }
    } else {
      for (const TokenSet& set : split_sets(at, split.slot)) {
        parts.push_back(box);
        parts.back().back[split.slot] = domain_.intern(set);
      }
    }
    for (Box& part : parts) {
      const std::size_t child = add(std::move(part));
      result_.tree[at].children.push_back(child);
    }
  }

  [[nodiscard]] Box with_lengths(Box box, std::size_t lo, std::size_t hi) const {
    box.min_length = lo;
    box.max_length = hi;
    box.back.resize(net_.keys(hi));
    return box;
  }

  /// t_h(e) = w(ν − L_h)/D_h: what head h gains, to first order, from entry e at the slot.
  [[nodiscard]] Rows gains(const ReadyCase& ready, const CaseBound& bound,
                           const std::vector<Row>& nu, const std::vector<double>& mass,
                           std::size_t slot) const {
    const ReadyCase::Group& group = ready.group(slot);
    Rows t(index(net_.heads), index(group.rows.size()));
    for (std::size_t h = 0; h < net_.heads; ++h) {
      const double factor = ready.slot_factor(slot, h) / mass[h];
      for (std::size_t e = 0; e < group.rows.size(); ++e) {
        t(index(h), index(e)) =
            factor * group.mid[h][e] * (nu[h](group.rows[e]) - bound.maxima[h].L);
      }
    }
    return t;
  }

  /// The slot where the heads disagree most, or else where the choice matters most.
  Split choose(std::size_t at) {
    const BranchNode& node = result_.tree[at];
    const ReadyCase& ready = domain_.work(node.box)->ready();
    prepare(ready, *node.bound);
    double best_gap = 0;
    double best_spread = 0;
    std::optional<std::size_t> by_gap;
    std::optional<std::size_t> by_spread;
    for (std::size_t j = 1; j < ready.most_keys(); ++j) {
      if (ready.group(j).rows.size() < 2 && j < ready.fewest_keys()) {
        continue;
      }
      const Rows t = gains(ready, *node.bound, nu_, mass_, j);
      const Row together = t.colwise().sum();
      const bool optional = j >= ready.fewest_keys();  // a short context has no token here
      const Row alone = optional ? Row(t.rowwise().maxCoeff().transpose().cwiseMax(0.0))
                                 : Row(t.rowwise().maxCoeff().transpose());
      const double best = optional ? std::max(together.maxCoeff(), 0.0) : together.maxCoeff();
      const double gap = alone.sum() - best;
      const double spread =
          together.maxCoeff() - together.minCoeff() + together.cwiseAbs().maxCoeff();
      if (gap > best_gap) {
        best_gap = gap;
        by_gap = j;
      }
      if (spread > best_spread || !by_spread) {
        best_spread = spread;
        by_spread = j;
      }
    }
    const bool disagree = by_gap && best_gap > 1e-9 * (1 + std::fabs(node.hi));
    const std::optional<std::size_t> slot = disagree ? by_gap : by_spread;
    if (!slot) {
      return {};
    }
    return *slot < node.box.min_length ? Split{Split::By::token, *slot}
                                       : Split{Split::By::length, *slot};
  }

  /// nu of every head along the node's direction, and the mass at its maximiser.
  void prepare(const ReadyCase& ready, const CaseBound& bound) {
    nu_.clear();
    mass_.clear();
    for (std::size_t h = 0; h < net_.heads; ++h) {
      const Row gO = (net_.W_O[h].mid * bound.direction.transpose()).transpose();
      nu_.push_back((domain_.places().values(h).mid * gO.transpose()).transpose());
      double mass = 0;
      const std::vector<TokenId>& back = bound.maxima[h].back;
      for (std::size_t j = 0; j < back.size(); ++j) {
        const ReadyCase::Group& group = ready.group(j);
        const auto e = static_cast<std::size_t>(
            std::lower_bound(group.tokens.begin(), group.tokens.end(), back[j]) -
            group.tokens.begin());
        mass += ready.slot_factor(j, h) * group.mid[h][e];
      }
      mass_.push_back(mass > 0 ? mass : 1);
    }
  }

  /// Query sets token by token; others in two halves along the heads' main disagreement.
  std::vector<TokenSet> split_sets(std::size_t at, std::size_t slot) {
    const TokenSet& set = *result_.tree[at].box.back[slot];
    std::vector<TokenSet> parts;
    if (slot == 0) {
      for (const TokenId t : set) {
        parts.push_back(single(t));
      }
      return parts;
    }
    const ReadyCase& ready = domain_.work(result_.tree[at].box)->ready();
    Rows t = gains(ready, *result_.tree[at].bound, nu_, mass_, slot);
    t.colwise() -= Eigen::VectorXd(t.rowwise().mean());
    // The first principal direction of the gains, by a few power steps.
    Eigen::VectorXd axis = Eigen::VectorXd::LinSpaced(t.rows(), 1.0, 2.0);
    for (int step = 0; step < 20; ++step) {
      const Eigen::VectorXd next = t * (t.transpose() * axis);
      const double norm = next.norm();
      if (!(norm > 1e-300)) {
        break;
      }
      axis = next / norm;
    }
    const Row score = (t.transpose() * axis).transpose();
    std::vector<std::size_t> order(set.size());
    for (std::size_t e = 0; e < order.size(); ++e) {
      order[e] = e;
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return score(index(a)) < score(index(b));
    });
    const std::size_t half = set.size() / 2;
    parts.resize(2);
    for (std::size_t e = 0; e < order.size(); ++e) {
      parts[e < half ? 0 : 1].push_back(set[order[e]]);
    }
    for (TokenSet& part : parts) {
      std::sort(part.begin(), part.end());
    }
    return parts;
  }

  /// A whole context with these keys in view, oldest first.
  [[nodiscard]] std::vector<TokenId> whole(const Box& box, const std::vector<TokenId>& back) const {
    std::vector<TokenId> context;
    const Domain& domain = domain_.places().domain();
    const std::size_t n = net_.absolute ? box.max_length : std::max(back.size(), domain.min_length);
    for (std::size_t j = n; j-- > 0;) {
      context.push_back(j < back.size() ? back[j] : domain.back(j).front());
    }
    return context;
  }

  DomainWork& domain_;
  const Network& net_;
  const Target& target_;
  const BoundOptions& options_;
  std::size_t budget_;
  Coordinate coordinate_;
  std::chrono::steady_clock::time_point start_;
  BranchResult result_;
  std::priority_queue<std::pair<double, std::size_t>> queue_;
  double floor_ = -kInf;  ///< the largest bound of a case that is finished
  Box best_box_;
  std::vector<TokenId> best_back_;
  bool is_climbed_ = false;
  std::vector<Row> nu_;
  std::vector<double> mass_;
};

}  // namespace

double proved_hi(const std::vector<BranchNode>& tree, std::size_t node) {
  const BranchNode& at = tree[node];
  if (at.children.empty()) {
    return at.hi;
  }
  double hi = -kInf;
  for (const std::size_t child : at.children) {
    hi = std::max(hi, proved_hi(tree, child));
  }
  return std::min(at.hi, hi);
}

BranchResult branch(DomainWork& domain, const Target& target, const BoundOptions& options,
                    std::size_t budget) {
  return Search(domain, target, options, budget).run();
}

}  // namespace assay::bounds
