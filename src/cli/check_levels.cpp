#include "check_levels.hpp"

namespace assay::cli {
namespace {

using verify::LevelResult;

const char* word(LevelResult::Verdict verdict, bool loud) {
  static constexpr const char* kLoud[] = {"HOLDS", "VIOLATED", "UNKNOWN"};
  static constexpr const char* kQuiet[] = {"holds", "violated", "unknown"};
  return (loud ? kLoud : kQuiet)[static_cast<int>(verdict)];
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) {
    out += (out.empty() ? "" : " ") + w;
  }
  return out;
}

std::string how(const LevelResult& r) {
  std::string out = r.engine;
  if (r.verdict == LevelResult::Verdict::holds) {
    out += r.cells > 0 ? ": an invariant of " + std::to_string(r.cells) + " cells"
                       : ": all " + std::to_string(r.points) + " pairs of state and numbers";
    out += ", " + std::to_string(r.proof_steps) + " lines of proof";
  } else if (r.verdict == LevelResult::Verdict::violated) {
    out += ": a run of " + std::to_string(r.run.size()) + " letters, computed anew";
  }
  return out;
}

}  // namespace

std::string levels_text(const std::string& name, const std::string& claim, const LevelResult& r) {
  std::string out = name + ": " + word(r.verdict, true) + "\n    " + claim + "\n    " +
                    std::to_string(r.controls) + " pairs of machine and property states, " +
                    std::to_string(r.levels.size()) + " levels\n";
  out += r.engine.empty() ? "" : "    " + how(r) + "\n";
  out += r.reason.empty() ? "" : "    " + r.reason + "\n";
  if (!r.opinion.empty()) {
    out += "    second opinion of " + r.solver + ": " + r.opinion +
           (r.opinion_detail.empty() ? "" : " (" + r.opinion_detail + ")") + "\n";
  }
  for (const LevelResult::Step& step : r.run) {
    out += "      " + (step.shown.empty() ? "-" : joined(step.shown)) + "  to state " +
           std::to_string(step.state);
    for (std::size_t i = 0; i < r.levels.size(); ++i) {
      out += (i == 0 ? ": " : ", ") + r.levels[i] + " = " + step.values[i];
    }
    out += "\n";
  }
  return out;
}

nlohmann::ordered_json levels_json(const std::string& name, const std::string& claim,
                                   const LevelResult& r) {
  nlohmann::ordered_json run = nlohmann::ordered_json::array();
  for (const LevelResult::Step& step : r.run) {
    nlohmann::ordered_json values = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < r.levels.size(); ++i) {
      values[r.levels[i]] = step.values[i];
    }
    run.push_back({{"true", step.shown}, {"state", step.state}, {"levels", values}});
  }
  return {{"name", name},
          {"claim", claim},
          {"verdict", word(r.verdict, false)},
          {"level", "OBSERVED"},
          {"reason", r.reason},
          {"engine", r.engine},
          {"levels", r.levels},
          {"pairs", r.controls},
          {"points", r.points},
          {"cells", r.cells},
          {"proofLines", r.proof_steps},
          {"secondOpinion",
           {{"solver", r.solver}, {"invariant", r.opinion}, {"detail", r.opinion_detail}}},
          {"run", run}};
}

ExitCode levels_code(const LevelResult& r) {
  static constexpr ExitCode kCodes[] = {ExitCode::ok, ExitCode::violated, ExitCode::unknown};
  return kCodes[static_cast<int>(r.verdict)];
}

}  // namespace assay::cli
