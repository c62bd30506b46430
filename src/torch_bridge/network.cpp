#include "network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/base/text.hpp"
#include "assay/model/forward.hpp"
#include "assay/torch_bridge/train.hpp"
#include "deep_network.hpp"

namespace assay::torch_bridge {
namespace {

/// Power of the mean over query tokens in range_penalty.
constexpr double kQueryPower = 4;
/// Relative bias of what a head does not look at: a weight of e^-64.
constexpr double kBlocked = -64;

/// Where the plain model keeps each tensor, in the stored names.
using Field = Tensor Transformer::*;
const std::vector<std::pair<const char*, Field>>& fields() {
  static const std::vector<std::pair<const char*, Field>> all = {
      {"embed.W_E", &Transformer::W_E},
      {"pos_embed.W_pos", &Transformer::W_pos},
      {"blocks.0.attn.W_Q", &Transformer::W_Q},
      {"blocks.0.attn.W_K", &Transformer::W_K},
      {"blocks.0.attn.W_V", &Transformer::W_V},
      {"blocks.0.attn.W_O", &Transformer::W_O},
      {"blocks.0.attn.b_Q", &Transformer::b_Q},
      {"blocks.0.attn.b_K", &Transformer::b_K},
      {"blocks.0.attn.b_V", &Transformer::b_V},
      {"blocks.0.attn.b_O", &Transformer::b_O},
      {"blocks.0.attn.rel_bias", &Transformer::rel_bias},
      {"blocks.0.mlp.W_in", &Transformer::W_in},
      {"blocks.0.mlp.b_in", &Transformer::b_in},
      {"blocks.0.mlp.W_out", &Transformer::W_out},
      {"blocks.0.mlp.b_out", &Transformer::b_out},
      {"unembed.W_U", &Transformer::W_U},
      {"unembed.b_U", &Transformer::b_U},
      {"blocks.0.ln1.w", &Transformer::ln1_w},
      {"blocks.0.ln1.b", &Transformer::ln1_b},
      {"blocks.0.ln2.w", &Transformer::ln2_w},
      {"blocks.0.ln2.b", &Transformer::ln2_b},
      {"ln_final.w", &Transformer::ln_final_w},
      {"ln_final.b", &Transformer::ln_final_b}};
  return all;
}

Tensor uniform(std::vector<std::size_t> shape, double deviation, Random& random) {
  Tensor t = zeros(std::move(shape));
  const double half_width = deviation * std::sqrt(3.0);
  for (float& x : t.data) {
    x = static_cast<float>((2 * random.unit() - 1) * half_width);
  }
  return t;
}

void fill_norms(Transformer& m, std::size_t d) {
  for (const Field f : {&Transformer::ln1_w, &Transformer::ln2_w, &Transformer::ln_final_w}) {
    m.*f = {{d}, std::vector<float>(d, 1.0F)};
  }
  m.ln1_b = m.ln2_b = m.ln_final_b = zeros({d});
}

at::Tensor flatten_heads(const at::Tensor& w) {  // [H,d,dh] -> [d,H*dh]
  return w.permute({1, 0, 2}).reshape({w.size(1), w.size(0) * w.size(2)});
}

}  // namespace

at::Device open_device(const std::string& name) {
  at::set_num_threads(1);
  const bool cuda = at::hasCUDA();  // built in and a device answers
  if (name == "cuda" && !cuda) {
    throw UsageError("--device cuda: this LibTorch finds no CUDA device");
  }
  return at::Device(name == "cpu" || !cuda ? at::kCPU : at::kCUDA);
}

at::Tensor to_torch(const Tensor& tensor, at::Device device) {
  std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
  at::Tensor result = at::empty(shape, at::kFloat);
  std::copy(tensor.data.begin(), tensor.data.end(), result.data_ptr<float>());
  return result.to(device);
}

Tensor to_plain(const at::Tensor& tensor) {
  const at::Tensor host = tensor.detach().to(at::kCPU).to(at::kFloat).contiguous();
  Tensor result;
  for (const std::int64_t n : host.sizes()) {
    result.shape.push_back(static_cast<std::size_t>(n));
  }
  const float* first = host.data_ptr<float>();
  result.data.assign(first, first + host.numel());
  return result;
}

at::Tensor tokens_to_torch(const std::vector<std::int64_t>& tokens, std::size_t length,
                           at::Device device) {
  at::Tensor result = at::empty({len(tokens.size() / length), len(length)}, at::kLong);
  std::copy(tokens.begin(), tokens.end(), result.data_ptr<std::int64_t>());
  return result.to(device);
}

Network Network::random(const TransformerConfig& c, std::uint64_t seed, at::Device device) {
  Random random(seed ^ 0x61737361792d6e6eULL);
  Transformer m;
  m.config = c;
  const std::size_t d = c.d_model, h = c.n_heads, dh = c.d_head, f = c.d_mlp;
  const auto by = [](std::size_t n) { return 1 / std::sqrt(static_cast<double>(n)); };
  m.W_E = uniform({c.d_vocab, d}, 0.4, random);
  if (c.positions == PosKind::standard) {
    m.W_pos = uniform({c.n_ctx, d}, 0.1, random);
  }
  m.W_Q = uniform({h, d, dh}, by(d), random);
  m.W_K = uniform({h, d, dh}, by(d), random);
  m.W_V = uniform({h, d, dh}, by(d), random);
  m.W_O = uniform({h, dh, d}, by(h * dh), random);
  m.b_Q = m.b_K = m.b_V = zeros({h, dh});
  m.b_O = zeros({d});
  if (c.relative_bias) {
    m.rel_bias = zeros({h, c.attention_window == 0 ? c.n_ctx : c.attention_window});
  }
  m.W_in = uniform({d, f}, by(d), random);
  m.b_in = zeros({f});
  m.W_out = uniform({f, d}, 0.5 * by(f), random);
  m.b_out = zeros({d});
  m.W_U = uniform({d, c.d_vocab_out}, 0.5 * by(d), random);
  m.b_U = zeros({c.d_vocab_out});
  if (c.norm == NormKind::layer_norm) {
    fill_norms(m, d);
  }
  return from(m, device);
}

Network Network::from(const Transformer& model, at::Device device) {
  if (model.config.positions == PosKind::rotary || model.config.attn_only) {
    throw InputError("config.json", "positional_embedding_type, attn_only",
                     "standard, relative_bias or none, with an MLP", "rotary or attention only");
  }
  Network network(model.config, device);
  for (const auto& [name, field] : fields()) {
    if (!(model.*field).data.empty()) {
      network.parameters_[name] = to_torch(model.*field, device);
    }
  }
  return network;
}

Transformer Network::to_transformer() const {
  Transformer model;
  model.config = config_;
  for (const auto& [name, field] : fields()) {
    if (const auto found = parameters_.find(name); found != parameters_.end()) {
      model.*field = to_plain(found->second);
    }
  }
  return model;
}

const at::Tensor& Network::get(const std::string& name) const {
  return parameters_.at(name);
}

at::Tensor Network::norm(const at::Tensor& x, const std::string& name) const {
  if (config_.norm == NormKind::none) {
    return x;
  }
  const auto w = parameters_.find(name + ".w");
  const auto b = parameters_.find(name + ".b");
  return at::layer_norm(x, {x.size(-1)}, w == parameters_.end() ? at::Tensor() : w->second,
                        b == parameters_.end() ? at::Tensor() : b->second, config_.eps);
}

at::Tensor Network::resid_mid(const at::Tensor& tokens) const {
  at::Tensor x = at::embedding(get("embed.W_E"), tokens);
  if (config_.positions == PosKind::standard) {
    x = x + get("pos_embed.W_pos").narrow(0, 0, tokens.size(1));
  }
  return x + attention(norm(x, "blocks.0.ln1"));
}

at::Tensor Network::mlp_post(const at::Tensor& resid_mid) const {
  const at::Tensor pre = at::matmul(norm(resid_mid, "blocks.0.ln2"), get("blocks.0.mlp.W_in")) +
                         get("blocks.0.mlp.b_in");
  switch (config_.act_fn) {
    case ActFn::relu:
      return at::relu(pre);
    case ActFn::gelu_erf:
      return at::gelu(pre);
    case ActFn::gelu_tanh:
      return at::gelu(pre, "tanh");
  }
  return pre;
}

at::Tensor Network::mlp_out(const at::Tensor& mlp_post) const {
  return at::matmul(mlp_post, get("blocks.0.mlp.W_out")) + get("blocks.0.mlp.b_out");
}

at::Tensor Network::logits(const at::Tensor& resid_post) const {
  return at::matmul(norm(resid_post, "ln_final"), get("unembed.W_U")) + get("unembed.b_U");
}

at::Tensor Network::forward(const at::Tensor& tokens) const {
  const at::Tensor mid = resid_mid(tokens);
  return logits(mid + mlp_out(mlp_post(mid)));
}

at::Tensor Network::attention(const at::Tensor& x) const {
  const std::int64_t b = x.size(0), t = x.size(1), h = len(config_.n_heads),
                     dh = len(config_.d_head);
  const at::Tensor w =
      at::cat({flatten_heads(get("blocks.0.attn.W_Q")), flatten_heads(get("blocks.0.attn.W_K")),
               flatten_heads(get("blocks.0.attn.W_V"))},
              1);
  const at::Tensor bias =
      at::cat({get("blocks.0.attn.b_Q").flatten(), get("blocks.0.attn.b_K").flatten(),
               get("blocks.0.attn.b_V").flatten()});
  const at::Tensor qkv = at::addmm(bias, x.reshape({b * t, x.size(2)}), w)
                             .view({b, t, 3, h, dh})
                             .permute({2, 0, 3, 1, 4});  // [3,B,H,T,dh]
  const at::Tensor q = qkv.select(0, 0) / config_.attn_scale;
  const std::int64_t window = len(config_.attention_window);
  const at::Tensor z = window > 0 && t > 2 * window
                           ? attend_banded(q, qkv.select(0, 1), qkv.select(0, 2))
                           : attend_all(q, qkv.select(0, 1), qkv.select(0, 2));
  const at::Tensor w_o = get("blocks.0.attn.W_O").reshape({h * dh, len(config_.d_model)});
  return at::matmul(z.permute({0, 2, 1, 3}).reshape({b, t, h * dh}), w_o) +
         get("blocks.0.attn.b_O");
}

/// Additive scores [H or 1, lag shape…]: the relative bias where allowed, -inf elsewhere.
at::Tensor Network::bias_of(const at::Tensor& lag, const at::Tensor& allowed) const {
  const at::Tensor mask =
      at::zeros(lag.sizes(), lag.options().dtype(at::kFloat))
          .masked_fill(allowed.logical_not(), -std::numeric_limits<float>::infinity());
  if (!config_.relative_bias) {
    return mask.unsqueeze(0);
  }
  const at::Tensor& rel = get("blocks.0.attn.rel_bias");
  std::vector<std::int64_t> shape{rel.size(0)};
  shape.insert(shape.end(), lag.sizes().begin(), lag.sizes().end());
  const at::Tensor in_range = lag.clamp(0, rel.size(1) - 1).flatten();
  return rel.index_select(1, in_range).view(shape) + mask.unsqueeze(0);
}

at::Tensor Network::attend_all(const at::Tensor& q, const at::Tensor& k,
                               const at::Tensor& v) const {
  const std::int64_t t = q.size(2);
  const at::Tensor position = at::arange(t, q.options().dtype(at::kLong));
  const at::Tensor lag = position.unsqueeze(1) - position.unsqueeze(0);  // [query,key]
  at::Tensor allowed = lag.ge(0);
  if (config_.attention_window > 0) {
    allowed = allowed.logical_and(lag.lt(len(config_.attention_window)));
  }
  const at::Tensor scores = at::matmul(q, k.transpose(-1, -2)) + bias_of(lag, allowed);
  return at::matmul(at::softmax(scores, -1), v);
}

/// The same for a window of w tokens at a cost linear in T: queries in blocks of w see only the
/// keys of their own block and of the one before it.
at::Tensor Network::attend_banded(const at::Tensor& q, const at::Tensor& k,
                                  const at::Tensor& v) const {
  const std::int64_t w = len(config_.attention_window), t = q.size(2), dh = q.size(3);
  const std::int64_t blocks = (t + w - 1) / w;
  const auto in_blocks = [&](const at::Tensor& x) {
    const at::Tensor padded =
        t == blocks * w ? x : at::constant_pad_nd(x, {0, 0, 0, blocks * w - t}, 0);
    return padded.reshape({x.size(0), x.size(1), blocks, w, dh});
  };
  const auto with_previous = [&](const at::Tensor& x) {
    const at::Tensor own = in_blocks(x);
    const at::Tensor before =
        at::constant_pad_nd(own.narrow(2, 0, blocks - 1), {0, 0, 0, 0, 1, 0}, 0);
    return at::cat({before, own}, 3);  // [B,H,blocks,2w,dh]
  };
  const auto options = q.options().dtype(at::kLong);
  const at::Tensor lag =
      at::arange(w, options).unsqueeze(1) + w - at::arange(2 * w, options).unsqueeze(0);  // [w,2w]
  const at::Tensor lags = lag.unsqueeze(0).expand({blocks, w, 2 * w});
  at::Tensor allowed = lags.ge(0).logical_and(lags.lt(w)).clone();
  allowed.select(0, 0).narrow(1, 0, w).fill_(false);  // nothing lies before the first block
  const at::Tensor scores =
      at::matmul(in_blocks(q), with_previous(k).transpose(-1, -2)) + bias_of(lags, allowed);
  const at::Tensor z = at::matmul(at::softmax(scores, -1), with_previous(v));
  return z.reshape({q.size(0), q.size(1), blocks * w, dh}).narrow(2, 0, t);
}

void Network::block_far(std::size_t far_heads, std::size_t known) {
  const c10::NoGradGuard no_gradient;
  const at::Tensor& bias = get("blocks.0.attn.rel_bias");
  const std::int64_t h = len(far_heads), n = len(known);
  bias.narrow(0, h, bias.size(0) - h).narrow(1, n, bias.size(1) - n).fill_(kBlocked);
}

at::Tensor Network::range_penalty(std::size_t known) const {
  const at::Tensor& e = get("embed.W_E");
  if (known >= config_.attention_window) {  // nothing lies beyond the known tokens
    return at::zeros({}, e.options());
  }
  const auto per_head = [&](const char* w, const char* b) {  // [H,V,dh]
    return at::matmul(e, get(w)) + get(b).unsqueeze(1);
  };
  const at::Tensor q = per_head("blocks.0.attn.W_Q", "blocks.0.attn.b_Q") / config_.attn_scale;
  const at::Tensor k = per_head("blocks.0.attn.W_K", "blocks.0.attn.b_K");
  const at::Tensor v = per_head("blocks.0.attn.W_V", "blocks.0.attn.b_V");
  const at::Tensor score = at::matmul(q, k.transpose(-1, -2));  // [H,query,key]
  const at::Tensor highest = score.amax(-1);
  const at::Tensor own = at::exp(score.diagonal(0, -2, -1) - highest);
  const at::Tensor lowest = at::exp(score.amin(-1) - highest);
  const at::Tensor weight = at::exp(get("blocks.0.attn.rel_bias"));  // [H,window]
  const std::int64_t n = len(known);
  const at::Tensor far = weight.narrow(1, n, weight.size(1) - n).sum(1, true);
  const at::Tensor near =
      weight.narrow(1, 0, 1) * own + weight.narrow(1, 1, n - 1).sum(1, true) * lowest;
  const at::Tensor share = far / (far + near);  // [H,query]
  const at::Tensor readers = at::cat({get("blocks.0.mlp.W_in"), get("unembed.W_U")}, 1);
  const at::Tensor moved = at::matmul(at::matmul(v, get("blocks.0.attn.W_O")), readers);
  const at::Tensor range = (moved.amax(1) - moved.amin(1)).mean(1);  // [H]
  const at::Tensor of_query = (share * range.unsqueeze(1)).sum(0);
  return of_query.pow(kQueryPower).mean().clamp_min(1e-24).pow(1.0 / kQueryPower);
}

at::Tensor next_token_loss(const at::Tensor& logits, const at::Tensor& rows) {
  const at::Tensor targets = rows.narrow(1, 1, rows.size(1) - 1).reshape({-1});
  return at::cross_entropy_loss(logits.reshape({-1, logits.size(-1)}), targets);
}

std::unique_ptr<TokenEngine> open_engine(const DeepModel& model, std::size_t sequences,
                                         const std::string& device) {
  return std::make_unique<DeepNetwork>(model, sequences, open_device(device));
}

Outcome selftest(const std::filesystem::path& directory, const std::string& device) {
  const c10::NoGradGuard no_gradient;
  const Transformer model = load_transformer(directory);
  const Network network = Network::from(model, open_device(device));
  Random random(7);
  double worst = 0;
  double largest = 1;
  for (std::size_t trial = 0; trial < 8; ++trial) {
    const std::size_t n = trial < 2 ? trial + 1 : std::min<std::size_t>(model.config.n_ctx, 64);
    std::vector<std::int64_t> row;
    std::vector<TokenId> tokens;
    for (std::size_t i = 0; i < n; ++i) {
      tokens.emplace_back(static_cast<std::size_t>(random.below(model.config.d_vocab)));
      row.push_back(static_cast<std::int64_t>(tokens.back().at()));
    }
    const Tensor ours = to_plain(network.forward(tokens_to_torch(row, n, network.device())));
    const Matrix reference = forward(model, tokens).logits;
    for (std::size_t i = 0; i < reference.data.size(); ++i) {
      const double difference = std::abs(static_cast<double>(ours.data[i]) - reference.data[i]);
      worst = difference <= worst ? worst : difference;  // a NaN is kept
      largest = std::max(largest, std::abs(reference.data[i]));
    }
  }
  Outcome outcome;
  outcome.code = worst <= 1e-4 * largest ? ExitCode::ok : ExitCode::violated;
  outcome.text = "selftest: largest difference of a logit " + decimal(worst) + " (largest logit " +
                 decimal(largest) + ")";
  outcome.json = "{\"largestDifference\":" + (std::isnan(worst) ? "null" : decimal(worst)) +
                 ",\"largestLogit\":" + decimal(largest) + "}";
  return outcome;
}

}  // namespace assay::torch_bridge
