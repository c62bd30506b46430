#include "erase_worst.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/bounds/bound.hpp"
#include "assay/bounds/bound_certificate.hpp"
#include "named_files.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string model, out;
  std::vector<std::string> probes;
  std::size_t nodes = 8;
};

/// Of one readout over every context: the largest and least of its enclosures by last token.
struct Worst {
  double lo = std::numeric_limits<double>::infinity(), hi = -lo;
  double attained_lo = lo, attained_hi = hi;  ///< in replayed contexts
};

/// Every context with this last token.
bounds::Domain ending_in(const Transformer& model, std::uint32_t token) {
  const TransformerConfig& c = model.config;
  return c.attention_window != 0 && c.positions != PosKind::standard
             ? bounds::any_length_domain(model, {token})
             : bounds::suffix_domain(model, {token}, c.n_ctx);
}

Worst enclose(const Options& o, const Transformer& model, const std::string& name,
              const Readout& readout, bounds::Bounder& bounder,
              bounds::BoundCertificate& certificate) {
  certificate.call(readout, name);
  bounds::Quantity quantity;
  quantity.kind = bounds::QuantityKind::readout;
  quantity.readout = readout;
  bounds::BoundOptions options;
  options.nodes = o.nodes;
  options.keep_proof = true;
  Worst worst;
  Progress progress(name, model.config.d_vocab);
  for (std::uint32_t t = 0; t < model.config.d_vocab; ++t) {
    const bounds::Domain domain = ending_in(model, t);
    const bounds::BoundResult r = bounder.bound(domain, quantity, options);
    if (!(r.lo <= r.hi) || interrupted()) {
      throw Error(interrupted() ? ExitCode::interrupted : ExitCode::internal,
                  "erase worst: stopped before every last token was bounded");
    }
    static_cast<void>(
        bounder.write(certificate, name + "." + std::to_string(t), domain, quantity, r));
    worst.lo = std::min(worst.lo, r.lo);
    worst.hi = std::max(worst.hi, r.hi);
    worst.attained_lo = std::min(worst.attained_lo, r.attained_lo);
    worst.attained_hi = std::max(worst.attained_hi, r.attained_hi);
    progress.update(t + 1);
  }
  return worst;
}

std::string meaning(const Worst& w) {
  return w.hi < 0    ? "below 0 in every context: it never reads the concept (PROVED)"
         : w.lo >= 0 ? "never below 0: it reads the concept in every context (PROVED)"
         : w.attained_hi >= 0
             ? "at or above 0 in a context that was met: it reads the concept there"
             : "not decided: the bound is above 0, and no context was met that is";
}

void run(const Options& o, Session& session) {
  const auto probes = named_paths(o.probes, "--probe");
  const Transformer model = load_transformer(o.model);
  bounds::Bounder bounder(model, nullptr);
  bounds::BoundCertificate certificate(model, nullptr);
  nlohmann::ordered_json readings = nlohmann::ordered_json::array();
  const std::filesystem::path out = o.out;
  std::string text, again = "assay-check ";
  again.append((out / "worst.cert").string()).append(" --model ").append(o.model);
  again.append(" --request ").append((out / "worst.cert.request").string());
  for (const auto& [name, path] : probes) {
    const Readout readout = load_readout(path);
    const Worst w = enclose(o, model, name, readout, bounder, certificate);
    const double most = std::max(std::abs(w.lo), std::abs(w.hi));
    text += name + " at " + readout.hook + ": in [" + decimal(w.lo) + ", " + decimal(w.hi) +
            "] in every context (PROVED, REAL), |reading| at most " + decimal(most) + "\n  met [" +
            decimal(w.attained_lo) + ", " + decimal(w.attained_hi) + "]; " + meaning(w) + "\n";
    readings.push_back({{"probe", name},
                        {"readout", readout.digest.hex()},
                        {"hook", readout.hook},
                        {"level", "PROVED"},
                        {"semantics", "REAL"},
                        {"lo", w.lo},
                        {"hi", w.hi},
                        {"mostAbsolute", most},
                        {"attainedLo", w.attained_lo},
                        {"attainedHi", w.attained_hi},
                        {"meaning", meaning(w)}});
    again.append(" --readout ").append(name).append("=").append(path);
  }
  const nlohmann::ordered_json object = {
      {"assay-erase-worst", 1},
      {"model", model.weights_digest.hex()},
      {"domain", "every context, by its last token"},
      {"readings", readings},
      {"notClaimed",
       {"anything about another readout than the listed ones",
        "the rounding of a deployed eraser: the readout of an eraser's input is taken in real "
        "arithmetic, as its file says"}},
      {"out", o.out}};
  make_directory(out);
  write_file_atomic(out / "worst.cert", certificate.certificate());
  write_file_atomic(out / "worst.cert.request", certificate.request());
  write_file_atomic(out / "worst.json", object.dump(1) + "\n");
  session.finish(ExitCode::ok,
                 text + std::to_string(certificate.claims()) + " claims written to " + o.out +
                     "; re-check with: " + again,
                 object);
}

}  // namespace

void add_erase_worst(CLI::App& erase, Session& session) {
  const auto options = std::make_shared<Options>();
  Options& o = *options;
  auto* sub = erase.add_subcommand(
      "worst",
      "The least and the most that a probe says of any context of the model, before and after an "
      "eraser, with a certificate");
  sub->add_option("--model", o.model, "Model directory")->required();
  sub->add_option("--probe", o.probes,
                  "NAME=FILE of a readout, as assay erase writes probe.json (before) and "
                  "probe_erased.json (behind the eraser); may be repeated")
      ->required();
  sub->add_option("--nodes", o.nodes, "Budget of cases for one last token (default 8)")
      ->check(CLI::PositiveNumber);
  sub->add_option("--out", o.out, "Directory for worst.cert, its request and worst.json")
      ->required();
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
