#include "automaton_closure.hpp"

#include "assay/automata/closure_files.hpp"
#include "assay/base/digest.hpp"
#include "assay/base/files.hpp"

namespace assay::cli {
namespace {

constexpr const char* kEdges = "closure.edges";
constexpr const char* kUnfinished = "closure.unfinished";
constexpr std::size_t kMostBytes = std::size_t{1} << 32U;

std::string write_edges(const std::filesystem::path& file, const automata::ClosedGraph& graph) {
  const std::string text = automata::edges_text(graph);
  write_file_atomic(file, text);
  return sha256(text).hex();
}

nlohmann::ordered_json identity_json(const ClosureIdentity& identity) {
  return {{"model", identity.model},
          {"decoder", identity.decoder},
          {"prompts", identity.prompts},
          {"slopeSteps", identity.slope_steps},
          {"roundSteps", identity.round_steps}};
}

automata::ClosurePart read_edges(const std::filesystem::path& file, const std::string& digest,
                                 const automata::WindowCodes& codes, std::size_t vocabulary) {
  const std::string text = read_file(file, kMostBytes);
  if (sha256(text).hex() != digest) {
    throw Error(ExitCode::artifact,
                file.string() + ": expected the file that closure.json names, found another");
  }
  return automata::parse_edges(text, file.string(), codes, vocabulary);
}

}  // namespace

nlohmann::ordered_json write_closure(const std::filesystem::path& folder,
                                     const ClosureIdentity& identity,
                                     const automata::ClosureResult& result) {
  nlohmann::ordered_json out = {{"of", identity_json(identity)},
                                {"round", result.round},
                                {"edges", write_edges(folder / kEdges, result.graph)},
                                {"unfinished", nullptr}};
  std::filesystem::remove(folder / kUnfinished);
  if (result.unfinished) {
    out["unfinished"] = write_edges(folder / kUnfinished, *result.unfinished);
  }
  return out;
}

ClosureFolder read_closure(const std::filesystem::path& folder, const ClosureIdentity& identity,
                           const automata::WindowCodes& codes, std::size_t vocabulary) {
  const std::filesystem::path summary = folder / "closure.json";
  ClosureFolder out;
  try {
    out.summary = nlohmann::ordered_json::parse(read_file(summary));
    const nlohmann::ordered_json& resume = out.summary.at("resume");
    if (resume.at("of") != identity_json(identity)) {
      throw UsageError(
          "--resume: expected a closure of this model, decoder, prompts and steps in " +
          folder.string() + ", found one of " + resume.at("of").dump());
    }
    out.begun.round = resume.at("round").get<std::size_t>();
    automata::ClosurePart edges =
        read_edges(folder / kEdges, resume.at("edges").get<std::string>(), codes, vocabulary);
    if (out.begun.round == 0) {
      out.begun.part = std::move(edges);
    } else {
      out.begun.closed = std::move(edges);
      if (!resume.at("unfinished").is_null()) {
        out.begun.part = read_edges(folder / kUnfinished,
                                    resume.at("unfinished").get<std::string>(), codes, vocabulary);
      }
    }
  } catch (const nlohmann::json::exception& e) {
    throw InputError(summary.string() +
                     ": expected what automaton --proved wrote, found: " + e.what());
  }
  return out;
}

}  // namespace assay::cli
