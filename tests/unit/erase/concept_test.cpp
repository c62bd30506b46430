#include <regex>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/erase/concept.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::erase;

namespace {

std::string marks(const Concept& c, const std::string& text) {
  std::string out;
  for (const std::uint8_t z : label(c, text)) {
    out += z == 1 ? '1' : '.';
  }
  return out;
}

std::string by_regex(const std::string& pattern, const std::string& text) {
  std::string out(text.size(), '.');
  const std::regex expression(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it) {
    std::fill_n(out.begin() + it->position(), it->length(), '1');
  }
  return out;
}

}  // namespace

TEST_CASE("digits, urls and addresses are marked byte by byte") {
  REQUIRE(marks(make_concept("digit"), "a1b23") == ".1.11");
  REQUIRE(marks(make_concept("next-digit"), "a1b23") == "1.11.");
  REQUIRE(marks(make_concept("digit", "", 2), "a1b23") == ".11..");
  REQUIRE(marks(make_concept("url"), "see http://a.b/c\"x") == "....111111111111..");
  REQUIRE(marks(make_concept("url"), "http:// ftp://x\ny") == "........1111111..");
  REQUIRE(marks(make_concept("email"), "<a.b@c.org>") == ".111111111.");
  REQUIRE(marks(make_concept("email"), "a@b a@b.c @x.org") == "................");
  REQUIRE(marks(make_concept("tag", "<[a-z]+"), "x<ab>\n<c") == ".111..11");
}

TEST_CASE("the hand-written scanners mark what the expressions say") {
  const std::string url = "(https?|ftp)://[^\\s\"'<>]+";
  const std::string email = "[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}";
  const std::vector<std::string> pieces = {"http://", "https://", "ftp://", "@",  ".",
                                           "-",       "a",        "org",    "x9", " ",
                                           "\"",      "<",        "/",      "+",  ".com"};
  Random random(5);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::uint64_t k = random.below(12); k > 0; --k) {
      text += pieces[random.below(pieces.size())];
    }
    CAPTURE(text);
    REQUIRE(marks(make_concept("url"), text) == by_regex(url, text));
    REQUIRE(marks(make_concept("email"), text) == by_regex(email, text));
  }
}

TEST_CASE("a very long line does not exhaust the stack") {
  const std::string text = "http://" + std::string(3'000'000, 'a') + "@" + std::string(9000, 'b');
  REQUIRE(label(make_concept("url"), text).size() == text.size());
  REQUIRE(label(make_concept("email"), text).size() == text.size());
  REQUIRE(label(make_concept("word", "[a-z]+"), text).size() == text.size());
}

TEST_CASE("unusable concepts are refused") {
  REQUIRE_THROWS_AS(make_concept("colour"), UsageError);
  REQUIRE_THROWS_AS(make_concept("", "a"), UsageError);
  REQUIRE_THROWS_AS(make_concept("9a", "a"), UsageError);
  REQUIRE_THROWS_AS(make_concept("a b", "a"), UsageError);
  REQUIRE_THROWS_AS(make_concept("bad", "[a-"), UsageError);
}

TEST_CASE("the labelling rule has its own digest") {
  const Concept a = make_concept("digit");
  const Concept b = make_concept("next-digit");
  REQUIRE(a.rule().find("0x30 to 0x39") != std::string::npos);
  REQUIRE(a.digest() != b.digest());
}

TEST_CASE("addresses are planted in copies, the same each time") {
  std::vector<Document> documents;
  for (int i = 0; i < 20; ++i) {
    std::string text = "document ";
    text += std::to_string(i);
    for (int w = 0; w < 400; ++w) {
      text += " word";
    }
    std::string name = "d";
    name += std::to_string(i);
    documents.push_back({name, text});
  }
  const Concept email = make_concept("email");
  REQUIRE(count(email, documents).positive == 0);
  const auto planted = plant_emails(documents, 7);
  const ConceptCount found = count(email, planted);
  REQUIRE(found.documents == 20);
  REQUIRE(found.positive > 20 * 12);
  const auto again = plant_emails(documents, 7);
  REQUIRE(corpus_digest(planted) == corpus_digest(again));
  REQUIRE(corpus_digest(planted) != corpus_digest(plant_emails(documents, 8)));
  REQUIRE(planted[3].name == documents[3].name);
}
