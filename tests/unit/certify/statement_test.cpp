#include "assay/base/errors.hpp"
#include "assay/certify/exhibits.hpp"
#include "catch.hpp"
#include "certify_fixture.hpp"

using namespace assay::certify;

TEST_CASE("a claim is as strong as its weakest decided link") {
  REQUIRE(chain_level({}) == Level::assumed);
  REQUIRE(chain_level({{"a", Level::assumed}}) == Level::assumed);
  REQUIRE(chain_level({{"a", Level::assumed}, {"b", Level::proved}}) == Level::proved);
  REQUIRE(chain_level({{"a", Level::proved}, {"b", Level::observed}}) == Level::observed);
  REQUIRE(chain_level({{"a", Level::proved}, {"b", Level::statistical}}) == Level::statistical);
}

TEST_CASE("no claim at all is not a pass") {
  REQUIRE(verdict_of({}).result == Status::unknown);
  Claim open = fixture::Case::claim();
  open.status = Status::unknown;
  REQUIRE(verdict_of({fixture::Case::claim(), open}).result == Status::unknown);
  open.status = Status::violated;
  REQUIRE(verdict_of({fixture::Case::claim(), open}).result == Status::violated);
  REQUIRE(verdict_of({fixture::Case::claim()}) == Verdict{Status::holds, 1, 0, 0, 1, 0, 0, 0});
}

TEST_CASE("the payload is the same bytes each time and reads back") {
  fixture::Case c;
  c.statement.tables = {{"erasure", "Erasure", "", {"what", "before"}, {{"probe", "0.9"}}}};
  c.statement.figures = {{"Training", "validation loss", "1.20", "nats"}};
  c.statement.claims[0].defeaters = {{"rounding", "resolved"}};
  const std::string payload = statement_json(c.statement);
  REQUIRE(payload == statement_json(c.statement));
  REQUIRE(payload == statement_json(parse_statement(payload, "payload")));
  REQUIRE(payload.find("null") == std::string::npos);
  REQUIRE(payload.rfind(R"({"_type":"https://in-toto.io/Statement/v1","predicate":{"assumptions")",
                        0) == 0);
  const Statement read = parse_statement(payload, "payload");
  REQUIRE(read.claims.at(0).recheck->inputs.at(1).option == "sae");
  REQUIRE(read.tables.at(0).rows.at(0).at(1) == "0.9");
}

TEST_CASE("a statement that does not hang together is not written") {
  const auto refuses = [](const auto& change) {
    fixture::Case c;
    change(c.statement);
    REQUIRE_THROWS_AS(statement_json(c.statement), assay::InputError);
  };
  refuses([](Statement& s) { s.claims.push_back(s.claims[0]); });
  refuses([](Statement& s) { s.claims[0].evidence = {"nowhere"}; });
  refuses([](Statement& s) { s.claims[0].assumptions = {"A9"}; });
  refuses([](Statement& s) { s.claims[0].recheck->inputs[0].option = "model"; });
  refuses([](Statement& s) { s.claims[0].recheck->inputs[0].name = "../x"; });
  refuses([](Statement& s) { s.claims[0].text = "\xff"; });
  refuses([](Statement& s) { s.evidence[0].name = "../bounds.cert"; });
  refuses([](Statement& s) { s.subject_files.pop_back(); });
  refuses([](Statement& s) { s.tables = {{"t", "", "", {"a", "b"}, {{"1"}}}}; });
}

TEST_CASE("times are seconds in UTC and never the clock's") {
  REQUIRE(utc_time(0) == "1970-01-01T00:00:00Z");
  REQUIRE(utc_time(1801353600) == "2027-01-31T00:00:00Z");
  REQUIRE(parse_utc_time("2027-01-31T00:00:00Z") == 1801353600);
  for (const char* bad : {"", "2027-02-30T00:00:00Z", "2027-01-31 00:00:00Z",
                          "2027-01-31T24:00:00Z", "2027-01-31T00:00:00+00:00"}) {
    REQUIRE_THROWS_AS(parse_utc_time(bad), assay::InputError);
  }
  ::setenv("SOURCE_DATE_EPOCH", "86400", 1);
  REQUIRE(issue_time("") == "1970-01-02T00:00:00Z");
  REQUIRE(issue_time("2027-01-31T00:00:00Z") == "2027-01-31T00:00:00Z");
  ::unsetenv("SOURCE_DATE_EPOCH");
  REQUIRE_FALSE(issue_time("").has_value());
}

TEST_CASE("manifests keep names, order and kind of file") {
  fixture::Folder folder;
  fixture::put(folder.path() / "b", "1");
  fixture::put(folder.path() / "a/x", "2");
  const Manifest manifest = build_manifest(folder.path());
  REQUIRE(manifest.files.at(0).name == "a/x");
  REQUIRE(parse_manifest(manifest.text(), "m").text() == manifest.text());
  REQUIRE(compare_with_directory(manifest, {}, folder.path(), false).empty());

  fixture::put(folder.path() / "pytorch_model.bin", "3");
  REQUIRE(compare_with_directory(manifest, {}, folder.path(), false).size() == 1);
  REQUIRE(compare_with_directory(manifest, {}, folder.path(), true).empty());
  fixture::fs::remove(folder.path() / "pytorch_model.bin");

  fixture::fs::rename(folder.path() / "b", folder.path() / "t");  // swap two names
  fixture::fs::rename(folder.path() / "a/x", folder.path() / "b");
  fixture::fs::rename(folder.path() / "t", folder.path() / "a/x");
  REQUIRE(compare_with_directory(manifest, {}, folder.path(), false).size() == 2);

  fixture::fs::create_symlink("b", folder.path() / "link");
  REQUIRE_THROWS_AS(build_manifest(folder.path()), assay::InputError);
  REQUIRE(compare_with_directory(manifest, {}, folder.path(), true).size() == 3);
}

TEST_CASE("a manifest of another form is refused") {
  const std::string digest(64, 'a');
  for (const std::string& bad :
       {std::string(), digest + "  a", digest + " *a\n", digest + "  ../a\n", digest + "  /a\n",
        digest + "  b\n" + digest + "  a\n", digest + "  a\n" + digest + "  a\n",
        digest + "  A\n" + digest + "  a\n", digest + "  a\n\n", std::string(64, 'A') + "  a\n",
        digest + "  a\\b\n", "\xef\xbb\xbf" + digest + "  a\n"}) {
    REQUIRE_THROWS_AS(parse_manifest(bad, "bad"), assay::InputError);
  }
}

TEST_CASE("exhibits carry hostile token text made visible") {
  const std::string cards = feature_cards_json(
      {{7, "open\n<b>", "mlp", "0.1", {{"\xff", "1"}}, {{"a", std::string("\0b", 2), "c", "2"}}}});
  REQUIRE(parse_feature_cards(cards, "cards").at(0).name == "open\\n<b>");
  REQUIRE(parse_feature_cards(cards, "cards").at(0).top_tokens.at(0).first == "\\xff");
  const Counterexample run{
      "c", "<\x1b", "replayed", {{"\n", "violates here", "2", {{"f", "1.5"}}}}};
  const Counterexample read = parse_counterexample(counterexample_json(run), "run");
  REQUIRE(read.prompt == "<\\x1b");
  REQUIRE(read.steps.at(0).features.at(0).second == "1.5");
  REQUIRE_THROWS_AS(parse_feature_cards(counterexample_json(run), "x"), assay::InputError);
}
