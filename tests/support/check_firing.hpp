#pragma once
// feature-on and feature-off claims of feature 1 of a three-feature encoder, shown by ENUM facts.

#include "check_general.hpp"

namespace check_test {

struct FiringCase : GeneralCase {
  TinySae sae;
  std::size_t k = 0;  ///< 0: jumprelu
  using GeneralCase::GeneralCase;

  [[nodiscard]] Vector pre(const Tokens& context) const {
    const Vector mid = model.evaluate(context).mid;
    return {sae.pre(0, mid), sae.pre(1, mid), sae.pre(2, mid)};
  }
  /// Off, on, or (a tie) neither, in one context.
  [[nodiscard]] std::pair<bool, bool> state(const Tokens& context) const {
    const Vector p = pre(context);
    if (k == 0) {
      const bool on = p[1] > static_cast<double>(sae.threshold[1]);
      return {!on, on};
    }
    const auto larger =
        static_cast<std::size_t>(p[0] > p[1]) + static_cast<std::size_t>(p[2] > p[1]);
    const auto as_large =
        static_cast<std::size_t>(p[0] >= p[1]) + static_cast<std::size_t>(p[2] >= p[1]);
    return {p[1] <= 0 || larger >= k, p[1] > 0 && as_large <= k - 1};
  }
  /// In every context.
  [[nodiscard]] std::pair<bool, bool> truth() const {
    bool off = true, on = true;
    domain.contexts(domain.any ? std::max(domain.lo, model.family.window) + 1 : domain.hi,
                    [&](const Tokens& c) {
                      const auto [o, n] = state(c);
                      off = off && o;
                      on = on && n;
                    });
    return {off, on};
  }
  void save_sae() {
    sae.save(*inputs.sae);
    if (k == 0) {
      return;
    }
    const std::string path = *inputs.sae + "/cfg.json";
    std::string config = read_bytes(path);
    config.replace(config.find("\"jumprelu\""), 10, "\"topk\",\"k\":" + std::to_string(k));
    write_file(path, config);
    TensorFile file;
    const std::string n = std::to_string(sae.width);
    file.add("W_dec", "F32", "[3," + n + "]", std::vector<float>(3 * sae.width));
    file.add("W_enc", "F32", "[" + n + ",3]", sae.W_enc);
    file.add("b_dec", "F32", "[" + n + "]", std::vector<float>(sae.width, 1.0F));
    file.add("b_enc", "F32", "[3]", sae.b_enc);
    write_file(*inputs.sae + "/sae_weights.safetensors", file.bytes());
  }
  void claim(const std::string& line, const std::vector<std::string>& steps) {
    write_file(*inputs.request, "assay-request 1\n" + domain.line("dom") + "\n" + line + "\nend\n");
    lines = header(*this, "bounds", "REAL");
    lines.push_back("statement " + digest(*inputs.request));
    lines.insert(lines.end(), steps.begin(), steps.end());
    lines.push_back("end " + std::to_string(steps.size()));
  }
  /// Every fact there is, then the conclusion with these words.
  bool accepts(bool on, const std::string& words) {
    const std::string side = on ? "lo" : "hi";
    std::vector<std::string> steps{"root ROOT : dom"};
    for (const char* other : {"", "-0", "-2"}) {
      steps.push_back("f" + std::string(other) + " ENUM root q " + side + other + " :");
    }
    steps.push_back(std::string("q ") + (on ? "MUST-ON" : "MUST-OFF") + " : " + words);
    claim(std::string(on ? "feature-on" : "feature-off") + " q 1 domain dom", steps);
    return check().accepted;
  }
};

inline std::unique_ptr<FiringCase> make_firing(const Family& family, const TestDomain& domain,
                                               std::size_t k, double shift) {
  auto c = std::make_unique<FiringCase>(family, domain, TestQuantity{});
  const auto& root = c->folder.path();
  c->inputs.model = (root / "model").string();
  c->inputs.request = (root / "case.request").string();
  c->inputs.sae = (root / "sae").string();
  c->model.save(c->inputs.model);
  c->k = k;
  c->sae = make_sae(family.seed + 3, "blocks.0.hook_resid_mid", 4);
  c->sae.b_enc = {0.2F, static_cast<float>(shift), -0.1F};
  c->sae.threshold = {0.5F, 0.25F, 0.5F};
  c->save_sae();
  return c;
}

}  // namespace check_test
