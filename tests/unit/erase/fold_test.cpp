#include "assay/erase/fold.hpp"

#include <Eigen/Dense>
#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "assay/erase/change.hpp"
#include "assay/erase/eraser_file.hpp"
#include "catch.hpp"
#include "family_model.hpp"

using namespace assay;
using namespace assay::erase;

namespace {

/// A random eraser with R L = I to rounding.
Eraser random_eraser(const std::string& hook, std::size_t d, std::size_t rank, std::uint64_t seed) {
  Random random(seed);
  const auto n = static_cast<Eigen::Index>(d), r = static_cast<Eigen::Index>(rank);
  Eigen::MatrixXd left(n, r), right(r, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index k = 0; k < r; ++k) {
      left(i, k) = random.unit() - 0.5;
      right(k, i) = left(i, k) + 0.4 * (random.unit() - 0.5);
    }
  }
  right = (right * left).partialPivLu().solve(right).eval();
  Eraser e;
  e.hook = hook;
  e.rank = rank;
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index k = 0; k < r; ++k) {
      e.proj_left.push_back(left(i, k));
    }
    e.bias.push_back(random.unit() - 0.5);
  }
  for (Eigen::Index k = 0; k < r; ++k) {
    for (Eigen::Index i = 0; i < n; ++i) {
      e.proj_right.push_back(right(k, i));
    }
  }
  return e;
}

std::size_t width_of(const Transformer& m, const std::string& hook) {
  return hook == kHookMlpPre || hook == kHookMlpPost ? m.config.d_mlp : m.config.d_model;
}

std::vector<std::vector<TokenId>> contexts() {
  return fixture::contexts_of({{0, 1, 2, 3}, {0, 2}, {1, 3}, {0, 1, 2, 3}, {2}});
}

/// Absent biases are zeros once a model was read.
Transformer with_biases(Transformer m) {
  for (auto [bias, shape] : {std::pair(&m.b_Q, std::vector{m.config.n_heads, m.config.d_head}),
                             std::pair(&m.b_K, std::vector{m.config.n_heads, m.config.d_head}),
                             std::pair(&m.b_V, std::vector{m.config.n_heads, m.config.d_head}),
                             std::pair(&m.b_O, std::vector{m.config.d_model}),
                             std::pair(&m.b_in, std::vector{m.config.d_mlp}),
                             std::pair(&m.b_out, std::vector{m.config.d_model}),
                             std::pair(&m.b_U, std::vector{m.config.d_vocab_out})}) {
    if (bias->data.empty()) {
      *bias = zeros(shape);
    }
  }
  return m;
}

double largest_difference(const Transformer& model, const Eraser& eraser, const Fold& folded) {
  const Splice splice = real_splice(eraser);
  set_progress(false);
  return measure_change(
             contexts(),
             [&](const auto& tokens) { return forward(model, tokens, {}, &splice).logits; },
             [&](const auto& tokens) { return forward(folded.model, tokens).logits; })
      .max_difference;
}

const char* const kEverySite[] = {kHookResidPre, kHookAttnOut, kHookResidMid, kHookMlpPre,
                                  kHookMlpPost,  kHookMlpOut,  kHookResidPost};

bool on_stream(const std::string& hook) {
  return bypass_of(hook) == Bypass::none;
}

}  // namespace

TEST_CASE("a folded model has the logits of the model that runs the eraser, in every family") {
  std::size_t folds = 0;
  for (const auto& family : fixture::families()) {
    for (const char* hook : kEverySite) {
      const Transformer model = with_biases(fixture::family_model(family, 11));
      const bool mlp =
          width_of(model, hook) != model.config.d_model || hook == std::string(kHookMlpOut);
      if (family.attn_only && mlp) {
        continue;
      }
      for (const std::size_t rank : {std::size_t{1}, std::size_t{3}}) {
        const Eraser eraser = random_eraser(hook, width_of(model, hook), rank, 5 + rank);
        INFO(family.name << " at " << hook << ", rank " << rank);
        if (family.norm != NormKind::none && on_stream(hook) &&
            hook != std::string(kHookResidPre)) {
          CHECK_THROWS_AS(fold(model, eraser), Refusal);
          continue;
        }
        const Fold folded = fold(model, eraser);
        ++folds;
        // Weights of size 1 rounded to float32; LayerNorm may enlarge that on a small stream.
        CHECK(largest_difference(model, eraser, folded) <
              (family.norm == NormKind::none ? 2e-5 : 2e-3));
        // The control: the model without the eraser is another one.
        CHECK(largest_difference(model, eraser, Fold{model, eraser, false, {}, {}, 0}) > 1e-2);
        CHECK(folded.model.config.d_model ==
              model.config.d_model + (hook == std::string(kHookResidMid) ? rank : 0));
      }
    }
  }
  CHECK(folds > 100);
}

