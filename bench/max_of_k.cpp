// Certified accuracy of an attention-only max-of-K model over all V^K inputs, by proofs from cheap to
// dear.
//   bench_max_of_k MODEL [K [NODES]]
// Input: K tokens; the model's answer is read at the last position and is right when the logit of
// the largest token is strictly the largest. Inputs are counted exactly, case by case. One line a
// proof: its name, the inputs counted over all inputs, and its work: multiplications, additions,
// subtractions or fused pairs of them, each counting one and the tables included, beside the leading
// term v^3 K^2 of the published cubic proof (Gross et al., 2024); comparisons and exponentials.
// NODES: splits of each (query, maximum) of the bound engine's own proof, 64 unless given; with
// `none`, that proof is left out.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>

#include "assay/base/errors.hpp"
#include "max_of_k_each.hpp"
#include "max_of_k_truth.hpp"

using namespace assay;
using namespace assay::bench;

namespace {

constexpr std::size_t kSamples = 100000;
constexpr double kMostEnumerated = 0x1p26;

void line(const std::string& name, const Tables& tables, const std::function<Certified()>& prove) {
  const std::clock_t start = std::clock();
  const Certified c = prove();
  const double spent = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const auto v = static_cast<double>(tables.v);
  const auto K = static_cast<double>(tables.K);
  const auto work = static_cast<double>(c.cost.multiply_adds);
  std::printf(
      "%-24s accuracy >= %.6f  multiply-adds %.4g  of v^3 K^2 %.3f  comparisons %.3g  "
      "exponentials %.3g  CPU seconds %.2f  inputs %s of %s\n",
      name.c_str(), static_cast<double>(c.certified) / static_cast<double>(c.all), work,
      work / (v * v * v * K * K), static_cast<double>(c.cost.comparisons),
      static_cast<double>(c.cost.exponentials), spent, decimal(c.certified).c_str(),
      decimal(c.all).c_str());
  std::fflush(stdout);
}

void run(const Transformer& model, std::size_t K, const std::string& nodes) {
  const bounds::Network net(model);
  const Tables tables(net, K);
  const bool is_small =
      std::pow(static_cast<double>(tables.v), static_cast<double>(K)) <= kMostEnumerated;
  std::printf("v %zu, K %zu, v^3 K^2 %.4g, tables %.4g multiply-adds\n", tables.v, K,
              static_cast<double>(tables.v * tables.v * tables.v * K * K),
              static_cast<double>(tables.cost.multiply_adds));
  if (!is_small) {
    std::printf("accuracy on %zu drawn inputs %.5f\n", kSamples, sample(tables, kSamples, 1));
  }
  for (const std::size_t depth : {0, 1, 2, 3, 4, 5, 64}) {
    const std::string name = depth == 64 ? "pools down to one rival"
                             : depth == 0
                                 ? "one pool of rivals"
                                 : std::to_string(std::size_t{1} << depth) + " pools of rivals";
    line(name, tables, [&] { return certify_pooled(tables, {depth, 0}); });
  }
  for (const std::size_t bins : {16, 32, 64, 128, 256}) {
    line("and a grid of " + std::to_string(bins), tables, [&] {
      return certify_pooled(tables, {64, bins});
    });
  }
  if (nodes != "none") {
    line("every rival, no split", tables, [&] { return certify_each(net, K, 0); });
    const std::size_t splits = std::strtoul(nodes.c_str(), nullptr, 10);
    line("every rival, " + nodes + " splits", tables, [&] { return certify_each(net, K, splits); });
  }
  if (is_small) {
    line("every input", tables, [&] { return enumerate(tables); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    std::fprintf(stderr, "usage: bench_max_of_k MODEL [K [NODES]]\n");
    return 2;
  }
  try {
    run(load_transformer(argv[1]), argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 4,
        argc > 3 ? argv[3] : "64");
  } catch (const Error& e) {
    std::fprintf(stderr, "bench_max_of_k: %s\n", e.what());
    return 2;
  }
  return 0;
}
