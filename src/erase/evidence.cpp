#include "assay/base/files.hpp"
#include "assay/erase/erasure.hpp"
#include "assay/model/safetensors.hpp"

namespace assay::erase {

std::string data_file(const Rows& rows) {
  SafetensorsFile file;
  file.floats["x"] = {{rows.n(), rows.d}, rows.x};
  file.integers["z"] = {rows.z.begin(), rows.z.end()};
  file.integer_shapes["z"] = {rows.n()};
  return to_safetensors(file);
}

std::string request_text(const std::vector<const ResidualClaim*>& claims) {
  std::string text = "assay-request 1\n";
  for (const ResidualClaim* claim : claims) {
    text += "residual " + claim->id + " data " + claim->data_digest.hex() +
            (claim->labels_digest ? " labels " + claim->labels_digest->hex() : "") + " max-r2 " +
            claim->residual.tau.text() + "\n";
  }
  return text + "end\n";
}

std::string certificate_text(const std::vector<const ResidualClaim*>& claims,
                             const std::optional<std::pair<Digest, Digest>>& model,
                             const Digest& eraser_config, const Digest& eraser_weights,
                             const Digest& statement) {
  std::string text = "assay-cert 1\nkind erasure\nsemantics DEPLOYED\n";
  if (model) {
    text += "model " + model->first.hex() + " " + model->second.hex() + "\n";
  }
  text += "eraser " + eraser_config.hex() + " " + eraser_weights.hex() + "\nstatement " +
          statement.hex() + "\n";
  for (const ResidualClaim* claim : claims) {
    text += claim->id + " RESIDUAL : " + std::to_string(claim->residual.n);
    for (const std::size_t ones : claim->residual.ones) {
      text += " " + std::to_string(ones);
    }
    text += " " + claim->residual.tau.text() + "\n";
  }
  return text + "end " + std::to_string(claims.size()) + "\n";
}

void write_erasure(const EraseResult& result, const std::filesystem::path& directory) {
  make_directory(directory);
  for (const auto& [name, bytes] : result.files) {
    write_file_atomic(directory / name, bytes);
  }
}

}  // namespace assay::erase
