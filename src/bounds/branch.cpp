#include "branch.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <queue>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "climb.hpp"
#include "dominant_split.hpp"
#include "split_choice.hpp"
#include "text_starts.hpp"

namespace assay::bounds {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::size_t kRootSteps = 64;  // of the slopes' descent
constexpr std::size_t kSteps = 16;
constexpr std::size_t kRowsANode = 128;  // enumerated contexts that cost one node
constexpr std::size_t kMostCases = std::size_t{1} << 20;

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
        choice_(domain, target, true),
        start_(std::chrono::steady_clock::now()) {
    result_.attained = -kInf;
  }

  BranchResult run() {
    add(domain_.root(), {}, std::nullopt);
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
    last_resort();
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
  std::size_t add(Box box, std::vector<NeuronPart> neurons, std::optional<std::size_t> parent) {
    if (result_.tree.size() > kMostCases) {
      throw InputError("request", "tokens", "fewer than 2^20 (query token, length) cases", "more");
    }
    const std::size_t at = result_.tree.size();
    result_.tree.push_back({std::move(box), std::move(neurons), std::nullopt, kInf, {}, {}});
    if (!domain_.is_ready(result_.tree[at].box)) {
      divide(at, choice_.by_readiness(result_.tree[at].box));
      return at;
    }
    ++result_.nodes;
    const auto above =
        parent && result_.tree[*parent].bound ? domain_.work(result_.tree[*parent].box) : nullptr;
    const auto work = domain_.work(result_.tree[at].box, above);
    CaseBound bound = bound_case(*work, target_, result_.tree[at].neurons,
                                 {at < 2 ? kRootSteps : kSteps, nullptr});
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

  /// The open cases with the largest bounds, each once, their numbers found by the linear solver.
  void last_resort() {
    for (std::size_t n = 0; n < options_.solver_cases && options_.solver && !queue_.empty(); ++n) {
      const auto [hi, at] = queue_.top();
      if (is_closed(hi) || hi <= floor_ || is_solved_.count(at) != 0 || result_.stopped) {
        break;
      }
      queue_.pop();
      is_solved_.insert(at);
      BranchNode& node = result_.tree[at];
      CaseBound bound =
          bound_case(*domain_.work(node.box), target_, node.neurons, {kSteps, &options_.solver});
      if (bound.hi < node.hi) {
        node.hi = bound.hi;
        node.bound = std::move(bound);
      }
      queue_.emplace(node.hi, at);
    }
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
    Split split = choice_.choose(result_.tree[at], result_.attained,
                                 budget_ - std::min(budget_, result_.nodes));
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

  /// The children cover the case: token sets B_j, lengths, or the signs of a neuron.
  void divide(std::size_t at, const Split& split) {
    if (split.by == Split::By::dominant) {
      return divide_by_position(at, split);
    }
    const Box box = result_.tree[at].box;
    const std::vector<NeuronPart> neurons = result_.tree[at].neurons;
    const auto add_child = [&](Box part, std::vector<NeuronPart> signs) {
      const std::size_t child = add(std::move(part), std::move(signs), at);
      result_.tree[at].children.push_back(child);
    };
    result_.tree[at].split = split;
    if (split.by == Split::By::neuron) {
      for (const int sign : {1, -1}) {
        std::vector<NeuronPart> signs = neurons;
        signs.push_back({split.neuron, sign});
        add_child(box, std::move(signs));
      }
    } else if (split.by == Split::By::token) {
      for (const TokenSet& set : split.sets) {
        Box part = box;
        part.back[split.slot] = domain_.intern(set);
        add_child(std::move(part), neurons);
      }
    } else if (net_.absolute) {
      for (std::size_t n = box.min_length; n <= box.max_length; ++n) {
        add_child(with_lengths(box, n, n), neurons);
      }
    } else {
      add_child(with_lengths(box, box.min_length, split.slot), neurons);
      add_child(with_lengths(box, split.slot + 1, box.max_length), neurons);
    }
  }

  /// A chain: the part of each position, and the rest at the next one.
  void divide_by_position(std::size_t at, const Split& split) {
    const std::size_t whole = at;
    for (std::size_t i = 0; i < split.slots.size(); ++i) {
      const std::size_t slot = split.slots[i];
      const Box box = result_.tree[at].box;
      const TokenSet rest = others(*box.back[slot], split.sets[i]);
      result_.tree[at].split = {Split::By::token, slot, {split.sets[i], rest}, 0, {}};
      Box part = box;
      part.back[slot] = domain_.intern(split.sets[i]);
      const std::size_t first = add(part, result_.tree[at].neurons, whole);
      part.back[slot] = domain_.intern(rest);
      std::size_t second = result_.tree.size();
      if (i + 1 == split.slots.size()) {
        second = add(std::move(part), result_.tree[at].neurons, whole);
      } else {
        result_.tree.push_back(
            {std::move(part), result_.tree[at].neurons, std::nullopt, kInf, {}, {}});
      }
      result_.tree[at].children = {first, second};
      at = second;
    }
  }

  [[nodiscard]] Box with_lengths(Box box, std::size_t lo, std::size_t hi) const {
    box.min_length = lo;
    box.max_length = hi;
    box.back.resize(net_.keys(hi));
    return box;
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
  SplitChoice choice_;
  std::chrono::steady_clock::time_point start_;
  BranchResult result_;
  std::priority_queue<std::pair<double, std::size_t>> queue_;
  double floor_ = -kInf;  ///< the largest bound of a case that is finished
  Box best_box_;
  std::vector<TokenId> best_back_;
  bool is_climbed_ = false;
  std::set<std::size_t> is_solved_;
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
