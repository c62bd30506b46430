#include <memory>

#include "assay/base/files.hpp"
#include "assay/verify/given_chain.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

using automata::Rounding;
using verify::ChainVerdict;

struct Options {
  std::string file, label, at_most, at_least, certificate, prism, drn;
  std::optional<std::size_t> within;
};

constexpr const char* kNote =
    "Nature picks any distribution within the intervals, anew at every visit: the largest "
    "probability is a maximum over nature, the smallest a minimum over nature. They are exact of "
    "the chain in the file, and say nothing of a model unless the chain is proved to contain it.";

const char* word(ChainVerdict verdict) {
  static constexpr const char* kWords[] = {"holds", "violated", "unknown", "not asked"};
  return kWords[static_cast<int>(verdict)];
}

Rational threshold(const std::string& text, const char* option) {
  try {
    return parse_rational(text);
  } catch (const InputError& e) {
    throw UsageError(std::string(option) + ": " + e.what());
  }
}

void write_files(const Options& options, const automata::LabelledChain& chain) {
  if (!options.prism.empty()) {
    const automata::PrismFiles files = automata::to_prism(chain);
    write_file_atomic(options.prism + ".tra", files.tra);
    write_file_atomic(options.prism + ".lab", files.lab);
  }
  if (!options.drn.empty()) {
    write_file_atomic(options.drn, automata::to_drn(chain));
  }
}

void run(const Options& options, Session& session) {
  const std::string text = read_file(options.file);
  const automata::LabelledChain chain = automata::parse_drn(text, options.file);
  verify::ChainQuery query{options.label, options.within, {}, {}};
  if (!options.at_most.empty()) {
    query.at_most = threshold(options.at_most, "--at-most");
  }
  if (!options.at_least.empty()) {
    query.at_least = threshold(options.at_least, "--at-least");
  }
  const verify::ChainAnswer answer = verify::solve_chain(chain, sha256(text), query);
  write_files(options, chain);
  if (!options.certificate.empty()) {
    write_file_atomic(options.certificate, answer.certificate);
    write_file_atomic(options.certificate + ".request", answer.request);
  }
  const std::string most = automata::grid_text(answer.most, Rounding::up);
  const std::string least = automata::grid_text(answer.least, Rounding::down);
  const std::string horizon =
      options.within ? " in at most " + std::to_string(*options.within) + " steps" : "";
  std::string out = "P(reach " + options.label + horizon +
                    "), from every state init:\n    at most " + most +
                    " (largest over nature)\n    at least " + least + " (smallest over nature)\n";
  if (query.at_most) {
    out += "    <= " + options.at_most + ": " + word(answer.at_most) + "\n";
  }
  if (query.at_least) {
    out += "    >= " + options.at_least + ": " + word(answer.at_least) + "\n";
  }
  session.finish(answer.code(), out + kNote,
                 {{"states", chain.chain.states()},
                  {"edges", chain.chain.edges()},
                  {"label", options.label},
                  {"within", options.within ? nlohmann::ordered_json(*options.within) : nullptr},
                  {"most", most},
                  {"least", least},
                  {"atMost", word(answer.at_most)},
                  {"atLeast", word(answer.at_least)},
                  {"sweeps", answer.sweeps},
                  {"endComponents", answer.end_components},
                  {"seconds", answer.seconds},
                  {"certificate", options.certificate},
                  {"note", kNote}});
}

}  // namespace

void add_chain(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* sub = app.add_subcommand(
      "chain",
      "Bounds on reaching a label in a given interval Markov chain (DRN), with certificate");
  sub->add_option("file", options->file, "The chain, a DRN file of type DTMC")->required();
  sub->add_option("--reach", options->label, "The label to reach")->required();
  sub->add_option("--within", options->within, "In at most so many steps (default: ever)");
  sub->add_option("--at-most", options->at_most, "Decide whether the probability is at most this");
  sub->add_option("--at-least", options->at_least,
                  "Decide whether the probability is at least this");
  sub->add_option("--certificate", options->certificate,
                  "Write the certificate here, and what it states to FILE.request");
  sub->add_option("--prism", options->prism,
                  "Write the chain as PRISM's explicit PREFIX.tra and PREFIX.lab");
  sub->add_option("--drn", options->drn, "Write the chain as DRN, its ends on the grid of 2^-40");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