TEST_CASE("what a folded model does not read changes no bit of a later layer") {
  for (const char* hook : {kHookResidMid, kHookResidPost}) {
    const Transformer model = with_biases(fixture::family_model(fixture::families()[3], 3));
    const Fold folded = fold(model, random_eraser(hook, model.config.d_model, 2, 9));
    REQUIRE(folded.unread.size() == 2);
    for (const std::size_t u : folded.unread) {
      for (std::size_t v = 0; v < folded.model.W_U.cols(); ++v) {
        CHECK(folded.model.W_U.at(u, v) == 0.0F);
      }
      for (std::size_t i = 0; i < folded.model.W_in.cols() && hook == std::string(kHookResidMid);
           ++i) {
        CHECK(folded.model.W_in.at(u, i) == 0.0F);
      }
    }
    static std::vector<std::size_t> unread;
    unread = folded.unread;
    const Splice noise{hook,
                       [](Matrix& value, const void* /*context*/) {
                         for (std::size_t r = 0; r < value.rows; ++r) {
                           for (const std::size_t u : unread) {
                             value.at(r, u) = 1e6 * static_cast<double>(r + 1);
                           }
                         }
                       },
                       nullptr};
    for (const auto& tokens : contexts()) {
      CHECK(forward(folded.model, tokens, {}, &noise).logits.data ==
            forward(folded.model, tokens).logits.data);
    }
  }
}

TEST_CASE("the site of a folded model holds the erased value, and the view shows what is read") {
  const Transformer model = with_biases(fixture::family_model(fixture::families()[3], 21));
  const Eraser eraser = random_eraser(kHookResidMid, model.config.d_model, 2, 4);
  const Fold folded = fold(model, eraser);
  const Eraser view = unread_eraser(folded, 16);
  const std::vector<std::string> hooks = {kHookResidMid};
  const Splice splice = real_splice(eraser);
  for (const auto& tokens : contexts()) {
    const Matrix erased = forward(model, tokens, hooks, &splice).hooks.at(kHookResidMid);
    const Matrix site = forward(folded.model, tokens, hooks).hooks.at(kHookResidMid);
    std::vector<std::int32_t> grid(site.cols);
    for (std::size_t r = 0; r < site.rows; ++r) {
      deploy(view, site.row(r), grid);
      for (std::size_t i = 0; i < site.cols; ++i) {
        const bool gone =
            i >= erased.cols || std::count(folded.pivots.begin(), folded.pivots.end(), i) > 0;
        CHECK(std::ldexp(grid[i], -16) == Approx(gone ? 0.0 : erased.at(r, i)).margin(2e-5));
      }
    }
  }
}

TEST_CASE("a folded dictionary has the features of the model that runs the eraser") {
  std::size_t compared = 0;
  for (const char* at : {kHookResidPre, kHookResidMid, kHookResidPost, kHookMlpPre}) {
    for (const char* reads : kEverySite) {
      const Transformer model = with_biases(fixture::family_model(fixture::families()[3], 8));
      const Eraser eraser = random_eraser(at, width_of(model, at), 2, 6);
      const Fold folded = fold(model, eraser);
      Sae sae = fixture::random_sae(2, reads, width_of(model, reads));
      sae.hook_name_out = kHookMlpPost;  // a transcoder to a site that every fold leaves as it is
      sae.architecture = "jumprelu_transcoder";
      sae.apply_b_dec_to_input = false;
      sae.d_out = model.config.d_mlp;
      INFO("eraser at " << at << ", dictionary at " << reads);
      if ((at == std::string(kHookResidMid) && reads == std::string(kHookAttnOut)) ||
          (at == std::string(kHookResidPost) && reads == std::string(kHookMlpOut))) {
        CHECK_THROWS_AS(fold_sae(folded, sae), Refusal);
        continue;
      }
      const Sae mapped = fold_sae(folded, sae);
      const Readout readout{reads, std::vector<double>(width_of(model, reads), 0.5), 0.25, {}};
      const Readout turned = fold_readout(folded, readout);
      const Splice splice = real_splice(eraser);
      const std::vector<std::string> hooks = {reads};
      for (const auto& tokens : contexts()) {
        const Matrix x = forward(model, tokens, hooks, &splice).hooks.at(reads);
        const Matrix y = forward(folded.model, tokens, hooks).hooks.at(reads);
        const Matrix want = pre_activations(sae, x), got = pre_activations(mapped, y);
        for (std::size_t i = 0; i < want.data.size(); ++i) {
          CHECK(got.data[i] == Approx(want.data[i]).margin(2e-5));
        }
        double a = readout.bias, b = turned.bias;
        for (std::size_t i = 0; i < x.cols; ++i) {
          a += 0.5 * x.at(x.rows - 1, i);
        }
        for (std::size_t i = 0; i < y.cols; ++i) {
          b += turned.weights[i] * y.at(y.rows - 1, i);
        }
        CHECK(b == Approx(a).margin(2e-5));
        ++compared;
      }
    }
  }
  CHECK(compared > 500);
}

