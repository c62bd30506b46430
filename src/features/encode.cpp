#include "assay/features/encode.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"

namespace assay::features {
namespace {

constexpr std::size_t kLongest = 256;

std::size_t site_width(const Transformer& model, const std::string& hook) {
  const bool hidden = hook == kHookMlpPre || hook == kHookMlpPost;
  return hidden ? model.config.d_mlp : model.config.d_model;
}

void check_site(const Transformer& model, const std::string& hook, std::size_t width,
                const char* key) {
  if (!is_known_hook(hook)) {
    throw InputError("SAE", key, "a site of the model", hook);
  }
  if (const std::size_t expected = site_width(model, hook); width != expected) {
    throw InputError("SAE", std::string("width at ") + hook, std::to_string(expected),
                     std::to_string(width));
  }
}

const char* name_of(Part part) {
  return part == Part::fit ? "fit" : part == Part::calibration ? "calibration" : "held-out";
}

}  // namespace

void check_fits(const Transformer& model, const Sae& sae) {
  check_site(model, sae.hook_name, sae.d_in, "hook_name");
  check_site(model, sae.hook_name_out, sae.d_out, "hook_name_out");
}

Sequences part_sequences(const Transformer& model, const Tokenizer& tokenizer,
                         const std::vector<Document>& documents, Part part,
                         std::size_t max_tokens) {
  if (tokenizer.size() > model.config.d_vocab) {
    throw InputError("tokenizer.json", "vocab", "at most " + std::to_string(model.config.d_vocab),
                     std::to_string(tokenizer.size()));
  }
  const std::size_t length =
      std::clamp<std::size_t>(model.config.n_ctx == 0 ? kLongest : model.config.n_ctx, 2, kLongest);
  Sequences all;
  for (const Document& document : documents) {
    if (part_of(document) != part) {
      continue;
    }
    const std::vector<TokenId> tokens = tokenizer.encode(document.text);
    for (std::size_t at = 0; at + 1 < tokens.size(); at += length) {
      const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(at);
      const std::size_t end = std::min(length, tokens.size() - at);
      all.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(end));
    }
  }
  if (all.empty() || max_tokens < 2) {
    throw InputError(std::string("text: expected at least two tokens in the ") + name_of(part) +
                     " part of the documents, found none (parts are drawn by document: give more "
                     "documents)");
  }
  const std::size_t step = (token_count(all) + max_tokens - 1) / max_tokens;
  Sequences kept;
  for (std::size_t i = 0; i < all.size(); i += step) {
    kept.push_back(std::move(all[i]));
  }
  return kept;
}

std::size_t token_count(const Sequences& sequences) {
  std::size_t n = 0;
  for (const auto& sequence : sequences) {
    n += sequence.size();
  }
  return n;
}

Matrix pre_activations_of(const Transformer& model, const Sae& sae,
                          std::span<const TokenId> tokens) {
  const std::string hooks[] = {sae.hook_name};
  return pre_activations(sae, forward(model, tokens, hooks).hooks.at(sae.hook_name));
}

Matrix feature_values(const Transformer& model, const Sae& sae, std::span<const TokenId> tokens) {
  Matrix values = pre_activations_of(model, sae, tokens);
  apply_activation(sae, values);
  return values;
}

}  // namespace assay::features
