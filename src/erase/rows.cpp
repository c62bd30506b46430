#include "assay/erase/rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "assay/base/progress.hpp"
#include "assay/base/random.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/in_model.hpp"
#include "assay/model/forward.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kDefaultWindow = 256;
constexpr std::size_t kLongestWindow = 512;

const char* part_name(Part part) {
  return part == Part::fit ? "fit" : part == Part::calibration ? "calibration" : "held_out";
}

std::uint64_t leading_bytes(const Digest& digest) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    value = value << 8U | digest.bytes[i];
  }
  return value;
}

std::vector<TokenId> tokens_of(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<TokenId> tokens = tokenizer.encode(text);
  if (tokens.size() != text.size()) {
    throw UsageError("concept labels need a tokenizer with one token a byte, found " +
                     std::to_string(tokens.size()) + " tokens for " + std::to_string(text.size()) +
                     " bytes");
  }
  return tokens;
}

/// The window's tokens behind the model's BOS, if it has one.
std::vector<TokenId> input_of(const Transformer& model, const std::vector<TokenId>& document,
                              const Window& window) {
  std::vector<TokenId> tokens;
  if (model.config.bos) {
    tokens.emplace_back(*model.config.bos);
  }
  const auto begin = document.begin() + static_cast<std::ptrdiff_t>(window.begin);
  tokens.insert(tokens.end(), begin, begin + static_cast<std::ptrdiff_t>(window.length));
  return tokens;
}

/// Calls visit(window, document tokens); windows are in document order.
template <class Visit>
void each_window(const char* what, const Tokenizer& tokenizer, const LabelledText& text,
                 std::span<const Window> windows, Visit visit) {
  Progress progress(what, windows.size());
  std::vector<TokenId> tokens;
  std::size_t current = text.documents.size();
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (interrupted()) {
      throw Error(ExitCode::interrupted, "interrupted; nothing was written");
    }
    if (windows[i].document != current) {
      current = windows[i].document;
      tokens = tokens_of(tokenizer, text.documents[current].text);
    }
    visit(windows[i], tokens);
    progress.update(i + 1);
  }
}

double cross_entropy(const Matrix& logits, std::span<const TokenId> targets, std::size_t skip) {
  double sum = 0.0;
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const std::span<const double> row = logits.row(t + skip);
    const double top = *std::max_element(row.begin(), row.end());
    double mass = 0.0;
    for (const double l : row) {
      mass += std::exp(l - top);
    }
    sum += top + std::log(mass) - row[targets[t].at()];
  }
  return sum;
}

}  // namespace

LabelledText label_text(const Concept& labelled, std::vector<Document> documents,
                        const std::vector<Document>& originals) {
  require(documents.size() == originals.size(), "label_text: copies without originals");
  LabelledText text{std::move(documents), {}, {}};
  for (std::size_t i = 0; i < originals.size(); ++i) {
    text.parts.push_back(part_of(originals[i]));
    text.labels.push_back(label(labelled, text.documents[i].text));
  }
  return text;
}

