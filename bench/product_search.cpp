// The product of a machine and a property searched to the end, by Assay and (with --export) by SPIN on the same machine.
//   bench_product_search [--states N] [--degree K] [--export DIR]
// The machine is drawn: N states, K successors each; one state in eight shows `a`; `z` never comes, so that "no z within
// 14 steps after a" holds and its monitor never settles. Prints pairs and edges (pair x successor), CPU seconds of the search and
// of a pass that checks its invariant, edges a second. --export writes DIR/machine.{pml,bin} for `spin`.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "assay/automata/search.hpp"
#include "assay/base/random.hpp"
#include "assay/spec/dfa.hpp"

using namespace assay;
using namespace assay::automata;

namespace {

constexpr const char* kSpec =
    "spec \"b\" version 1; ap a = tok = id 0; ap z = tok = id 1;"
    "prop P: all G(a -> X G[0:13] !z);";

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

FittedAutomaton drawn(std::size_t states, std::size_t degree) {
  Random random(1);
  FittedAutomaton out;
  out.aps = {"a", "z"};
  out.states.resize(states);
  out.initial = {{StateId(0), 1}};
  for (std::size_t s = 0; s < states; ++s) {
    out.states[s].must = out.states[s].may = random.below(8) == 0 ? 1 : 0;
    for (std::size_t e = 0; e < degree; ++e) {
      out.edges.push_back({StateId(s), StateId(random.below(states)), 1});
    }
  }
  return out;
}

/// INV: initial pairs in the set, every successor of a pair in the set, no bad pair there.
bool is_invariant(const Product& p, const std::vector<ProductState>& set) {
  std::vector<bool> member(p.size());
  for (const ProductState& pair : set) {
    if (p.dfa->bad[pair.spec]) {
      return false;
    }
    member[p.index(pair.state, pair.spec)] = true;
  }
  const auto entered = [&](StateId to, std::uint32_t q) {
    for (const std::size_t letter : p.letters[to.at()]) {
      if (!member[p.index(to, p.dfa->next(q, letter))]) {
        return false;
      }
    }
    return true;
  };
  for (const auto& [state, count] : p.automaton->initial) {
    if (!entered(state, 0)) {
      return false;
    }
  }
  for (const ProductState& pair : set) {
    for (const StateId to : p.after[pair.state.at()]) {
      if (!entered(to, pair.spec)) {
        return false;
      }
    }
  }
  return true;
}

/// The machine's tables in binary, and a Promela model that steps through them in embedded C.
void write_promela(const Product& p, const std::string& folder) {
  std::ofstream bin(folder + "/machine.bin", std::ios::binary);
  std::size_t degree = 0;
  for (const auto& after : p.after) {
    degree = std::max(degree, after.size());
  }
  const auto put = [&bin](std::uint32_t x) {
    bin.write(reinterpret_cast<const char*>(&x), sizeof x);
  };
  for (std::size_t s = 0; s < p.after.size(); ++s) {
    for (std::size_t e = 0; e < degree; ++e) {  // a repeated successor adds no state
      put(static_cast<std::uint32_t>(p.after[s][std::min(e, p.after[s].size() - 1)].at()));
    }
    put(static_cast<std::uint32_t>(p.letters[s][0]));
  }
  std::ofstream pml(folder + "/machine.pml");
  const std::string width = std::to_string(degree + 1), letters = std::to_string(p.dfa->letters());
  pml << "c_decl {\nstatic unsigned *m_;\nstatic const "
         "unsigned char d_[] = {";
  std::string bad = "0";
  for (std::uint32_t q = 0; q < p.dfa->states; ++q) {
    for (std::size_t letter = 0; letter < p.dfa->letters(); ++letter) {
      pml << (q + letter == 0 ? "" : ",") << p.dfa->next(q, letter);
    }
    bad += p.dfa->bad[q] ? " || q == " + std::to_string(q) : "";
  }
  pml << "};\nstatic void load_(void) { size_t n = (size_t)" << p.after.size() << " * " << width
      << ";\n  FILE *f = fopen(\"machine.bin\", \"rb\"); m_ = malloc(4 * n);\n"
      << "  if (!f || !m_ || fread(m_, 4, n, f) != n) exit(9); fclose(f); }\n}\n"
      << "int s = 0; byte q = 0;\nactive proctype machine() {\n"
      << "  d_step { c_code { if (!m_) load_(); now.q = d_[m_[" << degree << "]]; } }\n  do\n";
  for (std::size_t e = 0; e < degree; ++e) {
    pml << "  :: d_step { c_code { now.s = m_[(size_t)now.s * " << width << " + " << e
        << "]; now.q = d_[now.q * " << letters << " + m_[(size_t)now.s * " << width << " + "
        << degree << "]]; }; assert(!(" << bad << ")) }\n";
  }
  pml << "  od\n}\n";
}

int measure(std::size_t states, std::size_t degree, const std::string& folder) {
  const spec::Spec spec = spec::parse_spec(kSpec, "bench");
  const spec::Dfa dfa = spec::bad_prefix_dfa(spec.properties[0].formula);
  const FittedAutomaton automaton = drawn(states, degree);
  const Product product = make_product(automaton, dfa);
  if (!folder.empty()) {
    write_promela(product, folder);
  }
  const double begin = cpu_seconds();
  const SearchResult result = search(product);
  const double found = cpu_seconds();
  const bool good = !result.bad_reachable() && is_invariant(product, result.reached);
  const double checked = cpu_seconds();
  std::size_t edges = 0;
  for (const ProductState& pair : result.reached) {
    edges += product.after[pair.state.at()].size();
  }
  std::printf(
      "%s: %zu states, monitor of %zu, %zu pairs, %zu edges; search %.2f s (%.2e edges/s), "
      "check %.2f s (%.2f of the search)\n",
      good ? "holds" : "FAULT", states, dfa.states, result.reached.size(), edges, found - begin,
      static_cast<double>(edges) / (found - begin), checked - found,
      (checked - found) / (found - begin));
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options = {
      {"--states", "1000000"}, {"--degree", "3"}, {"--export", ""}};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (options.find(argv[i]) == options.end()) {
      std::fprintf(stderr, "unknown option %s\n", argv[i]);
      return 2;
    }
    options[argv[i]] = argv[i + 1];
  }
  try {
    return measure(std::stoul(options["--states"]), std::stoul(options["--degree"]),
                   options["--export"]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
