#include "sample_torch.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/torch_bridge/sample.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

/// A folder of its own that is removed with what is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "assay-sample-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw Error(ExitCode::internal, "no temporary folder can be made in " + name);
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

fs::path assay_torch() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path("assay-torch") : self.parent_path() / "assay-torch";
}

/// Runs the program with its stdout sent to nowhere (this program prints the result); its exit code.
int run_quietly(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  setenv("OPENBLAS_NUM_THREADS", "1", 0);
  setenv("OMP_NUM_THREADS", "1", 0);
  setenv("OMP_WAIT_POLICY", "passive", 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    throw UsageError("sample --engine torch needs " + arguments[0] +
                     ", which is not there or cannot run: build Assay with LibTorch "
                     "(-DASSAY_WITH_TORCH=ON)");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      return static_cast<int>(ExitCode::internal);
    }
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(ExitCode::internal);
}

}  // namespace

std::vector<SampledRun> torch_runs(const verify::SampleInput& input, const std::string& model,
                                   const std::string& device) {
  const TemporaryFolder folder;
  const fs::path request = folder.path() / "request.json", out = folder.path() / "runs.jsonl";
  write_file_atomic(request, torch_bridge::sample_request_json(
                                 {verify::draw_plan(input), input.batch, verify::plan_prompts(input)}));
  const int code = run_quietly({assay_torch().string(), "sample", "--model", model, "--request",
                                request.string(), "--out", out.string(), "--device", device,
                                "--quiet"});
  if (code != 0) {
    const bool known = code > 0 && code <= static_cast<int>(ExitCode::interrupted);
    throw Error(known ? static_cast<ExitCode>(code) : ExitCode::internal,
                "assay-torch sample failed with code " + std::to_string(code));
  }
  std::vector<SampledRun> runs =
      parse_runs_jsonl(read_file(out), out.string(), input.model->config.d_vocab);
  const std::vector<std::vector<TokenId>> prompts = verify::plan_prompts(input);
  const bool same = runs.size() == prompts.size() &&
                    std::equal(runs.begin(), runs.end(), prompts.begin(),
                               [](const SampledRun& r, const auto& p) { return r.prompt == p; });
  if (!same) {
    throw Error(ExitCode::internal, "assay-torch sample drew runs from other prompts");
  }
  return runs;
}

Parting compare(const std::vector<SampledRun>& reference, const std::vector<SampledRun>& other) {
  Parting out;
  out.runs = reference.size();
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const SampledRun &a = reference[i], &b = other[i];
    if (a.tokens == b.tokens && a.is_over == b.is_over) {
      ++out.same;
      continue;
    }
    out.near += std::min(a.slack, b.slack) < kNearTie ? 1 : 0;
    if (!out.run) {
      out.run = i;
      out.token = static_cast<std::size_t>(
          std::mismatch(a.tokens.begin(), a.tokens.end(), b.tokens.begin(), b.tokens.end()).first -
          a.tokens.begin());
    }
  }
  return out;
}

nlohmann::ordered_json Parting::json() const {
  nlohmann::ordered_json out = {{"runs", runs}, {"same", same}, {"partedAtNearTies", near}};
  if (run) {
    out["first"] = {{"run", *run}, {"token", *token}};
  }
  return out;
}

std::string Parting::text() const {
  std::string out = "LibTorch and the reference forward pass drew the same tokens in " +
                    std::to_string(same) + " of " + std::to_string(runs) + " runs";
  if (run) {
    out += "; they first part in run " + std::to_string(*run) + " at its token " +
           std::to_string(*token) + "; parted at near ties: " + std::to_string(near);
  }
  return out;
}

}  // namespace assay::cli
