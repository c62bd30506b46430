#include "assay/torch_bridge/data.hpp"

#include <algorithm>
#include <numeric>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"

namespace assay::torch_bridge {

TokenText tokenize(const std::vector<Document>& documents, Part part, const Tokenizer& tokenizer) {
  TokenText text;
  for (const Document& document : documents) {
    if (part_of(document) != part) {
      continue;
    }
    text.starts.push_back(text.tokens.size());
    for (const TokenId token : tokenizer.encode(document.text)) {
      text.tokens.push_back(static_cast<std::int64_t>(token.at()));
    }
  }
  text.starts.push_back(text.tokens.size());
  return text;
}

Windows::Windows(const TokenText& text, std::size_t length, const std::string& what)
    : text_(text), length_(length), cumulative_{0} {
  require(length > 0, "a window has at least one token");
  for (std::size_t d = 0; d + 1 < text.starts.size(); ++d) {
    const std::size_t size = text.starts[d + 1] - text.starts[d];
    if (size >= length) {
      documents_.push_back(text.starts[d]);
      cumulative_.push_back(cumulative_.back() + size - length + 1);
    }
  }
  if (count() == 0) {
    throw InputError(what, "documents long enough for a window",
                     "at least one of " + std::to_string(length) + " tokens",
                     std::to_string(text.starts.size() - 1) + " documents, " +
                         std::to_string(text.tokens.size()) + " tokens");
  }
}

std::size_t Windows::start(std::size_t index) const {
  const auto after = std::upper_bound(cumulative_.begin(), cumulative_.end(), index);
  const auto d = static_cast<std::size_t>(after - cumulative_.begin()) - 1;
  return documents_[d] + (index - cumulative_[d]);
}

void Windows::append(std::size_t index, std::vector<std::int64_t>& rows) const {
  const auto first = text_.tokens.begin() + static_cast<std::ptrdiff_t>(start(index));
  rows.insert(rows.end(), first, first + static_cast<std::ptrdiff_t>(length_));
}

std::vector<std::int64_t> Windows::draw(std::size_t n, std::uint64_t seed,
                                        std::uint64_t draw) const {
  Random random(mix(seed, draw));
  std::vector<std::int64_t> rows;
  rows.reserve(n * length_);
  for (std::size_t i = 0; i < n; ++i) {
    append(random.below(count()), rows);
  }
  return rows;
}

std::vector<std::int64_t> Windows::spread(std::size_t n) const {
  n = std::min(n, count());
  std::vector<std::int64_t> rows;
  rows.reserve(n * length_);
  for (std::size_t i = 0; i < n; ++i) {
    append(i * count() / n, rows);
  }
  return rows;
}

std::uint64_t mix(std::uint64_t seed, std::uint64_t index) {
  Random outer(seed);
  Random inner(outer.next() ^ (index * 0xd1342543de82ef95ULL));
  return inner.next();
}

std::vector<std::int64_t> permutation(std::size_t n, std::uint64_t seed) {
  std::vector<std::int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  Random random(seed);
  for (std::size_t i = n; i > 1; --i) {
    std::swap(order[i - 1], order[random.below(i)]);
  }
  return order;
}

}  // namespace assay::torch_bridge
