#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/spec/monitor.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string spec, property, cpp, table;
};

const spec::Property& chosen(const spec::Spec& spec, const std::string& name) {
  for (const spec::Property& property : spec.properties) {
    if (property.name == name) {
      if (property.claim != spec::Property::Claim::all) {
        throw UsageError("--prop " + name +
                         ": expected an 'all' claim, for a monitor watches one run, found '" +
                         property.claim_text() + "'");
      }
      return property;
    }
  }
  throw UsageError("--prop " + name + ": expected a property of the spec, found none of that name");
}

nlohmann::ordered_json table_json(const spec::Property& property, const spec::Explanation& e,
                                  const std::string& digest) {
  const spec::Dfa& dfa = e.acceptor.graph;
  nlohmann::ordered_json aps = nlohmann::ordered_json::array();
  for (const std::string& ap : e.aps) {
    aps.push_back(ap);
  }
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  nlohmann::ordered_json verdicts = nlohmann::ordered_json::array();
  nlohmann::ordered_json over = nlohmann::ordered_json::array();
  const std::vector<spec::Outlook> outlooks = spec::outlooks(e.acceptor);
  for (std::uint32_t s = 0; s < dfa.states; ++s) {
    nlohmann::ordered_json row = nlohmann::ordered_json::array();
    for (std::size_t letter = 0; letter < dfa.letters(); ++letter) {
      row.push_back(dfa.next(s, letter));
    }
    rows.push_back(row);
    verdicts.push_back(spec::outlook_name(outlooks[s]));
    over.push_back(e.acceptor.accepts(s));
  }
  return {{"format", "assay-monitor 1"},
          {"property", property.name},
          {"claim", property.claim_text()},
          {"sentence", e.sentence},
          {"spec", digest},
          {"monitorable", e.monitorable},
          {"aps", aps},
          {"letters", "bit i of a letter is the truth of aps[i]"},
          {"initial", 0},
          {"verdicts", verdicts},
          {"holdsIfOver", over},
          {"next", rows}};
}

void run(const Options& options, Session& session) {
  if (options.cpp.empty() && options.table.empty()) {
    throw UsageError("expected --cpp OUT.hpp, --table OUT.json or both, found neither");
  }
  const std::string text = read_file(options.spec, std::size_t{1} << 21U);
  const spec::Spec spec = spec::parse_spec(text, options.spec);
  const spec::Property& property = chosen(spec, options.property);
  const spec::Explanation e = spec::explain(spec, property);
  const std::string digest = sha256(text).hex();
  const std::string header =
      spec::monitor_header(property, e, "spec '" + spec.name + "', sha256 " + digest);
  const nlohmann::ordered_json table = table_json(property, e, digest);
  if (!options.cpp.empty()) {
    write_file_atomic(options.cpp, header);
  }
  if (!options.table.empty()) {
    write_file_atomic(options.table, table.dump(1) + "\n");
  }
  std::string out = "monitor of " + property.name + ": " + std::to_string(e.acceptor.graph.states) +
                    " states, " + std::to_string(e.aps.size()) + " aps";
  if (e.is_valid() || e.is_unsatisfiable()) {
    out += e.is_valid() ? "\n  VALID: no run can violate it, so there is nothing to watch"
                        : "\n  UNSATISFIABLE: every run violates it";
  }
  if (!e.monitorable) {
    out += "\n  NOT MONITORABLE: after the run (" + spec::run_text(*e.hopeless, e.aps) +
           ") no way on is ever decided; only the end of the run decides (holds_if_over)";
  }
  session.finish(e.monitorable ? ExitCode::ok : ExitCode::unknown, out,
                 {{"property", property.name},
                  {"states", e.acceptor.graph.states},
                  {"monitorable", e.monitorable},
                  {"cpp", options.cpp},
                  {"table", options.table}});
}

}  // namespace

void add_monitor(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand(
      "monitor", "Write a run-time monitor of a property: a C++17 header, a JSON table");
  const auto options = std::make_shared<Options>();
  sub->add_option("spec", options->spec, "The .spec file")->required();
  sub->add_option("--prop", options->property, "The property")->required();
  sub->add_option("--cpp", options->cpp, "Write the header here");
  sub->add_option("--table", options->table, "Write the table here");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
