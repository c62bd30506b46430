#include "catch.hpp"
#include "check_site.hpp"

using namespace check_test;

namespace {

/// A bound, a nullified reading and a token never argmax, all true with room.
std::unique_ptr<SiteCase> sample(const std::string& norm) {
  auto c = std::make_unique<SiteCase>(norm, "ln_final", 4);
  c->write(
      "site-bound q logit 2 site ln_final lo -0x1p+6 hi 0x1p+6\n"
      "site-bound f feature 1 site ln_final lo -0x1p+6 hi 0x1p+6\n"
      "nullified n readout ro site ln_final width 0x1p+6\nnever-argmax never 5",
      {"q SITE-SPHERE :", "f SITE-SPHERE :", "n NULLIFIED :", kMixture});
  const auto outcome = c->check();
  INFO(outcome.lines.back());
  REQUIRE(outcome.accepted);
  REQUIRE(outcome.lines.size() == 5);
  CHECK(outcome.lines[0] ==
        "ACCEPT q PROVED logit 2 lies in [-0x1p+6, 0x1p+6] for every input, read from ln_final (" +
            std::string(norm[0] == 'L' ? "LayerNorm" : "RMSNorm") +
            ", 5 layers) (real arithmetic)");
  return c;
}

bool accepts_with(SiteCase& c, const std::string& prefix, const std::string& line) {
  const std::vector<std::string> saved = c.lines;
  c.lines[c.find(prefix)] = line;
  const bool accepted = c.check().accepted;
  c.lines = saved;
  return accepted;
}

}  // namespace

TEST_CASE("sites: every altered step is rejected") {
  for (const char* norm : {"LN", "RMS"}) {
    const auto c = sample(norm);
    for (const char* line : {"q SITE-SPHERE q :", "q SITE-SPHERE : 0x1p+1",
                             "q NULLIFIED :", "n SITE-SPHERE :", "x SITE-SPHERE :", "q BOUND : a b",
                             "q SPHERE :", "q ROOT : d"}) {
      INFO(line);
      CHECK_FALSE(accepts_with(*c, "q SITE", line));
    }
    const std::string never = "never NEVER-ARGMAX ";
    for (const char* words :
         {": M 3 1 0x1p-2 2 0x1p-1 3 0x1p-3",                        // adds to 7/8
          ": M 3 1 0x1p-2 2 0x1p-1 3 0x1p-1",                        // to 5/4
          ": M 3 1 0x1p-2 2 0x1p-1 2 0x1p-2",                        // a rival twice
          ": M 3 1 0x1p-2 2 0x1p-1 5 0x1p-2",                        // the token itself
          ": M 3 1 0x1p-2 2 0x1p-1 6 0x1p-2",                        // no such token
          ": M 3 1 0x1p-2 2 0x1p-1 3 0x1.0000000001p-2 4 -0x1p-42",  // a negative weight
          ": M 4 1 0x1p-2 2 0x1p-1 3 0x1p-2 4 0x0p+0",               // a zero one
          ": M 2 1 0x1p-2 2 0x1.8p-1 ", ": M 2 1 0x1p-2 2 0x1p-1 3 0x1p-2",
          ": M 3 1 0x1p-2 2 0x1p-1", ": M 1 2 0x1p+0", ": M 0", ":", ": N 1 2 0x1p+0",
          ": M 3 1 0x1.00000000001p-2 2 0x1p-1 3 0x1.ffffffffffep-3",  // finer than 2^-40
          "n : M 3 1 0x1p-2 2 0x1p-1 3 0x1p-2"}) {
      INFO(words);
      CHECK_FALSE(accepts_with(*c, "never ", never + words));
    }
    // Weights of the finest step are read, and still prove it.
    CHECK(accepts_with(*c, "never ",
                       never + ": M 3 1 0x1.0000000004p-2 2 0x1p-1 3 0x1.fffffffff8p-3"));
  }
}

