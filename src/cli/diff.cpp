#include "assay/certify/diff.hpp"

#include <filesystem>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/envelope.hpp"
#include "release.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

struct DiffOptions {
  std::string old_file, now_file, old_evidence, now_evidence;
  std::vector<std::string> allow;
};

certify::Statement statement_of(const fs::path& file) {
  const certify::Envelope envelope =
      certify::parse_envelope(read_file(file, certify::kMaxEnvelopeBytes), file.string());
  if (envelope.payload_type != certify::kPayloadType) {
    throw InputError(file.string(), "payloadType", certify::kPayloadType,
                     visible(envelope.payload_type));
  }
  return certify::parse_statement(envelope.payload, file.string() + " payload");
}

/// "CHANGE", "CHANGE:CLAIM" or "CHANGE:CLAIM:ASPECT".
bool is_allowed(const certify::Change& change, const std::vector<std::string>& allow) {
  const std::string name = certify::change_name(change.kind);
  for (const std::string& word : allow) {
    if (word == name || word == name + ":" + change.claim ||
        word == name + ":" + change.claim + ":" + change.aspect) {
      return true;
    }
  }
  return false;
}

void run(const DiffOptions& options, Session& session) {
  const certify::Statement old = statement_of(options.old_file);
  const certify::Statement now = statement_of(options.now_file);
  const auto evidence = [](const std::string& given, const std::string& file) {
    return given.empty() ? fs::path(file).parent_path() / "evidence" : fs::path(given);
  };
  const std::vector<certify::Change> changes =
      certify::diff({old, evidence(options.old_evidence, options.old_file)},
                    {now, evidence(options.now_evidence, options.now_file)});
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::string text;
  std::size_t blocking = 0;
  std::size_t same = 0;
  for (const certify::Change& change : changes) {
    const bool allowed = is_allowed(change, options.allow);
    const bool blocks = certify::blocks(change.kind) && !allowed;
    blocking += blocks ? 1U : 0U;
    list.push_back({{"change", certify::change_name(change.kind)},
                    {"claim", change.claim},
                    {"aspect", change.aspect},
                    {"text", change.text},
                    {"blocks", blocks}});
    if (change.kind == certify::ChangeKind::same) {
      ++same;
      continue;
    }
    text += certify::change_name(change.kind) + "  " +
            (change.claim.empty() ? "" : visible(change.claim) + "  ") + change.aspect + ": " +
            visible(change.text) + (allowed ? "  (allowed)" : "") + "\n";
  }
  text += std::to_string(same) + " claims are the same; " + std::to_string(blocking) +
          " changes block (the signatures were not checked; that is `assay verify`)";
  session.finish(blocking > 0 ? ExitCode::regression : ExitCode::ok, text,
                 {{"changes", list}, {"blocking", blocking}, {"signatureChecked", false}});
}

}  // namespace

void add_diff(CLI::App& app, Session& session) {
  const auto options = std::make_shared<DiffOptions>();
  CLI::App* sub = app.add_subcommand(
      "diff", "What a new certificate claims less, more or otherwise than an old one");
  sub->add_option("OLD", options->old_file, "NAME.cert.dsse.json")->required();
  sub->add_option("NEW", options->now_file, "NAME.cert.dsse.json")->required();
  sub->add_option("--old-evidence", options->old_evidence, "Default: evidence/ beside OLD");
  sub->add_option("--evidence", options->now_evidence, "Default: evidence/ beside NEW");
  sub->add_option("--allow", options->allow,
                  "CHANGE[:CLAIM[:ASPECT]] that does not block: removed, weakened, tool-change, "
                  "dataset-change");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
