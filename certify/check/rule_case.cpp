#include <algorithm>

#include "reject.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

/// Shares one object for equal sets of a case, so that positions that look alike are recognised.
class SetPool {
 public:
  SetPool(Facts& facts, std::size_t d_vocab) : facts_(facts), d_vocab_(d_vocab) {}
  SetPointer get(const SetText& text) {
    if (text.all) {
      return facts_.every_token();
    }
    TokenSet tokens = text.tokens(d_vocab_);
    for (const SetPointer& known : known_) {
      if (*known == tokens) {
        return known;
      }
    }
    known_.push_back(std::make_shared<const TokenSet>(std::move(tokens)));
    return known_.back();
  }

 private:
  Facts& facts_;
  std::size_t d_vocab_;
  std::vector<SetPointer> known_;
};

}  // namespace

// ROOT: the whole of a domain of the request, or of a lemma.
void rule_root(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  if (!step.premises.empty() || step.words.size() != 1) {
    refuse(step, "expected ROOT : DOMAIN");
  }
  const auto [name, domain] = session.domain(step, std::string(step.words[0]));
  if (domain.hi == 0 && (net.window == 0 || net.standard())) {
    refuse(step, "lengths `any` need a window and no `standard` positions");
  }
  ContextCase contexts;
  contexts.domain = name;
  contexts.a = domain.lo;
  contexts.b = domain.hi == 0 ? std::max(domain.lo, net.window) : domain.hi;
  if (!net.has_length(contexts.a) || !net.has_length(contexts.b)) {
    refuse(step, "the model has no contexts of this length");
  }
  SetPool pool(session.facts(), net.d_vocab);
  for (auto set = domain.last.rbegin(); set != domain.last.rend(); ++set) {
    contexts.last.push_back(pool.get(*set));
  }
  contexts.rest = pool.get(domain.rest);
  session.facts().cases.emplace(step.id, std::move(contexts));
}

// PART: the contexts of a case whose token J back lies in SET (J < a, J < w, SET within B_J), those of
// A … B tokens (within the case's lengths), or those with z_J >= 0 (+) or z_J <= 0 (−).
void rule_part(Session& session, const Step& step) {
  Facts& facts = session.facts();
  const Network& net = session.attention().net();
  if (step.premises.size() != 1 || step.words.size() != 3) {
    refuse(step, "expected PART cID : token J SET, length A B or neuron J +|-");
  }
  ContextCase part = facts.find_case(step, step.premises[0]);
  if (!part.suffix.empty()) {
    refuse(step, "a SUFFIX has no parts");
  }
  part.parent = std::string(step.premises[0]);
  part.domain.clear();
  part.index = 0;
  part.split = ContextCase::Split::length;
  if (step.words[0] == "neuron") {
    part.split = ContextCase::Split::neuron;
    part.index = parse_nat_below(step.words[1], net.d_mlp, "a neuron");
    part.positive = step.words[2] == "+";
    if (!part.positive && step.words[2] != "-") {
      refuse(step, "expected neuron J + or -");
    }
  } else if (step.words[0] == "length") {
    const std::size_t A = parse_nat(step.words[1]), B = parse_nat(step.words[2]);
    if (!(part.a <= A && A <= B && B <= part.b)) {
      refuse(step, "the lengths are not within the case's");
    }
    part.a = A;
    part.b = B;
  } else if (step.words[0] == "token") {
    const std::size_t J =
        parse_nat_below(step.words[1], std::min(part.a, net.span()), "a position");
    const SetPointer& whole = part.set(J);
    const SetText text = parse_set(step.words[2]);
    auto set =
        text.all ? facts.every_token() : std::make_shared<const TokenSet>(text.tokens(net.d_vocab));
    if (!std::includes(whole->begin(), whole->end(), set->begin(), set->end())) {
      refuse(step, "the set is not within the case's");
    }
    while (part.last.size() <= J) {
      part.last.push_back(part.rest);
    }
    part.last[J] = std::move(set);
    part.split = ContextCase::Split::token;
    part.index = J;
  } else {
    refuse(step, "expected token, length or neuron");
  }
  facts.cases.emplace(step.id, std::move(part));
}

}  // namespace assay_check
