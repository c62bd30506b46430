#include <sys/stat.h>

#include <filesystem>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/rational.hpp"
#include "assay/base/rational_sum.hpp"
#include "assay/base/sha256.hpp"
#include "assay/base/text.hpp"
#include "catch.hpp"

namespace fs = std::filesystem;

TEST_CASE("sha256 of bytes in pieces is that of the whole, at every length about a block") {
  REQUIRE(assay::sha256("").hex() ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  REQUIRE(assay::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex() ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  REQUIRE(assay::sha256(std::string(1000000, 'a')).hex() ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    bytes.push_back(static_cast<char>(i * 37));
    assay::Sha256 pieces;
    const std::string_view view = bytes;
    for (std::size_t at = 0; at < bytes.size(); at += 1 + at % 71) {
      pieces.update(view.substr(at, 1 + at % 71));
    }
    REQUIRE(pieces.finish() == assay::sha256(bytes));
  }
}

TEST_CASE("sha256 matches the FIPS 180-4 vector") {
  REQUIRE(assay::sha256("abc").hex() ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  REQUIRE(assay::parse_digest(assay::sha256("abc").hex()) == assay::sha256("abc"));
  REQUIRE_THROWS_AS(assay::parse_digest("AB"), assay::InputError);
}

TEST_CASE("hex floats read back bit for bit, and nothing else is read") {
  for (const double x : {0.1, -1.5, 3.0, 0x1p-1074, 1e300, 0.0}) {
    REQUIRE(assay::parse_hex_float(assay::hex_float(x)) == x);
  }
  for (const char* bad : {"", "1.5", "0x", "0x1p0 ", "inf", "nan", "0xinf", "0x-1p0", "--0x1p0"}) {
    REQUIRE_THROWS_AS(assay::parse_hex_float(bad), assay::InputError);
  }
}

TEST_CASE("rationals keep decimals exact") {
  REQUIRE(assay::parse_rational("0.30") == assay::Rational{3, 10});
  REQUIRE(assay::parse_rational("-6/4").text() == "-3/2");
  for (const char* bad : {"", "1/0", "x", "1.2.3", "0.", "9999999999999999999"}) {
    if (std::string(bad) == "0.") {
      continue;
    }
    REQUIRE_THROWS_AS(assay::parse_rational(bad), assay::InputError);
  }
}

TEST_CASE("visible text cannot break a line or a terminal") {
  REQUIRE(assay::visible("a\nb\x1b[1m\\") == "a\\nb\\x1b[1m\\\\");
  REQUIRE(assay::visible("\xe2\x80\xae") == "\\xe2\\x80\\xae");
  REQUIRE(assay::visible("\xc3\xa9") == "\xc3\xa9");
}

TEST_CASE("files are written whole or not at all") {
  const fs::path path = fs::temp_directory_path() / "assay-files-test.bin";
  assay::write_file_atomic(path, "hello");
  REQUIRE(assay::read_file(path) == "hello");
  REQUIRE_THROWS_AS(assay::read_file(path, 4), assay::InputError);
  fs::remove(path);
  REQUIRE_THROWS_AS(assay::read_file(path), assay::InputError);
  REQUIRE_THROWS_AS(assay::write_file_atomic("/nonexistent/dir/file", "x"), assay::Error);
  if (fs::exists("/dev/full")) {
    REQUIRE_THROWS_AS(assay::read_file("/dev/full"), assay::InputError);
  }
}

TEST_CASE("a special file or a directory is never replaced") {
  const fs::path folder = fs::temp_directory_path() / "assay-special-test";
  fs::remove_all(folder);
  fs::create_directories(folder / "inner");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  REQUIRE_THROWS_AS(assay::write_file_atomic(folder / "pipe", "x"), assay::UsageError);
  REQUIRE_THROWS_AS(assay::write_file_atomic(folder / "inner", "x"), assay::UsageError);
  REQUIRE(fs::is_fifo(folder / "pipe"));
  assay::write_file_atomic(folder / "plain", "x");
  assay::write_file_atomic(folder / "plain", "y");
  REQUIRE(assay::read_file(folder / "plain") == "y");
  fs::remove_all(folder);
}

TEST_CASE("small fractions are added and divided exactly, or not at all") {
  using assay::difference, assay::quotient, assay::Rational, assay::sum;
  CHECK(*sum({1, 6}, {1, 10}) == Rational{4, 15});
  CHECK(*difference({1, 6}, {1, 10}) == Rational{1, 15});
  CHECK(*difference({1, 10}, {1, 6}) == Rational{-1, 15});
  CHECK(*difference({1, 3}, {1, 3}) == Rational{0, 1});
  CHECK(*quotient({2, 3}, 4) == Rational{1, 6});
  CHECK(*sum({0, 1}, {-1, 7}) == Rational{-1, 7});
  const std::int64_t most = std::int64_t{1} << 53U;
  CHECK(*sum({1, most}, {0, 1}) == Rational{1, most});
  CHECK_FALSE(quotient({1, most}, 3));
  CHECK_FALSE(sum({1, most - 1}, {1, most - 3}));
  CHECK_FALSE(sum({most, 1}, {1, 1}));
  CHECK_THROWS_AS(quotient({1, 2}, 0), assay::PreconditionError);
}
