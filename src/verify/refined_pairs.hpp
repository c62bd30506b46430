#pragma once

#include <map>

#include "assay/verify/refined.hpp"
#include "refined_letters.hpp"

namespace assay::verify {

/// Where runs may stand before anything is known of the decoder: for every edge q -> q' of the bad-prefix automaton one
/// box of views, by a fixed point over sets of tokens a position. Settled and bad states have none.
class RefinedPairs {
 public:
  struct Node {
    std::uint32_t spec = 0;
    ViewBox box;
    bool is_prompt = false;  ///< the prompts themselves
    std::uint32_t from = 0;  ///< the state before, unless a prompt
  };
  /// A node's step with the letters of a token that agree with `letter` on the measured bits of `care`.
  struct Step {
    std::size_t from = 0;
    std::uint32_t token = 0;
    std::size_t letter = 0;
    std::size_t care = 0;
  };

  RefinedPairs(const RefinedInput& input, const RefinedLetters& letters, const spec::Dfa& dfa);

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  /// Steps into a bad state.
  [[nodiscard]] std::vector<Step> bad_steps() const;
  /// Steps into the node from the nodes of the state before it, with this token.
  [[nodiscard]] std::vector<Step> steps_into(std::size_t node, std::uint32_t token) const;
  /// The measured bits that every letter into the node has with these tokens, and what they are there.
  struct Entry {
    std::size_t bits = 0, letter = 0;
  };
  [[nodiscard]] Entry entry_of(std::size_t node, const TokenBits& tokens) const;

 private:
  /// Letters of the token for which `leads` is true, as steps from the node that care for as little as they can.
  template <class Leads>
  void add_steps(std::size_t node, std::uint32_t token, const Leads& leads,
                 std::vector<Step>& out) const;
  std::size_t enter(std::uint32_t from, std::uint32_t to, const ViewBox& box, bool& grew);

  const RefinedLetters& letters_;
  const spec::Dfa& dfa_;
  std::vector<bool> settled_;
  std::vector<Node> nodes_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> of_edge_;
};

}  // namespace assay::verify
