#include <algorithm>
#include <set>

#include "reject.hpp"
#include "target.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxContexts = 65536;

/// Every context of a case, tokens that are not read left out.
class Contexts {
 public:
  Contexts(const Step& step, const Network& net, const ContextCase& contexts)
      : net_(net), case_(contexts) {
    std::size_t total = 0;
    for (std::size_t n = first(); n <= last(); ++n) {
      std::size_t count = 1;
      for (std::size_t j = 0; j < seen(n); ++j) {
        count *= case_.set(j)->size();
        if (count > kMaxContexts) {
          refuse(step, "more than 65536 contexts");
        }
      }
      total += count;
      if (total > kMaxContexts) {
        refuse(step, "more than 65536 contexts");
      }
    }
  }

  template <typename Visit>
  void visit(const Visit& f) const {
    for (std::size_t n = first(); n <= last(); ++n) {
      const std::size_t N = seen(n);
      std::vector<std::size_t> index(N), back(N);
      for (std::size_t j = 0; j < N;) {
        for (std::size_t i = 0; i < N; ++i) {
          back[i] = (*case_.set(i))[index[i]];
        }
        f(std::span<const std::size_t>(back), n);
        for (j = 0; j < N && ++index[j] == case_.set(j)->size(); ++j) {
          index[j] = 0;
        }
      }
    }
  }

 private:
  [[nodiscard]] std::size_t seen(std::size_t n) const { return std::min(n, net_.span()); }
  // Without positions `standard` all lengths of at least w show the same tokens: one is enough.
  [[nodiscard]] std::size_t first() const { return net_.standard() ? case_.a : seen(case_.a); }
  [[nodiscard]] std::size_t last() const { return net_.standard() ? case_.b : seen(case_.b); }

  const Network& net_;
  const ContextCase& case_;
};

/// The parts are of one kind, and their sets (lengths, signs) cover those of the whole.
bool covers(const ContextCase& whole, const std::vector<const ContextCase*>& parts) {
  using Split = ContextCase::Split;
  const Split split = parts.front()->split;
  const std::size_t J = parts.front()->index;
  std::set<std::size_t> tokens;
  std::set<std::pair<std::size_t, std::size_t>> runs;
  std::set<bool> signs;
  for (const ContextCase* part : parts) {
    if (part->split != split || part->index != J) {
      return false;
    }
    tokens.insert(part->set(J)->begin(), part->set(J)->end());
    runs.emplace(part->a, part->b);
    signs.insert(part->positive);
  }
  if (split == Split::token) {
    const TokenSet& all = *whole.set(J);
    return std::includes(tokens.begin(), tokens.end(), all.begin(), all.end());
  }
  if (split == Split::neuron) {
    return signs.size() == 2;
  }
  std::size_t next = whole.a;
  for (const auto& [a, b] : runs) {
    if (a > next) {
      return false;
    }
    next = std::max(next, b + 1);
  }
  return next > whole.b;
}

}  // namespace

BoundFact read_subject(Session& session, const Step& step, std::string_view case_id,
                       std::size_t before) {
  const std::size_t n = step.premises.size();
  if (n != before + 2) {
    refuse(step, "expected the premises of the rule, then CLAIM SIDE");
  }
  static_cast<void>(session.facts().find_case(step, case_id));
  const std::string_view side = step.premises[n - 1];
  const RequestClaim& claim = session.domain_claim(step, step.premises[n - 2]);
  if (side != "hi" && side != "lo" && !side.starts_with("hi-") && !side.starts_with("lo-")) {
    refuse(step, "expected the side hi, lo, hi-Y or lo-Y");
  }
  const bool plain = side.size() == 2;
  return {std::string(case_id),
          plain ? &claim : &against(session, step, claim, parse_nat(side.substr(3))),
          side.starts_with("hi"), 0};
}

