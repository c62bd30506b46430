#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "session.hpp"

namespace assay::cli {
namespace {

/// The arguments this process was started with, the program's name first.
std::vector<std::string> own_arguments() {
  // Files under /proc have no size, so they are read by line and not as a whole.
  std::vector<std::string> arguments;
  std::ifstream stream("/proc/self/cmdline", std::ios::binary);
  for (std::string argument; std::getline(stream, argument, '\0');) {
    arguments.push_back(argument);
  }
  return arguments;
}

std::filesystem::path sibling(const std::string& name) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path(name) : self.parent_path() / name;
}

/// Replaces this process by assay-torch with the same arguments, as git does: only that program
/// links LibTorch. Its command line is the same, so the arguments pass through unread.
[[noreturn]] void become_assay_torch(Session& session) {
  std::vector<std::string> arguments = own_arguments();
  for (const std::string& argument : arguments) {
    session.json = session.json || argument == "--json";
  }
  const std::filesystem::path program = sibling("assay-torch");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  setenv("OPENBLAS_NUM_THREADS", "1", 0);  // read when LibTorch is loaded: one thread, no spinning
  setenv("OMP_NUM_THREADS", "1", 0);
  setenv("OMP_WAIT_POLICY", "passive", 0);
  execv(program.c_str(), pointers.data());
  throw UsageError("train needs " + program.string() +
                   ", which is not there or cannot run: build Assay with LibTorch "
                   "(-DASSAY_WITH_TORCH=ON), or bring a model that was trained elsewhere");
}

}  // namespace

void add_train(CLI::App& app, Session& session) {
  CLI::App* sub = app.add_subcommand("train", "Train a model or a dictionary (runs assay-torch)");
  sub->preparse_callback([&session](std::size_t) { become_assay_torch(session); });
}

}  // namespace assay::cli
