#include "check_sample.hpp"

using namespace check_test;

TEST_CASE("general: domains that the model does not have, and requests that are malformed") {
  const auto check_domain = [](const Family& family, const std::string& line) {
    const auto c = make_general(family, TestDomain{}, "residual");
    std::string text = read_bytes(*c->inputs.request);
    const std::size_t at = text.find("domain");
    text.replace(at, text.find('\n', at) - at, line);
    const std::size_t lo = text.find(" lo ");
    text.replace(lo, text.find('\n', lo) - lo, " lo -0x1p+20 hi 0x1p+20");
    write_file(*c->inputs.request, text);
    c->finish({"root ROOT : dom", "fhi ENUM root q hi :", "flo ENUM root q lo :"});
    return c->check().accepted;
  };
  Family full = kPlain;
  full.window = 0;
  CHECK(check_domain(kPlain, "domain dom lengths 2 any sets 1 * rest *"));
  CHECK(check_domain(kPlain, "domain dom lengths 2 99999 sets 1 * rest *"));
  CHECK(check_domain(kPlain, "domain dom lengths 7 any sets 6 0 1 2 3 0 1 rest 0-2"));
  CHECK(check_domain(full, "domain dom lengths 2 5 sets 1 * rest *"));
  CHECK(check_domain(kGelu, "domain dom lengths 2 5 sets 1 1,3 rest 0,2"));
  CHECK_FALSE(check_domain(full, "domain dom lengths 2 6 sets 1 1 rest 0"));
  CHECK_FALSE(check_domain(full, "domain dom lengths 2 any sets 1 1 rest 0"));
  CHECK_FALSE(check_domain(kGelu, "domain dom lengths 2 6 sets 1 1 rest 0"));
  CHECK_FALSE(check_domain(kGelu, "domain dom lengths 2 any sets 1 1 rest 0"));
  for (const char* line :
       {"domain dom lengths 2 any sets 1 4 rest 0",
        "domain dom lengths 2 any sets 1 0-4 rest 0",
        "domain dom lengths 2 any sets 1 1 rest 4",
        "domain dom lengths 0 any sets 0 rest 0",
        "domain dom lengths 1 any sets 2 1 1 rest 0",
        "domain dom lengths 3 2 sets 1 1 rest 0",
        "domain dom lengths 0 2 sets 1 1 rest 0",
        "domain dom lengths 2 any sets 2 1 rest 0",
        "domain dom lengths 2 any sets 1 1 1 rest 0",
        "domain dom lengths 2 any sets 1 1",
        "domain dom lengths 2 any sets 1 1 rest 0 0",
        "domain dom lengths 2 any sets 1 1 rest",
        "domain dom lengths 2 any set 1 1 rest 0",
        "domain dom length 2 any sets 1 1 rest 0",
        "domain dom lengths 2 all sets 1 1 rest 0",
        "domain dom lengths any 3 sets 1 1 rest 0",
        "domain dom lengths 2 any sets 1 **  rest 0",
        "domain dom lengths 2 any sets 1 1-*  rest 0",
        "domain dom lengths 2 any sets 1 0x1 rest 0",
        "domain dom2 lengths 2 any sets 1 1 rest 0",
        "domain dom lengths 2 any sets 1 1 rest 0\ndomain dom lengths 2 any sets 1 1 rest 0"}) {
    INFO(line);
    CHECK_FALSE(check_domain(kPlain, line));
  }
}

