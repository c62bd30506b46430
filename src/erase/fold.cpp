#include "assay/erase/fold.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "coordinates.hpp"

namespace assay::erase {
namespace {

using Slots = std::vector<std::size_t>;

std::vector<double> doubles(const Tensor& t) {
  return {t.data.begin(), t.data.end()};
}

void set_bias(Tensor& bias, const std::vector<double>& values) {
  std::transform(values.begin(), values.end(), bias.data.begin(),
                 [](double v) { return static_cast<float>(v); });
}

/// How the residual stream of the folded model holds x at one place.
struct Place {
  bool own = false;             ///< the slots J are free for what is written behind the eraser
  std::optional<Slots> hidden;  ///< R (x - mu), so that x itself can be read
};

/// The stream before attention, before the MLP and after it, for the three sites on it.
struct Stream {
  Coordinates coordinates;
  std::size_t width;
  Place pre, mid, post;

  Stream(const Fold& f, const Eraser& e) : coordinates(e), width(e.d() + f.added) {
    Slots extra(f.added);
    for (std::size_t k = 0; k < f.added; ++k) {
      extra[k] = e.d() + k;
    }
    if (e.hook == kHookResidPre) {
      mid.own = post.own = true;
    } else if (e.hook == kHookResidMid) {
      pre.hidden = extra;
      post.own = true;
    } else {
      pre.hidden = mid.hidden = coordinates.pivots();
    }
  }

  /// Reader W [d,n] with bias [n] of the stream at a place.
  void read(const Place& place, Tensor& w, Tensor& b) const {
    std::vector<double> bias = doubles(b);
    w = coordinates.read(w, width, {place.own, place.hidden, true}, bias);
    set_bias(b, bias);
  }
  /// The same for every head, W [H,d,n] and b [H,n].
  void read_heads(const Place& place, Tensor& w, Tensor& b) const {
    const std::size_t heads = w.shape[0], d = w.shape[1], n = w.shape[2];
    Tensor out = zeros({heads, width, n});
    for (std::size_t h = 0; h < heads; ++h) {
      const auto cut = [h](const Tensor& t, std::size_t size) {
        const auto begin = t.data.begin() + static_cast<std::ptrdiff_t>(h * size);
        return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(size));
      };
      Tensor head{{d, n}, cut(w, d * n)}, bias{{n}, cut(b, n)};
      read(place, head, bias);
      std::copy(head.data.begin(), head.data.end(),
                out.data.begin() + static_cast<std::ptrdiff_t>(h * width * n));
      std::copy(bias.data.begin(), bias.data.end(),
                b.data.begin() + static_cast<std::ptrdiff_t>(h * n));
    }
    w = std::move(out);
  }
  /// A summand of the stream that is there at a place; `constant` for the embedding, which has mu.
  void write(const Place& place, Tensor& w, bool constant = false) const {
    w = place.own ? coordinates.write_behind(w, width, constant)
                  : coordinates.write_erased(w, width, place.hidden, constant);
  }
};

void in_place(Transformer& m, const Eraser& e) {
  if (e.hook == kHookResidPre) {
    m.W_E = project_rows(e, m.W_E, true);
    m.W_pos = m.W_pos.data.empty() ? m.W_pos : project_rows(e, m.W_pos, false);
  } else if (e.hook == kHookAttnOut) {
    Tensor flat{{m.W_O.shape[0] * m.W_O.shape[1], e.d()}, std::move(m.W_O.data)};
    m.W_O.data = project_rows(e, flat, false).data;
    m.b_O = project_rows(e, m.b_O, true);
  } else if (e.hook == kHookMlpPre) {
    m.W_in = project_rows(e, m.W_in, false);
    m.b_in = project_rows(e, m.b_in, true);
  } else if (e.hook == kHookMlpPost) {
    std::vector<double> bias = doubles(m.b_out);
    m.W_out = project_columns(e, m.W_out, bias);
    set_bias(m.b_out, bias);
  } else {
    m.W_out = project_rows(e, m.W_out, false);
    m.b_out = project_rows(e, m.b_out, true);
  }
}

void change_coordinates(Transformer& m, const Stream& s) {
  s.read_heads(s.pre, m.W_Q, m.b_Q);
  s.read_heads(s.pre, m.W_K, m.b_K);
  s.read_heads(s.pre, m.W_V, m.b_V);
  s.write(s.pre, m.W_E, true);
  if (!m.W_pos.data.empty()) {
    s.write(s.pre, m.W_pos);
  }
  const std::size_t heads = m.W_O.shape[0], width = m.W_O.shape[1];
  Tensor flat{{heads * width, m.config.d_model}, std::move(m.W_O.data)};
  s.write(s.mid, flat);
  m.W_O = {{heads, width, s.width}, std::move(flat.data)};
  s.write(s.mid, m.b_O);
  if (!m.config.attn_only) {
    s.read(s.mid, m.W_in, m.b_in);
    s.write(s.post, m.W_out);
    s.write(s.post, m.b_out);
  }
  s.read(s.post, m.W_U, m.b_U);
  m.config.d_model = s.width;
}

/// The place of a site of the residual stream.
const Place& place_of(const Stream& s, const std::string& hook) {
  return hook == kHookResidPre ? s.pre : hook == kHookResidMid ? s.mid : s.post;
}

bool on_stream(const std::string& hook) {
  return hook == kHookResidPre || hook == kHookResidMid || hook == kHookResidPost;
}

bool inside_mlp(const std::string& hook) {
  return hook == kHookMlpPre || hook == kHookMlpPost;
}

/// What reads a hook's value in the folded model. Throws Refusal where the value is not there.
Coordinates::Reads reads_of(const Fold& fold, const Stream& s, const std::string& hook) {
  if (on_stream(hook)) {
    const Place& place = place_of(s, hook);
    return {place.own, place.hidden, true};
  }
  const Place& written = hook == kHookAttnOut ? s.mid : s.post;
  if (!written.own && !written.hidden) {
    throw Refusal(hook + ": the folded model does not compute it: an eraser at " +
                  fold.eraser.hook + " takes a part of it away");
  }
  return {written.own, written.hidden, false};
}

/// Throws Refusal unless a site beside the stream has the value that it has in the model that runs the eraser.
void need_same(const Fold& fold, const std::string& hook) {
  if (!fold.changes_coordinates && hook == fold.eraser.hook && hook == kHookMlpPost) {
    throw Refusal(hook +
                  " is unchanged in the folded model: what reads it is folded, so that "
                  "the site itself is as before");
  }
}

}  // namespace

