#include "check_hoa.hpp"

#include <algorithm>
#include <map>

#include "assay/base/digest.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/spec/cover.hpp"
#include "assay/verify/given.hpp"
#include "assay/verify/levels.hpp"
#include "check_levels.hpp"

namespace assay::cli {
namespace {

using verify::GivenResult;

constexpr const char* kNote =
    "These verdicts are exact of the machine in the file (OBSERVED); they say nothing of a model, "
    "unless the machine is proved to contain what the model does.";

const char* word(GivenResult::Verdict verdict, bool loud) {
  static constexpr const char* kLoud[] = {"HOLDS", "VIOLATED", "UNKNOWN"};
  static constexpr const char* kQuiet[] = {"holds", "violated", "unknown"};
  return (loud ? kLoud : kQuiet)[static_cast<int>(verdict)];
}

std::string to_text(const GivenResult& r) {
  std::string out = r.name + ": " + word(r.verdict, true) + "\n    " + r.claim + "\n    " +
                    std::to_string(r.pairs) + " pairs of machine and property states met\n";
  out += r.reason.empty() ? "" : "    " + r.reason + "\n";
  for (const std::string& why : r.vacuous) {
    out += "    VACUOUS: " + why + "\n";
  }
  for (std::size_t i = 0; i < r.run.size(); ++i) {
    out += r.loop > 0 && i + r.loop == r.run.size() ? "      for ever:\n" : "";
    out += "      " + spec::letter_text(r.run[i].letter, r.aps) + "  to state " +
           std::to_string(r.run[i].state) + "\n";
  }
  return out;
}

nlohmann::ordered_json to_json(const GivenResult& r) {
  nlohmann::ordered_json run = nlohmann::ordered_json::array();
  for (const verify::GivenStep& step : r.run) {
    nlohmann::ordered_json letter = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < r.aps.size(); ++i) {
      if (((step.letter >> i) & 1U) != 0) {
        letter.push_back(r.aps[i]);
      }
    }
    run.push_back({{"true", letter}, {"state", step.state}});
  }
  return {{"name", r.name},      {"claim", r.claim},   {"verdict", word(r.verdict, false)},
          {"level", "OBSERVED"}, {"reason", r.reason}, {"pairs", r.pairs},
          {"run", run},          {"loop", r.loop},     {"vacuous", r.vacuous}};
}

/// --prop's names, or all: those about levels, and the others.
struct Chosen {
  std::vector<std::string> levels, others;
};
Chosen chosen(const spec::Spec& spec, const std::vector<std::string>& names) {
  Chosen out{{}, names};
  for (const spec::Property& p : spec.properties) {
    const auto named = std::find(out.others.begin(), out.others.end(), p.name);
    if (!names.empty() && named == out.others.end()) {
      continue;
    }
    if (!verify::reads_levels(spec, p)) {
      if (names.empty()) {
        out.others.push_back(p.name);
      }
      continue;
    }
    out.levels.push_back(p.name);
    out.others.erase(std::remove(out.others.begin(), out.others.end(), p.name), out.others.end());
  }
  return out;
}

/// Whatever decided it: its words, object and exit code.
struct Reported {
  std::string text;
  nlohmann::ordered_json object;
  ExitCode code = ExitCode::ok;
};
Reported reported(const GivenResult& r) {
  static constexpr ExitCode kCodes[] = {ExitCode::ok, ExitCode::violated, ExitCode::unknown};
  return {to_text(r), to_json(r), kCodes[static_cast<int>(r.verdict)]};
}

/// Every such property beside the machine, in other tools' formats.
void write_machines(const spec::Spec& statement, const std::vector<std::string>& names,
                    const automata::Hoa& hoa, const std::string& folder,
                    std::map<std::string, Reported>& by_name) {
  using Claim = spec::Property::Claim;
  for (const spec::Property& p : statement.properties) {
    if (std::find(names.begin(), names.end(), p.name) == names.end() ||
        (p.claim != Claim::all && p.claim != Claim::some)) {
      continue;
    }
    const std::vector<std::string> files = verify::export_given(statement, p, hoa, folder);
    Reported& r = by_name.at(p.name);
    r.object["exported"] = files;
    for (const std::string& file : files) {
      r.text += "    " + file + "\n";
    }
  }
}

/// Z3 is asked about what holds; with a folder the obligations are written there.
verify::LevelEffort effort_of(const std::string& property, const std::string& smt) {
  verify::LevelEffort out;
  out.second_opinion = true;
  if (!smt.empty()) {
    out.dump = [property, smt](const std::string& name, const std::string& text) {
      write_file_atomic(smt + "/" + property + "." + name + ".smt2", text);
    };
  }
  return out;
}

/// Writes the certificate of the levels' properties that hold; says where, "" for nowhere.
std::string write_certificate(const std::vector<verify::LevelResult>& results,
                              const std::string& machine, const std::string& statement,
                              const std::string& path) {
  const std::string certificate =
      verify::level_certificate(sha256(machine).hex(), sha256(statement).hex(), results);
  if (certificate.empty()) {
    say("no property about levels holds: no certificate is written");
    return "";
  }
  write_file_atomic(path, certificate);
  return path;
}

}  // namespace

