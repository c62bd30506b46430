#include "refined_box.hpp"

#include <algorithm>
#include <bit>

#include "assay/base/errors.hpp"

namespace assay::verify {

TokenBits::TokenBits(std::size_t vocabulary, bool full)
    : vocabulary_(vocabulary), words_((vocabulary + 63) / 64, 0) {
  for (std::size_t t = 0; full && t < vocabulary; ++t) {
    set(t);
  }
}

std::size_t TokenBits::count() const {
  std::size_t n = 0;
  for (const std::uint64_t w : words_) {
    n += static_cast<std::size_t>(std::popcount(w));
  }
  return n;
}

bool TokenBits::empty() const {
  return std::all_of(words_.begin(), words_.end(), [](std::uint64_t w) { return w == 0; });
}

bool TokenBits::within(const TokenBits& other) const {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if ((words_[i] & ~other.words_[i]) != 0) {
      return false;
    }
  }
  return true;
}

bool TokenBits::meets(const TokenBits& other) const {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if ((words_[i] & other.words_[i]) != 0) {
      return true;
    }
  }
  return false;
}

TokenBits TokenBits::operator&(const TokenBits& other) const {
  TokenBits out = *this;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    out.words_[i] &= other.words_[i];
  }
  return out;
}

TokenBits TokenBits::operator|(const TokenBits& other) const {
  TokenBits out = *this;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    out.words_[i] |= other.words_[i];
  }
  return out;
}

TokenBits TokenBits::minus(const TokenBits& other) const {
  TokenBits out = *this;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    out.words_[i] &= ~other.words_[i];
  }
  return out;
}

std::vector<TokenId> TokenBits::tokens() const {
  std::vector<TokenId> out;
  for (std::size_t t = 0; t < vocabulary_; ++t) {
    if (test(t)) {
      out.emplace_back(t);
    }
  }
  return out;
}

ViewBox every_view(std::size_t vocabulary, std::size_t window) {
  return {1, window, std::vector<TokenBits>(window, TokenBits(vocabulary, true))};
}

bool is_empty(const ViewBox& box) {
  if (box.lo > box.hi) {
    return true;
  }
  for (std::size_t j = 0; j < box.lo; ++j) {
    if (box.back[j].empty()) {
      return true;
    }
  }
  return false;
}

bool contains(const ViewBox& outer, const ViewBox& inner) {
  if (inner.lo < outer.lo || inner.hi > outer.hi) {
    return false;
  }
  for (std::size_t j = 0; j < inner.hi; ++j) {
    if (!inner.back[j].within(outer.back[j])) {
      return false;
    }
  }
  return true;
}

bool meets(const ViewBox& a, const ViewBox& b) {
  const std::size_t lo = std::max(a.lo, b.lo);
  if (lo > std::min(a.hi, b.hi)) {
    return false;
  }
  for (std::size_t j = 0; j < lo; ++j) {  // a longer view than lo has its beginning in both as well
    if (!a.back[j].meets(b.back[j])) {
      return false;
    }
  }
  return true;
}

ViewBox both(const ViewBox& a, const ViewBox& b) {
  ViewBox out{std::max(a.lo, b.lo), std::min(a.hi, b.hi), {}};
  for (std::size_t j = 0; j < a.back.size(); ++j) {
    out.back.push_back(a.back[j] & b.back[j]);
  }
  return out;
}

ViewBox hull(const ViewBox& a, const ViewBox& b) {
  ViewBox out{std::min(a.lo, b.lo), std::max(a.hi, b.hi), {}};
  for (std::size_t j = 0; j < a.back.size(); ++j) {
    out.back.push_back(a.back[j] | b.back[j]);
  }
  return out;
}

bool holds(const ViewBox& box, const std::vector<TokenId>& context) {
  const std::size_t n = context.size();
  if (n < box.lo || n > box.hi) {
    return false;
  }
  for (std::size_t j = 0; j < n; ++j) {
    if (!box.back[j].test(context[n - 1 - j].at())) {
      return false;
    }
  }
  return true;
}

std::vector<ViewBox> without(const ViewBox& box, const ViewBox& taken) {
  if (!meets(box, taken)) {
    return {box};
  }
  std::vector<ViewBox> out;
  ViewBox rest = box;
  if (rest.lo < taken.lo) {
    out.push_back(rest);
    out.back().hi = taken.lo - 1;
    rest.lo = taken.lo;
  }
  if (rest.hi > taken.hi) {
    out.push_back(rest);
    out.back().lo = taken.hi + 1;
    rest.hi = taken.hi;
  }
  // Before position j every view of `rest` agrees with `taken`; those that end there lie in it.
  for (std::size_t j = 0; j < rest.hi; ++j) {
    if (rest.back[j].within(taken.back[j])) {
      continue;
    }
    rest.lo = std::max(rest.lo, j + 1);
    out.push_back(rest);
    out.back().back[j] = rest.back[j].minus(taken.back[j]);
    rest.back[j] = rest.back[j] & taken.back[j];
    if (rest.back[j].empty()) {
      break;
    }
  }
  return out;
}

