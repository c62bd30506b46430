#include "assay/erase/feature_leak.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "assay/base/errors.hpp"
#include "assay/erase/in_model.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kAligned = 10;

/// The dictionary's view of a sequence under an action.
struct View {
  Matrix site, values, reconstruction, error, output;
};

void put(Matrix& value, const void* context) {
  value = *static_cast<const Matrix*>(context);
}

bool is_selected(const std::vector<std::size_t>& features, std::size_t f) {
  return std::find(features.begin(), features.end(), f) != features.end();
}

View view_of(const Transformer& model, const Sae& sae, const std::vector<std::size_t>& features,
             const Eraser& projection, const FeatureAction& action,
             const std::vector<TokenId>& tokens) {
  const std::vector<std::string> hooks = {sae.hook_name, sae.hook_name_out};
  const Splice splice = deployed_splice(projection);
  const bool project = action.kind == FeatureAction::Kind::project;
  const ForwardPass pass = forward(model, tokens, hooks, project ? &splice : nullptr);
  View v;
  v.site = pass.hooks.at(sae.hook_name);
  v.values = pre_activations(sae, v.site);
  apply_activation(sae, v.values);
  v.output = pass.hooks.at(sae.hook_name_out);
  v.error = decode(sae, v.values);
  for (std::size_t i = 0; i < v.error.data.size(); ++i) {
    v.error.data[i] = v.output.data[i] - v.error.data[i];
  }
  for (std::size_t r = 0; r < v.values.rows && action.kind == FeatureAction::Kind::set; ++r) {
    for (const std::size_t f : features) {
      v.values.at(r, f) = action.value;
    }
  }
  v.reconstruction = decode(sae, v.values);
  if (action.kind == FeatureAction::Kind::set) {
    v.output = v.reconstruction;
    for (std::size_t i = 0; i < v.output.data.size() && action.error_kept; ++i) {
      v.output.data[i] += v.error.data[i];
    }
  }
  return v;
}

/// One carrier's rows with the label, sequence by sequence, and then their moments.
class Carrier {
 public:
  explicit Carrier(std::size_t width) : width_(width) {}
  void add(const std::vector<double>& rows, const std::vector<double>& labels) {
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    labels_.insert(labels_.end(), labels.begin(), labels.end());
  }
  void finish() {
    if (width_ > 0 && !labels_.empty()) {
      moments_.emplace(width_, 1, rows_, labels_);
    }
    rows_ = {};
  }
  [[nodiscard]] double r2() const {
    if (!moments_ || moments_->n() < 4 * width_ || !(moments_->zz() > 0)) {
      return std::nan("");
    }
    bool varies = false;
    for (std::size_t i = 0; i < width_ && !varies; ++i) {
      varies = moments_->xx(i, i) > 0;
    }
    return varies ? canonical_r2(*moments_) : 0.0;
  }
  [[nodiscard]] double correlation(std::size_t i) const {
    const double spread = moments_ ? std::sqrt(moments_->xx(i, i) * moments_->zz()) : 0.0;
    return spread > 0 ? moments_->xz(i) / spread : 0.0;
  }

 private:
  std::size_t width_;
  std::vector<double> rows_, labels_;
  std::optional<Moments> moments_;
};

/// Columns of the rows [skip, rows): those selected, the others, or all.
std::vector<double> columns(const Matrix& m, std::size_t skip,
                            const std::vector<std::size_t>& features, bool selected) {
  std::vector<double> out;
  for (std::size_t r = skip; r < m.rows; ++r) {
    for (std::size_t f = 0; f < m.cols; ++f) {
      if (is_selected(features, f) == selected) {
        out.push_back(m.at(r, f));
      }
    }
  }
  return out;
}

double cosine(const Sae& sae, std::size_t a, std::size_t b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < sae.d_in; ++i) {
    const double x = static_cast<double>(sae.W_enc.at(i, a));
    const double y = static_cast<double>(sae.W_enc.at(i, b));
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? std::fabs(dot) / std::sqrt(aa * bb) : 0.0;
}

struct Measured {
  FeatureLeak leak;
  std::vector<double> correlation;  ///< of every other feature, in its order
};

