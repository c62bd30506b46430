#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "assay/base/progress.hpp"
#include "export.hpp"
#include "release.hpp"
#include "session.hpp"

namespace assay::cli {

void Session::finish(ExitCode exit_code, const std::string& text, nlohmann::ordered_json object) {
  code = exit_code;
  if (json) {
    object["exitCode"] = static_cast<int>(exit_code);
    std::printf("%s\n",
                object.dump(1, ' ', true, nlohmann::json::error_handler_t::replace).c_str());
  } else if (!text.empty()) {
    std::printf("%s\n", text.c_str());
  }
}

namespace {

/// A failure says itself on stderr, and under --json as the one object on stdout too.
int fail(Session& session, ExitCode code, const std::string& message) {
  std::fprintf(stderr, "assay: %s\n", message.c_str());
  if (session.json) {
    session.finish(code, "", {{"error", message}});
  }
  return static_cast<int>(code);
}

/// The parser reads "-5" as a huge count otherwise.
void refuse_negative_counts(CLI::App& app) {
  const auto fault = [](const std::string& word) {
    return word.starts_with("-") ? "expected a whole number from 0, found " + word : std::string();
  };
  for (CLI::Option* option : app.get_options()) {
    if (option->get_type_name().starts_with("UINT")) {
      option->check(fault, "", "");
    }
  }
  for (CLI::App* command : app.get_subcommands({})) {
    refuse_negative_counts(*command);
  }
}

int run(int argc, char** argv) {
  Session session;
  CLI::App app{"Assay certifies neural networks from the inside."};
  app.name("assay");
  app.set_version_flag("--version", "assay " ASSAY_VERSION);
  app.add_flag("--json", session.json, "Print one JSON object on stdout");
  app.add_flag("--quiet", session.quiet, "No progress on stderr");
  app.require_subcommand(1);
  app.fallthrough();
  add_train(app, session);
  add_eval(app, session);
  add_features(app, session);
  add_run(app, session);
  add_sae(app, session);
  add_automaton(app, session);
  add_block(app, session);
  add_spec(app, session);
  add_check(app, session);
  add_replay(app, session);
  add_chain(app, session);
  add_sample(app, session);
  add_attack(app, session);
  add_threshold(app, session);
  add_monitor(app, session);
  add_prove(app, session);
  add_bound(app, session);
  add_erase(app, session);
  add_fold(app, session);
  add_certify(app, session);
  add_verify(app, session);
  add_repair(app, session);
  add_sign(app, session);
  add_trust(app, session);
  add_diff(app, session);
  add_gate(app, session);
  add_report(app, session);
  add_export(app, session);
  add_key(app, session);
  refuse_negative_counts(app);
  app.parse_complete_callback([&] {
    set_progress(!session.quiet);
    catch_interrupts();
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const bool informative = e.get_exit_code() == 0;  // --help, --version
    app.exit(e);
    return informative ? 0 : static_cast<int>(ExitCode::usage);
  } catch (const Error& e) {
    return fail(session, e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return fail(session, ExitCode::internal, "out of memory");
  } catch (const std::exception& e) {
    return fail(session, ExitCode::internal, std::string("internal error: ") + e.what());
  }
  return static_cast<int>(session.code);
}

}  // namespace
}  // namespace assay::cli

int main(int argc, char** argv) {
  try {
    return assay::cli::run(argc, argv);
  } catch (...) {  // out of memory while a message was made
    std::fputs("assay: internal error\n", stderr);
    return static_cast<int>(assay::ExitCode::internal);
  }
}
