// A random interval chain of N states and 16 edges each: time to bound the probability of reaching
// `bad` from above and below, with certificate, and to check both premises once more.
//
//   bench_interval_chain N FOLDER    writes chain.drn, chain.cert, chain.cert.request; then
//   assay-check FOLDER/chain.cert --chain FOLDER/chain.drn --request FOLDER/chain.cert.request
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "assay/base/files.hpp"
#include "assay/base/random.hpp"
#include "assay/verify/given_chain.hpp"

using namespace assay;
using namespace assay::automata;

namespace {

/// CPU seconds, so that a busy machine says the same.
double seconds_since(std::clock_t begin) {
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

/// 16 targets a state: shares of 1 widened by up to a fifth, one of them an end; one end in a
/// thousand is bad.
LabelledChain random_chain(std::size_t n) {
  constexpr std::size_t kEdges = 16;
  Random random(20261125);
  LabelledChain out;
  for (std::size_t s = 0; s + 2 < n; ++s) {
    std::vector<std::uint32_t> to;
    while (to.size() < kEdges) {
      const bool ends = to.empty();
      const std::size_t end = n - 1 - (random.below(1000) == 0 ? 0 : 1);
      const auto t = static_cast<std::uint32_t>(ends ? end : random.below(n - 2));
      if (std::find(to.begin(), to.end(), t) == to.end()) {
        to.push_back(t);
      }
    }
    std::vector<ChainEdge> row;
    for (const std::uint32_t t : to) {
      const Grid share = kGridOne / kEdges;
      row.push_back({t, share - random.below(share / 5), share + random.below(share / 5)});
    }
    out.chain.add_row(row);
  }
  for (std::size_t s = n - 2; s < n; ++s) {
    out.chain.add_row(std::vector<ChainEdge>{{static_cast<std::uint32_t>(s), kGridOne, kGridOne}});
  }
  out.labels["init"] = out.labels["bad"] = std::vector<bool>(n, false);
  out.labels["init"][0] = out.labels["bad"][n - 1] = true;
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bench_interval_chain STATES FOLDER\n", stderr);
    return 2;
  }
  const std::string folder = argv[2];
  const LabelledChain chain = random_chain(std::strtoul(argv[1], nullptr, 10));
  const std::string text = to_drn(chain);
  auto begin = std::clock();
  const LabelledChain read = parse_drn(text, "chain.drn");
  std::printf("%zu states, %zu edges: read in %.2f CPU s\n", read.chain.states(),
              read.chain.edges(), seconds_since(begin));
  const std::vector<bool>& bad = read.labels.at("bad");
  begin = std::clock();
  const ChainBound most = reach_at_most(read.chain, bad);
  std::printf("upper %s, %zu sweeps: %.2f CPU s\n", grid_text(most.value[0], Rounding::up).c_str(),
              most.sweeps, seconds_since(begin));
  begin = std::clock();
  const ChainBound least = reach_at_least(read.chain, bad);
  std::printf("lower %s, %zu sweeps: %.2f CPU s\n",
              grid_text(least.value[0], Rounding::down).c_str(), least.sweeps,
              seconds_since(begin));
  begin = std::clock();
  const bool upper = !refuted_upper(read.chain, bad, most.value);
  std::printf("upper checked once more: %s, %.2f CPU s\n", upper ? "holds" : "REFUTED",
              seconds_since(begin));
  begin = std::clock();
  const verify::ChainAnswer answer =
      verify::solve_chain(read, sha256(text), {"bad", std::nullopt, {}, {}});
  std::printf("both bounds with certificate: %.2f CPU s\n", seconds_since(begin));
  write_file_atomic(folder + "/chain.drn", text);
  write_file_atomic(folder + "/chain.cert", answer.certificate);
  write_file_atomic(folder + "/chain.cert.request", answer.request);
  return upper ? 0 : 1;
}