TEST_CASE("a transcoder's folded reconstruction, spliced in, gives the same logits") {
  for (const char* at : {kHookResidPre, kHookResidMid}) {
    const Transformer model = with_biases(fixture::family_model(fixture::families()[3], 8));
    const Eraser eraser = random_eraser(at, model.config.d_model, 2, 6);
    const Fold folded = fold(model, eraser);
    Sae sae = fixture::random_sae(2, kHookResidMid, model.config.d_model);
    if (at == std::string(kHookResidMid)) {
      CHECK_THROWS_AS(fold_sae(folded, sae), Refusal);  // it would be put where the eraser was
    }
    sae.architecture = "jumprelu_transcoder";
    sae.apply_b_dec_to_input = false;
    sae.hook_name_out = kHookMlpOut;
    const Sae mapped = fold_sae(folded, sae);
    const Splice erased = real_splice(eraser);
    const std::vector<std::string> hooks = {kHookResidMid};
    const auto rebuilt = [](const Sae& s, const Matrix& x) {
      Matrix values = pre_activations(s, x);
      apply_activation(s, values);
      return decode(s, values);
    };
    for (const auto& tokens : contexts()) {
      const Matrix x = forward(model, tokens, hooks, &erased).hooks.at(kHookResidMid);
      const Matrix plain = rebuilt(sae, x);
      const Matrix turned =
          rebuilt(mapped, forward(folded.model, tokens, hooks).hooks.at(kHookResidMid));
      const Splice put{
          kHookMlpOut,
          [](Matrix& value, const void* context) { value = *static_cast<const Matrix*>(context); },
          &turned};
      const Matrix got = forward(folded.model, tokens, {}, &put).logits;
      for (std::size_t r = 0; r < x.rows; ++r) {
        for (std::size_t v = 0; v < got.cols; ++v) {
          double want = static_cast<double>(model.b_U.data[v]);
          for (std::size_t i = 0; i < x.cols; ++i) {
            want += (x.at(r, i) + plain.at(r, i)) * static_cast<double>(model.W_U.at(i, v));
          }
          CHECK(got.at(r, v) == Approx(want).margin(5e-5));
        }
      }
    }
  }
}

TEST_CASE("an eraser of another model, of no model or of another width is refused") {
  Transformer model = with_biases(fixture::family_model(fixture::families()[3], 8));
  model.weights_digest = sha256("this model");
  LoadedEraser loaded;
  loaded.eraser = random_eraser(kHookResidMid, model.config.d_model, 1, 2);
  CHECK_THROWS_AS(need_model(loaded, model), UsageError);
  CHECK_NOTHROW(need_model(loaded, model, true));
  loaded.origin.model_weights = sha256("another model");
  try {
    need_model(loaded, model, true);
    FAIL("another model was accepted");
  } catch (const Error& e) {
    CHECK(e.code() == ExitCode::artifact);
  }
  loaded.origin.model_weights = model.weights_digest;
  CHECK_NOTHROW(need_model(loaded, model));
  loaded.eraser.hook = kHookMlpPost;
  CHECK_THROWS_AS(need_model(loaded, model), InputError);
  loaded.eraser.hook = "ln_final.hook_normalized";
  CHECK_THROWS_AS(need_model(loaded, model), InputError);
}

TEST_CASE("the bounds on a change of logits hold at every token") {
  set_progress(false);
  const Transformer model = with_biases(fixture::family_model(fixture::families()[3], 8));
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    const Eraser eraser = random_eraser(kHookResidMid, model.config.d_model, 1, seed);
    const Splice splice = deployed_splice(eraser);
    for (const auto& tokens : contexts()) {
      const LogitChange c = measure_change(
          {tokens}, [&](const auto& t) { return forward(model, t).logits; },
          [&](const auto& t) { return forward(model, t, {}, &splice).logits; });
      CHECK(c.max_kl <= c.max_range * c.max_range / 8 + 1e-12);
      CHECK(c.mean_kl <= c.mean_kl_bound + 1e-12);
      CHECK(c.max_tv <= std::tanh(c.max_range / 4) + 1e-12);
      CHECK(c.mean_kl >= -1e-12);
    }
  }
}
