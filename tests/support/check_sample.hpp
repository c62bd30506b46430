#pragma once
// Certificates that together hold every rule of kind `bounds`, and ways to change one.

#include <set>

#include "catch.hpp"
#include "check_general.hpp"

namespace check_test {

inline const Family kPlain{"relative_bias", "relu", "", true, false, 3, 3};
inline const Family kGelu{"standard", "gelu", "", false, false, 0, 4};
inline const Family kNorm{"rotary", "gelu_new", "LN", false, false, 3, 5};
inline const Family kNormAttention{"standard", "relu", "LNPre", true, true, 0, 6};

/// Whether the certificate is accepted after a change, which is then undone.
inline bool accepts_after(Case& c, const std::function<void(Case&)>& change, bool recount = true) {
  const std::vector<std::string> saved = c.lines;
  change(c);
  if (recount) {
    c.recount();
  }
  const bool accepted = c.check().accepted;
  c.lines = saved;
  return accepted;
}
/// Replaces line `prefix` by `line`.
inline std::function<void(Case&)> put(const std::string& prefix, const std::string& line) {
  return [=](Case& c) { c.lines[c.find(prefix)] = line; };
}
/// Puts a line before line `before`.
inline std::function<void(Case&)> add(const std::string& before, const std::string& line) {
  return [=](Case& c) {
    c.lines.insert(c.lines.begin() + static_cast<std::ptrdiff_t>(c.find(before)), line);
  };
}

inline std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string each; in >> each;) {
    words.push_back(each);
  }
  return words;
}
inline std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    line += (line.empty() ? "" : " ") + word;
  }
  return line;
}

struct Sample {
  Family family;
  std::string kind;
  GeneralOptions options = {};
};

inline std::unique_ptr<GeneralCase> sample(const Sample& s) {
  TestDomain domain;
  domain.any = s.family.window != 0 && s.family.positions != "standard";
  auto c = make_general(s.family, domain, s.kind, s.options);
  const auto outcome = c->check();
  INFO(outcome.lines.back());
  REQUIRE(outcome.accepted);
  REQUIRE(outcome.lines.size() == 2);
  CHECK(outcome.lines[0].rfind("ACCEPT q PROVED " + c->quantity.words + " lies in [", 0) == 0);
  CHECK(outcome.lines[0].find("in every context of 2 ") != std::string::npos);
  return c;
}

/// Small accepted certificates; their rules together are all of kind `bounds`.
inline std::vector<std::unique_ptr<Case>> every_rule() {
  std::vector<std::unique_ptr<Case>> all;
  TestDomain small;
  small.hi = 3;
  small.sets = {{0, 2}, {1, 3}};
  small.rest = {0, 3};
  const auto general = [&](const Family& family, const std::string& kind,
                           const GeneralOptions& options) {
    all.push_back(make_general(family, small, kind, options));
  };
  for (const double joint : {0.0, 0.2}) {
    general(kPlain, "residual", {1e-9, false, joint, false});
    general(kPlain, "difference", {1e-9, false, joint, joint > 0});
    general(kNorm, "feature:post", {1e-9, false, joint, joint > 0});
    general(kNorm, "logit", {1e-9, false, joint, joint > 0});
  }
  general(kGelu, "readout:mlp_out", {1e-9, false, 0.2, true});
  general(kPlain, "difference", {1e-9, false, 0, false, 1});
  general(kNorm, "neuron", {});
  general(kNormAttention, "logit", {});
  general(kNorm, "difference", {1e-9, true, 0, false});
  auto c = make_general(kGelu, small, "logit");
  c->brute_force();
  c->state(-c->reached[1] - 1e-9, c->reached[0] + 1e-9);
  c->finish({"root ROOT : dom", "fhi ENUM root q hi :", "flo ENUM root q lo :"});
  all.push_back(std::move(c));
  for (const char* hook : {"blocks.0.hook_resid_mid", "blocks.0.mlp.hook_post"}) {
    all.push_back(make_bounds({5, {3, 0}, hook, 1e-6, "after"}));
  }
  return all;
}

}  // namespace check_test
