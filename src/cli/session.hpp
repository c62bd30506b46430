#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "assay/base/errors.hpp"

namespace assay::cli {

/// What every command shares: global flags in, one result out.
struct Session {
  bool json = false;   ///< --json: one JSON object on stdout, nothing else there
  bool quiet = false;  ///< --quiet: no progress on stderr
  ExitCode code = ExitCode::ok;

  /// Prints the result once: `text` for people, or `object` under --json.
  void finish(ExitCode exit_code, const std::string& text, nlohmann::ordered_json object);
};

// Each adds its subcommand; one file per command, named after it.
void add_run(CLI::App& app, Session& session);        // run
void add_sae(CLI::App& app, Session& session);        // sae encode
void add_train(CLI::App& app, Session& session);      // train model | sae (runs assay-torch)
void add_eval(CLI::App& app, Session& session);       // eval
void add_features(CLI::App& app, Session& session);   // features (cards)
void add_automaton(CLI::App& app, Session& session);  // automaton
void add_block(CLI::App& app, Session& session);      // block
void add_spec(CLI::App& app, Session& session);       // spec resolve | show | explain
void add_check(CLI::App& app, Session& session);      // check
void add_replay(CLI::App& app, Session& session);     // replay
void add_chain(CLI::App& app, Session& session);      // chain
void add_sample(CLI::App& app, Session& session);     // sample
void add_attack(CLI::App& app, Session& session);     // attack
void add_threshold(CLI::App& app, Session& session);  // threshold
void add_monitor(CLI::App& app, Session& session);    // monitor
void add_prove(CLI::App& app, Session& session);      // prove
void add_bound(CLI::App& app, Session& session);      // bound
void add_erase(CLI::App& app, Session& session);      // erase [fit | apply | certify]
void add_fold(CLI::App& app, Session& session);       // fold
void add_key(CLI::App& app, Session& session);        // key new | show
void add_certify(CLI::App& app, Session& session);    // certify
void add_verify(CLI::App& app, Session& session);     // verify
void add_repair(CLI::App& app, Session& session);     // repair
void add_report(CLI::App& app, Session& session);     // report

}  // namespace assay::cli