BoundFact read_subject(Session& session, const Step& step, std::size_t extra) {
  return read_subject(session, step, step.premises.empty() ? "" : step.premises[0], extra + 1);
}

// LINEAR, FOLD, NORM-FOLD of the claim's own target.
void rule_target(Session& session, const Step& step) {
  const bool linear = step.rule == "LINEAR";
  BoundFact fact = read_subject(session, step, linear ? 0 : 1);
  const Target target = claim_target(session, step, *fact.claim, fact.high);
  fact.bound = target_bound(session, step, step.rule, fact.case_id, target,
                            linear ? "" : step.premises[1], WordReader(step, step.words));
  session.facts().add(step, fact);
}

// ENUM
//   the case has at most 65536 contexts, tokens that are not read left out; each is evaluated in intervals
//   ------------------------------------------------------------------------------------------------
//   σ Q <= the largest upper end
void rule_enum(Session& session, const Step& step) {
  BoundFact fact = read_subject(session, step, 0);
  if (!step.words.empty()) {
    refuse(step, "expected no words");
  }
  Forward forward(session.attention());
  const Contexts contexts(step, session.attention().net(),
                          session.facts().find_case(step, fact.case_id));
  fact.bound = -0x1p1000;
  contexts.visit([&](std::span<const std::size_t> back, std::size_t n) {
    const Interval q = quantity_value(session, step, *fact.claim, forward.at(back, n));
    fact.bound = std::max(fact.bound, fact.high ? q.hi() : -q.lo());
  });
  session.facts().add(step, fact);
}

// JOIN
//   σ Q <= U_i on parts of the case, all by `token` at one J with sets that cover B_J, or all by `length`
//   with lengths that cover [a, b], or by `neuron` J + and by `neuron` J −
//   --------------------------------------------------------------------------------------------
//   σ Q <= max U_i on the case
void rule_join(Session& session, const Step& step) {
  BoundFact fact = read_subject(session, step, 0);
  Facts& facts = session.facts();
  std::vector<const ContextCase*> parts;
  fact.bound = -0x1p1000;
  for (const std::string_view word : step.words) {
    const BoundFact* found = facts.find(word);
    if (found == nullptr || found->claim != fact.claim || found->high != fact.high ||
        facts.cases.at(found->case_id).parent != fact.case_id) {
      refuse(step, std::string(word) + " is not a fact of this claim and side about a part");
    }
    fact.bound = std::max(fact.bound, found->bound);
    parts.push_back(&facts.cases.at(found->case_id));
  }
  if (parts.empty() || !covers(facts.find_case(step, fact.case_id), parts)) {
    refuse(step, "the parts are not of one kind, or do not cover the case");
  }
  facts.add(step, fact);
}

// BOUND
//   facts of sides lo and hi about ROOT cases of the claim's domain      U(hi) <= hi      U(lo) <= −lo
//   --------------------------------------------------------------------------------------------
//   lo <= Q <= hi in every context of the domain
void rule_bound(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::bound);
  const Facts& facts = session.facts();
  if (!step.premises.empty() || step.words.size() != 2) {
    refuse(step, "expected BOUND : fLO fHI");
  }
  for (const bool high : {false, true}) {
    const BoundFact* fact = facts.find(step.words[high ? 1 : 0]);
    if (fact == nullptr || fact->claim != &claim || fact->high != high ||
        facts.cases.at(fact->case_id).domain != claim.domain) {
      refuse(step, "expected facts of both sides about the claim's whole domain");
    }
    if (!(fact->bound <= (high ? claim.hi : -claim.lo))) {
      refuse(step, std::string("the bound is not shown on side ") + (high ? "hi" : "lo"));
    }
  }
  session.conclusions.push_back(
      {step.id,
       "PROVED",
       {},
       session.shared(" in " + session.request().domains.at(claim.domain).words +
                      session.source(claim.quantity) + " (real arithmetic)")});
}

}  // namespace assay_check
