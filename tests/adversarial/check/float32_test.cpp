#include "catch.hpp"
#include "check_general.hpp"

using namespace check_test;

namespace {

const Family kPlain{"relative_bias", "relu", "", true, false, 3, 3};
const Family kNorm{"standard", "gelu_new", "LN", false, false, 0, 5};
const Family kRotary{"rotary", "gelu", "", false, false, 0, 8};
const Family kAttention{"none", "relu", "LNPre", false, true, 3, 6};

/// A claim `float32` about a model: the request, the root and the step.
class FloatCase {
 public:
  explicit FloatCase(const Family& family, const std::string& kind = "logit") {
    TestDomain domain;
    base_ = make_general(family, domain, kind);
    root_ = domain.line("dom");
    state("float32 q " + base_->quantity.words + " domain dom error 0x1p+40");
  }

  /// Another claim line; the certificate then has ROOT and FLOAT32 alone.
  void state(const std::string& line) {
    std::string request = "assay-request 1\n" + root_ + "\n";
    if (line.find("residual-mid") != std::string::npos) {
      request += "direction g 4 0x1p+0 -0x1p-1 0x1p-2 0x0p+0\n";
    }
    request += line + "\nend\n";
    write_file(base_->inputs.request.value(), request);
    std::vector<std::string> header;
    for (const std::string& each : base_->lines) {
      if (each.rfind("statement ", 0) == 0) {
        header.push_back("statement " + digest(base_->inputs.request.value()));
        break;
      }
      header.push_back(each);
    }
    header.insert(header.end(), {"root ROOT : dom", "q FLOAT32 root :", "end 2"});
    base_->lines = header;
  }
  [[nodiscard]] assay_check::Outcome check() { return base_->check(); }
  [[nodiscard]] GeneralCase& base() { return *base_; }
  [[nodiscard]] std::string words() const { return base_->quantity.words; }

  /// The smallest error that is accepted, to a relative 2^-20.
  double least() {
    double lo = 0, hi = 0x1p+40;
    while (hi - lo > 0x1p-20 * hi) {
      const double mid = lo > 0 ? std::sqrt(lo * hi) : hi * 0x1p-8;
      state("float32 q " + words() + " domain dom error " + hex(mid));
      (check().accepted ? hi : lo) = mid;
      if (hi < 0x1p-60) {
        break;
      }
    }
    return hi;
  }

