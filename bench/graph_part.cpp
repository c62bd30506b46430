// What a checker spends on the graph of a certificate, against the search that found it, on one machine in one run.
//   bench_graph_part CHECKER MODEL DECODER PROMPTS [STEPS [COPIES]]
// CHECKER: the program assay-check; MODEL: a model with a hard attention window; PROMPTS as for assay check. The property is
// "within STEPS of a token with an even id comes none that is of two kinds at once": it holds, and its monitor never settles.
// Certificates with one and with 1 + COPIES such properties are written and checked. A copy makes the checker evaluate no
// window again, so the difference is COPIES times the graph part: its lines are read, and the conditions of EXACT gone through.
// Three ratios: against the product search alone (every window evaluated before), the search with the construction of the machine
// (windows evaluated as they are met), and all that assay check does (the invariant checked once more, the certificate written;
// no vacuity, no second opinion). CPU seconds of one thread.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/model/transformer.hpp"
#include "assay/verify/exact.hpp"
#include "exact_search.hpp"

using namespace assay;

namespace {

double seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

std::string spec_text(const Transformer& model, std::size_t steps, std::size_t properties) {
  std::string even, text = "spec \"graph\" version 1;\nuse model M = \"m\" sha256 " +
                           model.weights_digest.hex() + ";\nclass even = ids {";
  for (std::size_t t = 0; t < model.config.d_vocab; t += 2) {
    even += (t == 0 ? "" : ", ") + std::to_string(t);
  }
  text += even + "};\nap Even = tok in even;\nap First = tok = id 0;\nap Second = tok = id 1;\n";
  for (std::size_t i = 0; i < properties; ++i) {
    text += "prop p" + std::to_string(i) + ": all G(Even -> X G[0:" + std::to_string(steps - 1) +
            "] !(First & Second));\n";
  }
  return text;
}

struct Subject {
  Transformer model;
  spec::Spec spec;
  std::string statement;
  verify::ExactInput input;

  Subject(const std::string& directory, const std::string& decoder, const std::string& prompts,
          std::size_t steps, std::size_t properties)
      : model(load_transformer(directory)), statement(spec_text(model, steps, properties)) {
    spec = spec::parse_spec(statement, "graph");
    input.subject.spec = &spec;
    input.subject.model = &model;
    input.subject.statement = sha256(statement);
    input.emission = automata::Emission::parse(decoder);
    input.prompts = verify::parse_prompts(read_file(prompts), prompts, model.config.d_vocab);
    input.limits.threads = 1;
  }
};

struct Search {
  double whole = 0, product = 0;  ///< CPU seconds
  std::size_t windows = 0, pairs = 0, edges = 0;
};

Search searched(const Subject& subject) {
  const spec::Dfa dfa = spec::bad_prefix_dfa(subject.spec.properties[0].formula);
  const auto once = [&](verify::WindowMachine& machine, Search& out) {
    const double begin = seconds(RUSAGE_SELF);
    verify::ExactSearch search(subject.input, machine, dfa, verify::ExactSearch::Edges::possible);
    search.run([](auto) { return true; });
    require(search.closed() && !search.found_bad(), "bench_graph_part: the search did not close");
    for (std::size_t p = 0; p < search.pairs(); ++p) {
      out.edges += machine.edges(search.window(static_cast<verify::ExactSearch::PairId>(p))).size();
    }
    out.pairs = search.pairs();
    return seconds(RUSAGE_SELF) - begin;
  };
  Search out, again;
  const double begin = seconds(RUSAGE_SELF);
  verify::WindowMachine machine(subject.input, 7);
  once(machine, out);
  out.whole = seconds(RUSAGE_SELF) - begin;
  out.product = once(machine, again);
  out.windows = machine.size();
  return out;
}

struct Checked {
  double producer = 0, checker = 0;  ///< CPU seconds
};

/// What `assay check` does for the certificate of these properties, second opinion left out, and the checker on it.
Checked checked(const std::string& checker, const std::string& directory, Subject& subject,
                const std::string& folder) {
  Checked out;
  subject.input.wants_certificate = true;
  const double start = seconds(RUSAGE_SELF);
  const verify::ExactResult result = verify::check_exact(subject.input);
  out.producer = seconds(RUSAGE_SELF) - start;
  for (const verify::ExactProperty& p : result.properties) {
    require(std::string(p.verdict_name()) == "holds" && std::string(p.level()) == "PROVED",
            "bench_graph_part: the property is not proved");
  }
  write_file_atomic(folder + "/c.cert", result.certificate);
  write_file_atomic(folder + "/c.runs", result.runs);
  write_file_atomic(folder + "/c.spec", subject.statement);
  const double begin = seconds(RUSAGE_CHILDREN);
  const pid_t child = fork();
  if (child == 0) {
    const std::string cert = folder + "/c.cert", runs = folder + "/c.runs",
                      spec = folder + "/c.spec";
    execl(checker.c_str(), checker.c_str(), "--quiet", cert.c_str(), "--model", directory.c_str(),
          "--spec", spec.c_str(), "--runs", runs.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  require(child > 0 && waitpid(child, &status, 0) == child && status == 0,
          "bench_graph_part: the checker does not accept");
  out.checker = seconds(RUSAGE_CHILDREN) - begin;
  return out;
}

void measure(const std::vector<std::string>& words) {
  const std::size_t steps = words.size() > 4 ? std::stoul(words[4]) : 8;
  const std::size_t copies = words.size() > 5 ? std::stoul(words[5]) : 8;
  Subject one(words[1], words[2], words[3], steps, 1),
      many(words[1], words[2], words[3], steps, 1 + copies);
  const Search search = searched(one);
  char name[] = "/tmp/graph-part-XXXXXX";
  require(mkdtemp(name) != nullptr, "bench_graph_part: no temporary folder");
  const Checked alone = checked(words[0], words[1], one, name);
  const Checked with = checked(words[0], words[1], many, name);
  std::filesystem::remove_all(name);
  const double graph = (with.checker - alone.checker) / static_cast<double>(copies);
  std::printf(
      "%zu windows, %zu pairs, %zu edges; CPU s: product search alone %.4f, search with its "
      "construction %.3f, assay check %.3f; assay-check %.3f, of which the graph part %.4f\n"
      "graph part : product search alone                              = %.2f\n"
      "graph part : search with its construction                      = %.3f\n"
      "graph part : assay check, which searches, checks and writes it = %.3f\n",
      search.windows, search.pairs, search.edges, search.product, search.whole, alone.producer,
      alone.checker, graph, graph / search.product, graph / search.whole, graph / alone.producer);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 4 || words.size() > 6) {
    std::fprintf(stderr,
                 "usage: bench_graph_part CHECKER MODEL DECODER PROMPTS [STEPS [COPIES]]\n");
    return 2;
  }
  try {
    set_progress(false);
    measure(words);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
