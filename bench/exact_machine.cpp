// Speed and memory of exact mode: the whole reachable machine over windows of a random model, from
// every prompt of up to N tokens or from one prompt, under min-p.
//   bench_exact_machine [--d-model D] [--window W] [--vocab V] [--any N] [--rho R] [--states S]
//                       [--threads T] [--scale X]
// --any 0 starts from the one prompt "0". Prints one line: windows, edges, open edges, seconds of wall and of CPU,
// windows a CPU second, bytes a window, peak memory of the process.
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "assay/base/progress.hpp"
#include "assay/base/random.hpp"
#include "assay/verify/exact.hpp"

using namespace assay;

namespace {

Tensor drawn(std::vector<std::size_t> shape, double scale, Random& random) {
  Tensor t = zeros(std::move(shape));
  for (float& x : t.data) {
    x = static_cast<float>(scale * (2 * random.unit() - 1));
  }
  return t;
}

/// One layer, relative bias, ReLU, d_mlp = 4 d_model, heads of 16; weights uniform, fan-in scaled.
Transformer random_model(std::size_t d, std::size_t window, std::size_t V, double scale) {
  Random random(1);
  Transformer m;
  auto& c = m.config;
  c.d_model = d;
  c.d_head = 16;
  c.n_heads = d / 16;
  c.d_mlp = 4 * d;
  c.n_ctx = 64;
  c.d_vocab = c.d_vocab_out = V;
  c.attention_window = window;
  c.relative_bias = true;
  const std::size_t h = c.n_heads, e = c.d_head, f = c.d_mlp;
  const double fan = 1.7 / std::sqrt(static_cast<double>(d));
  m.W_E = drawn({V, d}, 1, random);
  m.W_Q = drawn({h, d, e}, fan, random);
  m.W_K = drawn({h, d, e}, fan, random);
  m.W_V = drawn({h, d, e}, fan, random);
  m.W_O = drawn({h, e, d}, 2 * fan, random);
  m.b_Q = m.b_K = m.b_V = zeros({h, e});
  m.b_O = m.b_out = zeros({d});
  m.rel_bias = drawn({h, window}, 1, random);
  m.W_in = drawn({d, f}, fan, random);
  m.b_in = zeros({f});
  m.W_out = drawn({f, d}, fan, random);
  m.W_U = drawn({d, V}, scale * fan, random);
  m.b_U = zeros({V});
  return m;
}

void measure(const std::map<std::string, double>& o) {
  const auto whole = [&o](const char* name) { return static_cast<std::size_t>(o.at(name)); };
  const Transformer model =
      random_model(whole("--d-model"), whole("--window"), whole("--vocab"), o.at("--scale"));
  // No token is both: the property holds, and its monitor never settles.
  spec::Spec spec = spec::parse_spec(
      "spec \"b\" version 1; use model M = \"m\"; ap A = tok = id 0; ap B = tok = id 1;"
      "prop both: all G !(A & B);",
      "b");
  spec.uses[0].sha256 = model.weights_digest;
  verify::ExactInput input;
  input.subject.spec = &spec;
  input.subject.model = &model;
  input.emission = automata::Emission::parse("min-p:" + std::to_string(o.at("--rho")));
  input.prompts.max_length = whole("--any");
  if (input.prompts.max_length == 0) {
    input.prompts.sets = {{TokenId(0)}};
  }
  input.limits.states = whole("--states");
  input.limits.threads = whole("--threads");
  const auto begin = std::chrono::steady_clock::now();
  const verify::ExactResult result = verify::check_exact(input);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const verify::ExactProperty& p = result.properties[0];
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  std::printf(
      "%s: %zu windows, %zu evaluated, edges %zu witnessed %zu open, %zu by intervals, "
      "%.2f s of wall, %.2f CPU s, %.0f windows/CPU s, %.0f bytes/window, peak %.2f GiB\n",
      p.verdict_name(), result.windows, result.evaluated, p.witnessed, p.open, result.by_intervals,
      seconds, cpu, static_cast<double>(result.evaluated) / cpu,
      static_cast<double>(result.bytes) / static_cast<double>(result.windows),
      static_cast<double>(usage.ru_maxrss) / (1024 * 1024));
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, double> options = {
      {"--d-model", 32}, {"--window", 3},  {"--vocab", 96},        {"--any", 3},
      {"--rho", 0.1},    {"--threads", 2}, {"--states", 20000000}, {"--scale", 2}};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (options.find(argv[i]) == options.end()) {
      std::fprintf(stderr, "unknown option %s\n", argv[i]);
      return 2;
    }
    options[argv[i]] = std::atof(argv[i + 1]);
  }
  try {
    set_progress(false);
    measure(options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