std::optional<ViewBox> predecessor(const ViewBox& box, std::uint32_t token) {
  const std::size_t w = box.back.size();
  if (!box.back[0].test(token)) {
    return std::nullopt;
  }
  ViewBox out{std::max<std::size_t>(box.lo - 1, 1), box.hi == w ? w : box.hi - 1, {}};
  out.back.assign(box.back.begin() + 1, box.back.end());
  out.back.emplace_back(box.back[0].vocabulary(), true);
  return is_empty(out) ? std::nullopt : std::optional(std::move(out));
}

ViewBox successor(const ViewBox& box, const TokenBits& tokens) {
  const std::size_t w = box.back.size();
  ViewBox out{std::min(box.lo + 1, w), std::min(box.hi + 1, w), {tokens}};
  out.back.insert(out.back.end(), box.back.begin(), box.back.end() - 1);
  return out;
}

std::optional<std::vector<ViewBox>> uncovered(const ViewBox& box,
                                              const std::vector<const ViewBox*>& list,
                                              std::size_t& work) {
  std::vector<ViewBox> out;
  std::vector<std::pair<ViewBox, std::size_t>> pending;
  if (!is_empty(box)) {
    pending.emplace_back(box, 0);
  }
  while (!pending.empty()) {
    auto [part, at] = std::move(pending.back());
    pending.pop_back();
    while (at < list.size() && !meets(part, *list[at])) {
      if (work-- == 0) {
        work = 0;
        return std::nullopt;
      }
      ++at;
    }
    if (at == list.size()) {
      out.push_back(std::move(part));
      continue;
    }
    if (work-- == 0) {
      work = 0;
      return std::nullopt;
    }
    for (ViewBox& left : without(part, *list[at])) {
      if (!is_empty(left)) {
        pending.emplace_back(std::move(left), at + 1);
      }
    }
  }
  return out;
}

std::vector<ViewBox> prompt_boxes(const PromptSet& prompts, std::size_t vocabulary,
                                  std::size_t window) {
  ViewBox box = every_view(vocabulary, window);
  if (prompts.any()) {
    box.hi = std::min(prompts.max_length, window);
    return {box};
  }
  box.lo = box.hi = std::min(prompts.sets.size(), window);
  for (std::size_t j = 0; j < box.hi; ++j) {
    box.back[j] = TokenBits(vocabulary);
    for (const TokenId t : prompts.sets[prompts.sets.size() - 1 - j]) {
      box.back[j].set(t.at());
    }
  }
  return {box};
}

bounds::Domain domain_of(const ViewBox& box) {
  const std::size_t w = box.back.size();
  bounds::Domain out;
  out.min_length = box.lo;
  out.max_length = box.hi;
  out.any_length = box.hi == w;
  std::size_t known = 1;
  for (std::size_t j = 0; j < box.lo; ++j) {
    known = box.back[j].is_full() ? known : j + 1;
  }
  for (std::size_t j = known; j-- > 0;) {
    out.last.push_back(box.back[j].tokens());
  }
  out.rest = TokenBits(box.back[0].vocabulary(), true).tokens();
  return out;
}

ViewBox box_of(const bounds::Domain& domain, std::size_t vocabulary, std::size_t window) {
  ViewBox out = every_view(vocabulary, window);
  out.lo = std::min(domain.min_length, window);
  out.hi = domain.any_length ? window : std::min(domain.max_length, window);
  for (std::size_t j = 0; j < out.lo; ++j) {
    out.back[j] = TokenBits(vocabulary);
    for (const TokenId t : domain.back(j)) {
      out.back[j].set(t.at());
    }
  }
  return out;
}

std::string box_text(const ViewBox& box) {
  const bounds::Domain domain = domain_of(box);
  const std::size_t vocabulary = box.back[0].vocabulary();
  std::string out = "lengths " + std::to_string(domain.min_length) + " " +
                    (domain.any_length ? "any" : std::to_string(domain.max_length)) + " sets " +
                    std::to_string(domain.last.size());
  for (const bounds::TokenSet& set : domain.last) {
    out += " " + bounds::set_text(set, vocabulary);
  }
  return out + " rest *";
}

}  // namespace assay::verify
