#include "climb.hpp"

#include <algorithm>

#include "branch.hpp"

namespace assay::bounds {
namespace {

double middle(Interval i) {
  return i.lo + (i.hi - i.lo) / 2;
}

/// Head h's weights and values over the other slots, summed: values are any rows, e.g. nu.
struct Others {
  double mass = 0;
  Row sum;
};

Others others(const ReadyCase& ready, std::size_t h, const Rows& values,
              const std::vector<TokenId>& back, std::size_t slot) {
  Others out{0, Row::Zero(values.cols())};
  for (std::size_t j = 0; j < back.size(); ++j) {
    if (j == slot) {
      continue;
    }
    const ReadyCase::Group& group = ready.group(j);
    const auto at = static_cast<std::size_t>(
        std::lower_bound(group.tokens.begin(), group.tokens.end(), back[j]) - group.tokens.begin());
    const double w = ready.slot_factor(j, h) * group.mid[h][at];
    out.mass += w;
    out.sum += w * values.row(group.rows[at]);
  }
  return out;
}

/// Head h's mean for each token of the slot: [tokens, cols].
Rows means(const ReadyCase& ready, std::size_t h, const Rows& values,
           const std::vector<TokenId>& back, std::size_t slot) {
  const Others rest = others(ready, h, values, back, slot);
  const ReadyCase::Group& group = ready.group(slot);
  const double factor = ready.slot_factor(slot, h);
  Rows out(index(group.rows.size()), values.cols());
  for (std::size_t e = 0; e < group.rows.size(); ++e) {
    const double w = factor * group.mid[h][e];
    const double mass = rest.mass + w;
    out.row(index(e)) = (rest.sum + w * values.row(group.rows[e])) / (mass > 0 ? mass : 1.0);
  }
  return out;
}

}  // namespace

Coordinate::Coordinate(const Places& places, const Target& target)
    : places_(places),
      target_(target),
      is_linear_(target.kind == Target::Kind::folded && !target.uses_mlp()) {
  const Network& net = places.net();
  g0_ = Row(index(net.d));
  for (std::size_t i = 0; i < net.d; ++i) {
    g0_(index(i)) = middle(target.fold.g0[i]);
  }
  for (std::size_t h = 0; is_linear_ && h < net.heads; ++h) {
    const Row gO = (net.W_O[h].mid * g0_.transpose()).transpose();
    nu_.emplace_back((places.values(h).mid * gO.transpose()).transpose());
  }
}

std::vector<double> Coordinate::values(const ReadyCase& ready, const std::vector<TokenId>& back,
                                       std::size_t slot) const {
  const Network& net = places_.net();
  Row base(index(net.d));
  for (std::size_t i = 0; i < net.d; ++i) {
    base(index(i)) = middle(ready.query().base[i]);
  }
  const Eigen::Index tries = index(ready.group(slot).rows.size());
  if (is_linear_) {
    Eigen::VectorXd sum =
        Eigen::VectorXd::Constant(tries, middle(target_.fold.const0) + base.dot(g0_));
    for (std::size_t h = 0; h < net.heads; ++h) {
      sum += means(ready, h, nu_[h].transpose(), back, slot).col(0);
    }
    return {sum.data(), sum.data() + sum.size()};
  }
  Rows mid = base.replicate(tries, 1);
  for (std::size_t h = 0; h < net.heads; ++h) {
    mid += means(ready, h, places_.values(h).mid, back, slot) * net.W_O[h].mid;
  }
  return nearest_values(net, target_, mid);
}

Context context_of(DomainWork& work, std::vector<TokenId> back, std::size_t length) {
  const Network& net = work.places().net();
  Context context{work.root(), std::move(back), 0};
  context.box.back[0] = work.intern({context.back[0]});
  if (net.absolute) {
    context.box.min_length = context.box.max_length = length;
    context.box.back.resize(net.keys(length));
  }
  return context;
}

bool climb(DomainWork& work, const Target& target, const Coordinate& coordinate, Context& best) {
  const Network& net = work.places().net();
  const double start = best.value;
  best = [&] {
    Context whole = context_of(work, best.back, best.box.max_length);
    whole.value = best.value;
    return whole;
  }();
  const auto case_work = work.work(best.box);
  const ReadyCase& ready = case_work->ready();
  for (int sweep = 0; sweep < 3; ++sweep) {
    const double before = best.value;
    for (std::size_t j = 1; j < ready.most_keys() && j <= best.back.size(); ++j) {
      const std::vector<double> all = coordinate.values(ready, best.back, j);
      const auto top = std::max_element(all.begin(), all.end());
      if (!(*top > best.value)) {
        continue;
      }
      std::vector<TokenId> next = best.back;
      next.resize(std::max(next.size(), j + 1));
      next[j] = ready.group(j).tokens[static_cast<std::size_t>(top - all.begin())];
      const Row mid =
          nearest_mid(ready, std::vector<const std::vector<TokenId>*>(net.heads, &next));
      const double value = nearest_values(net, target, mid).front();
      if (value > best.value) {
        best.value = value;
        best.back = std::move(next);
      }
    }
    if (!(best.value > before)) {
      break;
    }
  }
  return best.value > start;
}

}  // namespace assay::bounds