bool is_hoa(const std::string& file) {
  return file.size() > 4 && file.compare(file.size() - 4, 4, ".hoa") == 0;
}

void check_hoa(const std::string& machine, const std::string& spec,
               const std::vector<std::string>& properties, const std::string& certificate,
               const HoaFolders& folders, Session& session) {
  const std::string& smt = folders.smt;
  for (const std::string* folder : {&folders.smt, &folders.machines}) {
    if (!folder->empty()) {
      make_directory(*folder);
    }
  }
  const std::string text = read_file(spec, std::size_t{1} << 21U), bytes = read_file(machine);
  const spec::Spec statement = spec::parse_spec(text, spec);
  const automata::Hoa hoa = automata::parse_hoa(bytes, machine);
  const Chosen names = chosen(statement, properties);
  if (!certificate.empty() && !statement.is_resolved()) {
    throw UsageError(
        "--certificate: expected a resolved spec, for it is the statement; see assay spec resolve");
  }
  std::map<std::string, Reported> by_name;
  if (!names.others.empty() || names.levels.empty()) {
    for (const GivenResult& r : verify::check_given(statement, hoa, names.others)) {
      by_name.emplace(r.name, reported(r));
    }
    if (!folders.machines.empty()) {
      write_machines(statement, names.others, hoa, folders.machines, by_name);
    }
  }
  std::vector<verify::LevelResult> levels;
  for (const spec::Property& p : statement.properties) {
    if (std::find(names.levels.begin(), names.levels.end(), p.name) != names.levels.end()) {
      const verify::LevelResult& r =
          levels.emplace_back(verify::decide_levels(statement, p, hoa, effort_of(p.name, smt)));
      by_name.emplace(p.name, Reported{levels_text(p.name, p.claim_text(), r),
                                       levels_json(p.name, p.claim_text(), r), levels_code(r)});
    }
  }
  std::string words;
  nlohmann::ordered_json objects = nlohmann::ordered_json::array();
  ExitCode code = ExitCode::ok;
  for (const spec::Property& p : statement.properties) {
    if (const auto found = by_name.find(p.name); found != by_name.end()) {
      words += found->second.text;
      objects.push_back(found->second.object);
      const bool worse = found->second.code == ExitCode::violated || code == ExitCode::ok;
      code = worse ? found->second.code : code;
    }
  }
  const std::string written =
      certificate.empty() ? "" : write_certificate(levels, bytes, text, certificate);
  const std::size_t dead = verify::dead_states(hoa);
  if (dead > 0) {
    words += std::to_string(dead) + (dead == 1 ? " state has" : " states have") +
             " no way on to an accepted run (a deadlock, say): a path into one is no run and is "
             "left out\n";
  }
  session.finish(code, words + kNote,
                 {{"note", kNote},
                  {"states", hoa.states},
                  {"deadStates", dead},
                  {"properties", objects},
                  {"certificate", written}});
}

}  // namespace assay::cli
