#include "assay/certify/checker.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "child_process.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxOutput = std::size_t{16} << 20;

/// "ACCEPT claim LEVEL words"; false when the line is not of that form.
bool read_accept(const std::string& line, AcceptLine& accept) {
  const std::string word = "ACCEPT ";
  const std::size_t id_end = line.find(' ', word.size());
  if (line.compare(0, word.size(), word) != 0 || id_end == std::string::npos) {
    return false;
  }
  const std::size_t level_end = line.find(' ', id_end + 1);
  if (level_end == std::string::npos) {
    return false;
  }
  try {
    accept.level = parse_level(line.substr(id_end + 1, level_end - id_end - 1));
  } catch (const InputError&) {
    return false;
  }
  accept.claim = line.substr(word.size(), id_end - word.size());
  accept.statement = line.substr(level_end + 1);
  return true;
}

void read_output(CheckerRun& run) {
  for (const std::string& line : split(run.output, '\n')) {
    AcceptLine accept;
    if (read_accept(line, accept)) {
      run.accepts.push_back(accept);
    } else if (line.compare(0, 6, "ACCEPT") == 0 || line.compare(0, 6, "REJECT") == 0) {
      run.message = visible(line);
    }
  }
}

}  // namespace

std::string evidence_name(const CheckInput& input) {
  const std::size_t sign = input.option == "readout" ? input.name.find('=') : std::string::npos;
  return sign == std::string::npos ? input.name : input.name.substr(sign + 1);
}

fs::path checker_beside_program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return self.parent_path() / "assay-check";
}

CheckerRun run_checker(const fs::path& checker, const fs::path& model_dir,
                       const fs::path& evidence_dir, const std::string& certificate,
                       const std::vector<CheckInput>& inputs, int timeout_seconds) {
  std::vector<std::string> arguments = {fs::absolute(checker).string(),
                                        fs::absolute(evidence_dir / certificate).string()};
  if (!model_dir.empty()) {
    arguments.insert(arguments.end(), {"--model", fs::absolute(model_dir).string()});
  }
  for (const CheckInput& input : inputs) {
    if (std::find(kCheckOptions.begin(), kCheckOptions.end(), input.option) ==
        kCheckOptions.end()) {
      throw InputError("re-check", "option", "a known one", "'" + visible(input.option) + "'");
    }
    arguments.push_back("--" + input.option);
    const std::string file = evidence_name(input);
    arguments.push_back(input.name.substr(0, input.name.size() - file.size()) +
                        fs::absolute(evidence_dir / file).string());
  }
  const ChildResult child = run_child(arguments, timeout_seconds, kMaxOutput);
  CheckerRun run;
  run.output = child.output;
  if (!child.started) {
    run.message = checker.string() + ": cannot be run";
  } else if (child.timed_out) {
    run.message = "no answer within " + std::to_string(timeout_seconds) + " s";
  } else if (child.too_much_output) {
    run.message = "more output than " + std::to_string(kMaxOutput) + " bytes";
  } else {
    read_output(run);
    if (run.message.empty() && child.exit_code != 0) {
      run.message =
          "exit " + std::to_string(child.exit_code) + ": " + visible(child.output.substr(0, 200));
    } else if (run.message.empty() && run.accepts.empty()) {
      run.message = "accepted nothing";
    }
    run.accepted = run.message.empty();
  }
  if (!run.accepted) {
    run.accepts.clear();
  }
  return run;
}

}  // namespace assay::certify
