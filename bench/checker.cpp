// The checker against the producer's final pass over the same proofs.
//   bench_checker CHECKER MODEL SAE|- features|neurons|differences COUNT NODES
// CHECKER: the program assay-check. COUNT bounds, NODES cases each and no enumeration, are written as one
// certificate, then formed again from their numbers (bench/proof_pass.hpp) and checked. With a
// dictionary: its features, in states that end in three drawn tokens, as many states as COUNT needs.
// Without: neurons, or drawn logit differences, with every position free but the last, which holds
// the vocabulary's last token. Prints CPU seconds, their ratio, and peak memory of both sides.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/bounds/bound_certificate.hpp"
#include "proof_pass.hpp"

using namespace assay;
using namespace assay::bench;
using namespace assay::bounds;

namespace {

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
}

double mebibytes(const rusage& usage) {
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

struct Claim {
  Domain domain;
  Quantity quantity;
};

std::vector<Claim> features(const Transformer& model, const Sae& sae, std::size_t count) {
  Random random(1);
  std::vector<Claim> claims;
  std::vector<std::uint32_t> suffix(3);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t feature = i % sae.d_sae;
    if (feature == 0) {
      for (std::uint32_t& t : suffix) {
        t = static_cast<std::uint32_t>(random.below(model.config.d_vocab));
      }
    }
    Quantity q;
    q.kind = QuantityKind::feature;
    q.index = static_cast<std::uint32_t>(feature);
    claims.push_back({any_length_domain(model, suffix), q});
  }
  return claims;
}

std::vector<Claim> of_all_contexts(const Transformer& model, bool is_neuron, std::size_t count) {
  const auto last = static_cast<std::uint32_t>(model.config.d_vocab - 1);
  std::vector<std::uint32_t> any;
  for (std::uint32_t u = 0; u < last; ++u) {
    any.push_back(u);
  }
  std::vector<std::vector<std::uint32_t>> sets(model.config.n_ctx - 1, any);
  sets.push_back({last});
  const Domain domain = fixed_domain(sets);
  Random random(1);
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < count; ++i) {
    Quantity q;
    q.index = static_cast<std::uint32_t>(i % std::max<std::size_t>(model.config.d_mlp, 1));
    if (!is_neuron) {
      const std::size_t outputs = model.config.d_vocab_out;
      q.kind = QuantityKind::logit_difference;
      q.index = static_cast<std::uint32_t>(random.below(outputs));
      q.other = static_cast<std::uint32_t>((q.index + 1 + random.below(outputs - 1)) % outputs);
    }
    claims.push_back({domain, q});
  }
  return claims;
}

/// The checker's CPU seconds and memory; throws when it does not accept.
rusage check(const std::string& checker, const std::string& certificate, const std::string& model,
             const std::optional<std::string>& sae) {
  std::vector<std::string> words{checker, certificate, "--model",
                                 model,   "--request", certificate + ".request"};
  if (sae) {
    words.insert(words.end(), {"--sae", *sae});
  }
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stdout);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (child < 0 || wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) ||
      WEXITSTATUS(status) != 0) {
    throw InputError("the checker did not accept " + certificate);
  }
  return usage;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

void run(const std::vector<std::string>& words) {
  const Transformer model = load_transformer(words[1]);
  const bool has_sae = words[2] != "-";
  const Sae sae = has_sae ? load_sae(words[2]) : Sae{};
  const Sae* given = has_sae ? &sae : nullptr;
  const std::size_t count = std::strtoul(words[4].c_str(), nullptr, 10);
  if (count == 0 || has_sae != (words[3] == "features") ||
      (!has_sae && words[3] != "neurons" && words[3] != "differences")) {
    throw InputError(
        "features of a dictionary, or neurons or differences without one; COUNT from 1");
  }
  const std::vector<Claim> claims =
      has_sae ? features(model, sae, count) : of_all_contexts(model, words[3] == "neurons", count);
  const std::size_t nodes = std::strtoul(words[5].c_str(), nullptr, 10);
  Bounder bounder(model, given);
  BoundCertificate certificate(model, given);
  ProofPass pass(model, given);
  double search = 0;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const double start = cpu_seconds();
    const BoundResult r = bounder.bound(claims[i].domain, claims[i].quantity,
                                        {.nodes = nodes, .enumerate = 0, .keep_proof = true});
    bounder.write(certificate, "b" + std::to_string(i), claims[i].domain, claims[i].quantity, r);
    search += cpu_seconds() - start;
    pass.prove(claims[i].domain, claims[i].quantity, r);
  }
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("bench_checker." + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const std::string path = folder / "certificate";
  const std::string text = certificate.certificate();
  write(path, text);
  write(path + ".request", certificate.request());
  const rusage checker =
      check(words[0], path, words[1], has_sae ? std::optional(words[2]) : std::nullopt);
  std::filesystem::remove_all(folder);
  rusage self{};
  getrusage(RUSAGE_SELF, &self);
  const double checked = seconds(checker.ru_utime) + seconds(checker.ru_stime);
  std::printf(
      "%zu %s, %zu nodes each: %zu leaves, %zu ranges, largest excess %.0e, certificate %.2f MB; "
      "CPU "
      "seconds: "
      "search %.2f, final pass %.3f, checker %.3f, ratio %.2f; peak MiB: producer %.0f, checker "
      "%.0f\n",
      claims.size(), words[3].c_str(), nodes, pass.leaves, pass.ranges, pass.excess,
      static_cast<double>(text.size()) / 1e6, search, pass.seconds, checked, checked / pass.seconds,
      mebibytes(self), mebibytes(checker));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(
        stderr,
        "usage: bench_checker CHECKER MODEL SAE|- features|neurons|differences COUNT NODES\n");
    return 2;
  }
  try {
    run({argv + 1, argv + argc});
  } catch (const Error& e) {
    std::fprintf(stderr, "bench_checker: %s\n", e.what());
    return 2;
  }
  return 0;
}
