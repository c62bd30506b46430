#include "dictionary.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "assay/base/errors.hpp"
#include "assay/model/forward.hpp"
#include "assay/torch_bridge/data.hpp"

namespace assay::torch_bridge {
namespace {

at::Tensor unit_rows(const at::Tensor& x) {
  return x / x.norm(2, {1}, true).clamp_min(1e-8);
}

/// The point with the least sum of distances to the rows (Weiszfeld's iteration).
at::Tensor geometric_median(const at::Tensor& rows) {
  at::Tensor median = rows.mean(0);
  for (int i = 0; i < 20; ++i) {
    const at::Tensor weight = 1 / (rows - median).norm(2, {1}, true).clamp_min(1e-6);
    median = (rows * weight).sum(0) / weight.sum();
  }
  return median;
}

double scale_of(const at::Tensor& rows) {
  const double mean_norm = rows.norm(2, {1}).mean().item<double>();
  return mean_norm > 0 ? std::sqrt(static_cast<double>(rows.size(1))) / mean_norm : 1.0;
}

at::Tensor index_tensor(const std::vector<std::int64_t>& order, at::Device device) {
  return tokens_to_torch(order, order.size(), device).flatten();
}

/// `count` rows of the unit vectors `rows` in the drawn order, skipping those closer than
/// `kSameDirection` to one already taken: two features that start alike stay alike. When that
/// leaves too few, the skipped ones follow, again and again.
std::vector<std::int64_t> distinct_rows(const at::Tensor& rows,
                                        const std::vector<std::int64_t>& drawn, std::size_t count) {
  constexpr double kSameDirection = 0.9;
  std::vector<std::int64_t> taken;
  std::vector<std::int64_t> skipped;
  at::Tensor chosen = at::empty({len(count), rows.size(1)}, rows.options());
  for (std::size_t i = 0; i < drawn.size() && taken.size() < count; ++i) {
    const at::Tensor row = rows[drawn[i]];
    const std::int64_t n = len(taken.size());
    if (n > 0 && at::mv(chosen.narrow(0, 0, n), row).max().item<double>() > kSameDirection) {
      skipped.push_back(drawn[i]);
      continue;
    }
    chosen[n].copy_(row);
    taken.push_back(drawn[i]);
  }
  const std::vector<std::int64_t>& rest = skipped.empty() ? drawn : skipped;
  for (std::size_t i = 0; taken.size() < count; ++i) {
    taken.push_back(rest[i % rest.size()]);
  }
  return taken;
}

}  // namespace

Pairs activations(const Network& network, const std::string& kind, const at::Tensor& tokens) {
  const c10::NoGradGuard no_gradient;
  const at::Tensor mid = network.resid_mid(tokens);
  const at::Tensor post = network.mlp_post(mid);
  const auto flat = [](const at::Tensor& x) { return x.reshape({-1, x.size(-1)}); };
  if (kind == "sae") {
    return {flat(post), flat(post)};
  }
  return {flat(mid), flat(network.mlp_out(post))};
}

at::Tensor Dictionary::pre(const at::Tensor& scaled_in) const {
  const at::Tensor x = subtract_b_dec ? scaled_in - get("b_dec") : scaled_in;
  return at::addmm(get("b_enc"), x, get("W_enc"));
}

at::Tensor Dictionary::decode(const at::Tensor& features) const {
  return at::addmm(get("b_dec"), features, get("W_dec"));
}

Dictionary start_dictionary(const SaeOptions& o, const Pairs& sample) {
  const c10::NoGradGuard no_gradient;
  const at::Device device = sample.in.device();
  Dictionary d;
  d.subtract_b_dec = o.kind == "sae";
  d.in_scale = scale_of(sample.in);
  d.out_scale = d.subtract_b_dec ? d.in_scale : scale_of(sample.out);
  const at::Tensor in = sample.in * d.in_scale;
  const at::Tensor out = sample.out * d.out_scale;
  const at::Tensor centre_in = d.subtract_b_dec ? geometric_median(in) : in.mean(0);
  const at::Tensor centre_out = d.subtract_b_dec ? centre_in : out.mean(0);
  const at::Tensor directions = unit_rows(in - centre_in);
  const std::vector<std::int64_t> drawn =
      permutation(static_cast<std::size_t>(in.size(0)), mix(o.seed, 0x5ae));
  const at::Tensor rows = index_tensor(distinct_rows(directions, drawn, o.d_sae), device);
  const at::Tensor read = directions.index_select(0, rows);
  const at::Tensor write = unit_rows(out.index_select(0, rows) - centre_out);
  d.parameters["W_enc"] = read.t().contiguous();
  d.parameters["W_dec"] = write.contiguous();
  d.parameters["b_dec"] = centre_out.clone();
  d.parameters["b_enc"] = d.subtract_b_dec ? at::zeros({len(o.d_sae)}, in.options())
                                           : -at::matmul(centre_in, d.get("W_enc"));
  return d;
}

double kth_largest(const at::Tensor& values, std::size_t count) {
  const at::Tensor host = values.detach().to(at::kCPU).contiguous();
  const float* first = host.data_ptr<float>();
  std::vector<float> positive;
  std::copy_if(first, first + host.numel(), std::back_inserter(positive),
               [](float x) { return x > 0; });
  if (count == 0 || positive.size() <= count) {
    return 0;
  }
  const auto nth = positive.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(positive.begin(), nth, positive.end(), std::greater<>());
  return static_cast<double>(*nth);
}

at::Tensor perpendicular(const at::Tensor& gradient, const at::Tensor& w_dec) {
  return gradient - (gradient * w_dec).sum(at::IntArrayRef{1}, true) * w_dec;
}

void normalise_decoder(Dictionary& dictionary) {
  const c10::NoGradGuard no_gradient;
  at::Tensor& w = dictionary.parameters.at("W_dec");
  w.div_(w.norm(2, {1}, true).clamp_min(1e-8));
}

Sae to_sae(const Dictionary& d, const SaeOptions& o) {
  const c10::NoGradGuard no_gradient;
  const bool threshold = o.recipe == "batchtopk";
  Sae sae;
  sae.architecture = std::string(threshold ? "jumprelu" : "standard");
  sae.hook_name = kHookMlpPost;
  sae.hook_name_out = kHookMlpPost;
  sae.apply_b_dec_to_input = d.subtract_b_dec;
  if (o.kind == "transcoder") {
    sae.architecture = threshold ? "jumprelu_transcoder" : "transcoder";
    sae.hook_name = kHookResidMid;
    sae.hook_name_out = kHookMlpOut;
  }
  sae.W_enc = to_plain(d.get("W_enc") * (d.in_scale / d.out_scale));
  sae.b_enc = to_plain(d.get("b_enc") / d.out_scale);
  sae.W_dec = to_plain(d.get("W_dec"));
  sae.b_dec = to_plain(d.get("b_dec") / d.out_scale);
  sae.d_in = sae.W_enc.shape[0];
  sae.d_sae = sae.W_enc.shape[1];
  sae.d_out = sae.W_dec.shape[1];
  sae.threshold = zeros({sae.d_sae});
  if (threshold) {
    std::fill(sae.threshold.data.begin(), sae.threshold.data.end(),
              static_cast<float>(std::max(d.theta, 0.0) / d.out_scale));
  }
  return sae;
}

namespace {

/// Sums that become an Evaluation.
struct Totals {
  double clean = 0, spliced = 0, zero = 0, on = 0, error = 0;
  at::Tensor sum, square, fired;
};

/// The stored dictionary as tensors of the device.
struct Stored {
  at::Tensor W_enc, b_enc, W_dec, b_dec, threshold;
  bool subtract_b_dec;

