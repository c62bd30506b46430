#include <array>
#include <set>

#include "check_sample.hpp"
#include "rules.hpp"

using namespace check_test;

// The kept certificates: accept/, reject/ and nocrash/ hold a file SUBJECT.RULE.cert for every rule, about the inputs in
// subjects/SUBJECT. keep.py makes them.

namespace {

const std::filesystem::path kKept =
    std::filesystem::path(ASSAY_SOURCE_DIR) / "tests/adversarial/check";

struct KeptFile {
  std::filesystem::path path;
  std::string subject, rule;
  std::vector<std::string> lines;
};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::vector<KeptFile> files_of(const std::string& folder) {
  std::vector<KeptFile> all;
  for (const auto& entry : std::filesystem::directory_iterator(kKept / folder)) {
    if (entry.path().extension() != ".cert") {
      continue;
    }
    const std::string stem = entry.path().stem().string();
    const std::size_t dot = stem.find('.');
    REQUIRE(dot != std::string::npos);
    all.push_back(
        {entry.path(), stem.substr(0, dot), stem.substr(dot + 1), lines_of(entry.path())});
  }
  return all;
}

assay_check::Inputs inputs_of(const KeptFile& file) {
  const std::filesystem::path root = kKept / "subjects" / file.subject;
  const std::vector<std::string> args = lines_of(root / "args");
  assay_check::Inputs in;
  in.certificate = file.path.string();
  for (std::size_t i = 0; i + 1 < args.size(); i += 2) {
    const std::string& option = args[i];
    const std::string path = (root / args[i + 1]).string();
    if (option == "--readout") {
      const std::size_t equals = args[i + 1].find('=');
      REQUIRE(equals != std::string::npos);
      in.readouts.emplace_back(args[i + 1].substr(0, equals),
                               (root / args[i + 1].substr(equals + 1)).string());
    } else if (option == "--data") {
      in.data.push_back(path);
    } else if (option == "--model") {
      in.model = path;
    } else {
      std::map<std::string, std::optional<std::string>*> slots = {
          {"--sae", &in.sae},     {"--eraser", &in.eraser},  {"--automaton", &in.automaton},
          {"--runs", &in.runs},   {"--spec", &in.spec},      {"--request", &in.request},
          {"--chain", &in.chain}, {"--machine", &in.machine}};
      REQUIRE(slots.contains(option));
      *slots[option] = path;
    }
  }
  return in;
}

bool has_step(const KeptFile& file) {
  return std::any_of(file.lines.begin(), file.lines.end(), [&](const std::string& line) {
    const auto words = words_of(line);
    return words.size() > 1 && words[1] == file.rule;
  });
}

/// The lines in which a kept file differs from the accepted one of its rule and, where there is one, its subject; they
/// are as many. Its statement may be another (a false claim) or its step, not both.
std::size_t differences(const KeptFile& file) {
  const auto all = files_of("accept");
  const auto with = [&](bool subject) {
    return std::find_if(all.begin(), all.end(), [&](const KeptFile& each) {
      return each.rule == file.rule && (!subject || each.subject == file.subject);
    });
  };
  const auto own = with(true) != all.end() ? with(true) : with(false);
  REQUIRE(own != all.end());
  const std::vector<std::string>& accepted = own->lines;
  REQUIRE(accepted.size() == file.lines.size());
  std::size_t n = 0;
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    n += accepted[i] == file.lines[i] ? 0 : 1;
  }
  return n;
}

}  // namespace

TEST_CASE(
    "kept files: every rule of the checker has one to accept, one to reject, one to survive") {
  std::set<std::string> every;
  for (const auto& rule : assay_check::kRules) {
    every.insert(std::string(rule.name));
  }
  for (const char* folder : {"accept", "reject", "nocrash"}) {
    std::set<std::string> kept;
    for (const KeptFile& file : files_of(folder)) {
      kept.insert(file.rule);
    }
    INFO(folder);
    CHECK(kept == every);
  }
}

TEST_CASE("kept files: accept is accepted") {
  for (const KeptFile& file : files_of("accept")) {
    const auto outcome = assay_check::check(inputs_of(file));
    INFO(file.path.filename() << ": " << outcome.lines.back());
    CHECK(outcome.accepted);
    CHECK(has_step(file));
  }
}

TEST_CASE("kept files: reject is rejected for the reason beside it") {
  for (const KeptFile& file : files_of("reject")) {
    const auto outcome = assay_check::check(inputs_of(file));
    std::filesystem::path reason = file.path;
    INFO(file.path.filename());
    CHECK_FALSE(outcome.accepted);
    CHECK(outcome.lines.back() == "REJECT " + file.path.string() + ":" +
                                      lines_of(reason.replace_extension(".reason")).at(0));
    CHECK(has_step(file));
    CHECK(differences(file) == 1);
  }
}

TEST_CASE("kept files: nocrash is rejected") {
  for (const KeptFile& file : files_of("nocrash")) {
    const auto outcome = assay_check::check(inputs_of(file));
    INFO(file.path.filename() << ": " << outcome.lines.back());
    CHECK_FALSE(outcome.accepted);
    CHECK(outcome.lines.back().rfind("REJECT ", 0) == 0);
    CHECK(outcome.lines.back().find("internal") == std::string::npos);
    CHECK(has_step(file));
    CHECK(differences(file) == 1);
  }
}
