#include "erase_report.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/checker.hpp"
#include "assay/erase/eraser_file.hpp"
#include "assay/erase/in_model.hpp"
#include "assay/model/forward.hpp"
#include "assay/model/strict_json.hpp"
#include "assay/report/erasure_page.hpp"
#include "erase_figures.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostJson = std::size_t{1} << 26U;

struct Options {
  std::string eraser, model, sae, out;
  std::vector<std::string> certificates, data, attacks;
};

/// The activations of a directory's own claims.
std::vector<std::string> data_beside(const fs::path& directory) {
  std::vector<std::string> out;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const fs::path& file = entry.path();
    if (file.extension() == ".safetensors" && file.filename() != "eraser.safetensors") {
      out.push_back(file.string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// The request's line of a claim: its kind and its bound.
struct Asked {
  std::string kind, bound;
  bool is_upper = true;
};
std::map<std::string, Asked> asked_in(const fs::path& request) {
  std::map<std::string, Asked> out;
  for (const std::string& line : split(read_file(request, kMostJson), '\n')) {
    const std::vector<std::string> words = split(line, ' ');
    if (words.size() < 2) {
      continue;
    }
    Asked asked{words[0], "", true};
    for (std::size_t i = 2; i + 1 < words.size(); i += 2) {
      const bool most = words[i] == "max-r2" || words[i] == "at-most" || words[i] == "max-gain";
      if (most || words[i] == "at-least") {
        asked.bound = words[i + 1];
        asked.is_upper = most;
      }
    }
    out.emplace(words[1], std::move(asked));
  }
  return out;
}

/// The checker reads one certificate; what it accepted, or Error(ExitCode::evidence).
void accept(const Options& o, const fs::path& directory, report::ErasurePage& page) {
  std::vector<certify::CheckInput> inputs = {
      {"eraser", fs::absolute(o.eraser).string()},
      {"request", fs::absolute(directory / "erasure.request").string()}};
  std::vector<std::string> data = data_beside(directory);
  data.insert(data.end(), o.data.begin(), o.data.end());
  for (const std::string& file : data) {
    inputs.push_back({"data", fs::absolute(file).string()});
  }
  if (!o.sae.empty()) {
    inputs.push_back({"sae", fs::absolute(o.sae).string()});
  }
  const fs::path certificate = fs::absolute(directory / "erasure.cert");
  const certify::CheckerRun run = certify::run_checker(certify::checker_beside_program(), o.model,
                                                       "", certificate.string(), inputs);
  if (!run.accepted) {
    throw Error(ExitCode::evidence, "assay-check did not accept " + certificate.string() + ": " +
                                        run.message + " (see --data, --model, --sae)");
  }
  const auto asked = asked_in(directory / "erasure.request");
  for (const certify::AcceptLine& line : run.accepts) {
    const auto of = asked.find(line.claim);
    const Asked words = of == asked.end() ? Asked{} : of->second;
    page.accepted.push_back(
        {words.kind, line.claim, words.bound, words.is_upper, line.level, line.statement});
  }
  std::string command = "assay-check " + (directory / "erasure.cert").string() +
                        (o.model.empty() ? "" : " --model " + o.model) + " --eraser " + o.eraser +
                        (o.sae.empty() ? "" : " --sae " + o.sae) + " --request " +
                        (directory / "erasure.request").string();
  for (const std::string& file : data) {
    command += " --data " + file;
  }
  page.commands.push_back(std::move(command));
  for (const char* file : {"erasure.request", "erasure.cert"}) {
    page.files.emplace_back((directory / file).string(), sha256_file(directory / file));
  }
}

std::optional<nlohmann::json> json_in(const fs::path& directory, const char* name) {
  const fs::path file = directory / name;
  if (!fs::exists(file)) {
    return std::nullopt;
  }
  return parse_strict_json(read_file(file, kMostJson), file.string());
}

void add_not_claimed(const nlohmann::json& object, report::ErasurePage& page) {
  const nlohmann::json lines = object.value("notClaimed", nlohmann::json::array());
  for (const nlohmann::json& line : lines) {
    if (line.is_string()) {
      page.not_claimed.push_back(line.get<std::string>());
    }
  }
}

void add_figures(const fs::path& directory, report::ErasurePage& page) {
  for (const char* name : {"erasure.json", "feature.json", "claims.json"}) {
    if (const auto object = json_in(directory, name)) {
      try {
        add_erasure_figures(*object, page.figures);
      } catch (const nlohmann::json::exception& e) {
        throw InputError((directory / name).string(), "file", "what assay erase writes", e.what());
      }
      add_not_claimed(*object, page);
      page.files.emplace_back((directory / name).string(), sha256_file(directory / name));
    }
  }
}

void add_attack(const fs::path& directory, report::ErasurePage& page) {
  const auto object = json_in(directory, "attack.json");
  if (!object) {
    throw InputError((directory / "attack.json").string(), "file", "what assay erase attack writes",
                     "nothing");
  }
  try {
    page.attacks.push_back(attack_table(*object));
  } catch (const nlohmann::json::exception& e) {
    throw InputError((directory / "attack.json").string(), "file", "what assay erase attack writes",
                     e.what());
  }
  add_not_claimed(*object, page);
  page.files.emplace_back((directory / "attack.json").string(),
                          sha256_file(directory / "attack.json"));
  if (fs::exists(directory / "attack.svg")) {
    page.attack_pictures.push_back(read_file(directory / "attack.svg", kMostJson));
  }
}

void run(const Options& o, Session& session) {
  const erase::LoadedEraser loaded = erase::load_eraser(o.eraser);
  const erase::Eraser& e = loaded.eraser;
  report::ErasurePage page;
  page.name = loaded.origin.labelled;
  page.site = e.hook.empty() ? "not named by the eraser's file" : e.hook;
  page.bypass = is_known_hook(e.hook) ? erase::bypass_text(e.hook) : "";
  page.map = e.method + ", rank " + std::to_string(e.rank) + " of " + std::to_string(e.d()) +
             " dimensions, computed in double, outputs on the grid 2^-" +
             std::to_string(e.grid_bits);
  page.files = {{"eraser.json", loaded.config}, {"eraser.safetensors", loaded.weights}};
  std::vector<fs::path> directories(o.certificates.begin(), o.certificates.end());
  if (fs::exists(fs::path(o.eraser) / "erasure.cert")) {
    directories.insert(directories.begin(), o.eraser);
  }
  add_figures(o.eraser, page);
  for (const fs::path& directory : directories) {
    accept(o, directory, page);
    if (!fs::equivalent(directory, o.eraser)) {
      add_figures(directory, page);
    }
  }
  for (const std::string& directory : o.attacks) {
    add_attack(directory, page);
  }
  const std::string html = report::render_erasure_page(page);
  write_file_atomic(o.out, html);
  session.finish(ExitCode::ok,
                 o.out + ": " + std::to_string(html.size()) + " bytes, " +
                     std::to_string(page.accepted.size()) + " claims accepted by assay-check, " +
                     std::to_string(page.attacks.size()) + " attacks",
                 {{"report", o.out},
                  {"bytes", html.size()},
                  {"accepted", page.accepted.size()},
                  {"attacks", page.attacks.size()}});
}

}  // namespace

void add_erase_report(CLI::App& erase, Session& session) {
  const auto options = std::make_shared<Options>();
  Options& o = *options;
  auto* sub = erase.add_subcommand("report",
                                   "One HTML page about an eraser: what assay-check accepts of it, "
                                   "in plain words, what was tried "
                                   "against it, and what is not claimed");
  sub->add_option("--eraser", o.eraser, "Directory of the eraser")->required();
  sub->add_option(
      "--certificate", o.certificates,
      "Directory with erasure.cert and erasure.request, beside the eraser's own; may be "
      "repeated");
  sub->add_option(
      "--data", o.data,
      "A file that a certificate names, beside those in its directory; may be repeated");
  sub->add_option("--model", o.model, "Model directory, where a certificate names one");
  sub->add_option("--sae", o.sae, "Dictionary, where a certificate names one");
  sub->add_option("--attack", o.attacks, "Directory of assay erase attack; may be repeated");
  sub->add_option("--out", o.out, "The HTML file to write")->required();
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
