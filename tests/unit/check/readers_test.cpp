#include "catch.hpp"
#include "check_case.hpp"
#include "elementary.hpp"
#include "interval.hpp"
#include "json.hpp"
#include "lexis.hpp"
#include "reject.hpp"
#include "request.hpp"
#include "safetensors.hpp"
#include "spec.hpp"

using namespace assay_check;

TEST_CASE("SHA-256 of the FIPS 180-4 examples") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("hexadecimal numbers are exact or refused") {
  CHECK(parse_hex("0x1.8p+1") == 3.0);
  CHECK(parse_hex("-0x0p+0") == 0.0);
  CHECK(parse_hex("0x1.fffffffffffffp+999") == 0x1.fffffffffffffp+999);
  CHECK(parse_hex("0x1p-1074") == 0x1p-1074);
  for (const char* bad : {"",
                          "0x",
                          "0x1",
                          "0x1p",
                          "0x1p+",
                          "0x1.p+1",
                          "0x.8p+1",
                          "0x1p1",
                          "1p+1",
                          "0x1p+1024",
                          "0x1p-1075",
                          "0x1.8p-1074",
                          "0x1.00000000000008p+0",
                          "0x1.ffffffffffffffffp+0",
                          "nan",
                          "inf",
                          "0x1P+1",
                          "0xAp+1",
                          "+0x1p+1",
                          "0x1p+1 ",
                          "0x12p+1"}) {
    INFO(bad);
    CHECK_THROWS_AS(parse_hex(bad), Reject);
  }
}

TEST_CASE("naturals, fractions, decimals, words") {
  CHECK(parse_nat("2147483647") == 2147483647U);
  for (const char* bad : {"", "-1", "01", "+1", "1.0", "2147483648", "99999999999999999999"}) {
    CHECK_THROWS_AS(parse_nat(bad), Reject);
  }
  CHECK(parse_fraction("-3/6").equals(parse_fraction("-1/2")));
  CHECK_FALSE(parse_fraction("1/3").equals(parse_fraction("333333333333333/999999999999999")) ==
              false);
  for (const char* bad : {"1/0", "1/-2", "1/", "/2", "0.5", "1/2/3", "1000000000000000"}) {
    CHECK_THROWS_AS(parse_fraction(bad), Reject);
  }
  CHECK(parse_decimal("-0.25").equals({-1, 4}));
  for (const char* bad : {".5", "5.", "1e3", "--1", "", "-", "1234567890123456"}) {
    CHECK_THROWS_AS(parse_decimal(bad), Reject);
  }
  CHECK(split_words("a b c").size() == 3);
  for (const char* bad : {"", " a", "a ", "a  b", "a\tb", "a\rb", "\xc3\xa9"}) {
    CHECK_THROWS_AS(split_words(bad), Reject);
  }
  CHECK_FALSE(is_id("1a"));
  CHECK_FALSE(is_id(std::string(65, 'a')));
  CHECK(is_id("_a.B-9"));
}

TEST_CASE("JSON is strict") {
  const Json root =
      parse_json(R"( {"a":[1,-2,0.5e3],"b":"x\n\u0041\u00e9","c":null,"d":true} )", "f");
  CHECK(root.at("a").as_array().size() == 3);
  CHECK(root.at("b").as_text() == "x\nA\\u00e9");
  CHECK(root.find("c") == nullptr);
  CHECK(root.at("d").as_bool());
  CHECK(root.at("a").items[2].as_double() == 500);
  CHECK_THROWS_AS(root.at("a").items[1].as_natural(), Reject);
  CHECK_THROWS_AS(root.at("zz"), Reject);
  for (const char* bad : {"",         "{",
                          "{}x",      "{\"a\":1,}",
                          "[1,]",     "{\"a\":1,\"a\":2}",
                          "01",       "1.",
                          "-",        "nan",
                          "\"\x01\"", "\"a",
                          "\"\\q\"",  "\"\\u12g4\"",
                          "{a:1}",    "tru",
                          "+1",       "{\"a\" 1}",
                          "[1 2]",    "{\"\\u0061\":1,\"a\":2}"}) {
    INFO(bad);
    CHECK_THROWS_AS(parse_json(bad, "f"), Reject);
  }
  CHECK_THROWS_AS(parse_json(std::string(100, '['), "f"), Reject);
}

