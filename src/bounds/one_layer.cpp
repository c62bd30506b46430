#include "one_layer.hpp"

#include <cmath>

#include "assay/base/errors.hpp"
#include "attention_scale.hpp"

namespace assay::bounds {
namespace {

void check_shape(const Tensor& t, const char* name, std::vector<std::size_t> shape,
                 bool optional = false) {
  if (optional && t.data.empty()) {
    return;
  }
  const auto text = [](const std::vector<std::size_t>& s) {
    std::string out = "[";
    for (const std::size_t n : s) {
      out += (out.size() > 1 ? "," : "") + std::to_string(n);
    }
    return out + "]";
  };
  if (t.shape != shape || t.data.empty()) {
    throw InputError("model", name, "shape " + text(shape), text(t.shape));
  }
  for (const float x : t.data) {
    if (!std::isfinite(x)) {
      throw InputError("model", name, "finite numbers", "NaN or infinity");
    }
  }
}

void check_weights(const Transformer& m) {
  const auto& c = m.config;
  const std::size_t d = c.d_model, H = c.n_heads, dh = c.d_head, f = c.d_mlp;
  check_shape(m.W_E, "embed.W_E", {c.d_vocab, d});
  for (const auto& [t, name] : {std::pair{&m.W_Q, "W_Q"}, {&m.W_K, "W_K"}, {&m.W_V, "W_V"}}) {
    check_shape(*t, name, {H, d, dh});
  }
  check_shape(m.W_O, "W_O", {H, dh, d});
  for (const auto& [t, name] : {std::pair{&m.b_Q, "b_Q"}, {&m.b_K, "b_K"}, {&m.b_V, "b_V"}}) {
    check_shape(*t, name, {H, dh}, true);
  }
  check_shape(m.b_O, "b_O", {d}, true);
  check_shape(m.rel_bias, "rel_bias", {H, c.attention_window});
  check_shape(m.W_in, "W_in", {d, f});
  check_shape(m.b_in, "b_in", {f}, true);
  check_shape(m.W_out, "W_out", {f, d});
  check_shape(m.b_out, "b_out", {d}, true);
  check_shape(m.W_U, "W_U", {d, c.d_vocab_out});
  check_shape(m.b_U, "b_U", {c.d_vocab_out}, true);
}

void fill_head(OneLayer::Tables& t, const Ball& x, std::size_t h) {
  const Transformer& m = *t.model;
  const std::size_t block = h * t.d * t.d_head;
  const auto through = [&](const Tensor& W, const Tensor& b) {
    return plus_row(product(x, exact(W, block, t.d, t.d_head)),
                    exact_bias(b, h * t.d_head, t.d_head));
  };
  t.queries.push_back(through(m.W_Q, m.b_Q));
  t.keys.push_back(through(m.W_K, m.b_K));
  t.out.push_back(product(through(m.W_V, m.b_V), exact(m.W_O, block, t.d_head, t.d)));
  const Ball& out = t.out.back();
  const Ball W_in = exact(m.W_in, 0, t.d, t.f);
  t.along_neurons.push_back(product({W_in.mid.transpose(), W_in.radius.transpose()},
                                    {out.mid.transpose(), out.radius.transpose()}));
  if (!t.queries.back().is_finite() || !t.keys.back().is_finite() || !out.is_finite() ||
      !t.along_neurons.back().is_finite()) {
    throw InputError("model", "blocks.0.attn", "values a double can hold", "overflow");
  }
}

}  // namespace

std::optional<std::string> outside_family(const Transformer& model) {
  const auto& c = model.config;
  if (c.n_layers != 1) {
    return "the model has more than one layer";
  }
  if (c.attn_only || c.act_fn != ActFn::relu) {
    return "the MLP is not a relu MLP";
  }
  if (c.norm != NormKind::none) {
    return "the model has LayerNorm";
  }
  if (c.attention_window == 0) {
    return "attention has no window";
  }
  if (c.positions != PosKind::relative || model.rel_bias.data.empty()) {
    return "positions are not a learned relative bias";
  }
  return std::nullopt;
}

Direction to_direction(const std::vector<Interval>& box) {
  Direction g;
  for (const Interval i : box) {
    const double mid = i.lo + (i.hi - i.lo) / 2;
    const double below = round_up(mid - i.lo);
    const double above = round_up(i.hi - mid);
    g.mid.push_back(mid);
    g.radius.push_back(i.lo == i.hi ? 0.0 : std::fmax(0.0, below > above ? below : above));
    if (!i.is_valid() || !std::isfinite(g.radius.back())) {
      g.radius.back() = std::numeric_limits<double>::quiet_NaN();
    }
  }
  return g;
}

OneLayer::OneLayer(const Transformer& model) {
  if (const auto why = outside_family(model)) {
    throw InputError("config.json", "model",
                     "one layer, relu MLP, no LayerNorm, attention_window > 0, relative_bias",
                     *why);
  }
  check_weights(model);
  const auto& c = model.config;
  auto t = std::make_shared<Tables>();
  t->model = &model;
  t->vocab = c.d_vocab;
  t->d = c.d_model;
  t->heads = c.n_heads;
  t->d_head = c.d_head;
  t->f = c.d_mlp;
  t->window = c.attention_window;
  t->scale = attention_scale(c);
  const Ball x = exact(model.W_E, 0, t->vocab, t->d);
  for (std::size_t h = 0; h < t->heads; ++h) {
    fill_head(*t, x, h);
  }
  t->resid_base = plus_row(x, exact_bias(model.b_O, 0, t->d)).mid;
  t->W_in = exact(model.W_in, 0, t->d, t->f).mid;
  t->W_out = exact(model.W_out, 0, t->f, t->d).mid;
  t->W_U = exact(model.W_U, 0, t->d, c.d_vocab_out).mid;
  t->b_in = exact_bias(model.b_in, 0, t->f).mid;
  t->b_out = exact_bias(model.b_out, 0, t->d).mid;
  t->b_U = exact_bias(model.b_U, 0, c.d_vocab_out).mid;
  tables_ = std::move(t);
}

const Transformer& OneLayer::model() const {
  return *tables_->model;
}

Ball OneLayer::Tables::values(std::size_t head, const Direction& g) const {
  const auto column = [&](const std::vector<double>& v) -> Rows {
    return Eigen::Map<const Rows>(v.data(), index(v.size()), 1);
  };
  return product(out[head], {column(g.mid), column(g.radius)});
}

}  // namespace assay::bounds
