#include <cstdio>
#include <string>
#include <type_traits>
#include <utility>

#include "kernel.hpp"

namespace {

constexpr const char* kUsage =
    "usage: assay-check CERT (--model DIR | --chain FILE | --machine FILE) [--sae DIR] [--readout "
    "NAME=FILE]... [--eraser DIR]\n"
    "                   [--automaton FILE] [--runs FILE] [--data FILE]... (--spec FILE | --request "
    "FILE)\n"
    "                   [--quiet] [--help] [--version]\n"
    "Re-checks a certificate and prints the statement it accepts.\n"
    "Exit codes: 0 accept, 1 reject, 2 usage.\n";

struct Options {
  assay_check::Inputs inputs;
  bool quiet = false, help = false, version = false;
};

/// One option with a value; false when unknown, doubled or malformed.
bool set_option(const std::string& name, const std::string& value, assay_check::Inputs& in) {
  const auto once = [&value](auto& slot) {
    const bool free = slot == std::decay_t<decltype(slot)>();
    slot = value;
    return free;
  };
  if (name == "--readout") {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos) {
      return false;
    }
    in.readouts.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    return true;
  }
  if (name == "--data") {
    in.data.push_back(value);
    return true;
  }
  return name == "--model"       ? once(in.model)
         : name == "--sae"       ? once(in.sae)
         : name == "--eraser"    ? once(in.eraser)
         : name == "--automaton" ? once(in.automaton)
         : name == "--runs"      ? once(in.runs)
         : name == "--chain"     ? once(in.chain)
         : name == "--machine"   ? once(in.machine)
         : name == "--spec"      ? once(in.spec)
         : name == "--request"   ? once(in.request)
                                 : false;
}

bool read_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    bool* flag = word == "--quiet"     ? &options.quiet
                 : word == "--help"    ? &options.help
                 : word == "--version" ? &options.version
                                       : nullptr;
    if (flag != nullptr) {
      *flag = true;
    } else if (word.rfind("--", 0) == 0) {
      if (i + 1 >= argc || !set_option(word, argv[++i], options.inputs)) {
        return false;
      }
    } else if (!std::exchange(options.inputs.certificate, word).empty()) {
      return false;
    }
  }
  const assay_check::Inputs& in = options.inputs;
  const int models = !in.model.empty() + in.chain.has_value() + in.machine.has_value();
  return options.help || options.version  // alone: exit 0 beside a certificate means accepted
             ? argc == 2
             : !in.certificate.empty() && (models == 1 || (models == 0 && in.eraser.has_value())) &&
                   in.spec.has_value() != in.request.has_value();
}

int run(int argc, char** argv) {
  Options options;
  if (!read_options(argc, argv, options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (options.help) {
    return std::fputs(kUsage, stdout) < 0 ? 1 : 0;
  }
  if (options.version) {
    return std::puts("assay-check " ASSAY_CHECK_VERSION) < 0 ? 1 : 0;
  }
  bool printed = true;
  const auto print = [&](const std::string& line) {
    printed = options.quiet || (std::puts(line.c_str()) >= 0 && printed);
  };
  const assay_check::Outcome outcome = assay_check::check(options.inputs, print);
  for (const std::string& line : outcome.lines) {
    print(line);
  }
  return std::fflush(stdout) == 0 && printed && outcome.accepted ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (...) {
    return 1;
  }
}
