#include "rule_chain.hpp"

#include <algorithm>

#include "reject.hpp"
#include "session.hpp"
#include "sha256.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxChain = std::size_t{1} << 30;
constexpr std::uint64_t kMaxWork = 20'000'000'000;  // edges times steps
constexpr std::uint32_t kNoRank = UINT32_MAX;

/// The marked states of a claim; values and ranks put together from the premises, in order.
struct Evidence {
  const ChanceRows& rows;
  const std::vector<bool>& marked;
  std::vector<Units> values;
  std::vector<std::uint32_t> ranks;
};

Evidence read_evidence(Session& session, const Step& step, const RequestClaim& claim) {
  ChainFacts& facts = session.chain();
  const auto label = facts.given.labels.find(claim.domain);
  if (label == facts.given.labels.end() || !step.words.empty()) {
    refuse(step, "no state has the label " + claim.domain + ", or words after the colon");
  }
  Evidence out{facts.given.rows, label->second, {}, {}};
  for (const std::string_view id : step.premises) {
    const auto values = facts.values.find(id);
    const auto ranks = facts.ranks.find(id);
    if (values != facts.values.end()) {
      out.values.insert(out.values.end(), values->second.begin(), values->second.end());
    } else if (ranks != facts.ranks.end()) {
      out.ranks.insert(out.ranks.end(), ranks->second.begin(), ranks->second.end());
    } else {
      refuse(step, "a premise that is neither VALUES nor RANKS");
    }
  }
  return out;
}

/// Exact steps of the operator, rounded as `mean` rounds.
template <class Mean>
std::vector<Units> stepped(const Step& step, const Evidence& e, std::size_t steps,
                           const Mean& mean) {
  if (!e.values.empty() || !e.ranks.empty()) {
    refuse(step, "a bound within a horizon stands on no values");
  }
  if (steps > kMaxWork / (e.rows.edges() + 1)) {
    refuse(step, "more steps than are checked");
  }
  std::vector<Units> now(e.rows.size(), 0), next;
  for (std::size_t s = 0; s < now.size(); ++s) {
    now[s] = e.marked[s] ? kWhole : 0;
  }
  for (std::size_t n = 0; n < steps; ++n) {
    next = now;
    for (std::size_t s = 0; s < now.size(); ++s) {
      next[s] = e.marked[s] ? kWhole : mean(e.rows.at(s), now);
    }
    now.swap(next);
  }
  return now;
}

void need_upper(const Step& step, const Evidence& e) {
  if (e.values.size() != e.rows.size() || !e.ranks.empty()) {
    refuse(step, "expected one value for each state, and no ranks");
  }
  for (std::size_t s = 0; s < e.values.size(); ++s) {
    if (e.marked[s] ? e.values[s] != kWhole : least_above(e.rows.at(s), e.values) > e.values[s]) {
      refuse(step, "the value of state " + std::to_string(s) + " is below what nature can reach");
    }
  }
}

void need_lower(const Step& step, const Evidence& e) {
  if (e.values.size() != e.rows.size() || e.ranks.size() != e.rows.size()) {
    refuse(step, "expected one value and one rank for each state");
  }
  std::vector<std::uint32_t> rank = e.ranks;
  for (std::size_t s = 0; s < rank.size(); ++s) {  // marked states lie below every other
    rank[s] = e.marked[s] ? 0 : rank[s] == kNoRank ? kNoRank : rank[s] + 1;
  }
  for (std::size_t s = 0; s < rank.size(); ++s) {
    if (e.marked[s]) {
      continue;
    }
    if (rank[s] == kNoRank ? e.values[s] != 0 : !always_enters(e.rows.at(s), rank, rank[s])) {
      refuse(step, "nature can keep state " + std::to_string(s) + " from every lower rank");
    }
    if (e.values[s] > greatest_below(e.rows.at(s), e.values)) {
      refuse(step, "the value of state " + std::to_string(s) + " is above what nature can keep to");
    }
  }
}

