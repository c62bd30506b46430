#include <memory>

#include "assay/base/files.hpp"
#include "assay/erase/moment_files.hpp"
#include "erase_tensors.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string activations, labels, hook, out;
  std::vector<std::string> extents, moments;
  bool continuous = false;
};

erase::Tables tables_of(const Options& o) {
  std::optional<std::filesystem::path> labels;
  if (!o.labels.empty()) {
    labels = o.labels;
  }
  return erase::read_tables(o.activations, labels, o.continuous);
}

/// Of all parts together.
erase::SavedExtent merged(const std::vector<std::pair<std::string, erase::SavedExtent>>& parts) {
  erase::SavedExtent all = parts.front().second;
  for (const auto& [file, part] : parts) {
    if (part.x.lo.size() != all.x.lo.size() || part.z.lo.size() != all.z.lo.size()) {
      throw InputError(
          file, "x and z", "the widths of the other parts",
          std::to_string(part.x.lo.size()) + " and " + std::to_string(part.z.lo.size()));
    }
    all.x.merge(part.x);
    all.z.merge(part.z);
  }
  return all;
}

std::vector<std::pair<std::string, erase::SavedExtent>> saved_extents(const Options& o) {
  std::vector<std::pair<std::string, erase::SavedExtent>> parts;
  for (const std::string& path : o.extents) {
    parts.emplace_back(path, erase::load_extent(path));
  }
  return parts;
}

void run_extent(const Options& o, Session& session) {
  auto parts = saved_extents(o);
  if (!o.activations.empty()) {
    parts.emplace_back(o.activations, erase::extent_of(tables_of(o)));
  }
  if (parts.empty()) {
    throw UsageError("erase extent: expected --activations, --extent or both");
  }
  const erase::SavedExtent all = merged(parts);
  write_file_atomic(o.out, erase::extent_tensors(all));
  session.finish(ExitCode::ok,
                 "extent of " + std::to_string(all.x.lo.size()) + " columns and " +
                     std::to_string(all.z.lo.size()) + " labels written to " + o.out,
                 {{"d", all.x.lo.size()}, {"labels", all.z.lo.size()}, {"out", o.out}});
}

void finish(const erase::SavedMoments& saved, const Options& o, Session& session) {
  write_file_atomic(o.out, erase::moments_tensors(saved));
  session.finish(ExitCode::ok,
                 "moments of " + std::to_string(saved.moments.n()) + " rows of " +
                     std::to_string(saved.moments.d()) + " columns written to " + o.out,
                 {{"level", "OBSERVED"},
                  {"n", saved.moments.n()},
                  {"d", saved.moments.d()},
                  {"labels", saved.moments.labels()},
                  {"out", o.out}});
}

void run_moments(const Options& o, Session& session) {
  if (!o.hook.empty()) {
    erase::check_hook_word(o.hook);
  }
  finish(erase::moments_within(tables_of(o), merged(saved_extents(o)), o.hook), o, session);
}

void run_merge(const Options& o, Session& session) {
  erase::SavedMoments all = erase::load_moments(o.moments.front());
  for (std::size_t i = 1; i < o.moments.size(); ++i) {
    erase::merge_moments(all, erase::load_moments(o.moments[i]), o.moments[i]);
  }
  finish(all, o, session);
}

void add_rows(CLI::App* sub, Options& o) {
  sub->add_option("--activations", o.activations,
                  "Safetensors file: x [n,d] of F16, BF16, F32 or F64");
  sub->add_option("--labels", o.labels,
                  "Safetensors file: z [n] of 0 and 1, or one-hot [n,k]; without it, z is in the "
                  "file of activations");
  sub->add_flag("--continuous", o.continuous,
                "Labels of whole numbers are quantities, not classes");
}

}  // namespace

void add_erase_moments(CLI::App& erase, Session& session) {
  const auto options = std::make_shared<Options>();
  Options& o = *options;
  auto* extent = erase.add_subcommand(
      "extent",
      "Smallest and largest value of every column, of one part of the rows or of several");
  add_rows(extent, o);
  extent->add_option("--extent", o.extents, "Extents of other parts, to be merged into this one");
  extent->add_option("--out", o.out, "Safetensors file to write")->required();
  extent->callback([options, &session] { run_extent(*options, session); });

  auto* moments = erase.add_subcommand(
      "moments", "Exact sums of one part of the rows, to be merged and fitted elsewhere");
  add_rows(moments, o);
  moments->get_option("--activations")->required();
  moments->add_option("--extent", o.extents, "Extent of all rows, or those of all parts")
      ->required();
  moments->add_option("--hook", o.hook, "Site of the rows, where the file does not name it");
  moments->add_option("--out", o.out, "Safetensors file to write")->required();
  moments->callback([options, &session] { run_moments(*options, session); });

  auto* merge =
      erase.add_subcommand("merge", "Moments of several parts as those of all their rows");
  merge->add_option("--moments", o.moments, "Files written by moments, within one extent")
      ->required();
  merge->add_option("--out", o.out, "Safetensors file to write")->required();
  merge->callback([options, &session] { run_merge(*options, session); });
}

}  // namespace assay::cli
