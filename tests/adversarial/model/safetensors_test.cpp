#include <cmath>
#include <cstring>
#include <limits>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/model/safetensors.hpp"
#include "assay/model/strict_json.hpp"
#include "catch.hpp"

using namespace assay;

namespace {

/// A file from a header text and a buffer, header length as given or as it is.
std::string file_of(const std::string& header, const std::string& buffer) {
  const std::uint64_t n = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &n, 8);
  return bytes + header + buffer;
}

std::string with_length(std::string bytes, std::uint64_t n) {
  std::memcpy(bytes.data(), &n, 8);
  return bytes;
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  std::string text = "\"";
  text.append(name).append(R"(":{"dtype":")").append(dtype).append(R"(","shape":)").append(shape);
  return text.append(R"(,"data_offsets":)").append(offsets).append("}");
}

std::string floats(const std::vector<float>& values) {
  std::string bytes(values.size() * 4, '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// Two tensors, three floats: the untouched control.
const std::string kHeader = std::string("{") + entry("a", "F32", "[2]", "[0,8]") + "," +
                            entry("b", "F32", "[1,1]", "[8,12]") + "}";
const std::string kBuffer = floats({1.5F, -2.0F, 3.0F});

SafetensorsFile parse(const std::string& bytes) {
  return parse_safetensors(bytes, "f");
}

void refuse(const std::string& header, const std::string& buffer, const std::string& says) {
  INFO(header);
  REQUIRE_THROWS_AS(parse(file_of(header, buffer)), InputError);
  REQUIRE_THROWS_WITH(parse(file_of(header, buffer)), Catch::Contains(says));
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return std::string("{") + entry("a", dtype, shape, offsets) + "}";
}

}  // namespace

TEST_CASE("the untouched control is accepted") {
  const auto file = parse(file_of(kHeader, kBuffer));
  REQUIRE(file.floats.at("a").data == std::vector<float>{1.5F, -2.0F});
  REQUIRE(file.floats.at("b").shape == std::vector<std::size_t>{1, 1});
  REQUIRE(parse(file_of(kHeader + "    ", kBuffer)).floats.size() == 2);
  REQUIRE(parse(file_of("{}", "")).floats.empty());
  REQUIRE(parse(file_of(one("F32", "[]", "[0,4]"), floats({2}))).floats.at("a").data.size() == 1);
  REQUIRE(parse(file_of(one("F32", "[0,5]", "[0,0]"), "")).floats.at("a").data.empty());
}

TEST_CASE("a header length that does not fit the file is refused") {
  const std::string good = file_of(kHeader, kBuffer);
  for (const std::uint64_t n :
       {std::uint64_t{0}, std::uint64_t{good.size() - 7}, std::uint64_t{100'000'001},
        ~std::uint64_t{0}, ~std::uint64_t{0} - 7, std::uint64_t{1} << 63U}) {
    REQUIRE_THROWS_AS(parse(with_length(good, n)), InputError);
  }
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    REQUIRE_THROWS_AS(parse(good.substr(0, cut)), InputError);
  }
}

TEST_CASE("spans that overlap, leave a hole or leave the buffer are refused") {
  const auto b_at = [](const std::string& offsets) {
    return std::string("{") + entry("a", "F32", "[2]", "[0,8]") + "," +
           entry("b", "F32", "[1]", offsets) + "}";
  };
  refuse(b_at("[4,8]"), floats({1, 2}), "overlap");
  refuse(b_at("[12,16]"), floats({1, 2, 3, 4}), "hole");
  refuse(b_at("[8,16]"), kBuffer, "buffer");
  refuse(b_at("[12,8]"), kBuffer, "begin <= end");
  refuse(b_at("[18446744073709551612,18446744073709551615]"), kBuffer, "begin <= end");
  refuse(b_at("[-4,0]"), kBuffer, "unsigned");
  refuse(b_at("[8.0,12]"), kBuffer, "unsigned");
  refuse(b_at("[8]"), kBuffer, "[begin, end]");
  refuse(kHeader, kBuffer + "x", "trailing data");
  refuse("{}", "x", "trailing data");
}

TEST_CASE("shapes that overflow or disagree with their span are refused") {
  refuse(one("F32", "[4611686018427387905]", "[0,4]"), floats({1}), "64 bits");
  refuse(one("F32", "[4294967296,4294967296]", "[0,0]"), "", "64 bits");
  refuse(one("F32", "[2]", "[0,4]"), floats({1}), "shape x dtype");
  refuse(one("F64", "[1]", "[0,4]"), floats({1}), "shape x dtype");
  refuse(one("F32", "[-1]", "[0,4]"), floats({1}), "unsigned");
  refuse(one("F32", "[true]", "[0,4]"), floats({1}), "unsigned");
  refuse(one("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), floats({1}), "at most 8");
  refuse(one("F32", "1", "[0,4]"), floats({1}), "shape");
}

TEST_CASE("duplicate names, unknown dtypes and odd entries are refused") {
  refuse(std::string("{") + entry("a", "F32", "[1]", "[0,4]") + "," +
             entry("a", "F32", "[1]", "[0,4]") + "}",
         floats({1}), "twice");
  refuse(one("F8_E4M3", "[4]", "[0,4]"), floats({1}), "dtype");
  refuse(one("f32", "[1]", "[0,4]"), floats({1}), "dtype");
  refuse(R"({"a":{"dtype":"F32","shape":[1]}})", floats({1}), "entry");
  refuse(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", floats({1}), "entry");
  refuse(R"({"a":7})", "", "entry");
  refuse(R"({"__metadata__":{"k":1}})", "", "a string");
  refuse(R"({"__metadata__":[]})", "", "object");
  refuse("[]", "", "'{'");
  refuse(" {}", "", "'{'");
  refuse("{} x", "", "JSON");
  refuse(std::string("{}\0\0", 4), "", "NUL");
}

TEST_CASE("NaN and infinities are refused unless asked for") {
  for (const float x : {NAN, INFINITY, -INFINITY}) {
    refuse(one("F32", "[2]", "[0,8]"), floats({1, x}), "element 1");
    REQUIRE(
        parse_safetensors(file_of(one("F32", "[2]", "[0,8]"), floats({1, x})), "f", NonFinite::keep)
            .floats.at("a")
            .data[0] == 1.0F);
  }
  refuse(one("F16", "[1]", "[0,2]"), std::string("\x00\x7C", 2), "infinity");
  refuse(one("BF16", "[1]", "[0,2]"), std::string("\xC0\x7F", 2), "NaN");
}

TEST_CASE("every dtype reads as its values") {
  const auto value = [](const std::string& dtype, const std::string& bytes) {
    const auto n = std::to_string(bytes.size());
    return parse(file_of(one(dtype, "[1]", "[0," + n + "]"), bytes));
  };
  REQUIRE(value("F16", std::string("\x00\x3E", 2)).floats.at("a").data[0] == 1.5F);
  REQUIRE(value("F16", std::string("\x01\x80", 2)).floats.at("a").data[0] == -0x1p-24F);
  REQUIRE(value("BF16", std::string("\xC0\xBF", 2)).floats.at("a").data[0] == -1.5F);
  REQUIRE(value("U8", "\xFF").integers.at("a")[0] == 255);
  REQUIRE(value("I8", "\xFF").integers.at("a")[0] == -1);
  REQUIRE(value("U16", "\xFF\xFF").integers.at("a")[0] == 65535);
  REQUIRE(value("I16", "\xFF\xFF").integers.at("a")[0] == -1);
  REQUIRE(value("U32", "\xFF\xFF\xFF\xFF").integers.at("a")[0] == 4294967295);
  REQUIRE(value("I32", "\xFF\xFF\xFF\xFF").integers.at("a")[0] == -1);
  REQUIRE(value("I64", std::string(8, '\xFF')).integers.at("a")[0] == -1);
  REQUIRE_THROWS_AS(value("U64", std::string(8, '\xFF')), InputError);
  REQUIRE_THROWS_AS(value("BOOL", "\x02"), InputError);
  const auto of_double = [](double x) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &x, 8);
    return bytes;
  };
  REQUIRE(value("F64", of_double(0.1)).doubles.at("a")[0] == 0.1);
  REQUIRE(value("F64", of_double(1e300)).floats.empty());
  REQUIRE_THROWS_AS(value("F64", of_double(std::numeric_limits<double>::quiet_NaN())), InputError);
  REQUIRE_THROWS_AS(value("F64", of_double(std::numeric_limits<double>::infinity())), InputError);
  const auto narrow = [&](double x) {
    SafetensorsFile file = value("F64", of_double(x));
    narrow_doubles(file, "test");
    REQUIRE(file.doubles.empty());
    return file.floats.at("a").data[0];
  };
  REQUIRE(narrow(0.375) == 0.375F);
  REQUIRE_THROWS_AS(narrow(0.1), InputError);
  REQUIRE_THROWS_AS(narrow(1e300), InputError);
}

TEST_CASE("what is written reads back, byte for byte the second time") {
  SafetensorsFile file;
  file.floats["w"] = {{2, 2}, {1, 2, 3, 0x1p-140F}};
  file.floats["a"] = {{}, {-0.0F}};
  file.integers["ids"] = {3, -4, 5};
  file.integer_shapes["ids"] = {3};
  file.doubles["wide"] = {0.1, -0.0, 0x1p-1060};
  file.double_shapes["wide"] = {3, 1};
  file.metadata["format"] = "pt";
  const std::string bytes = to_safetensors(file);
  const auto read = parse(bytes);
  REQUIRE(read.floats.at("w").data == file.floats.at("w").data);
  REQUIRE(std::signbit(read.floats.at("a").data[0]));
  REQUIRE(read.integers == file.integers);
  REQUIRE(read.metadata == file.metadata);
  REQUIRE(to_safetensors(read) == bytes);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  REQUIRE(header % 8 == 0);
}

TEST_CASE("random damage is refused or read, never a crash") {
  const std::string good = file_of(kHeader, kBuffer);
  Random random(2024);
  std::size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (std::uint64_t i = 0; i <= random.below(3); ++i) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    if (random.below(8) == 0) {
      bytes.resize(random.below(bytes.size() + 1));
    }
    try {
      static_cast<void>(parse(bytes));
    } catch (const InputError&) {
      ++refused;
    }
  }
  REQUIRE(refused > 10000);
}
