#include "refined_pairs.hpp"

#include <algorithm>
#include <set>

#include "exact_search.hpp"
#include "refined_box.hpp"

namespace assay::verify {

RefinedPairs::RefinedPairs(const RefinedInput& input, const RefinedLetters& letters,
                           const spec::Dfa& dfa)
    : letters_(letters), dfa_(dfa), settled_(can_turn_bad(dfa)) {
  settled_.flip();
  const std::size_t window = input.runs.subject.model->config.attention_window;
  std::vector<std::size_t> pending;
  if (!settled_[0] && !dfa.bad[0]) {
    for (ViewBox& box : prompt_boxes(input.runs.prompts, letters.vocabulary(), window)) {
      pending.push_back(nodes_.size());
      nodes_.push_back({0, std::move(box), true, 0});
    }
  }
  while (!pending.empty()) {
    const std::size_t at = pending.back();
    pending.pop_back();
    const std::uint32_t q = nodes_[at].spec;
    std::map<std::uint32_t, TokenBits> by_target;
    for (std::size_t t = 0; t < letters.vocabulary(); ++t) {
      for (const std::size_t letter : letters.of(t)) {
        const std::uint32_t to = dfa.next(q, letter);
        if (!settled_[to] && !dfa.bad[to]) {
          by_target.try_emplace(to, letters.vocabulary()).first->second.set(t);
        }
      }
    }
    for (const auto& [to, tokens] : by_target) {
      bool grew = false;
      const std::size_t node = enter(q, to, successor(nodes_[at].box, tokens), grew);
      if (grew) {
        pending.push_back(node);
      }
    }
  }
}

std::size_t RefinedPairs::enter(std::uint32_t from, std::uint32_t to, const ViewBox& box,
                                bool& grew) {
  const auto [found, is_new] = of_edge_.try_emplace({from, to}, nodes_.size());
  if (is_new) {
    nodes_.push_back({to, box, false, from});
    grew = true;
    return found->second;
  }
  Node& node = nodes_[found->second];
  if (!contains(node.box, box)) {
    node.box = hull(node.box, box);
    grew = true;
  }
  return found->second;
}

// CUBES   of the letters L of a token: l with the measured bits alone kept whose flip leaves L, when all of that is in L;
//         else l itself. Together they are L.
template <class Leads>
void RefinedPairs::add_steps(std::size_t node, std::uint32_t token, const Leads& leads,
                             std::vector<Step>& out) const {
  const std::vector<std::size_t> letters = letters_.of(token);
  std::size_t measured = 0;
  for (const RefinedLetters::Measured& m : letters_.measured()) {
    measured |= std::size_t{1} << m.bit;
  }
  std::set<std::pair<std::size_t, std::size_t>> cubes;
  for (const std::size_t letter : letters) {
    if (!leads(letter)) {
      continue;
    }
    std::size_t care = 0;
    for (const RefinedLetters::Measured& m : letters_.measured()) {
      const std::size_t bit = std::size_t{1} << m.bit;
      care |= leads(letter ^ bit) ? 0 : bit;
    }
    const bool is_cube = std::all_of(letters.begin(), letters.end(), [&](std::size_t other) {
      return ((other ^ letter) & care) != 0 || leads(other);
    });
    care = is_cube ? care : measured;
    if (cubes.emplace(care, letter & (care | ~measured)).second) {
      out.push_back({node, token, letter, care});
    }
  }
}

std::vector<RefinedPairs::Step> RefinedPairs::bad_steps() const {
  std::vector<Step> out;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    for (std::uint32_t t = 0; t < letters_.vocabulary(); ++t) {
      add_steps(
          n, t, [&](std::size_t letter) { return dfa_.bad[dfa_.next(nodes_[n].spec, letter)]; },
          out);
    }
  }
  return out;
}

std::vector<RefinedPairs::Step> RefinedPairs::steps_into(std::size_t node,
                                                         std::uint32_t token) const {
  std::vector<Step> out;
  for (std::size_t n = 0; n < nodes_.size() && !nodes_[node].is_prompt; ++n) {
    if (nodes_[n].spec == nodes_[node].from) {
      add_steps(
          n, token,
          [&](std::size_t letter) {
            return dfa_.next(nodes_[n].spec, letter) == nodes_[node].spec;
          },
          out);
    }
  }
  return out;
}

RefinedPairs::Entry RefinedPairs::entry_of(std::size_t node, const TokenBits& tokens) const {
  Entry out;
  if (nodes_[node].is_prompt) {
    return out;
  }
  for (const RefinedLetters::Measured& m : letters_.measured()) {
    out.bits |= std::size_t{1} << m.bit;
  }
  bool is_first = true;
  for (const TokenId t : tokens.tokens()) {
    for (const std::size_t letter : letters_.of(t.value)) {
      if (dfa_.next(nodes_[node].from, letter) != nodes_[node].spec) {
        continue;
      }
      out.letter = is_first ? letter : out.letter;
      out.bits &= ~(letter ^ out.letter);
      is_first = false;
    }
  }
  return is_first ? Entry{} : out;
}

}  // namespace assay::verify
