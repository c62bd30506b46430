#include <algorithm>
#include <chrono>

#include "assay/verify/given_chain.hpp"

namespace assay::verify {
namespace {

using automata::Grid;
__extension__ using Wide = __int128;
constexpr std::size_t kWordsPerLine = 5000;

/// Blocks of values or ranks, one a line; the ids of the lines.
template <class Word>
std::string block_lines(const std::string& name, const char* rule, std::size_t n, const Word& word,
                        std::string& ids, std::size_t& count) {
  std::string out;
  for (std::size_t begin = 0; begin < n; begin += kWordsPerLine) {
    const std::string id = name + "." + std::to_string(begin / kWordsPerLine);
    out += id + " " + rule + " :";
    for (std::size_t s = begin; s < std::min(n, begin + kWordsPerLine); ++s) {
      out += " " + word(s);
    }
    out += "\n";
    ids += " " + id;
    ++count;
  }
  return out;
}

std::string rank_word(std::uint32_t rank) {
  return rank == automata::kNoRank ? "-" : std::to_string(rank);
}

/// The threshold when it holds, else what was found: a certificate states something either way.
std::string stated(bool holds, const std::optional<Rational>& asked, Grid found) {
  return holds ? asked->text() : std::to_string(found) + "/" + std::to_string(automata::kGridOne);
}

struct Bounds {
  automata::ChainBound most, least;
};

Bounds bounds_of(const automata::IntervalChain& chain, const std::vector<bool>& marked,
                 const std::optional<std::size_t>& within) {
  if (within) {
    return {automata::reach_at_most_within(chain, marked, *within),
            automata::reach_at_least_within(chain, marked, *within)};
  }
  Bounds out{automata::reach_at_most(chain, marked), automata::reach_at_least(chain, marked)};
  require(!automata::refuted_upper(chain, marked, out.most.value) &&
              !automata::refuted_lower(chain, marked, out.least.value, out.least.rank),
          "solve_chain: a bound that does not satisfy its own premises");
  return out;
}

void write_certificate(const Bounds& bounds, const Digest& file, const ChainQuery& query,
                       ChainAnswer& answer) {
  const std::string horizon = query.within ? " within " + std::to_string(*query.within) : "";
  answer.request = "assay-request 1\nreach-at-most at_most " + query.label + " " +
                   stated(answer.at_most == ChainVerdict::holds, query.at_most, answer.most) +
                   horizon + "\nreach-at-least at_least " + query.label + " " +
                   stated(answer.at_least == ChainVerdict::holds, query.at_least, answer.least) +
                   horizon + "\nend\n";
  std::string steps, upper, lower;
  std::size_t count = 2;
  if (!query.within) {
    const auto& u = bounds.most.value;
    const auto& l = bounds.least.value;
    steps += block_lines(
        "u", "VALUES", u.size(), [&u](std::size_t s) { return std::to_string(u[s]); }, upper,
        count);
    steps += block_lines(
        "l", "VALUES", l.size(), [&l](std::size_t s) { return std::to_string(l[s]); }, lower,
        count);
    const auto& rank = bounds.least.rank;
    steps += block_lines(
        "r", "RANKS", l.size(), [&rank](std::size_t s) { return rank_word(rank[s]); }, lower,
        count);
  }
  answer.certificate = "assay-cert 1\nkind chain\nsemantics REAL\nchain " + file.hex() +
                       "\nstatement " + sha256(answer.request).hex() + "\n" + steps +
                       "at_most REACH-MOST" + upper + " :\nat_least REACH-LEAST" + lower +
                       " :\nend " + std::to_string(count) + "\n";
}

}  // namespace

bool is_at_most(Grid value, const Rational& p) {
  return Wide{value} * p.den <= Wide{p.num} * automata::kGridOne;
}
bool is_at_least(Grid value, const Rational& p) {
  return Wide{value} * p.den >= Wide{p.num} * automata::kGridOne;
}

ExitCode ChainAnswer::code() const {
  const auto is = [this](ChainVerdict v) { return at_most == v || at_least == v; };
  return is(ChainVerdict::violated)  ? ExitCode::violated
         : is(ChainVerdict::unknown) ? ExitCode::unknown
                                     : ExitCode::ok;
}

ChainAnswer solve_chain(const automata::LabelledChain& chain, const Digest& file,
                        const ChainQuery& query) {
  const auto begin = std::chrono::steady_clock::now();
  const auto label = chain.labels.find(query.label);
  if (label == chain.labels.end()) {
    std::string known;
    for (const auto& [name, states] : chain.labels) {
      known += (known.empty() ? "" : ", ") + name;
    }
    throw UsageError("--reach: expected a label of the chain (" + known + "), found " +
                     query.label);
  }
  const Bounds bounds = bounds_of(chain.chain, label->second, query.within);
  ChainAnswer answer;
  const std::vector<bool>& init = chain.labels.at("init");
  answer.least = automata::kGridOne;
  Grid least_most = automata::kGridOne, most_least = 0;  // of one state each
  for (std::size_t s = 0; s < init.size(); ++s) {
    if (init[s]) {
      answer.most = std::max(answer.most, bounds.most.value[s]);
      answer.least = std::min(answer.least, bounds.least.value[s]);
      least_most = std::min(least_most, bounds.most.value[s]);
      most_least = std::max(most_least, bounds.least.value[s]);
    }
  }
  if (query.at_most) {
    answer.at_most = is_at_most(answer.most, *query.at_most)   ? ChainVerdict::holds
                     : !is_at_most(most_least, *query.at_most) ? ChainVerdict::violated
                                                               : ChainVerdict::unknown;
  }
  if (query.at_least) {
    answer.at_least = is_at_least(answer.least, *query.at_least)  ? ChainVerdict::holds
                      : !is_at_least(least_most, *query.at_least) ? ChainVerdict::violated
                                                                  : ChainVerdict::unknown;
  }
  answer.sweeps = std::max(bounds.most.sweeps, bounds.least.sweeps);
  answer.end_components = bounds.most.end_components;
  write_certificate(bounds, file, query, answer);
  answer.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return answer;
}

}  // namespace assay::verify
