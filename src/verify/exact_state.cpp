#include "assay/verify/exact_state.hpp"

#include <algorithm>
#include <cstring>

#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "exact_certificate.hpp"
#include "exact_machine.hpp"
#include "subject.hpp"

namespace assay::verify {
namespace {

constexpr const char* kMagic = "assay-state 1\n";
constexpr std::size_t kDigest = 64, kFixed = 8 + 4 + 4 + 2 + 2;

void put(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    out += static_cast<char>((value >> (8 * i)) & 0xFFU);
  }
}

std::uint64_t take(const std::string& from, std::size_t& at, std::size_t bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    out |= std::uint64_t{static_cast<unsigned char>(from[at++])} << (8 * i);
  }
  return out;
}

void put_window(std::string& out, const EvaluatedWindows::Window& w,
                std::span<const std::uint16_t> edges) {
  put(out, w.code, 8);
  put(out, w.must, 4);
  put(out, w.may, 4);
  put(out, w.degree, 2);
  put(out, w.flags, 2);
  for (const std::uint16_t edge : edges) {
    put(out, edge, 2);
  }
}

/// The first line in which the bindings differ, in words.
std::string difference(const std::string& wanted, const std::string& found) {
  std::size_t a = 0, b = 0;
  while (a < wanted.size() && b < found.size()) {
    const std::size_t end_a = wanted.find('\n', a), end_b = found.find('\n', b);
    if (wanted.compare(a, end_a - a, found, b, end_b - b) != 0) {
      return wanted.substr(a, wanted.find(' ', a) - a);
    }
    a = end_a + 1;
    b = end_b + 1;
  }
  return "run";
}

}  // namespace

const EvaluatedWindows::Window* EvaluatedWindows::find(std::uint64_t code) const {
  const auto at = std::lower_bound(windows.begin(), windows.end(), code,
                                   [](const Window& w, std::uint64_t c) { return w.code < c; });
  return at != windows.end() && at->code == code ? &*at : nullptr;
}

std::string binding_of(const ExactInput& input) {
  const Transformer& model = *input.subject.model;
  std::string out = "model " + model.config_digest.hex() + " " + model.weights_digest.hex() +
                    "\nspec " + input.subject.statement.hex() + "\nruns " +
                    sha256(runs_text(input)).hex() + "\nproperties";
  for (const spec::Property* property : chosen(input.subject)) {
    out += " " + property->name;
  }
  return out + "\n";
}

void write_state(const std::filesystem::path& path, const std::string& binding,
                 const WindowMachine& machine, const EvaluatedWindows* earlier) {
  std::vector<WindowMachine::Index> own;
  for (std::size_t i = 0; i < machine.size(); ++i) {
    if (machine.is_evaluated(static_cast<WindowMachine::Index>(i))) {
      own.push_back(static_cast<WindowMachine::Index>(i));
    }
  }
  std::sort(own.begin(), own.end(), [&](WindowMachine::Index a, WindowMachine::Index b) {
    return machine.code(a) < machine.code(b);
  });
  std::string rows;
  std::size_t count = 0, kept = 0;
  const auto keep_below = [&](std::uint64_t code) {  // of the earlier ones, those not met again
    for (;
         earlier != nullptr && kept < earlier->windows.size() && earlier->windows[kept].code < code;
         ++kept, ++count) {
      put_window(rows, earlier->windows[kept], earlier->edges_of(earlier->windows[kept]));
    }
  };
  for (const WindowMachine::Index i : own) {
    keep_below(machine.code(i));
    kept += earlier != nullptr && kept < earlier->windows.size() &&
                    earlier->windows[kept].code == machine.code(i)
                ? 1
                : 0;
    put_window(rows, machine.evaluated_window(i), machine.edges(i));
    ++count;
  }
  keep_below(UINT64_MAX);
  std::string out = kMagic + binding + "windows " + std::to_string(count) + "\n";
  out += rows;
  out += sha256(out).hex();
  write_file_atomic(path, out);
}

EvaluatedWindows read_state(const std::filesystem::path& path, const std::string& binding,
                            std::size_t vocabulary) {
  const std::string bytes = read_file(path);
  const std::string place = "--resume " + path.string();
  const std::size_t end = bytes.size() < kDigest ? 0 : bytes.size() - kDigest;
  if (!bytes.starts_with(kMagic) ||
      sha256(std::string_view(bytes).substr(0, end)).hex() != bytes.substr(end)) {
    throw InputError(
        place +
        ": expected a whole assay-state 1, found another file, or one that was cut or altered");
  }
  const std::size_t begin = std::strlen(kMagic);
  const std::size_t counted = bytes.find("windows ", begin);
  const std::size_t line = bytes.find('\n', counted);
  if (counted == std::string::npos || line == std::string::npos) {
    throw InputError(place + ": no line of windows");
  }
  if (const std::string found = bytes.substr(begin, counted - begin); found != binding) {
    throw UsageError(place + ": the state is of another " + difference(binding, found) +
                     ": expected the model, spec, prompts, decoder, --max-new and --prop that it "
                     "was written with");
  }
  EvaluatedWindows out;
  std::size_t at = line + 1;
  while (at < end) {
    if (end - at < kFixed) {
      throw InputError(place + ": a window that is cut");
    }
    EvaluatedWindows::Window w;
    w.code = take(bytes, at, 8);
    w.must = static_cast<std::uint32_t>(take(bytes, at, 4));
    w.may = static_cast<std::uint32_t>(take(bytes, at, 4));
    w.degree = static_cast<std::uint16_t>(take(bytes, at, 2));
    w.flags = static_cast<std::uint16_t>(take(bytes, at, 2));
    w.begin = out.edges.size();
    if (w.degree > vocabulary || (end - at) / 2 < w.degree ||
        (!out.windows.empty() && w.code <= out.windows.back().code)) {
      throw InputError(place + ": a window that is cut, out of order or of another vocabulary");
    }
    for (std::size_t e = 0; e < w.degree; ++e) {
      out.edges.push_back(static_cast<std::uint16_t>(take(bytes, at, 2)));
      if (std::size_t{out.edges.back()} >> 1U >= vocabulary) {
        throw InputError(place + ": an edge of a token that the model does not have");
      }
    }
    out.windows.push_back(w);
  }
  if (bytes.substr(counted, line - counted) != "windows " + std::to_string(out.windows.size())) {
    throw InputError(place + ": another number of windows than it says");
  }
  return out;
}

}  // namespace assay::verify