Fold fold(const Transformer& model, const Eraser& eraser) {
  Fold out;
  out.eraser = eraser;
  out.model = model;
  const bool normed = model.config.norm != NormKind::none;
  const bool stream = on_stream(eraser.hook);
  if (stream && normed && eraser.hook != kHookResidPre) {
    throw Refusal("an eraser at " + eraser.hook +
                  " cannot be folded: a LayerNorm reads the site, which is not linear, and the "
                  "stream keeps what attention reads (assay run --erase runs it)");
  }
  out.changes_coordinates = stream && !normed;
  if (!out.changes_coordinates) {
    in_place(out.model, eraser);
  } else {
    out.added = eraser.hook == kHookResidMid ? eraser.rank : 0;
    const Stream s(out, eraser);
    out.pivots = s.coordinates.pivots();
    change_coordinates(out.model, s);
    if (eraser.hook == kHookResidMid) {
      out.unread = *s.pre.hidden;
    } else if (eraser.hook == kHookResidPost) {
      out.unread = out.pivots;
    }
  }
  return out;
}

Sae fold_sae(const Fold& fold, const Sae& sae) {
  need_same(fold, sae.hook_name);
  need_same(fold, sae.hook_name_out);
  Sae out = sae;
  if (!fold.changes_coordinates) {
    return out;
  }
  const Stream s(fold, fold.eraser);
  if (!inside_mlp(sae.hook_name_out)) {
    const std::string& hook = sae.hook_name_out;
    if (hook == fold.eraser.hook) {
      throw Refusal("a reconstruction of " + hook +
                    " need not lie where the eraser leaves the site: it has no place there");
    }
    static_cast<void>(reads_of(fold, s, hook));
    const Place& place = on_stream(hook)        ? place_of(s, hook)
                         : hook == kHookAttnOut ? s.mid
                                                : s.post;
    s.write(place, out.W_dec);
    s.write(place, out.b_dec, on_stream(hook));
    out.d_out = s.width;
  }
  if (!inside_mlp(sae.hook_name)) {
    std::vector<double> bias = doubles(sae.b_enc);
    out.W_enc = s.coordinates.read(sae.W_enc, s.width, reads_of(fold, s, sae.hook_name), bias);
    out.d_in = s.width;
    for (std::size_t f = 0; f < sae.d_sae && sae.apply_b_dec_to_input; ++f) {
      for (std::size_t i = 0; i < sae.d_in; ++i) {
        bias[f] -= static_cast<double>(sae.b_dec.data[i]) * static_cast<double>(sae.W_enc.at(i, f));
      }
      for (std::size_t i = 0; i < out.d_in; ++i) {
        bias[f] += static_cast<double>(out.b_dec.data[i]) * static_cast<double>(out.W_enc.at(i, f));
      }
    }
    set_bias(out.b_enc, bias);
  }
  return out;
}

Readout fold_readout(const Fold& fold, const Readout& readout) {
  need_same(fold, readout.hook);
  Readout out = readout;
  if (!fold.changes_coordinates || inside_mlp(readout.hook)) {
    return out;
  }
  const Stream s(fold, fold.eraser);
  out.weights = s.coordinates.read_doubles(readout.weights, s.width,
                                           reads_of(fold, s, readout.hook), out.bias);
  return out;
}

Eraser unread_eraser(const Fold& fold, int grid_bits) {
  const std::vector<std::size_t>& gone = fold.unread.empty() ? fold.pivots : fold.unread;
  require(!gone.empty(), "unread_eraser: folded in place");
  Eraser e;
  e.hook = fold.eraser.hook;
  e.grid_bits = grid_bits;
  e.method = name_of(Method::orth);
  e.rank = gone.size();
  const std::size_t d = fold.model.config.d_model;
  e.bias.assign(d, 0.0);
  e.proj_left.assign(d * e.rank, 0.0);
  e.proj_right.assign(e.rank * d, 0.0);
  for (std::size_t k = 0; k < e.rank; ++k) {
    e.proj_left[gone[k] * e.rank + k] = e.proj_right[k * d + gone[k]] = 1.0;
  }
  return e;
}

}  // namespace assay::erase
