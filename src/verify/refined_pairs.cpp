#include "refined_pairs.hpp"

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

std::vector<RefinedPairs::Step> RefinedPairs::bad_steps() const {
  std::vector<Step> out;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    for (std::uint32_t t = 0; t < letters_.vocabulary(); ++t) {
      for (const std::size_t letter : letters_.of(t)) {
        if (dfa_.bad[dfa_.next(nodes_[n].spec, letter)]) {
          out.push_back({n, t, letter});
        }
      }
    }
  }
  return out;
}

std::vector<RefinedPairs::Step> RefinedPairs::steps_into(std::size_t node,
                                                         std::uint32_t token) const {
  std::vector<Step> out;
  for (std::size_t n = 0; n < nodes_.size() && !nodes_[node].is_prompt; ++n) {
    if (nodes_[n].spec != nodes_[node].from) {
      continue;
    }
    for (const std::size_t letter : letters_.of(token)) {
      if (dfa_.next(nodes_[n].spec, letter) == nodes_[node].spec) {
        out.push_back({n, token, letter});
      }
    }
  }
  return out;
}

}  // namespace assay::verify