TEST_CASE("general: bound and direction lines are read strictly") {
  const auto c = sample({kPlain, "residual"});
  const std::string request = read_bytes(*c->inputs.request);
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"residual-mid g", "residual-mid h"},
                                                        {"residual-mid g", "residual-mid"},
                                                        {"residual-mid g", "residual-mid g g"},
                                                        {"residual-mid g", "residual-post g"},
                                                        {"residual-mid g", "neuron 5"},
                                                        {"residual-mid g", "neuron -1"},
                                                        {"residual-mid g", "logit 4"},
                                                        {"residual-mid g", "logit-difference 1"},
                                                        {"residual-mid g", "logit-difference 1 4"},
                                                        {"residual-mid g", "feature 1"},
                                                        {"residual-mid g", "readout g"},
                                                        {"direction g 4", "direction g 5"},
                                                        {"direction g 4", "direction g 3"},
                                                        {"direction g 4", "direction g 4 0x0p+0"},
                                                        {"direction g 4", "direction g"},
                                                        {"direction g 4", "direction h 4"},
                                                        {"domain dom lo", "domain nodom lo"},
                                                        {"domain dom lo", "domain dom hi"},
                                                        {"domain dom lo", "dom dom lo"},
                                                        {" hi 0x", " hi nan0x"},
                                                        {" hi 0x", " hi 0X"},
                                                        {" lo -0x", " lo inf0x"},
                                                        {"bound q", "bound q q"},
                                                        {"bound q", "bounds q"}}) {
    std::string other = request;
    REQUIRE(other.find(from) != std::string::npos);
    other.replace(other.find(from), from.size(), to);
    write_file(*c->inputs.request, other);
    INFO(to);
    CHECK_FALSE(
        accepts_after(*c, [&](Case& x) { x.set_word("statement", 1, digest(*x.inputs.request)); }));
  }
  c->state(1, -1);
  CHECK_FALSE(c->check().accepted);
  c->state(-0x1p20, 0x1p20);
  CHECK(c->check().accepted);
}

TEST_CASE("general: models outside the families are refused") {
  for (const Family& family : {kPlain, kNorm, kGelu}) {
    const auto c = make_general(family, TestDomain{}, "residual");
    REQUIRE(c->check().accepted);
    const std::string path = c->inputs.model + "/config.json", config = read_bytes(path);
    const std::string bias = family.bias ? "\"relative_bias\":true" : "\"relative_bias\":false";
    const std::string norm = family.norm.empty() ? "null" : "\"" + family.norm + "\"";
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"\"n_layers\":1", "\"n_layers\":2"},
             {"\"act_fn\":\"" + family.act, "\"act_fn\":\"silu"},
             {"\"act_fn\":\"" + family.act + "\"", "\"act_fn\":null"},
             {"\"normalization_type\":" + norm, "\"normalization_type\":\"RMS\""},
             {"\"normalization_type\":" + norm + ",", ""},
             {"\"normalization_type\":" + norm + ",",
              "\"normalization_type\":" + norm + ",\"normalization\":" + norm + ","},
             {"\"" + family.positions + "\"", "\"shortformer\""},
             {"\"" + family.positions + "\"", "null"},
             {"\"eps\":1e-2", "\"eps\":0"},
             {"\"eps\":1e-2", "\"eps\":-1"},
             {"\"eps\":1e-2", "\"eps\":1e-2,\"rotary_adjacent_pairs\":true"},
             {"\"eps\":1e-2", "\"eps\":1e-2,\"final_rms\":true"},
             {"\"eps\":1e-2", "\"eps\":1e-2,\"gated_mlp\":true"},
             {"\"attn_scale\":1.7", "\"attn_scale\":0"},
             {"\"attn_only\":false", "\"attn_only\":true"},
             {bias, family.bias ? "\"relative_bias\":false" : "\"relative_bias\":true"},
             {"\"d_head\":4", "\"d_head\":2"}}) {
      std::string other = config;
      REQUIRE(other.find(from) != std::string::npos);
      other.replace(other.find(from), from.size(), to);
      write_file(path, other);
      INFO(other);
      CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word("model", 1, digest(path)); }));
    }
    for (const char* dim : {"\"rotary_dim\":3", "\"rotary_dim\":6", "\"rotary_dim\":0"}) {
      std::string other = config;
      other.replace(other.find("\"rotary_dim\":2"), 14, dim);
      write_file(path, other);
      CHECK(accepts_after(*c, [&](Case& x) { x.set_word("model", 1, digest(path)); }) ==
            (family.positions != "rotary"));
    }
  }
}