void conclude(Session& session, const Step& step, const RequestClaim& claim, const char* how,
              const char* nature) {
  session.conclusions.push_back(
      {step.id, "PROVED",
       "the probability of reaching '" + claim.domain + "'" +
           (claim.within ? " in at most " + std::to_string(*claim.within) + " steps" : "") +
           " is at " + how + " " + claim.probability.text() +
           " from every state 'init', for every choice of nature (" + nature +
           " over distributions within the intervals, chosen anew at every visit), chain " +
           session.header().chain.value().substr(0, 16)});
}

}  // namespace

RequestClaim parse_reach(std::span<const std::string_view> words) {
  if ((words.size() != 4 && words.size() != 6) || (words.size() == 6 && words[4] != "within")) {
    throw Reject("request", "expected reach-at-most|reach-at-least ID LABEL FRAC [within NAT]");
  }
  RequestClaim claim;
  claim.kind = words[0] == "reach-at-most" ? RequestClaim::Kind::reach_at_most
                                           : RequestClaim::Kind::reach_at_least;
  claim.id = parse_id(words[1]);
  claim.domain = parse_id(words[2]);
  claim.probability = parse_fraction(words[3]);
  if (words.size() == 6) {
    claim.within = parse_nat(words[5]);
  }
  return claim;
}

ChainFacts& Session::chain() {
  if (!chain_) {
    if (!header_.chain || !inputs_.chain) {
      throw Reject("chain", "the header must list the chain and --chain give it");
    }
    const std::string text = read_file(*inputs_.chain, kMaxChain);
    if (sha256(text) != *header_.chain) {
      throw Reject("digest", "the certificate is about another file", *inputs_.chain);
    }
    chain_ = std::make_shared<ChainFacts>(parse_chain(text, *inputs_.chain));
  }
  return *chain_;
}

// VALUES: k of the next states, of 2^-40; shown by the step that concludes
void rule_values(Session& session, const Step& step) {
  if (!step.premises.empty()) {
    refuse(step, "expected VALUES : k …");
  }
  std::vector<Units>& values = session.chain().values[step.id];
  for (const std::string_view word : step.words) {
    values.push_back(parse_units(word));
  }
}

// RANKS: of the next states; - for none
void rule_ranks(Session& session, const Step& step) {
  if (!step.premises.empty()) {
    refuse(step, "expected RANKS : r …");
  }
  std::vector<std::uint32_t>& ranks = session.chain().ranks[step.id];
  for (const std::string_view word : step.words) {
    ranks.push_back(word == "-" ? kNoRank : static_cast<std::uint32_t>(parse_nat(word)));
  }
}

// REACH-MOST
//   u = 1 where marked; elsewhere max over p of Σ p u <= u      or, within N: u_0 = marked, N exact steps
//   u(s) <= P at every state init
//   ----------------------------------------------------------------------------------------------------
//   the probability of reaching a marked state is at most P, whatever nature picks
void rule_reach_most(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::reach_at_most);
  Evidence e = read_evidence(session, step, claim);
  if (claim.within) {
    e.values = stepped(step, e, *claim.within, least_above);
  } else {
    need_upper(step, e);
  }
  const std::vector<bool>& init = session.chain().given.labels.at("init");
  for (std::size_t s = 0; s < init.size(); ++s) {
    if (init[s] && !is_at_most(e.values[s], claim.probability)) {
      refuse(step,
             "the value of state " + std::to_string(s) + " is above " + claim.probability.text());
    }
  }
  conclude(session, step, claim, "most", "the largest");
}

// REACH-LEAST
//   l <= min over p of Σ p l; l > 0 only where ranked; from a ranked state every p enters a lower rank
//   l(s) >= P at every state init                                          [within N: N exact steps]
//   ----------------------------------------------------------------------------------------------------
//   the probability of reaching a marked state is at least P, whatever nature picks
void rule_reach_least(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::reach_at_least);
  Evidence e = read_evidence(session, step, claim);
  if (claim.within) {
    e.values = stepped(step, e, *claim.within, greatest_below);
  } else {
    need_lower(step, e);
  }
  const std::vector<bool>& init = session.chain().given.labels.at("init");
  for (std::size_t s = 0; s < init.size(); ++s) {
    if (init[s] && !is_at_least(e.values[s], claim.probability)) {
      refuse(step,
             "the value of state " + std::to_string(s) + " is below " + claim.probability.text());
    }
  }
  conclude(session, step, claim, "least", "the smallest");
}

}  // namespace assay_check