std::vector<Window> choose_windows(const LabelledText& text, Part part, const Transformer& model,
                                   std::size_t max_tokens, std::uint64_t seed) {
  std::size_t length =
      std::min(model.config.n_ctx > 0 ? model.config.n_ctx : kDefaultWindow, kLongestWindow);
  length -= model.config.bos && length > 1 ? 1 : 0;
  std::vector<std::pair<std::uint64_t, Window>> ranked;
  for (std::size_t d = 0; d < text.documents.size(); ++d) {
    if (text.parts[d] != part) {
      continue;
    }
    const Document& document = text.documents[d];
    Random random(seed ^ leading_bytes(sha256(document.name + "\n" + document.text)));
    for (std::size_t begin = 0; begin < document.text.size(); begin += length) {
      const std::size_t size = std::min(length, document.text.size() - begin);
      ranked.push_back({random.next(), {d, begin, size}});
    }
  }
  if (ranked.empty()) {
    throw Refusal(std::string("no document of the text falls into the ") + part_name(part) +
                  " part; take a text of more documents");
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Window> chosen;
  std::size_t tokens = 0;
  for (const auto& [rank, window] : ranked) {
    if (tokens + window.length <= max_tokens) {
      chosen.push_back(window);
      tokens += window.length;
    }
  }
  if (chosen.empty()) {
    throw UsageError("max-tokens: expected at least one window of " + std::to_string(length) +
                     " tokens, found " + std::to_string(max_tokens));
  }
  std::sort(chosen.begin(), chosen.end(), [](const Window& a, const Window& b) {
    return std::pair(a.document, a.begin) < std::pair(b.document, b.begin);
  });
  return chosen;
}

std::vector<TokenId> window_tokens(const Transformer& model, const Tokenizer& tokenizer,
                                   const LabelledText& text, const Window& window) {
  return input_of(model, tokens_of(tokenizer, text.documents[window.document].text), window);
}

std::size_t Rows::positive() const {
  return static_cast<std::size_t>(std::count(z.begin(), z.end(), std::uint8_t{1}));
}

std::size_t Rows::documents() const {
  std::vector<std::size_t> seen = document;
  std::sort(seen.begin(), seen.end());
  return static_cast<std::size_t>(std::unique(seen.begin(), seen.end()) - seen.begin());
}

Rows collect_rows(const Transformer& model, const Tokenizer& tokenizer, const std::string& hook,
                  const LabelledText& text, std::span<const Window> windows) {
  Rows rows;
  const std::vector<std::string> hooks = {hook};
  const std::size_t skip = model.config.bos ? 1 : 0;
  each_window("activations", tokenizer, text, windows,
              [&](const Window& window, const std::vector<TokenId>& document) {
                const ForwardPass pass = forward(model, input_of(model, document, window), hooks);
                const Matrix& value = pass.hooks.at(hook);
                rows.d = value.cols;
                for (std::size_t t = 0; t < window.length; ++t) {
                  for (const double v : value.row(t + skip)) {
                    rows.x.push_back(static_cast<float>(v));
                  }
                  rows.z.push_back(text.labels[window.document][window.begin + t]);
                  rows.document.push_back(window.document);
                }
              });
  return rows;
}

Moments moments_of(const Rows& rows) {
  return {rows.d, 1, std::vector<double>(rows.x.begin(), rows.x.end()),
          std::vector<double>(rows.z.begin(), rows.z.end())};
}

GridRows deploy_rows(const Eraser& eraser, const Rows& rows) {
  GridRows out{rows.d, std::vector<std::int32_t>(rows.x.size()), rows.z};
  for (std::size_t i = 0; i < rows.n(); ++i) {
    deploy(eraser, rows.row(i), std::span(out.y).subspan(i * rows.d, rows.d));
  }
  return out;
}

Cost measure_cost(const Transformer& model, const Tokenizer& tokenizer, const LabelledText& text,
                  std::span<const Window> windows, const Eraser& eraser) {
  const Splice splice = deployed_splice(eraser);
  const std::size_t skip = model.config.bos ? 1 : 0;
  Cost cost;
  each_window("cross-entropy", tokenizer, text, windows,
              [&](const Window& window, const std::vector<TokenId>& document) {
                const std::vector<TokenId> tokens = input_of(model, document, window);
                const std::span<const TokenId> targets = std::span(tokens).subspan(skip + 1);
                cost.clean += cross_entropy(forward(model, tokens).logits, targets, skip);
                cost.erased +=
                    cross_entropy(forward(model, tokens, {}, &splice).logits, targets, skip);
                cost.tokens += targets.size();
              });
  const double n = std::max(static_cast<double>(cost.tokens), 1.0);
  cost.clean /= n;
  cost.erased /= n;
  return cost;
}

}  // namespace assay::erase
