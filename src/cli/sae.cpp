#include "assay/model/sae.hpp"

#include <cmath>
#include <memory>

#include "assay/model/safetensors.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string sae;
  std::string activations;
  std::string out;
};

Matrix read_activations(const std::string& path, std::size_t d_in) {
  const SafetensorsFile file = read_safetensors(path);
  const auto it = file.floats.find("x");
  if (it == file.floats.end()) {
    throw InputError(path, "tensor 'x'", "a float tensor [n," + std::to_string(d_in) + "]", "none");
  }
  const Tensor& x = it->second;
  if (x.shape.size() != 2 || x.shape[0] == 0 || x.shape[1] != d_in) {
    std::string shape;
    for (const std::size_t n : x.shape) {
      shape += (shape.empty() ? "" : ",") + std::to_string(n);
    }
    throw InputError(path, "tensor 'x'", "shape [n," + std::to_string(d_in) + "] with n > 0",
                     "[" + shape + "]");
  }
  return {x.shape[0], x.shape[1], {x.data.begin(), x.data.end()}};
}

Tensor to_tensor(const Matrix& m, const std::string& name) {
  Tensor tensor = zeros({m.rows, m.cols});
  for (std::size_t i = 0; i < m.data.size(); ++i) {
    tensor.data[i] = static_cast<float>(m.data[i]);
    if (!std::isfinite(tensor.data[i])) {
      throw InputError(name + ": a value does not fit float32");
    }
  }
  return tensor;
}

void encode(const Options& options, Session& session) {
  const Sae sae = load_sae(options.sae);
  const Matrix x = read_activations(options.activations, sae.d_in);
  Matrix features = pre_activations(sae, x);
  SafetensorsFile out;
  out.floats["pre_activations"] = to_tensor(features, "pre_activations");
  apply_activation(sae, features);
  std::size_t on = 0;
  for (const double value : features.data) {
    on += value != 0 ? 1U : 0U;
  }
  out.floats["features"] = to_tensor(features, "features");
  out.floats["reconstruction"] = to_tensor(decode(sae, features), "reconstruction");
  write_safetensors(options.out, out);
  const double l0 = static_cast<double>(on) / static_cast<double>(x.rows);
  session.finish(ExitCode::ok,
                 "encoded " + std::to_string(x.rows) + " rows into " + std::to_string(sae.d_sae) +
                     " features; wrote " + options.out,
                 {{"sae", sae.weights_digest.hex()},
                  {"architecture", sae.architecture},
                  {"rows", x.rows},
                  {"d_sae", sae.d_sae},
                  {"l0", l0},
                  {"out", options.out}});
}

}  // namespace

void add_sae(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* sub = app.add_subcommand("sae", "Sparse autoencoders and transcoders");
  sub->require_subcommand(1);
  auto* command = sub->add_subcommand("encode", "Features and reconstruction of activations");
  command->add_option("--sae", options->sae, "SAE directory")->required();
  command->add_option("--activations", options->activations, "Safetensors file with x [n,d_in]")
      ->required();
  command->add_option("--out", options->out, "Safetensors file to write")->required();
  command->callback([options, &session] { encode(*options, session); });
}

}  // namespace assay::cli