Measured measure(const Transformer& model, const Tokenizer& tokenizer, const Sae& sae,
                 const std::vector<std::size_t>& features, const Eraser& projection,
                 const FeatureAction& action, const LabelledText& text,
                 std::span<const Window> windows) {
  const std::size_t skip = model.config.bos ? 1 : 0, n = features.size();
  Carrier selected(n), others(sae.d_sae - n), reconstruction(sae.d_out), error(sae.d_out),
      output(sae.d_out), site(sae.d_in);
  Measured out;
  out.leak.action = action.name;
  for (const Window& window : windows) {
    const std::vector<TokenId> tokens = window_tokens(model, tokenizer, text, window);
    std::vector<double> z;
    for (std::size_t t = 0; t < window.length; ++t) {
      z.push_back(text.labels[window.document][window.begin + t]);
    }
    const View v = view_of(model, sae, features, projection, action, tokens);
    const std::vector<double> chosen = columns(v.values, skip, features, true);
    for (std::size_t r = 0; r < z.size(); ++r) {
      out.leak.fires += std::any_of(chosen.begin() + static_cast<std::ptrdiff_t>(r * n),
                                    chosen.begin() + static_cast<std::ptrdiff_t>((r + 1) * n),
                                    [](double value) { return value != 0; })
                            ? 1
                            : 0;
    }
    selected.add(chosen, z);
    others.add(columns(v.values, skip, features, false), z);
    reconstruction.add(columns(v.reconstruction, skip, {}, false), z);
    error.add(columns(v.error, skip, {}, false), z);
    output.add(columns(v.output, skip, {}, false), z);
    site.add(columns(v.site, skip, {}, false), z);
  }
  for (Carrier* carrier : {&selected, &others, &reconstruction, &error, &output, &site}) {
    carrier->finish();
  }
  out.leak.selected = selected.r2();
  out.leak.others = others.r2();
  out.leak.reconstruction = reconstruction.r2();
  out.leak.error = error.r2();
  out.leak.output = output.r2();
  out.leak.site = site.r2();
  for (std::size_t f = 0; f < sae.d_sae - n; ++f) {
    out.correlation.push_back(others.correlation(f));
  }
  return out;
}

}  // namespace

FeatureStudy study_features(const Transformer& model, const Tokenizer& tokenizer, const Sae& sae,
                            const std::vector<std::size_t>& features, const Eraser& projection,
                            const std::vector<FeatureAction>& actions, const LabelledText& text,
                            std::span<const Window> windows) {
  FeatureStudy study;
  for (const Window& window : windows) {
    study.rows += window.length;
    for (std::size_t t = 0; t < window.length; ++t) {
      study.positive += text.labels[window.document][window.begin + t];
    }
  }
  std::vector<double> before, after;
  for (const FeatureAction& action : actions) {
    Measured m = measure(model, tokenizer, sae, features, projection, action, text, windows);
    study.leaks.push_back(m.leak);
    if (action.kind == FeatureAction::Kind::keep) {
      before = m.correlation;
    } else if (action.kind == FeatureAction::Kind::project) {
      after = std::move(m.correlation);
    }
  }
  for (std::size_t f = 0, at = 0; f < sae.d_sae; ++f) {
    if (!is_selected(features, f)) {
      AlignedFeature a{f, before.empty() ? 0.0 : before[at], after.empty() ? 0.0 : after[at], 0.0};
      for (const std::size_t s : features) {
        a.cosine = std::max(a.cosine, cosine(sae, f, s));
      }
      study.aligned.push_back(a);
      ++at;
    }
  }
  std::stable_sort(study.aligned.begin(), study.aligned.end(), [](const auto& a, const auto& b) {
    return std::fabs(a.correlation) > std::fabs(b.correlation);
  });
  study.aligned.resize(std::min(study.aligned.size(), kAligned));
  return study;
}

Matrix logits_under(const Transformer& model, const Sae& sae,
                    const std::vector<std::size_t>& features, const Eraser& projection,
                    const FeatureAction& action, const std::vector<TokenId>& tokens) {
  if (action.kind == FeatureAction::Kind::keep) {
    return forward(model, tokens).logits;
  }
  if (action.kind == FeatureAction::Kind::project) {
    const Splice splice = deployed_splice(projection);
    return forward(model, tokens, {}, &splice).logits;
  }
  const View v = view_of(model, sae, features, projection, action, tokens);
  const Splice splice{sae.hook_name_out, put, &v.output};
  return forward(model, tokens, {}, &splice).logits;
}

}  // namespace assay::erase
