#pragma once
// Certificates of l_2 − max over y ≠ 2 of l_y: the facts of every rival by the test's own producer, then RIVAL.

#include "check_general.hpp"

namespace check_test {

struct MarginCase : GeneralCase {
  using GeneralCase::GeneralCase;

  [[nodiscard]] double margin(const Tokens& context) const {
    const Vector l = model.evaluate(context).logits;
    return l[2] - std::max({l[0], l[1], l[3]});
  }
  void brute_force_margin() {
    reached[0] = reached[1] = -HUGE_VAL;
    domain.contexts(domain.any ? std::max(domain.lo, model.family.window) + 1 : domain.hi,
                    [&](const Tokens& c) {
                      reached[0] = std::max(reached[0], margin(c));
                      reached[1] = std::max(reached[1], -margin(c));
                      ++contexts;
                    });
  }
};

/// The producer's lines for one rival, ids and sides made that rival's own; `root` is shared.
inline void add_rival(std::vector<std::string>& all, const std::vector<std::string>& lines,
                      std::size_t y) {
  std::set<std::string> ids;
  for (const std::string& line : lines) {
    ids.insert(line.substr(0, line.find(' ')));
  }
  ids.erase("root");
  for (const std::string& line : lines) {
    if (line.rfind("root ", 0) == 0) {
      if (all.empty()) {
        all.push_back(line);
      }
      continue;
    }
    std::istringstream in(line);
    std::string out;
    for (std::string word; in >> word;) {
      word += ids.count(word) != 0           ? "_" + std::to_string(y)
              : word == "hi" || word == "lo" ? "-" + std::to_string(y)
                                             : "";
      out += (out.empty() ? "" : " ") + word;
    }
    all.push_back(out);
  }
}

inline std::unique_ptr<MarginCase> make_margin(const Family& family, const TestDomain& domain,
                                               double room = 1e-9) {
  const FamilyModel probe(family);
  auto c = std::make_unique<MarginCase>(
      family, domain, TestQuantity{"logit-margin 2", "logits", Vector(probe.V), 0});
  const auto& root = c->folder.path();
  c->inputs.model = (root / "model").string();
  c->inputs.request = (root / "case.request").string();
  c->model.save(c->inputs.model);
  std::vector<std::string> steps;
  double least = HUGE_VAL;
  std::size_t best = 0;
  c->U[1] = -HUGE_VAL;
  for (const std::size_t y : {0, 1, 3}) {
    TestQuantity q{"", "logits", Vector(c->model.V), 0};
    q.g[2] = 1;
    q.g[y] = -1;
    GeneralProducer producer(c->model, c->domain, q, "q");
    producer.room = room;
    producer.write();
    add_rival(steps, producer.lines, y);
    c->U[1] = std::max(c->U[1], producer.U[1]);
    best = producer.U[0] < least ? y : best;
    least = std::min(least, producer.U[0]);
  }
  c->U[0] = least;
  steps.push_back("fhi RIVAL root q hi : fhi_" + std::to_string(best));
  steps.push_back("flo RIVAL root q lo : flo_0 flo_1 flo_3");
  c->state(-c->U[1] - 1e-8, c->U[0] + 1e-8);
  c->finish(steps);
  return c;
}

}  // namespace check_test
