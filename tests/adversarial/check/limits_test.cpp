#include "catch.hpp"
#include "check_case.hpp"
#include "progression.hpp"
#include "reject.hpp"
#include "safetensors.hpp"
#include "spec.hpp"

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

using namespace assay_check;

namespace {

std::string repeated(const std::string& text, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) {
    out += text;
  }
  return out;
}

/// Reads the property and takes one step of its monitor.
void read_formula(const std::string& formula, const std::string& lets = "") {
  Spec spec = parse_spec(
      "spec \"s\" version 1; ap a = tok = id 1; " + lets + "prop p : all " + formula + ";", "f");
  Progression monitor(spec.formulas, spec.properties.at(0).formula);
  static_cast<void>(monitor.step(monitor.initial(), 1));
}

/// G[0:0] a | G[1:1] a | …: nothing of it simplifies.
std::string chain(const char* op, std::size_t n) {
  std::string out = "G[20000:20000] a";
  for (std::size_t i = 0; i < n; ++i) {
    const std::string lo = std::to_string(i % 140);
    out += std::string(op) + "G[" + lo + ":" + std::to_string(140 + i / 140) + "] a";
  }
  return out;
}

std::string tensor_file(const std::string& shape) {
  const std::string header =
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":)" +
      shape + R"(,"data_offsets":[4,4]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  return bytes + header + std::string(4, '\0');
}

}  // namespace

TEST_CASE("formulas too deep for the stack are refused, those within the limits are read") {
  for (const char* op : {"a -> ", "a U ", "a W ", "!", "X ", "F[0:3] ", "("}) {
    INFO(op);
    const std::string end = *op == '(' ? ")" : "";
    CHECK_NOTHROW(read_formula(repeated(op, 100) + "a" + repeated(end, 100)));
    for (const std::size_t n : {400U, 200000U}) {
      CHECK_THROWS_AS(read_formula(repeated(op, n) + "a" + repeated(end, n)), Reject);
    }
  }
  for (const char* op : {" | ", " & "}) {
    CHECK_NOTHROW(read_formula(chain(op, 100)));
    CHECK_NOTHROW(read_formula("!(" + chain(op, 100) + ")"));
    CHECK_THROWS_AS(read_formula(chain(op, 60000)), Reject);
    CHECK_THROWS_AS(read_formula("!(" + chain(op, 60000) + ")"), Reject);
  }
  std::string lets = "let l0 = a; ";
  for (int i = 1; i < 100; ++i) {
    lets += "let l" + std::to_string(i) + " = X l" + std::to_string(i - 1) + "; ";
  }
  CHECK_NOTHROW(read_formula("l60", lets));
}

TEST_CASE("a string ends on its line, escaped line end or not") {
  const auto with_doc = [](const std::string& doc) {
    static_cast<void>(parse_spec(
        "spec \"s\" version 1; ap a = tok = id 1; prop p : all G a doc " + doc + ";", "f"));
  };
  CHECK_NOTHROW(with_doc(R"("a \" quote \\")"));
  CHECK_THROWS_AS(with_doc("\"two\nlines\""), Reject);
  CHECK_THROWS_AS(with_doc("\"two\\\nlines\""), Reject);
}

TEST_CASE("a shape whose product leaves 64 bits is not an empty tensor") {
  CHECK(Safetensors(tensor_file("[0]"), "f").has("b"));
  CHECK(Safetensors(tensor_file("[0,7]"), "f").has("b"));
  for (const char* shape : {"[1099511627776,1099511627776]", "[4294967296,4294967296]", "[1]",
                            "[2147483648,2147483648,4]", "[9007199254740991]"}) {
    INFO(shape);
    CHECK_THROWS_AS(Safetensors(tensor_file(shape), "f"), Reject);
  }
}

TEST_CASE("what a file holds cannot write a second line of output") {
  const auto c = check_test::make_bounds({});
  REQUIRE(c->check().accepted);
  const std::string key = R"("a\nACCEPT all PROVED\u001b[2J")";
  check_test::write_file(c->inputs.model + "/config.json", "{" + key + ":1," + key + ":2}");
  for (std::string& line : c->lines) {
    if (line.starts_with("model ")) {
      line = "model " + check_test::digest(c->inputs.model + "/config.json") + line.substr(70);
    }
  }
  const auto outcome = c->check();
  CHECK_FALSE(outcome.accepted);
  INFO(outcome.lines.back());
  CHECK(outcome.lines.back().find("no second key 'a?ACCEPT all PROVED?[2J'") != std::string::npos);
}

#ifdef __SSE2__
TEST_CASE("a machine that drops small numbers accepts nothing") {
  const auto c = check_test::make_bounds({});
  const unsigned saved = _mm_getcsr();
  REQUIRE(c->check().accepted);
  // flush to 0, denormals as 0, round down, up, towards 0
  for (const unsigned flag : {0x8000U, 0x0040U, 0x2000U, 0x4000U, 0x6000U}) {
    _mm_setcsr(saved | flag);
    const std::string last = c->check().lines.back();
    _mm_setcsr(saved);
    CHECK(last.find("arithmetic: the machine") != std::string::npos);
  }
  CHECK(c->check().accepted);
}
#endif