 private:
  std::unique_ptr<GeneralCase> base_;
  std::string root_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("FLOAT32 is accepted with its semantics and what it takes as given") {
  for (const Family& family : {kPlain, kNorm, kRotary, kAttention}) {
    FloatCase c(family);
    const auto outcome = c.check();
    INFO(outcome.lines.back());
    REQUIRE(outcome.accepted);
    CHECK(outcome.lines[0].rfind("ACCEPT q PROVED " + c.words() + " in float32 lies within 0x1p+40",
                                 0) == 0);
    for (const char* said : {"FLOAT32-ANY-ORDER", "exp within 2 ulp", "no TF32 or bf16",
                             "no flush to zero", "causal mask exact", "streaming or not"}) {
      CHECK(outcome.lines[0].find(said) != std::string::npos);
    }
    CHECK((outcome.lines[0].find("two-pass LayerNorm") != std::string::npos) ==
          !family.norm.empty());
    CHECK((outcome.lines[0].find("rotary tables within 4 * 2^-20") != std::string::npos) ==
          (family.positions == "rotary"));
    CHECK((outcome.lines[0].find("tanh within 2 ulp") != std::string::npos) ==
          (family.act == "gelu_new"));
    CHECK((outcome.lines[0].find("erf within 2 ulp") != std::string::npos) ==
          (family.act == "gelu" && !family.attn_only));
  }
}

TEST_CASE("FLOAT32: an error a little smaller than the checker finds is rejected") {
  for (const Family& family : {kPlain, kRotary}) {
    for (const char* kind :
         {"logit", "difference", "neuron", "residual", "feature:mid", "readout:mlp_out"}) {
      FloatCase c(family, kind);
      const double E = c.least();
      INFO(kind << " " << E);
      CHECK(E > 1e-8);
      CHECK(E < 1e-2);
      c.state("float32 q " + c.words() + " domain dom error " + hex(E * (1 - 0x1p-15)));
      const auto outcome = c.check();
      CHECK_FALSE(outcome.accepted);
      CHECK(outcome.lines.back().find("FLOAT32: the error is not shown") != std::string::npos);
    }
  }
}

TEST_CASE("FLOAT32: more ulps need a larger error") {
  FloatCase c(kRotary);
  const double E = c.least();
  c.state("float32 q " + c.words() + " domain dom error " + hex(E) + " ulps 2 2");
  CHECK(c.check().accepted);
  c.state("float32 q " + c.words() + " domain dom error " + hex(E) + " ulps 200 2");
  CHECK_FALSE(c.check().accepted);
  c.state("float32 q " + c.words() + " domain dom error " + hex(E) + " ulps 2 200");
  CHECK_FALSE(c.check().accepted);
}

TEST_CASE("FLOAT32: altered lines are rejected, the untouched control is accepted") {
  FloatCase c(kPlain);
  const std::string control = c.base().text();
  REQUIRE(c.base().check_text(control).accepted);
  const std::string root = "root ROOT : dom", step = "q FLOAT32 root :";
  const std::vector<std::pair<std::string, std::string>> changes = {
      {step, "q FLOAT32 :"},
      {step, "q FLOAT32 rot :"},
      {step, "q FLOAT32 root root :"},
      {step, "q FLOAT32 root : 0x1p+0"},
      {step, "p FLOAT32 root :"},
      {step, "q FLOAT64 root :"},
      {step, "q BOUND : root root"},
      {root, "root ROOT : mod"},
      {root, "root ROOT dom :"},
      {root, "root ROOT : dom\nt PART root : token 0 1"},
      {"end 2", "end 3"},
      {"semantics REAL", "semantics FLOAT32"},
      {"kind bounds", "kind automaton"}};
  for (const auto& [from, to] : changes) {
    INFO(to);
    CHECK_FALSE(c.base().check_text(replaced(control, from, to)).accepted);
  }
  // A part is not the whole.
  CHECK_FALSE(
      c.base()
          .check_text(replaced(replaced(control, step, "t PART root : token 0 1\nq FLOAT32 t :"),
                               "end 2", "end 3"))
          .accepted);
  CHECK(c.base()
            .check_text(replaced(replaced(control, step, "t PART root : token 0 1\n" + step),
                                 "end 2", "end 3"))
            .accepted);
}

TEST_CASE("FLOAT32: a request that says something else, or nothing that can be read, is rejected") {
  FloatCase c(kPlain);
  const std::vector<std::string> lines = {"float32 q logit 1 domain mod error 0x1p+40",
                                          "float32 q logit 1 domain dom error -0x1p+40",
                                          "float32 q logit 1 domain dom error nan",
                                          "float32 q logit 1 domain dom error 0x1p+40 ulps 2",
                                          "float32 q logit 1 domain dom error 0x1p+40 ulps 2 2 2",
                                          "float32 q logit 1 domain dom error 0x1p+40 ulps 2 4096",
                                          "float32 q logit 1 domain dom error 0x1p+40 ulps -1 2",
                                          "float32 q logit 1 domain dom lo 0x1p+40",
                                          "float32 q logit 4 domain dom error 0x1p+40",
                                          "float32 q logit-difference 1 4 domain dom error 0x1p+40",
                                          "float32 q neuron 5 domain dom error 0x1p+40",
                                          "float32 q feature 0 domain dom error 0x1p+40",
                                          "float32 q readout ro domain dom error 0x1p+40",
                                          "float32 q residual-mid none domain dom error 0x1p+40",
                                          "float32 q domain dom error 0x1p+40",
                                          "float32 q",
                                          "bound q logit 1 domain dom lo -0x1p+40 hi 0x1p+40"};
  for (const std::string& line : lines) {
    INFO(line);
    c.state(line);
    CHECK_FALSE(c.check().accepted);
  }
  c.state("float32 q residual-mid g domain dom error 0x1p+40");
  CHECK(c.check().accepted);
}

TEST_CASE(
    "FLOAT32: rotary contexts without a longest one, and neurons of attention alone, are refused") {
  TestDomain any;
  any.any = true;
  for (const bool is_rotary : {true, false}) {
    const Family family{is_rotary ? "rotary" : "none", "relu", "", false, false, 3, 9};
    auto c = make_general(family, any, "logit");
    const std::string request = "assay-request 1\n" + any.line("dom") +
                                "\nfloat32 q logit 1 domain dom error 0x1p+40\nend\n";
    write_file(c->inputs.request.value(), request);
    std::vector<std::string> lines;
    for (const std::string& line : c->lines) {
      if (line.rfind("statement ", 0) == 0) {
        lines.push_back("statement " + digest(c->inputs.request.value()));
        break;
      }
      lines.push_back(line);
    }
    lines.insert(lines.end(), {"root ROOT : dom", "q FLOAT32 root :", "end 2"});
    c->lines = lines;
    const auto outcome = c->check();
    INFO(outcome.lines.back());
    CHECK(outcome.accepted == !is_rotary);
    CHECK((outcome.lines.back().find("rotary positions need a longest context") !=
           std::string::npos) == is_rotary);
  }
  FloatCase alone(kAttention);
  alone.state("float32 q neuron 0 domain dom error 0x1p+40");
  CHECK_FALSE(alone.check().accepted);
}
