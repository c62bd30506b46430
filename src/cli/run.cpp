#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <sstream>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/erase/in_model.hpp"
#include "assay/model/forward.hpp"
#include "assay/model/safetensors.hpp"
#include "assay/model/strict_json.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string model;
  std::string tokens;
  std::string out, erase;
  bool unbound = false;
  std::vector<std::string> hooks;
};

using Sequence = std::vector<TokenId>;

/// One line: [ids…] or {"tokens":[ids…]}.
Sequence read_line(const std::string& line, const std::string& where, std::size_t d_vocab) {
  const nlohmann::json root = parse_strict_json(line, where);
  const bool object = root.is_object();
  if (!root.is_array() && !(object && root.contains("tokens") && root["tokens"].is_array())) {
    throw InputError(where, "value", "an array of token ids or {\"tokens\":[…]}", root.type_name());
  }
  Sequence sequence;
  for (const auto& id : object ? root["tokens"] : root) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= d_vocab) {
      throw InputError(where, "token " + std::to_string(sequence.size()),
                       "a token id below " + std::to_string(d_vocab), id.dump(-1, ' ', true));
    }
    sequence.emplace_back(id.get<std::size_t>());
  }
  if (sequence.empty()) {
    throw InputError(where, "sequence", "at least one token", "none");
  }
  return sequence;
}

std::vector<Sequence> read_sequences(const std::string& path, std::size_t d_vocab) {
  std::istringstream lines(read_file(path));
  std::vector<Sequence> sequences;
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) {
      sequences.push_back(read_line(line, path + " line " + std::to_string(number), d_vocab));
    }
  }
  if (sequences.empty()) {
    throw InputError(path, "file", "one sequence of token ids per line", "none");
  }
  return sequences;
}

/// Rows of doubles appended to one float32 tensor.
void append(Tensor& tensor, const Matrix& rows, const std::string& name) {
  for (const double value : rows.data) {
    tensor.data.push_back(static_cast<float>(value));
    if (!std::isfinite(tensor.data.back())) {
      throw InputError(name + ": a value does not fit float32");
    }
  }
  tensor.shape = {tensor.data.size() / rows.cols, rows.cols};
}

/// [B*n, width] becomes [B, n, width] where every sequence has length n.
void split_batch(NamedTensors& tensors, const std::vector<Sequence>& sequences) {
  const std::size_t n = sequences.front().size();
  const bool equal = std::all_of(sequences.begin(), sequences.end(),
                                 [n](const Sequence& s) { return s.size() == n; });
  if (!equal) {
    return;
  }
  for (auto& [name, tensor] : tensors) {
    tensor.shape = {sequences.size(), n, tensor.shape[1]};
  }
}

void run(const Options& options, Session& session) {
  for (const std::string& hook : options.hooks) {
    check_hook_name(hook);
  }
  const Transformer model = load_transformer(options.model);
  const auto sequences = read_sequences(options.tokens, model.config.d_vocab);
  std::optional<erase::LoadedEraser> eraser;
  std::optional<Splice> splice;
  if (!options.erase.empty()) {
    eraser = erase::load_eraser(options.erase);
    erase::need_model(*eraser, model, options.unbound);
    splice = erase::deployed_splice(eraser->eraser);
  }
  SafetensorsFile out;
  auto& lengths = out.integers["lengths"];
  std::size_t tokens = 0;
  Progress progress("run", sequences.size());
  for (const Sequence& sequence : sequences) {
    if (interrupted()) {
      throw Error(ExitCode::interrupted, "interrupted; nothing was written");
    }
    const ForwardPass pass = forward(model, sequence, options.hooks, splice ? &*splice : nullptr);
    append(out.floats["logits"], pass.logits, "logits");
    for (const auto& [hook, value] : pass.hooks) {
      append(out.floats[hook], value, hook);
    }
    lengths.push_back(static_cast<std::int64_t>(sequence.size()));
    tokens += sequence.size();
    progress.update(lengths.size());
  }
  out.integer_shapes["lengths"] = {sequences.size()};
  split_batch(out.floats, sequences);
  write_safetensors(options.out, out);
  nlohmann::ordered_json object = {{"model", model.weights_digest.hex()},
                                   {"sequences", sequences.size()},
                                   {"tokens", tokens},
                                   {"out", options.out},
                                   {"tensors", nlohmann::ordered_json::object()}};
  std::string erased;
  if (eraser) {
    object["eraser"] = {{"hook", eraser->eraser.hook},
                        {"concept", eraser->origin.labelled},
                        {"weights", eraser->weights.hex()},
                        {"bypass", erase::bypass_text(eraser->eraser.hook)}};
    erased = " with the eraser at " + eraser->eraser.hook + " (bypassed by " +
             erase::bypass_text(eraser->eraser.hook) + ")";
  }
  for (const auto& [name, tensor] : out.floats) {
    object["tensors"][name] = tensor.shape;
  }
  session.finish(ExitCode::ok,
                 "ran " + std::to_string(sequences.size()) + " sequences, " +
                     std::to_string(tokens) + " tokens" + erased + "; wrote " + options.out,
                 object);
}

}  // namespace

void add_run(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* sub = app.add_subcommand("run", "Logits and activations of given token sequences");
  sub->add_option("--model", options->model, "Model directory")->required();
  sub->add_option("--tokens", options->tokens, "One JSON array of token ids per line")->required();
  sub->add_option("--out", options->out, "Safetensors file to write")->required();
  sub->add_option("--hook", options->hooks, "Activation to write too; may be repeated");
  sub->add_option(
      "--erase", options->erase,
      "Directory of an eraser of this model: deployed at its site while the model runs");
  sub->add_flag("--unbound", options->unbound, "Take an eraser that names no model");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
