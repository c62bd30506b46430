#include <array>
#include <set>

#include "assay/base/random.hpp"
#include "assay/base/sha256.hpp"
#include "assay/erase/documents.hpp"

namespace assay::erase {
namespace {

/// The rows of a part, as a file; x in double where the source is.
SafetensorsFile part_file(const Tables& tables, const std::vector<std::int64_t>& documents,
                          const std::vector<std::size_t>& rows, const std::string& name) {
  const std::size_t d = tables.x.d, k = tables.z.k;
  SafetensorsFile out;
  out.metadata = {{"part", name}, {"source", tables.x.digest.hex()}};
  if (tables.x.hook) {
    out.metadata["hook"] = *tables.x.hook;
  }
  if (tables.x.model) {
    out.metadata["model"] = tables.x.model->hex();
  }
  std::vector<double> x(rows.size() * d);
  std::vector<double>& z = out.doubles["z"];
  std::vector<std::int64_t>& document = out.integers["document"];
  for (std::size_t r = 0; r < rows.size(); ++r) {
    tables.x.row(rows[r], std::span(x).subspan(r * d, d));
    const auto label = std::span(tables.z.z).subspan(rows[r] * k, k);
    z.insert(z.end(), label.begin(), label.end());
    document.push_back(documents[rows[r]]);
  }
  out.double_shapes["z"] = {rows.size(), k};
  out.integer_shapes["document"] = {rows.size()};
  if (tables.x.span.dtype == "F64") {
    out.doubles["x"] = std::move(x);
    out.double_shapes["x"] = {rows.size(), d};
  } else {
    out.floats["x"] = {{rows.size(), d}, {x.begin(), x.end()}};
  }
  return out;
}

}  // namespace

TablePart part_of_document(std::int64_t document, std::uint64_t seed) {
  Random random(seed ^ (0x9e3779b97f4a7c15ULL * static_cast<std::uint64_t>(document)));
  const double place = random.unit();
  return place < 0.6 ? TablePart::fit : place < 0.8 ? TablePart::calibration : TablePart::attack;
}

std::vector<std::size_t> rows_of_part(const std::vector<std::int64_t>& documents, TablePart part,
                                      std::uint64_t seed) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (part_of_document(documents[i], seed) == part) {
      out.push_back(i);
    }
  }
  return out;
}

std::vector<WrittenPart> split_table(const Tables& tables, std::uint64_t seed,
                                     const std::filesystem::path& directory) {
  constexpr std::array<std::pair<TablePart, const char*>, 3> kParts = {
      {{TablePart::fit, "fit"},
       {TablePart::calibration, "calibration"},
       {TablePart::attack, "attack"}}};
  const std::optional<std::vector<std::int64_t>> documents = read_documents(tables.x);
  if (!documents) {
    throw InputError(tables.x.file, "document",
                     "integers [n]: rows of one document may not fall into two parts", "nothing");
  }
  std::vector<WrittenPart> out;
  std::vector<std::string> bytes;
  for (const auto& [part, name] : kParts) {
    const std::vector<std::size_t> rows = rows_of_part(*documents, part, seed);
    if (rows.empty()) {
      throw Refusal(std::string("no document falls into the part ") + name +
                    ": take rows of more documents");
    }
    bytes.push_back(to_safetensors(part_file(tables, *documents, rows, name)));
    const std::set<std::int64_t> distinct = [&] {
      std::set<std::int64_t> seen;
      for (const std::size_t i : rows) {
        seen.insert((*documents)[i]);
      }
      return seen;
    }();
    out.push_back({name, rows.size(), distinct.size(), sha256(bytes.back())});
  }
  make_directory(directory);
  for (std::size_t p = 0; p < out.size(); ++p) {
    write_file_atomic(directory / (out[p].name + ".safetensors"), bytes[p]);
  }
  return out;
}

}  // namespace assay::erase
