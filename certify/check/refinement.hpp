#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "box.hpp"
#include "session.hpp"

namespace assay_check {

/// lID LEMMA : QUANTITY BOX. Only a name: facts about it are shown by the rules about cases.
struct Lemma {
  RequestClaim claim;  ///< of kind bound; `domain`: the first lemma with an equal box
  Domain domain;
  Box box;
};

/// ID STATE dID : q BOX
struct RefinedState {
  std::string id;
  std::size_t q = 0;
  Box box, before;  ///< before: of every current token of the box
};

/// ID ATOM : f AP +|-
struct DecidedAtom {
  std::size_t atom = 0;
  bool value = false;
  const Box* box = nullptr;
  Box before;
};

/// ID NEVER : BOX
struct NeverBox {
  Box box, before;
};

/// ID MOST : f. After a context of the box the token comes with a probability of at most `most`, of 2^-40.
struct LikelyToken {
  std::size_t token = 0;
  std::uint64_t most = 0;
  const Box* box = nullptr;
};

/// What the steps of kind refined have shown or listed so far.
class Refinement {
 public:
  explicit Refinement(Session& session);

  [[nodiscard]] const Lemma& lemma(const Step& step, std::string_view id) const;
  /// The views of a domain's contexts.
  [[nodiscard]] Box read_box(const Domain& domain);
  void add_lemma(const Step& step);

  BoxSpace space;
  std::vector<std::vector<const Box*>>
      out;  ///< by token: it is never emitted after a view of these
  std::deque<DecidedAtom> atoms;
  std::deque<NeverBox> never;  ///< listed; not reached once REFINED showed them all
  std::size_t proven = 0;      ///< the first so many of `never` are shown
  std::map<std::string, std::deque<RefinedState>> states;  ///< by the id of the DFA
  std::vector<LikelyToken> most;
  std::map<std::string, std::deque<Box>, std::less<>> leaves;  ///< by the id of the EVENT

 private:
  std::map<std::string, Lemma, std::less<>> lemmas_;
  std::map<Box, std::string> names_;  ///< the first lemma with the box
  std::size_t numbers_ = 0;
};

/// A fact about the whole box of a lemma.
struct LemmaFact {
  const BoundFact& fact;
  const Lemma& lemma;
};
[[nodiscard]] LemmaFact lemma_fact(Session& session, const Step& step, std::string_view id);
/// The views of the statement's prompts.
[[nodiscard]] Box prompt_box(Session& session);

}  // namespace assay_check