TEST_CASE("sites: claims are read strictly") {
  SiteCase c("LN", "ln_final", 4);
  const auto accepts = [&](const std::string& line, const std::string& step) {
    c.write(line, {step});
    INFO(line);
    return c.check().accepted;
  };
  const std::string good = "site-bound q logit 2 site ln_final lo -0x1p+6 hi 0x1p+6";
  CHECK(accepts(good, "q SITE-SPHERE :"));
  for (const char* line :
       {"site-bound q logit 6 site ln_final lo -0x1p+6 hi 0x1p+6",
        "site-bound q neuron 2 site ln_final lo -0x1p+6 hi 0x1p+6",
        "site-bound q logit-margin 2 site ln_final lo -0x1p+6 hi 0x1p+6",
        "site-bound q residual-mid g site ln_final lo -0x1p+6 hi 0x1p+6",
        "site-bound q readout other site ln_final lo -0x1p+6 hi 0x1p+6",
        "site-bound q logit 2 site blocks.0.ln1 lo -0x1p+6 hi 0x1p+6",
        "site-bound q logit 2 site blocks.5.ln1 lo -0x1p+6 hi 0x1p+6",
        "site-bound q logit 2 site blocks.ln1 lo -0x1p+6 hi 0x1p+6",
        "site-bound q logit 2 site blocks.00.ln1 lo -0x1p+6 hi 0x1p+6",
        "site-bound q logit 2 site blocks.0.ln3 lo -0x1p+6 hi 0x1p+6",
        "site-bound q logit 2 domain ln_final lo -0x1p+6 hi 0x1p+6",
        "site-bound q logit 2 site ln_final lo 0x1p+6 hi -0x1p+6",
        "site-bound q logit 2 site ln_final width 0x1p+6",
        "bound q logit 2 site ln_final lo 0 hi 0", "nullified q logit 2 site ln_final width 0x1p+6",
        "site-bound q logit 2 site ln_final lo -0x1p+6", "feature-off q 1 suffix 1",
        "never-argmax q 5"}) {
    CHECK_FALSE(accepts(line, "q SITE-SPHERE :"));
  }
  CHECK(accepts("nullified q logit 2 site ln_final width 0x1p+6", "q NULLIFIED :"));
  CHECK_FALSE(accepts("nullified q logit 2 site ln_final width -0x1p+6", "q NULLIFIED :"));
  CHECK_FALSE(accepts("nullified q logit 2 site ln_final width 0x0p+0", "q NULLIFIED :"));
  for (const char* line : {"never-argmax never 6", "never-argmax never", "never-argmax never 5 5",
                           "never-argmax never -5", "never-argmax never 4"}) {
    CHECK_FALSE(accepts(line, kMixture));
  }
  // Another kind of certificate cannot conclude it, and this one concludes nothing else.
  c.write(good, {"q SITE-SPHERE :"});
  c.set_word("kind", 1, "bounds");
  CHECK_FALSE(c.check().accepted);
  c.write(good + "\nresidual r data " + std::string(64, '0') + " max-r2 1/2", {"q SITE-SPHERE :"});
  CHECK_FALSE(c.check().accepted);
}

TEST_CASE("sites: another function or file is refused") {
  using Config = std::map<std::string, std::string>;
  const auto accepts = [](SiteCase& c) {
    c.save();
    c.write(c.bound_line("feature 1", -64, 64), {"q SITE-SPHERE :"});
    return c.check().accepted;
  };
  for (const Config& config : std::vector<Config>{{},
                                                  {{"normalization_type", "absent"}},
                                                  {{"d_vocab_out", "-1"}},
                                                  {{"eps", "1e-3"}},
                                                  {{"output_logits_soft_cap", "-1.0"}},
                                                  {{"n_layers", "1"}}}) {
    SiteCase c("LN", "ln_final", 3);
    c.config = config;
    CHECK(accepts(c));
  }
  for (const Config& config : std::vector<Config>{{{"normalization_type", "null"}},
                                                  {{"normalization_type", "\"RMS\""}},
                                                  {{"normalization_type", "\"LNPre\""}},
                                                  {{"normalization_type", "\"layer\""}},
                                                  {{"normalization", "\"LN\""}},
                                                  {{"eps", "0"}},
                                                  {{"eps", "-1e-5"}},
                                                  {{"final_rms", "true"}},
                                                  {{"output_logits_soft_cap", "30.0"}},
                                                  {{"d_model", "5"}},
                                                  {{"d_vocab", "5"}},
                                                  {{"d_vocab_out", "5"}},
                                                  {{"n_layers", "0"}},
                                                  {{"n_layers", "absent"}}}) {
    SiteCase c("LN", "ln_final", 3);
    c.config = config;
    INFO(config.begin()->first << " " << config.begin()->second);
    CHECK_FALSE(accepts(c));
  }
  {
    SiteCase c("LN", "blocks.1.ln2", 3);
    CHECK(accepts(c));
    c.config = {{"attn_only", "true"}};
    CHECK_FALSE(accepts(c));
  }
  for (const float bad : {NAN, INFINITY}) {
    SiteCase c("LN", "ln_final", 3);
    c.w[1] = static_cast<double>(bad);
    CHECK_FALSE(accepts(c));
  }
  SiteCase extra("RMSPre", "ln_final", 3);
  CHECK(accepts(extra));
  extra.more.add("ln_final.b", "F32", "[4]", std::vector<float>(4));
  CHECK_FALSE(accepts(extra));
  // TransformerLens has RMSNorm's hook before w: a reading there is another one.
  SiteCase rms("RMS", "ln_final", 3);
  CHECK(accepts(rms));
  rms.sae.hook = "ln_final.hook_normalized";
  rms.sae.save(*rms.inputs.sae);
  CHECK_FALSE(accepts(rms));
}

TEST_CASE("sites: flipped bits never prove another statement") {
  const auto c = sample("LN");
  const std::string good = c->text();
  const auto control = c->check();
  std::mt19937_64 random(8);
  for (int trial = 0; trial < 1000; ++trial) {
    std::string bad = good;
    bad[random() % bad.size()] ^= static_cast<char>(1U << random() % 8);
    const auto outcome = c->check_text(bad);
    if (outcome.accepted) {
      CHECK(outcome.lines == control.lines);
    }
  }
  for (std::size_t n = 0; n < good.size(); n += 3) {
    CHECK_FALSE(c->check_text(good.substr(0, n)).accepted);
  }
}
