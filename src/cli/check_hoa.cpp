#include "check_hoa.hpp"

#include "assay/base/files.hpp"
#include "assay/spec/cover.hpp"
#include "assay/verify/given.hpp"

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
  for (const verify::GivenStep& step : r.run) {
    out += "      " + spec::letter_text(step.letter, r.aps) + "  to state " +
           std::to_string(step.state) + "\n";
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
          {"run", run}};
}

}  // namespace

bool is_hoa(const std::string& file) {
  return file.size() > 4 && file.compare(file.size() - 4, 4, ".hoa") == 0;
}

void check_hoa(const std::string& machine, const std::string& spec,
               const std::vector<std::string>& properties, Session& session) {
  const spec::Spec statement = spec::parse_spec(read_file(spec, std::size_t{1} << 21U), spec);
  const automata::Hoa hoa = automata::parse_hoa(read_file(machine), machine);
  const std::vector<GivenResult> results = verify::check_given(statement, hoa, properties);
  std::string text;
  nlohmann::ordered_json objects = nlohmann::ordered_json::array();
  ExitCode code = ExitCode::ok;
  for (const GivenResult& result : results) {
    text += to_text(result);
    objects.push_back(to_json(result));
    if (result.verdict == GivenResult::Verdict::violated) {
      code = ExitCode::violated;
    } else if (result.verdict == GivenResult::Verdict::unknown && code == ExitCode::ok) {
      code = ExitCode::unknown;
    }
  }
  session.finish(code, text + kNote,
                 {{"note", kNote}, {"states", hoa.states}, {"properties", objects}});
}

}  // namespace assay::cli
