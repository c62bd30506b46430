#include <filesystem>
#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/model/corpus.hpp"
#include "assay/model/strict_json.hpp"
#include "assay/model/tokenizer.hpp"
#include "catch.hpp"

using namespace assay;
namespace fs = std::filesystem;

TEST_CASE("text over the vocabulary decodes to itself, anything else to the unknown token") {
  const std::string text = "<p class=\"x\">Hello,\n world</p>";
  const Tokenizer tokenizer = Tokenizer::characters(text);
  REQUIRE(tokenizer.decode(tokenizer.encode(text)) == text);
  REQUIRE(tokenizer.decode(tokenizer.encode("p\xC3\xA9Z")) ==
          "p\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  const Tokenizer again = Tokenizer::parse(tokenizer.json(), "tokenizer.json");
  REQUIRE(again.json() == tokenizer.json());
  REQUIRE(again.encode(text) == tokenizer.encode(text));
  REQUIRE(again.size() == tokenizer.size());
  REQUIRE_THROWS_AS(tokenizer.decode({TokenId(tokenizer.size())}), InputError);
}

TEST_CASE("the vocabulary is the most frequent characters, in order of code") {
  const Tokenizer tokenizer = Tokenizer::characters("ccccbbbaad\t\t\t\t\t\t", 4);
  REQUIRE(tokenizer.size() == 4);
  REQUIRE(tokenizer.text(TokenId(0)) == "a");
  REQUIRE(tokenizer.text(TokenId(2)) == "c");
  REQUIRE(tokenizer.text(TokenId(3)) == "\xEF\xBF\xBD");
  REQUIRE_THROWS_AS(Tokenizer::characters("\xC3\xA9"), InputError);
}

TEST_CASE("the byte tokenizer keeps every byte") {
  std::string all;
  for (int b = 0; b < 256; ++b) {
    all += static_cast<char>(b);
  }
  const Tokenizer tokenizer = Tokenizer::parse(Tokenizer::bytes().json(), "t");
  REQUIRE(tokenizer.size() == 256);
  REQUIRE(tokenizer.decode(tokenizer.encode(all)) == all);
}

TEST_CASE("a tokenizer file with holes or repeats is refused") {
  for (const char* bad :
       {"", "[]", "{}", R"({"type":"bpe"})", R"({"type":"char"})", R"({"type":"char","vocab":[]})",
        R"({"type":"char","vocab":["a","?"]})", R"({"type":"char","vocab":["a","?"],"unknown":2})",
        R"({"type":"char","vocab":["a","a","?"],"unknown":2})",
        R"({"type":"char","vocab":["ab","?"],"unknown":1})",
        R"({"type":"char","vocab":["","?"],"unknown":1})",
        R"({"type":"char","vocab":["a",""],"unknown":1})",
        R"({"type":"char","vocab":[7,"?"],"unknown":1})"}) {
    INFO(bad);
    REQUIRE_THROWS_AS(Tokenizer::parse(bad, "tokenizer.json"), InputError);
  }
}

TEST_CASE("JSON is read strictly") {
  REQUIRE(parse_strict_json(R"({"a":[1,-2,0.5,null,true,"x"]})", "f").dump() ==
          R"({"a":[1,-2,0.5,null,true,"x"]})");
  REQUIRE_NOTHROW(parse_strict_json(std::string(64, '[') + std::string(64, ']'), "f"));
  for (const std::string& bad :
       {std::string(R"({"a":1,"a":1})"), std::string(R"({"b":{"a":1,"\u0061":2}})"),
        std::string(65, '[') + std::string(65, ']'), std::string(1'000'000, '['),
        std::string("{} x"), std::string("1 2"), std::string("\xEF\xBB\xBF{}"),
        std::string("{}\0x", 4), std::string("{}\0", 3), std::string("[1e400]"),
        std::string(R"(["\ud800"])"), std::string("[\"\xFF\"]"), std::string("[NaN]"),
        std::string("[1,]"), std::string("[01]"), std::string("// c\n1"), std::string("")}) {
    REQUIRE_THROWS_AS(parse_strict_json(bad, "f"), InputError);
  }
  REQUIRE_FALSE(parse_strict_json("18446744073709551616", "f").is_number_unsigned());
}

TEST_CASE("a corpus is the text files below a directory, in order, links not followed") {
  const fs::path root = fs::temp_directory_path() / "assay_corpus_test";
  fs::remove_all(root);
  fs::create_directories(root / "b");
  write_file_atomic(root / "b" / "two.HTML", "<p>2");
  write_file_atomic(root / "one.txt", "1");
  write_file_atomic(root / "empty.txt", "");
  write_file_atomic(root / "three.html.gz", "zip");
  fs::create_symlink(root / "one.txt", root / "link.txt");
  fs::create_directory_symlink(root, root / "loop");
  const auto documents = load_corpus(root);
  REQUIRE(documents.size() == 2);
  REQUIRE(documents[0].name == "b/two.HTML");
  REQUIRE(documents[1].name == "one.txt");
  REQUIRE(documents[1].text == "1");
  REQUIRE(load_corpus(root / "one.txt").front().name == "one.txt");
  REQUIRE(corpus_digest(documents) ==
          sha256(sha256("<p>2").hex() + "  b/two.HTML\n" + sha256("1").hex() + "  one.txt\n"));
  REQUIRE_THROWS_AS(load_corpus(root / "missing"), InputError);
  REQUIRE_THROWS_AS(load_corpus(root / "empty.txt"), InputError);
  fs::remove_all(root);
}

TEST_CASE("one long file becomes pieces that join to the file") {
  std::string text;
  for (int i = 0; i < 4000; ++i) {
    text += "line " + std::to_string(i) + "\n";
  }
  text += std::string(40000, 'x');  // no line end in sight
  const fs::path path = fs::temp_directory_path() / "assay_corpus_long.txt";
  write_file_atomic(path, text);
  const auto documents = load_corpus(path);
  std::string joined;
  for (const Document& document : documents) {
    REQUIRE(document.text.size() <= 16384);
    joined += document.text;
  }
  REQUIRE(documents.size() >= 8);
  REQUIRE(documents[0].name == "assay_corpus_long.txt#0000001");
  REQUIRE(documents[0].text.back() == '\n');
  REQUIRE(joined == text);
  fs::remove(path);
}

TEST_CASE("documents fall into parts by content, near 70, 10 and 20 percent") {
  std::size_t counts[3] = {};
  for (int i = 0; i < 5000; ++i) {
    ++counts[static_cast<int>(part_of({"x", "document " + std::to_string(i)}))];
  }
  REQUIRE(counts[0] == Approx(3500).margin(150));
  REQUIRE(counts[1] == Approx(500).margin(100));
  REQUIRE(counts[2] == Approx(1000).margin(120));
  REQUIRE(part_of({"a", "same"}) == part_of({"b", "same"}));
}