  Stored(const Sae& s, at::Device device)
      : W_enc(to_torch(s.W_enc, device)),
        b_enc(to_torch(s.b_enc, device)),
        W_dec(to_torch(s.W_dec, device)),
        b_dec(to_torch(s.b_dec, device)),
        threshold(to_torch(s.threshold, device)),
        subtract_b_dec(s.apply_b_dec_to_input) {}

  [[nodiscard]] at::Tensor features(const at::Tensor& x) const {
    const at::Tensor pre = at::addmm(b_enc, subtract_b_dec ? x - b_dec : x, W_enc);
    return at::where(pre > threshold, pre, at::zeros({}, pre.options()));
  }
};

void add_batch(const Network& network, const Stored& stored, const std::string& kind,
               const at::Tensor& rows, Totals& totals) {
  const at::Tensor tokens = rows.narrow(1, 0, rows.size(1) - 1);
  const double n = static_cast<double>(tokens.numel());
  const at::Tensor mid = network.resid_mid(tokens);
  const at::Tensor post = network.mlp_post(mid);
  const at::Tensor out = network.mlp_out(post);
  const bool sae = kind == "sae";
  const at::Tensor& target = sae ? post : out;
  const at::Tensor source = (sae ? post : mid).reshape({tokens.numel(), -1});
  const at::Tensor features = stored.features(source);
  const at::Tensor rebuilt = at::addmm(stored.b_dec, features, stored.W_dec).view_as(target);
  const auto loss = [&](const at::Tensor& value) {
    const at::Tensor written = sae ? network.mlp_out(value) : value;
    return next_token_loss(network.logits(mid + written), rows).item<double>() * n;
  };
  totals.clean += loss(target);
  totals.spliced += loss(rebuilt);
  totals.zero += loss(at::zeros_like(target));
  const at::Tensor on = features > 0;
  totals.on += on.sum().item<double>();
  totals.fired = totals.fired.logical_or(on.any(0));
  const at::Tensor y = target.reshape({tokens.numel(), -1}).to(at::kDouble);
  totals.error += (target - rebuilt).to(at::kDouble).square().sum().item<double>();
  totals.sum += y.sum(0);
  totals.square += y.square().sum(0);
}

}  // namespace

Evaluation evaluate(const Network& network, const Sae& sae, const std::string& kind,
                    const at::Tensor& rows) {
  const c10::NoGradGuard no_gradient;
  const Stored stored(sae, network.device());
  const auto doubles = at::TensorOptions(at::kDouble).device(network.device());
  Totals totals;
  totals.sum = at::zeros({len(sae.d_out)}, doubles);
  totals.square = at::zeros({len(sae.d_out)}, doubles);
  totals.fired = at::zeros({len(sae.d_sae)}, doubles.dtype(at::kBool));
  for (std::int64_t first = 0; first < rows.size(0); first += 64) {
    const std::int64_t n = std::min<std::int64_t>(64, rows.size(0) - first);
    add_batch(network, stored, kind, rows.narrow(0, first, n), totals);
  }
  Evaluation e;
  e.tokens = static_cast<std::size_t>(rows.size(0) * (rows.size(1) - 1));
  const double n = static_cast<double>(e.tokens);
  e.l0 = totals.on / n;
  const double variance = (totals.square - totals.sum.square() / n).sum().item<double>();
  e.fvu = variance > 0 ? totals.error / variance : 0;
  e.ce_clean = totals.clean / n;
  e.ce_spliced = totals.spliced / n;
  e.ce_zero = totals.zero / n;
  e.recovered = (e.ce_zero - e.ce_spliced) / (e.ce_zero - e.ce_clean);
  e.dead_fraction = 1 - totals.fired.to(at::kDouble).mean().item<double>();
  return e;
}

}  // namespace assay::torch_bridge
