// A random interval chain of N states and 16 edges each: time to bound the probability of reaching
// `bad` from above and below, with certificate, and to check both premises once more.
//
//   bench_interval_chain N FOLDER    writes chain.drn, chain.cert, chain.cert.request; then
//   assay-check FOLDER/chain.cert --chain FOLDER/chain.drn --request FOLDER/chain.cert.request
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "assay/base/files.hpp"
#include "assay/base/random.hpp"
#include "assay/verify/given_chain.hpp"

using namespace assay;
using namespace assay::automata;

namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// 16 targets a state: shares of 1 widened by up to a fifth; one state in two hundred can be bad.
LabelledChain random_chain(std::size_t n) {
  constexpr std::size_t kEdges = 16;
  Random random(20261125);
  LabelledChain out;
  for (std::size_t s = 0; s + 2 < n; ++s) {
    std::vector<std::uint32_t> to;
    while (to.size() < kEdges) {
      const bool ends = to.empty() && random.below(200) == 0;
      const std::size_t end = n - 1 - (random.below(4) == 0 ? 0 : 1);
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
    out.chain.add_row(
        std::vector<ChainEdge>{{static_cast<std::uint32_t>(s), kGridOne, kGridOne}});
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
  auto begin = std::chrono::steady_clock::now();
  const LabelledChain read = parse_drn(text, "chain.drn");
  std::printf("%zu states, %zu edges: read in %.2f s\n", read.chain.states(), read.chain.edges(),
              seconds_since(begin));
  const std::vector<bool>& bad = read.labels.at("bad");
  begin = std::chrono::steady_clock::now();
  const ChainBound most = reach_at_most(read.chain, bad);
  std::printf("upper %s, %zu sweeps: %.2f s\n", grid_text(most.value[0], Rounding::up).c_str(),
              most.sweeps, seconds_since(begin));
  begin = std::chrono::steady_clock::now();
  const ChainBound least = reach_at_least(read.chain, bad);
  std::printf("lower %s, %zu sweeps: %.2f s\n", grid_text(least.value[0], Rounding::down).c_str(),
              least.sweeps, seconds_since(begin));
  begin = std::chrono::steady_clock::now();
  const bool upper = !refuted_upper(read.chain, bad, most.value);
  std::printf("upper checked once more: %s, %.2f s\n", upper ? "holds" : "REFUTED",
              seconds_since(begin));
  begin = std::chrono::steady_clock::now();
  const verify::ChainAnswer answer =
      verify::solve_chain(read, sha256(text), {"bad", std::nullopt, {}, {}});
  std::printf("both bounds with certificate: %.2f s\n", seconds_since(begin));
  write_file_atomic(folder + "/chain.drn", text);
  write_file_atomic(folder + "/chain.cert", answer.certificate);
  write_file_atomic(folder + "/chain.cert.request", answer.request);
  return upper ? 0 : 1;
}
