#include "assay/torch_bridge/run_log.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"

namespace assay::torch_bridge {
namespace {

nlohmann::ordered_json number(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    return static_cast<std::int64_t>(value);
  }
  return value;  // a NaN becomes null
}

nlohmann::ordered_json object_of(const Scalars& scalars) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [name, value] : scalars) {
    object[name] = number(value);
  }
  return object;
}

/// The lines of an earlier metrics.jsonl whose step is at most `step`.
std::string lines_up_to(const std::filesystem::path& path, std::size_t step) {
  std::string kept;
  std::error_code error;
  if (step == 0 || !std::filesystem::is_regular_file(path, error)) {
    return kept;
  }
  for (const std::string& line : split(read_file(path), '\n')) {
    const auto object = nlohmann::json::parse(line, nullptr, false);
    if (object.is_object() && object.value("step", step + 1) <= step) {
      kept += line + "\n";
    }
  }
  return kept;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& directory, std::size_t resumed_step)
    : path_(directory / "metrics.jsonl") {
  write_file_atomic(path_, lines_up_to(path_, resumed_step));
  stream_.open(path_, std::ios::app);
}

void MetricsLog::write(std::size_t step, const Scalars& scalars) {
  nlohmann::ordered_json line = {{"step", step}};
  line.update(object_of(scalars));
  stream_ << line.dump() << std::endl;
  if (!stream_) {
    throw Error(ExitCode::internal, path_.string() + ": cannot write");
  }
}

const char* word(Ending ending) {
  switch (ending) {
    case Ending::finished:
      return "finished";
    case Ending::paused:
      return "paused";
    case Ending::seconds:
      return "stopped by --seconds (not reproducible)";
    case Ending::interrupted:
      return "interrupted";
  }
  return "finished";
}

StopRule::StopRule(const RunOptions& options)
    : steps_(options.steps),
      pause_at_(options.pause_at),
      limit_(options.seconds),
      start_(std::chrono::steady_clock::now()) {}

double StopRule::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool StopRule::leave(std::size_t done) {
  if (done >= steps_) {
    ending_ = Ending::finished;
    return true;
  }
  if (interrupted()) {
    ending_ = Ending::interrupted;
    return true;
  }
<<<<<<< HEAD
  if (pause_at_ != 0 && done == pause_at_) {
=======
  if (pause_at_ > 0 && done == pause_at_) {
>>>>>>> torch
    ending_ = Ending::paused;
    return true;
  }
  if (limit_ > 0 && seconds() >= limit_) {
    ending_ = Ending::seconds;
    return true;
  }
  return false;
}

Outcome conclude(const RunOptions& options, const std::string& what,
                 const std::string& options_object, const std::string& corpus_digest,
                 std::size_t steps_done, Ending ending, const Scalars& figures,
                 const Scalars& timings) {
  nlohmann::ordered_json record = {{"what", what},
                                   {"assay", ASSAY_VERSION},
                                   {"options", nlohmann::ordered_json::parse(options_object)},
                                   {"corpus", "sha256:" + corpus_digest},
                                   {"steps", steps_done},
                                   {"ending", word(ending)},
                                   {"figures", object_of(figures)}};
  write_file_atomic(options.out / "training.json", record.dump(1) + "\n");
  Outcome outcome;
  outcome.code = ending == Ending::interrupted || ending == Ending::paused ? ExitCode::interrupted
                                                                           : ExitCode::ok;
  record["out"] = options.out.string();
  record["timings"] = object_of(timings);
  outcome.json = record.dump();
  outcome.text = what + ": " + std::to_string(steps_done) + " of " + std::to_string(options.steps) +
                 " steps, " + word(ending) + "\n";
  for (const auto& [name, value] : figures) {
    outcome.text +=
        "  " + name + " " + (value == std::floor(value) ? decimal(value) : fixed(value, 4)) + "\n";
  }
  for (const auto& [name, value] : timings) {
    outcome.text += "  " + name + " " + fixed(value, 1) + "\n";
  }
  outcome.text += "  written to " + options.out.string();
  return outcome;
}

}  // namespace assay::torch_bridge