TEST_CASE("hostile safetensors are refused") {
  const auto file = [](const std::string& header, std::size_t buffer) {
    std::string out(8, '\0');
    const std::uint64_t size = header.size();
    std::memcpy(out.data(), &size, 8);
    return out + header + std::string(buffer, '\0');
  };
  const auto read = [&](const std::string& header, std::size_t buffer) {
    return Safetensors(file(header, buffer), "f");
  };
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  CHECK(read(good, 8).f32("a", {2}).size() == 2);
  CHECK_THROWS_AS(read(good, 8).f32("a", {1, 2}), Reject);
  CHECK_THROWS_AS(read(good, 8).f64("a", {2}), Reject);
  CHECK_THROWS_AS(read(good, 8).f32("b", {2}), Reject);
  CHECK_THROWS_AS(read(good, 7), Reject);
  CHECK_THROWS_AS(read(good, 9), Reject);
  CHECK_THROWS_AS(Safetensors("short", "f"), Reject);
  CHECK_THROWS_AS(Safetensors(std::string(8, '\xff') + "{}", "f"), Reject);
  for (
      const char* bad :
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})",
       R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})"}) {
    INFO(bad);
    CHECK_THROWS_AS(read(bad, 8), Reject);
  }
}

TEST_CASE("intervals enclose and refuse what is not a number") {
  CHECK_THROWS_AS(Interval(std::nan("")), Reject);
  CHECK_THROWS_AS(Interval(1, 0), Reject);
  CHECK_THROWS_AS(Interval(HUGE_VAL), Reject);
  CHECK_THROWS_AS(Interval(1) / Interval(-1, 1), Reject);
  CHECK_THROWS_AS(Interval(0x1p600) * Interval(0x1p600), Reject);
  CHECK_THROWS_AS(exponential(Interval(691)), Reject);
  CHECK_THROWS_AS(logarithm(Interval(0)), Reject);
  CHECK((Interval(0.5) + Interval(0.25)).lo() == 0.75);  // exact sums are not widened
  CHECK((Interval(0.1) + Interval(0.2)).lo() < (Interval(0.1) + Interval(0.2)).hi());
  CHECK(quotient(3, 4).lo() == 0.75);
  CHECK(quotient(3, 4).hi() == 0.75);
  CHECK(quotient(1, 10).lo() < quotient(1, 10).hi());
  CHECK(logarithm(Interval(1)).lo() == 0);
  CHECK(exponential(Interval(-1000)).hi() > 0);
}

TEST_CASE("requests are read strictly") {
  const auto good = [](const std::string& body) { return "assay-request 1\n" + body + "end\n"; };
  const std::string claim = "feature-off f 7 suffix 1 2 3\n";
  CHECK(parse_request(good(claim), "r").claims.at(0).suffix == Suffix{1, 2, 3});
  CHECK(parse_request(good("# note\n" + claim), "r").claims.size() == 1);
  for (const std::string& bad :
       {good(""), good("token-out t 1 suffix 1\n"), good(claim + claim), good(claim + "end\n"),
        good("feature-off f 7 suffix\n"), good("feature-off f 7\n"),
        "assay-request 2\n" + claim + "end\n", "assay-request 1\n" + claim,
        good(claim).substr(0, good(claim).size() - 1),
        good("decoder min-p 1/10 temperature 1 order after\ndecoder min-p 1/10 temperature 1 order "
             "after\n" +
             claim),
        good("decoder min-p 11/10 temperature 1 order after\n" + claim), good(claim) + "#\n",
        good("residual r data 00 max-r2 1/2\n")}) {
    INFO(bad);
    CHECK_THROWS_AS(parse_request(bad, "r"), Reject);
  }
  const MinP before = parse_min_p("1/10", "2", "before");
  CHECK(before.cut().lo() <= 2 * std::log(0.1));
  CHECK(before.cut().hi() >= 2 * std::log(0.1));
  CHECK(before.cut().hi() - before.cut().lo() < 1e-13);
  CHECK(parse_min_p("1", "2", "after").cut().hi() == 0);
}
