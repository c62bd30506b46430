#include "assay/spec/acceptor.hpp"

#include <algorithm>
#include <set>

#include "assay/base/errors.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxCombinations = 1000000;

/// The states from which a marked one can be reached, by any number of letters.
std::vector<bool> can_reach(const Dfa& dfa, std::vector<bool> marked) {
  std::vector<std::vector<std::uint32_t>> before(dfa.states);
  for (std::size_t i = 0; i < dfa.table.size(); ++i) {
    before[dfa.table[i]].push_back(static_cast<std::uint32_t>(i / dfa.letters()));
  }
  std::vector<std::uint32_t> open;
  for (std::uint32_t s = 0; s < dfa.states; ++s) {
    if (marked[s]) {
      open.push_back(s);
    }
  }
  while (!open.empty()) {
    const std::uint32_t s = open.back();
    open.pop_back();
    for (const std::uint32_t from : before[s]) {
      if (!marked[from]) {
        marked[from] = true;
        open.push_back(from);
      }
    }
  }
  return marked;
}

/// Breadth-first over tuples of states until `wanted` holds after at least one letter.
template <class Wanted>
std::optional<Letters> search_run(const std::vector<const Acceptor*>& acceptors, Wanted wanted) {
  using Tuple = std::vector<std::uint32_t>;
  struct Visit {
    Tuple tuple;
    std::size_t before, letter;
  };
  std::vector<Visit> visits{{Tuple(acceptors.size(), 0), 0, 0}};
  std::set<Tuple> seen;  // the start is met again only after a letter
  for (std::size_t i = 0; i < visits.size(); ++i) {
    for (std::size_t letter = 0; letter < acceptors[0]->graph.letters(); ++letter) {
      Tuple next = visits[i].tuple;
      for (std::size_t k = 0; k < next.size(); ++k) {
        next[k] = acceptors[k]->graph.next(next[k], letter);
      }
      if (!seen.insert(next).second) {
        continue;
      }
      visits.push_back({next, i, letter});
      if (visits.size() > kMaxCombinations) {
        throw UsageError("the formulas are too complex together: more than " +
                         std::to_string(kMaxCombinations) + " combinations of states");
      }
      if (wanted(next)) {
        Letters run;
        for (std::size_t at = visits.size() - 1; at != 0; at = visits[at].before) {
          run.push_back(visits[at].letter);
        }
        std::reverse(run.begin(), run.end());
        return run;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<Outlook> outlooks(const Acceptor& acceptor) {
  std::vector<bool> good(acceptor.graph.states);
  for (std::uint32_t s = 0; s < good.size(); ++s) {
    good[s] = acceptor.accepts(s);
  }
  const std::vector<bool> may_hold = can_reach(acceptor.graph, good);
  const std::vector<bool> may_fail = can_reach(acceptor.graph, acceptor.graph.bad);
  std::vector<Outlook> out;
  for (std::size_t s = 0; s < good.size(); ++s) {
    out.push_back(!may_fail[s] ? Outlook::holds : !may_hold[s] ? Outlook::violated : Outlook::open);
  }
  return out;
}

namespace {

std::vector<bool> may_be_decided(const Acceptor& acceptor) {
  std::vector<bool> decided;
  for (const Outlook outlook : outlooks(acceptor)) {
    decided.push_back(outlook != Outlook::open);
  }
  return can_reach(acceptor.graph, decided);
}

}  // namespace

bool is_monitorable(const Acceptor& acceptor) {
  const std::vector<bool> hopeful = may_be_decided(acceptor);
  return std::all_of(hopeful.begin(), hopeful.end(), [](bool h) { return h; });
}

std::optional<Letters> hopeless_run(const Acceptor& acceptor) {
  const std::vector<bool> hopeful = may_be_decided(acceptor);
  if (!hopeful[0]) {
    return Letters{};
  }
  return search_run({&acceptor},
                    [&](const std::vector<std::uint32_t>& at) { return !hopeful[at[0]]; });
}

std::optional<Letters> shortest_run(const Acceptor& acceptor, bool accepted) {
  return search_run({&acceptor}, [&](const std::vector<std::uint32_t>& at) {
    return acceptor.accepts(at[0]) == accepted;
  });
}

std::optional<Letters> common_run(const std::vector<Acceptor>& acceptors) {
  require(!acceptors.empty(), "common_run: no acceptor");
  std::vector<const Acceptor*> all;
  for (const Acceptor& acceptor : acceptors) {
    require(acceptor.graph.atoms == acceptors[0].graph.atoms, "common_run: different atoms");
    all.push_back(&acceptor);
  }
  return search_run(all, [&](const std::vector<std::uint32_t>& at) {
    for (std::size_t k = 0; k < at.size(); ++k) {
      if (!all[k]->accepts(at[k])) {
        return false;
      }
    }
    return true;
  });
}

bool is_equivalent(const Acceptor& a, const Acceptor& b) {
  require(a.graph.atoms == b.graph.atoms, "is_equivalent: different atoms");
  return !search_run({&a, &b}, [&](const std::vector<std::uint32_t>& at) {
    return a.accepts(at[0]) != b.accepts(at[1]);
  });
}

}  // namespace assay::spec
