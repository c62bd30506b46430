#include "enumeration.hpp"

#include <algorithm>
#include <cmath>

#include "activation.hpp"
#include "assay/base/errors.hpp"

namespace assay::bounds {
namespace {

constexpr double kSmallest = 1e-200;  // below it a weight's relative error is not bounded here
constexpr double kRoom = 16;          // for a checker that rounds after every operation

/// |sum w v / sum w - computed|: weights known to a relative eps, values to a radius.
struct MeanError {
  double weight = 0;  // relative
  Row value, radius;  // largest over the rows in play, [d_head]
};

std::optional<MeanError> mean_error(const ReadyCase& ready, std::size_t h) {
  const Ball& values = ready.places().values(h);
  MeanError error{0, Row::Zero(values.mid.cols()), Row::Zero(values.mid.cols())};
  for (std::size_t j = 0; j < ready.most_keys(); ++j) {
    const ReadyCase::Group& group = ready.group(j);
    const Interval factor = ready.query().factor[j][h];
    if (!(factor.lo > kSmallest)) {
      return std::nullopt;
    }
    for (std::size_t e = 0; e < group.rows.size(); ++e) {
      if (!(group.lo[h][e] > kSmallest)) {
        return std::nullopt;
      }
      error.weight = std::max({error.weight, (group.hi[h][e] - group.lo[h][e]) / group.lo[h][e] +
                                                 factor.width() / factor.lo});
      error.value = error.value.cwiseMax(values.mid.row(group.rows[e]).cwiseAbs());
      error.radius = error.radius.cwiseMax(values.radius.row(group.rows[e]));
    }
  }
  return error;
}

void add_into(Ball& sum, const Ball& term) {
  sum.mid += term.mid;
  sum.radius += term.radius + 0x1p-51 * (sum.mid.cwiseAbs() + term.mid.cwiseAbs());
}

Ball to_column(const std::vector<Interval>& box) {
  const Ball row = to_ball(box);
  return {row.mid.transpose(), row.radius.transpose()};
}

/// 1/sqrt(|P y|^2/d + eps) of every row.
std::vector<Interval> inverse_deviations(const Network& net, const Ball& y) {
  std::vector<Interval> out;
  const Interval d(static_cast<double>(net.d));
  std::vector<Interval> row(net.d);
  for (Eigen::Index r = 0; r < y.mid.rows(); ++r) {
    Interval sum(0.0);
    for (std::size_t i = 0; i < net.d; ++i) {
      row[i] = y.at(r, index(i));
      sum += row[i];
    }
    const Interval mean = sum / d;
    Interval squares(0.0);
    for (const Interval v : row) {
      const Interval centred = v - mean;
      const Interval square = centred * centred;
      squares += Interval(std::max(square.lo, 0.0), square.hi);
    }
    out.push_back(Interval(1.0) / sqrt(squares / d + net.eps));
  }
  return out;
}

}  // namespace

std::optional<Enumeration> Enumeration::make(const ReadyCase& ready) {
  const Network& net = ready.places().net();
  Enumeration out;
  std::size_t rows = 0;
  std::size_t product_of = 1;
  for (std::size_t j = 0; j < ready.most_keys(); ++j) {
    out.sets_.push_back(ready.group(j).tokens);
    product_of *= out.sets_.back().size();
    if (j + 1 >= ready.fewest_keys()) {
      out.runs_.emplace_back(j + 1, rows);
      rows += product_of;
    }
  }
  std::vector<Interval> base = ready.query().base;
  const Ball start = to_ball(base);
  out.mid_ = {start.mid.row(0).replicate(index(rows), 1),
              start.radius.row(0).replicate(index(rows), 1)};
  for (std::size_t h = 0; h < net.heads; ++h) {
    const auto error = mean_error(ready, h);
    if (!error) {
      return std::nullopt;
    }
    const Ball& values = ready.places().values(h);
    Ball z{Rows(index(rows), values.mid.cols()), Rows(index(rows), values.mid.cols())};
    const double keys = static_cast<double>(ready.most_keys());
    // Weights off by a relative delta = weight/2 each move the mean by at most 4 delta max|v|.
    const double relative = 2.1 * error->weight + (4 * keys + 32) * 0x1p-52;
    const Row radius = 2 * (error->radius + relative * error->value).array() + 1e-60;
    for (const auto& [count, first] : out.runs_) {
      std::vector<std::size_t> digit(count, 0);
      const std::size_t end =
          count == out.runs_.back().first ? rows : out.runs_[count - out.runs_[0].first + 1].second;
      for (std::size_t r = first; r < end; ++r) {
        double total = 0;
        Row sum = Row::Zero(values.mid.cols());
        for (std::size_t j = 0; j < count; ++j) {
          const ReadyCase::Group& group = ready.group(j);
          const double w = ready.slot_factor(j, h) * group.mid[h][digit[j]];
          total += w;
          sum += w * values.mid.row(group.rows[digit[j]]);
        }
        z.mid.row(index(r)) = sum / total;
        z.radius.row(index(r)) = radius;
        for (std::size_t j = 0; j < count && ++digit[j] == out.sets_[j].size(); ++j) {
          digit[j] = 0;
        }
      }
    }
    add_into(out.mid_, product(z, net.W_O[h]));
  }
  return out;
}

std::vector<TokenId> Enumeration::context(std::size_t row) const {
  auto run = runs_.end() - 1;
  while (run->second > row) {
    --run;
  }
  std::size_t rest = row - run->second;
  std::vector<TokenId> back;
  for (std::size_t j = 0; j < run->first; ++j) {
    back.push_back(sets_[j][rest % sets_[j].size()]);
    rest /= sets_[j].size();
  }
  return back;
}

Ball Enumeration::neurons(const Network& net) const {
  if (!net.norm) {
    return plus_row(product(mid_, net.neuron_directions), net.neuron_offsets);
  }
  Ball y = product(mid_, net.neuron_directions);
  const std::vector<Interval> s = inverse_deviations(net, mid_);
  for (Eigen::Index r = 0; r < y.mid.rows(); ++r) {
    for (Eigen::Index j = 0; j < y.mid.cols(); ++j) {
      const Interval z = s[static_cast<std::size_t>(r)] * y.at(r, j) + net.neuron_offsets.at(0, j);
      y.mid(r, j) = z.lo + z.width() / 2;
      y.radius(r, j) = z.width();
    }
  }
  return y;
}

const Ball& Enumeration::posts(const Network& net) {
  if (!post_) {
    Ball post = neurons(net);
    // act is 1.13-Lipschitz (1 for relu).
    for (Eigen::Index i = 0; i < post.mid.size(); ++i) {
      const Approximation a = approximate_activation(net.act, post.mid.data()[i]);
      post.mid.data()[i] = a.mid;
      post.radius.data()[i] = 1.14 * post.radius.data()[i] + a.radius;
    }
    post_ = std::move(post);
  }
  return *post_;
}

Enumeration::Best Enumeration::best(const Network& net, const Target& target) {
  Ball value;
  if (target.kind == Target::Kind::normed_neuron) {
    const Ball z = neurons(net);
    value = {target.sign * z.mid.col(index(target.neuron)), z.radius.col(index(target.neuron))};
  } else {
    value = plus_row(product(mid_, to_column(target.fold.g0)), to_ball({target.fold.const0}));
    if (net.f != 0 && target.uses_mlp()) {
      add_into(value, product(posts(net), to_column(target.fold.kappa)));
    }
  }
  if (target.kind == Target::Kind::normed_logits) {
    Ball r = mid_;
    if (net.f != 0) {
      add_into(r, plus_row(product(posts(net),
                                   {net.W_out, Rows::Zero(net.W_out.rows(), net.W_out.cols())}),
                           {net.b_out, Rows::Zero(1, index(net.d))}));
    }
    const std::vector<Interval> s = inverse_deviations(net, r);
    for (Eigen::Index i = 0; i < value.mid.rows(); ++i) {
      const Interval v = value.at(i, 0) * s[static_cast<std::size_t>(i)] + target.final_const;
      value.mid(i, 0) = v.lo + v.width() / 2;
      value.radius(i, 0) = v.width();
    }
  }
  require(value.is_finite(), "Enumeration: values a double can hold");
  const double room = net.act == ActFn::relu || net.f == 0 ? kRoom : 2.0;
  Best best;
  best.hi = best.nearest = -std::numeric_limits<double>::infinity();
  std::size_t arg = 0;
  for (Eigen::Index i = 0; i < value.mid.rows(); ++i) {
    const double hi = round_up(value.mid(i, 0) + round_up(room * value.radius(i, 0)));
    best.hi = std::max(best.hi, hi);
    if (value.mid(i, 0) > best.nearest) {
      best.nearest = value.mid(i, 0);
      arg = static_cast<std::size_t>(i);
    }
  }
  best.hi = with_room(best.hi, std::fabs(best.hi));
  best.back = context(arg);
  return best;
}

}  // namespace assay::bounds
