#include "firing_search.hpp"

#include <algorithm>
#include <limits>

#include "assay/base/progress.hpp"
#include "assay/model/forward.hpp"

namespace assay::bounds {
namespace {

/// How many of a topk encoder's features lie strictly on one side of feature I in every context.
class Comparison {
 public:
  Comparison(const Transformer& model, const Sae& sae, DomainWork& work, std::uint32_t feature,
             bool above, const BoundOptions& options)
      : model_(model),
        sae_(sae),
        work_(work),
        feature_(feature),
        above_(above),
        options_(options),
        lead_(sae.d_sae, std::numeric_limits<double>::infinity()) {
    options_.progress = nullptr;
    options_.decide = true;
  }

  /// A context of the domain: features that are not strictly on the side there are out.
  void see(const std::vector<TokenId>& context) {
    const std::string hooks[] = {sae_.hook_name};
    const Matrix x = forward(model_, context, hooks).hooks.at(sae_.hook_name);
    const auto row = x.row(x.rows - 1);
    const Matrix pre = pre_activations(sae_, {1, x.cols, {row.begin(), row.end()}});
    for (std::size_t y = 0; y < sae_.d_sae; ++y) {
      const double lead = pre.at(0, y) - pre.at(0, feature_);
      lead_[y] = std::min(lead_[y], above_ ? lead : -lead);
    }
  }

  /// True when `wanted` features are shown to be on the side; `others` then holds their trees.
  bool show(std::size_t wanted) {
    for (const std::size_t budget :
         {std::size_t{1}, std::max<std::size_t>(2, options_.nodes / 2)}) {
      std::vector<std::uint32_t> open;
      for (std::uint32_t y = 0; y < sae_.d_sae; ++y) {
        if (y != feature_ && !others.contains(y)) {
          open.push_back(y);
        }
      }
      std::stable_sort(open.begin(), open.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return lead_[a] > lead_[b]; });
      for (std::size_t i = 0; i < open.size() && others.size() < wanted; ++i) {
        const bool can = possible(open, i) + others.size() >= wanted;
        if (!can || interrupted()) {
          return false;
        }
        if (lead_[open[i]] > 0) {
          compare(open[i], budget);
        }
      }
      if (others.size() >= wanted) {
        return true;
      }
    }
    return false;
  }

  std::map<std::uint32_t, std::vector<BranchNode>> others;
  std::size_t compared = 0;

 private:
  /// Features from `from` on that no context has put on the other side yet.
  [[nodiscard]] std::size_t possible(const std::vector<std::uint32_t>& open,
                                     std::size_t from) const {
    return static_cast<std::size_t>(std::count_if(open.begin() + static_cast<std::ptrdiff_t>(from),
                                                  open.end(),
                                                  [&](std::uint32_t y) { return lead_[y] > 0; }));
  }

  void compare(std::uint32_t y, std::size_t budget) {
    Quantity q;
    q.kind = QuantityKind::feature_difference;
    q.index = feature_;
    q.other = y;
    const Target target = make_target(work_.places().net(), &sae_, q);
    BranchResult r = branch(work_, above_ ? target : negated(target), options_, budget);
    ++compared;
    if (r.hi < 0) {
      others.emplace(y, options_.keep_proof ? std::move(r.tree) : std::vector<BranchNode>{});
    } else if (r.attained >= 0) {
      see(r.context);
    }
  }

  const Transformer& model_;
  const Sae& sae_;
  DomainWork& work_;
  std::uint32_t feature_;
  bool above_;
  BoundOptions options_;
  std::vector<double> lead_;  ///< the least that a feature was on the side by
};

FiringVerdict verdict(Firing firing, std::string reason) {
  return {firing, std::move(reason), 0, nullptr};
}

}  // namespace

const char* name(Firing firing) {
  return firing == Firing::must_off ? "must-off" : firing == Firing::must_on ? "must-on" : "may";
}

FiringVerdict decide_firing(const Transformer& model, const Sae& sae, DomainWork& work,
                            std::uint32_t feature, const BoundResult& own,
                            const BoundOptions& options) {
  const double threshold = static_cast<double>(sae.threshold.data[feature]);
  const auto with_own = [&](FiringVerdict v, auto others) {
    v.proof = std::make_shared<const FiringVerdict::Proof>(
        FiringVerdict::Proof{own.proof, std::move(others)});
    return v;
  };
  const std::map<std::uint32_t, std::vector<BranchNode>> none;
  if (own.hi <= threshold) {
    return with_own(
        verdict(Firing::must_off, sae.is_top_k() ? "never above 0" : "never above its threshold"),
        none);
  }
  if (!sae.is_top_k()) {
    return own.lo > threshold
               ? with_own(verdict(Firing::must_on, "always above its threshold"), none)
               : verdict(Firing::may, "on both sides of its threshold, or not decided");
  }
  const std::string k = std::to_string(sae.k);
  FiringVerdict may = verdict(Firing::may, "neither shown; a tie for place " + k + " is neither");
  const auto compare = [&](bool above) {
    Comparison c(model, sae, work, feature, above, options);
    c.see(own.witness_lo);
    c.see(own.witness_hi);
    return c;
  };
  Comparison above = compare(true);
  const bool off = above.show(sae.k);
  may.compared = above.compared;
  if (off) {
    FiringVerdict v = verdict(Firing::must_off, k + " others strictly larger in every context");
    v.compared = may.compared;
    v.proof = std::make_shared<const FiringVerdict::Proof>(
        FiringVerdict::Proof{nullptr, std::move(above.others)});
    return v;
  }
  if (!(own.lo > 0)) {
    return may;
  }
  Comparison below = compare(false);
  const bool on = below.show(sae.d_sae - sae.k);
  may.compared += below.compared;
  if (on) {
    FiringVerdict v =
        verdict(Firing::must_on,
                "always above 0, at most " + std::to_string(sae.k - 1) + " others ever as large");
    v.compared = may.compared;
    return with_own(std::move(v), std::move(below.others));
  }
  return may;
}

}  // namespace assay::bounds
