#pragma once
// One bound claim over general contexts: its model, domain, files and certificate.

#include "check_case.hpp"
#include "check_producer.hpp"

namespace check_test {

/// A model, a domain, one bound claim and its certificate.
struct GeneralCase : Case {
  FamilyModel model;
  TestDomain domain;
  TestQuantity quantity;
  double U[2] = {0, 0};        ///< of side hi, lo, as the producer sees them
  double reached[2] = {0, 0};  ///< the largest Q and −Q by brute force
  std::size_t contexts = 0;

  GeneralCase(const Family& family, TestDomain d, TestQuantity q)
      : model(family), domain(std::move(d)), quantity(std::move(q)) {}

  [[nodiscard]] double value(const Tokens& context) const {
    const FamilyModel::Values at = model.evaluate(context);
    const std::map<std::string, const Vector*> hooks = {{"mid", &at.mid},
                                                        {"pre", &at.pre},
                                                        {"post", &at.post},
                                                        {"mlp_out", &at.mlp_out},
                                                        {"resid_post", &at.resid_post},
                                                        {"logits", &at.logits}};
    const Vector& y = *hooks.at(quantity.hook);
    double sum = quantity.beta;
    for (std::size_t i = 0; i < y.size(); ++i) {
      sum += quantity.g[i] * y[i];
    }
    return sum;
  }
  void brute_force() {
    reached[0] = reached[1] = -HUGE_VAL;
    const std::size_t longest =
        domain.any ? std::max(domain.lo, model.family.window) + 1 : domain.hi;
    domain.contexts(longest, [&](const Tokens& c) {
      const double q = value(c);
      reached[0] = std::max(reached[0], q);
      reached[1] = std::max(reached[1], -q);
      ++contexts;
    });
  }
  /// States lo <= Q <= hi in the request, and its digest in the certificate.
  void state(double lo, double hi) {
    std::string direction;
    for (const double x : quantity.g) {
      direction += " " + hex(x);
    }
    write_file(*inputs.request,
               "assay-request 1\n" + domain.line("dom") +
                   (quantity.words == "residual-mid g" ? "\ndirection g 4" + direction : "") +
                   "\nbound q " + quantity.words + " domain dom lo " + hex(lo) + " hi " + hex(hi) +
                   "\nend\n");
    if (!lines.empty()) {
      set_word("statement", 1, digest(*inputs.request));
    }
  }
  /// Writes SAE or readout files, then the header and `steps`.
  void finish(const std::vector<std::string>& steps) {
    lines = header(*this, "bounds", "REAL");
    if (!inputs.readouts.empty()) {
      lines.push_back("readout ro " + digest(inputs.readouts[0].second));
    }
    lines.push_back("statement " + digest(*inputs.request));
    lines.insert(lines.end(), steps.begin(), steps.end());
    lines.push_back("q BOUND : flo fhi");
    lines.push_back("end " + std::to_string(steps.size() + 1));
  }
};

/// Quantities: neuron, feature:HOOK, readout:HOOK, residual, logit, difference.
inline TestQuantity make_quantity(const FamilyModel& m, const std::string& kind, unsigned seed) {
  std::mt19937_64 random(seed + 99);
  const auto unit = [&] {
    return static_cast<double>(
        static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-52 - 1));
  };
  TestQuantity q;
  const std::string hook = kind.substr(std::min(kind.find(':') + 1, kind.size()));
  if (kind == "neuron") {
    q = {"neuron 3", "pre", Vector(m.f), 0};
    q.g[3] = 1;
  } else if (kind == "logit" || kind == "difference") {
    q = {kind == "logit" ? "logit 2" : "logit-difference 2 1", "logits", Vector(m.V), 0};
    q.g[2] = 1;
    q.g[1] = kind == "logit" ? 0 : -1;
  } else {
    q.words = kind == "residual" ? "residual-mid g" : kind[0] == 'f' ? "feature 1" : "readout ro";
    q.hook = kind == "residual" ? "mid" : hook;
    for (std::size_t i = 0; i < (hook == "post" ? m.f : m.d); ++i) {
      q.g.push_back(unit());
    }
    q.beta = kind == "residual" ? 0 : unit();
  }
  return q;
}

inline std::unique_ptr<GeneralCase> make_general(const Family& family, const TestDomain& domain,
                                                 const std::string& kind,
                                                 const GeneralOptions& options = {}) {
  const FamilyModel probe(family);
  auto c = std::make_unique<GeneralCase>(family, domain, make_quantity(probe, kind, family.seed));
  const auto& root = c->folder.path();
  c->inputs.model = (root / "model").string();
  c->inputs.request = (root / "case.request").string();
  c->model.save(c->inputs.model);
  const std::map<std::string, std::string> hooks = {{"mid", "blocks.0.hook_resid_mid"},
                                                    {"post", "blocks.0.mlp.hook_post"},
                                                    {"mlp_out", "blocks.0.hook_mlp_out"},
                                                    {"resid_post", "blocks.0.hook_resid_post"}};
  if (kind[0] == 'f') {
    TinySae sae = make_sae(3, hooks.at(c->quantity.hook), c->quantity.g.size());
    for (std::size_t i = 0; i < c->quantity.g.size(); ++i) {
      sae.W_enc[i * 3 + 1] = static_cast<float>(c->quantity.g[i]);
    }
    sae.b_enc[1] = static_cast<float>(c->quantity.beta);
    c->inputs.sae = (root / "sae").string();
    sae.save(*c->inputs.sae);
  } else if (kind.rfind("readout", 0) == 0) {
    std::string weights;
    for (const double x : c->quantity.g) {
      weights += (weights.empty() ? "\"" : ",\"") + hex(x) + "\"";
    }
    c->inputs.readouts = {{"ro", (root / "ro.json").string()}};
    write_file(c->inputs.readouts[0].second,
               "{\"assay-readout\":1,\"hook\":\"" + hooks.at(c->quantity.hook) +
                   "\",\"weights\":[" + weights + "],\"bias\":\"" + hex(c->quantity.beta) + "\"}");
  }
  GeneralProducer producer(c->model, c->domain, c->quantity, "q");
  static_cast<GeneralOptions&>(producer) = options;
  producer.write();
  c->U[0] = producer.U[0];
  c->U[1] = producer.U[1];
  c->state(-c->U[1] - 1e-8, c->U[0] + 1e-8);
  c->finish(producer.lines);
  return c;
}

}  // namespace check_test
