#include "float_error.hpp"

#include <algorithm>
#include <cmath>

#include "assay/model/forward.hpp"

namespace assay::bounds {
namespace {

constexpr double kHalfUlp = 0x1p-24;
constexpr double kRoom = 0x1p-4;  // of E, for a checker that finds its own

double sum_of(const Rows& a, const Rows& b) {
  return a.cwiseProduct(b).sum();
}

/// |g| of a ball or of one number, as a row
Row size_row(const Ball& g) {
  const Rows size = g.mid.cwiseAbs() + g.radius;
  return Eigen::Map<const Row>(size.data(), size.size());
}

Ball row_ball(const std::vector<Interval>& g) {
  return to_ball(g);
}

Ball transposed(const Ball& x) {
  return {x.mid.transpose(), x.radius.transpose()};
}

/// sqrt d |g|
double sphere(const Ball& g) {
  return std::sqrt(static_cast<double>(g.mid.size())) * size_row(g).norm() * (1 + 0x1p-40);
}

/// The sum of n terms y_i g_i and beta, with `extra` roundings more; g need not be a float32.
double reading_rounding(const Rounded& y, const Row& g, double beta, std::size_t extra) {
  const Row whole = y.size + y.error;
  const Rows sums = Rows::Constant(1, 1, whole.dot(g) + beta);
  return rounded(static_cast<std::size_t>(g.size()) + extra, sums)(0, 0) +
         (whole.sum() + 1) * 0x1p-148;
}

/// The assumptions, in one line.
std::string given_text(const Network& net, const Domain& domain, const FloatOptions& o,
                       bool any_shift) {
  std::string text =
      "IEEE binary32 to nearest even; any order and bracketing of sums, fused or not; softmax less "
      "the "
      "largest score, streaming or not";
  text += any_shift ? ", or less any number up to the largest |score|, 0 included" : "";
  text +=
      "; exp within " + std::to_string(o.exp_ulps) + " ulp, division and square root within 1 ulp";
  if (net.f != 0 && net.act != ActFn::relu) {
    text += std::string(net.act == ActFn::gelu_erf ? ", erf" : ", tanh") + " within " +
            std::to_string(o.act_ulps) + " ulp";
  }
  text += net.norm ? ", two-pass LayerNorm" : "";
  if (net.rotary) {
    text += ", rotary tables within " + std::to_string(domain.max_length) + " * 2^-20";
  }
  return text + "; no TF32, bf16 or flush to zero; causal mask exact";
}

}  // namespace

FloatAnswers::FloatAnswers(const Network& net, const Domain& domain, const FloatOptions& options) {
  try {
    work_ = std::make_unique<const FloatWork>(net, domain, options);
    given_ = given_text(net, domain, options, work_->any_shift());
  } catch (const NoFloatBound& e) {
    reason_ = e.what();
  }
}

FloatError FloatAnswers::error(const Sae* sae, const Quantity& quantity) const {
  FloatError out;
  out.reason = reason_;
  if (work_ == nullptr) {
    return out;
  }
  try {
    out.error = work_->error(sae, quantity);
    out.any_shift = work_->any_shift();
    out.given = given_;
  } catch (const NoFloatBound& e) {
    out.reason = e.what();
  }
  return out;
}

// g + sum over j of something of size loose_j times W_in[:,j], on m
double FloatWork::carried_by_mid(const Ball& g, const Row& loose) const {
  const bool has_loose = loose.size() != 0 && loose.maxCoeff() > 0;
  Row at_mid = size_row(g);
  if (has_loose) {
    at_mid += loose * W_in_.transpose();
  }
  double error = sum_of(at_mid, mid_rounding_);
  for (std::size_t h = 0; h < net_.heads; ++h) {
    const Ball along = product(net_.W_O[h], transposed(g));
    double width = heads_.spread(h, along).width;
    Row at_head = size_row(along);
    if (has_loose) {
      width += loose.dot(heads_.to_neurons[h].width());
      at_head +=
          loose * to_neurons_.middleRows(index(h * net_.d_head), index(net_.d_head)).transpose();
    }
    error += heads_.tilt[h] * width / 2 + sum_of(at_head, heads_.value_error[h]);
  }
  return error;
}

double FloatWork::carried(const FoldTarget& target) const {
  const Ball g = row_ball(target.g0);
  const bool reads_mlp = std::any_of(target.kappa.begin(), target.kappa.end(),
                                     [](Interval k) { return k.lo != 0 || k.hi != 0; });
  if (!reads_mlp) {
    return carried_by_mid(g, Row());
  }
  const Ball kappa = row_ball(target.kappa);
  const Row size = size_row(kappa);
  const Row middle = (slope_lo_ + slope_hi_) / 2, half = (slope_hi_ - slope_lo_) / 2;
  const Row largest = slope_lo_.cwiseAbs().cwiseMax(slope_hi_);
  Ball bent{kappa.mid.cwiseProduct(Rows(middle)),
            kappa.radius.cwiseProduct(Rows(middle.cwiseAbs()))};
  bent.radius += 0x1p-50 * bent.mid.cwiseAbs();
  const Row loose = size.cwiseProduct(half) * (1 + 0x1p-40);
  const double own = size.cwiseProduct(largest).dot(neuron_rounding_) + size.dot(act_rounding_);
  const Ball W{net_.W_in.transpose(), Rows::Zero(index(net_.f), index(net_.d))};
  const Ball back = product(bent, W);
  if (!net_.norm) {
    Ball all{g.mid + back.mid, g.radius + back.radius};
    all.radius += 0x1p-50 * all.mid.cwiseAbs();
    return carried_by_mid(all, loose) + own;
  }
  // what LN2 reads runs back through G = sum of kappa_j slope_j h_j
  const Ball G = product(bent, transposed(net_.neuron_directions));
  const double turn = sphere(G) + loose.dot(turned_);
  const double through = carried_by_mid(G, loose) + normed_.slip * turn;
  const Row at_norm = size_row(back) + loose * W_in_.transpose();
  return carried_by_mid(g, Row()) + normed_.scale * through + sum_of(at_norm, normed_.local.error) +
         own;
}

// <delta, LNfinal(r)> with h = P(w o delta), which is the numerator's target; both ends lie within sqrt d |h|
double FloatWork::carried_to_logits(const Quantity& q) const {
  const FoldTarget numerator = make_target(net_, nullptr, q).fold;
  const Ball h = row_ball(numerator.g0);
  const double through =
      carried(numerator) + sum_of(size_row(h), residual_rounding_) + final_.slip * sphere(h);
  return std::min(final_.scale * through, 2 * sphere(h));
}

double FloatWork::logit_error(const Quantity& q) const {
  const Rounded& y = final_.local;
  const Row no_other = Row::Zero(index(net_.d));
  const bool both = q.kind == QuantityKind::logit_difference;
  const Row a = net_.W_U.col(index(q.index)).transpose();
  const Row b = both ? Row(net_.W_U.col(index(q.other)).transpose()) : no_other;
  const double a_bias = std::fabs(net_.b_U(index(q.index)));
  const double b_bias = both ? std::fabs(net_.b_U(index(q.other))) : 0.0;
  double error = reading_rounding(y, a.cwiseAbs(), a_bias, 2);
  if (both) {
    error += reading_rounding(y, b.cwiseAbs(), b_bias, 2);
    const Row whole = y.size + y.error;
    error +=
        kHalfUlp * (whole.dot(a.cwiseAbs()) + whole.dot(b.cwiseAbs()) + a_bias + b_bias + error);
  }
  const Row delta = (a - b).cwiseAbs() * (1 + 0x1p-50);
  if (net_.norm) {
    return error + sum_of(delta, y.error) + carried_to_logits(q);
  }
  return error + sum_of(delta, residual_rounding_) + carried(make_target(net_, nullptr, q).fold);
}

double FloatWork::reading_error(const Sae* sae, const Quantity& q) const {
  const Target target = make_target(net_, sae, q);
  std::string hook = kHookResidMid;
  std::vector<double> g = q.direction;
  double beta = 0;
  Row subtracted;
  if (q.kind == QuantityKind::readout) {
    hook = q.readout->hook;
    g = q.readout->weights;
    beta = std::fabs(q.readout->bias);
  } else if (q.kind == QuantityKind::feature) {
    hook = sae->hook_name;
    beta = sae->b_enc.data.empty() ? 0 : std::fabs(static_cast<double>(sae->b_enc.data[q.index]));
    subtracted = Row::Zero(index(sae->d_in));
    for (std::size_t i = 0; i < sae->d_in; ++i) {
      g.push_back(static_cast<double>(sae->W_enc.at(i, q.index)));
      if (sae->apply_b_dec_to_input && !sae->b_dec.data.empty()) {
        subtracted(index(i)) = std::fabs(static_cast<double>(sae->b_dec.data[i]));
      }
    }
  }
  Rounded y = hook == kHookResidMid  ? mid_
              : hook == kHookMlpPost ? act_
              : hook == kHookMlpOut  ? mlp_out_
                                     : residual_;
  if (subtracted.size() != 0) {
    y.size += subtracted;
  }
  const Row size = Eigen::Map<const Row>(g.data(), index(g.size())).cwiseAbs();
  double error = carried(target.fold) + reading_rounding(y, size, beta, 4);
  if (hook == kHookMlpOut) {
    error += sum_of(size, out_rounding_);
  } else if (hook == kHookResidPost) {
    error += sum_of(size, residual_rounding_);
  }
  return error;
}

double FloatWork::error(const Sae* sae, const Quantity& q) const {
  const bool is_logit = q.kind == QuantityKind::logit || q.kind == QuantityKind::logit_difference;
  const double found = q.kind == QuantityKind::neuron ? neurons_.error(0, index(q.index))
                       : is_logit                     ? logit_error(q)
                                                      : reading_error(sae, q);
  const double error = found * (1 + kRoom);
  if (!(error >= 0 && error <= 0x1p100)) {
    throw NoFloatBound("the bound itself overflows");
  }
  return error;
}

}  // namespace assay::bounds
