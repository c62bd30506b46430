#include <algorithm>
#include <functional>

#include "assay/base/errors.hpp"
#include "catch.hpp"
#include "certify_fixture.hpp"

using namespace assay::certify;
using assay::ExitCode;
using assay::sha256;
using fixture::Case;
using fixture::put;

namespace {

using Change = std::function<void(Case&)>;

/// Exit code of verifying a certificate after `before` (signed) and `after` (tampering).
ExitCode code_of(const Change& before, const Change& after,
                 const std::function<void(VerifyOptions&)>& set = {}) {
  Case c;
  before(c);
  c.write();
  after(c);
  VerifyOptions options = c.options();
  if (set) {
    set(options);
  }
  const VerifyResult result = verify(options);
  CAPTURE(result.findings.empty() ? "" : result.findings.front().text);
  REQUIRE((result.code == ExitCode::ok) == result.findings.empty());
  return result.code;
}

const Change nothing = [](Case&) {};

ExitCode tampered(const Change& after) {
  return code_of(nothing, after);
}
ExitCode resigned(const Change& before) {
  return code_of(before, nothing);
}

/// Replaces text in the envelope file.
Change edit(const std::string& from, const std::string& to) {
  return [=](Case& c) {
    std::string text = assay::read_file(c.paths.envelope);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    put(c.paths.envelope, text.replace(at, from.size(), to));
  };
}

/// Signs other payload bytes with the right key.
Change resign(const std::function<std::string(std::string)>& change) {
  return [=](Case& c) {
    const Envelope old = parse_envelope(assay::read_file(c.paths.envelope), "old");
    put(c.paths.envelope, envelope_json(sign(change(old.payload), fixture::golden_key())));
  };
}

std::function<std::string(std::string)> replace(const std::string& from, const std::string& to) {
  return [=](std::string text) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
}

}  // namespace

TEST_CASE("the untouched control is accepted, with every step said") {
  Case c;
  c.write();
  const VerifyResult result = verify(c.options());
  REQUIRE(result.code == ExitCode::ok);
  REQUIRE(result.findings.empty());
  REQUIRE(result.rechecked == 1);
  REQUIRE(result.signer() == fixture::golden_key().public_key().key_id());
  REQUIRE(result.steps.size() == 6);
  REQUIRE(result.statement->claims.size() == 1);
}

TEST_CASE("tampered envelopes") {
  REQUIRE(tampered(edit("\"payload\":\"eyJ", "\"payload\":\"eyK")) == ExitCode::signature);
  REQUIRE(tampered(edit("in-toto+json", "in-toto+yaml")) == ExitCode::signature);
  REQUIRE(tampered(edit("\"payload\":", "\"payload\":\"eyJ9\",\"payload\":")) ==
          ExitCode::malformed);
  REQUIRE(tampered(edit("\"sig\":\"", "\"sig\":\" ")) == ExitCode::malformed);
  REQUIRE(tampered(edit("\"payload\":\"e", "\"payload\":\"")) == ExitCode::malformed);
  REQUIRE(tampered(edit("\"signatures\":[", "\"signatures\":[],\"x\":[")) == ExitCode::malformed);
  REQUIRE(tampered(edit("\"keyid\":\"SHA256", "\"keyid\":\"sha256")) ==
          ExitCode::ok);  // a hint only
  REQUIRE(tampered(edit("{\"payload\"", "{\"unknown\":1,\"payload\"")) == ExitCode::ok);
  REQUIRE(tampered([](Case& c) { put(c.paths.envelope, ""); }) == ExitCode::malformed);
  REQUIRE(tampered([](Case& c) { assay::certify::fixture::fs::remove(c.paths.envelope); }) ==
          ExitCode::malformed);
  const std::string deep(200, '[');
  REQUIRE(tampered([&](Case& c) { put(c.paths.envelope, deep); }) == ExitCode::malformed);
}

TEST_CASE("keys that do not count") {
  REQUIRE(tampered([](Case& c) {
            put(c.folder.path() / "key.pem", PrivateKey::generate().public_key().pem());
          }) == ExitCode::signature);
  // The identity point: an all-zero signature under it verifies anything in careless code.
  REQUIRE(tampered([](Case& c) {
            put(c.folder.path() / "key.pem",
                "-----BEGIN PUBLIC KEY-----\n"
                "MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                "-----END PUBLIC KEY-----\n");
          }) == ExitCode::signature);
  REQUIRE(tampered([](Case& c) { put(c.folder.path() / "key.pem", "no key"); }) ==
          ExitCode::signature);
  // S + L is the same signature to a verifier that does not look at the range of S.
  REQUIRE(tampered([](Case& c) {
            static constexpr std::array<unsigned, 32> kOrder = {
                0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
            Envelope e = parse_envelope(assay::read_file(c.paths.envelope), "e");
            unsigned carry = 0;
            for (std::size_t i = 0; i < kOrder.size(); ++i) {
              const unsigned sum =
                  static_cast<unsigned char>(e.signatures[0].bytes[32 + i]) + kOrder[i] + carry;
              e.signatures[0].bytes[32 + i] = static_cast<char>(sum & 0xffU);
              carry = sum >> 8U;
            }
            put(c.paths.envelope, envelope_json(e));
          }) == ExitCode::signature);
}

TEST_CASE("without a key everything else is checked and the signer stays unknown") {
  const auto no_key = [](VerifyOptions& o) { o.key_file.clear(); };
  REQUIRE(code_of(nothing, nothing, no_key) == ExitCode::signature);
  Case c;
  c.write();
  put(c.folder.path() / "out/public.pem", fixture::golden_key().public_key().pem());
  VerifyOptions options = c.options();
  options.key_file.clear();
  VerifyResult result = verify(options);
  REQUIRE(result.findings.size() == 1);
  REQUIRE(result.rechecked == 1);
  put(c.paths.evidence / "bounds.cert", "x");
  result = verify(options);
  REQUIRE(result.findings.size() == 2);  // still reported, though 4 goes before 8
  REQUIRE(result.code == ExitCode::signature);
}

TEST_CASE("payloads that are signed and still refused") {
  const auto bad = [](const std::string& from, const std::string& to) {
    return code_of(nothing, resign(replace(from, to)));
  };
  REQUIRE(code_of(nothing, resign([](std::string s) { return s; })) == ExitCode::ok);
  REQUIRE(bad("\"subject\":[{", "\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"" +
                                    std::string(64, 'a') + "\"}},{") == ExitCode::malformed);
  REQUIRE(bad("{\"_type\"", "{\"_type\":\"x\",\"_type\"") == ExitCode::malformed);
  REQUIRE(bad("{\"_type\"", "{\"extra\":1,\"_type\"") == ExitCode::malformed);
  REQUIRE(bad("\"schemaVersion\":\"1.0.0\"", "\"schemaVersion\":\"1.0.0\",\"new\":1.5") ==
          ExitCode::malformed);
  REQUIRE(bad("\"schemaVersion\":\"1.0.0\"",
              "\"schemaVersion\":\"1.0.0\",\"new\":9007199254740993") == ExitCode::malformed);
  REQUIRE(bad("\"schemaVersion\":\"1.0.0\"", "\"schemaVersion\":\"1.0.0\",\"new\":null") ==
          ExitCode::malformed);
  REQUIRE(bad("\"schemaVersion\":\"1.0.0\"", "\"schemaVersion\":\"1.0.0\",\"new\":\"\\ud800\"") ==
          ExitCode::malformed);
  REQUIRE(bad("\"schemaVersion\":\"1.0.0\"", "\"schemaVersion\":\"1.0.0\",\"new\":[1,{}]") ==
          ExitCode::ok);  // consumers ignore unknown predicate fields
  REQUIRE(bad("\"schemaVersion\":\"1.0.0\"", "\"schemaVersion\":\"2.0.0\"") == ExitCode::malformed);
  REQUIRE(bad("Statement/v1", "Statement/v2") == ExitCode::malformed);
  REQUIRE(bad("nn-certificate/v1", "nn-certificate/v2") == ExitCode::malformed);
  REQUIRE(bad("\"result\":\"HOLDS\"", "\"result\":\"VIOLATED\"") == ExitCode::malformed);
  REQUIRE(code_of(nothing, resign([](const std::string& s) { return "\xef\xbb\xbf" + s; })) ==
          ExitCode::malformed);
  REQUIRE(code_of(nothing, resign([](const std::string& s) { return s + "{}"; })) ==
          ExitCode::malformed);
}

TEST_CASE("files that are not the ones that were signed") {
  const auto in_model = [](const std::string& name, const std::string& text) {
    return [=](Case& c) { put(c.folder.path() / "model" / name, text); };
  };
  REQUIRE(tampered(in_model("model.safetensors", "weighte\n")) == ExitCode::artifact);
  REQUIRE(tampered(in_model("extra.py", "")) == ExitCode::artifact);
  REQUIRE(tampered(in_model("metrics.jsonl", "excluded")) == ExitCode::ok);
  REQUIRE(code_of(nothing, in_model("extra.py", ""),
                  [](VerifyOptions& o) { o.allow_extra = true; }) == ExitCode::ok);
  REQUIRE(tampered([](Case& c) {
            namespace fs = fixture::fs;
            const fs::path model = c.folder.path() / "model";
            fs::rename(model / "config.json", model / "t");
            fs::rename(model / "tokenizer.json", model / "config.json");
            fs::rename(model / "t", model / "tokenizer.json");
          }) == ExitCode::artifact);
  REQUIRE(tampered([](Case& c) {
            namespace fs = fixture::fs;
            const fs::path model = c.folder.path() / "model";
            fs::rename(model / "config.json", c.folder.path() / "moved");
            fs::create_symlink(c.folder.path() / "moved", model / "config.json");
          }) == ExitCode::artifact);
  REQUIRE(tampered([](Case& c) { put(c.paths.manifest, "x"); }) == ExitCode::artifact);
}

TEST_CASE("times") {
  const auto at = [](const std::string& time) {
    return code_of(nothing, nothing, [=](VerifyOptions& o) { o.at = time; });
  };
  REQUIRE(at("2027-01-31T00:00:00Z") == ExitCode::ok);
  REQUIRE(at("2027-01-31T00:00:01Z") == ExitCode::expired);
  REQUIRE(at("2026-01-30T23:59:59Z") == ExitCode::expired);
  REQUIRE(at("tomorrow") == ExitCode::malformed);
}

TEST_CASE("evidence that is missing, altered or does not say what is claimed") {
  REQUIRE(tampered([](Case& c) { fixture::fs::remove(c.paths.evidence / "sae/cfg.json"); }) ==
          ExitCode::evidence);
  REQUIRE(tampered([](Case& c) {
            put(c.paths.evidence / "bounds.request", "assay-request 2\nend\n");
          }) == ExitCode::evidence);
  REQUIRE(tampered([](Case& c) {
            fixture::put_script(c.folder.path() / "assay-check",
                                "#!/bin/sh\necho REJECT x\nexit 1\n");
          }) == ExitCode::evidence);
  REQUIRE(tampered([](Case& c) { fixture::fs::remove(c.folder.path() / "assay-check"); }) ==
          ExitCode::evidence);
  const auto says = [](const std::string& line) {
    return tampered([=](Case& c) {
      fixture::put_script(c.folder.path() / "assay-check", "#!/bin/sh\necho '" + line + "'\n");
    });
  };
  const std::string words = "feature 3 is off after suffix 1 2 3";
  REQUIRE(says("ACCEPT never-on PROVED " + words) == ExitCode::ok);
  REQUIRE(says("ACCEPT other PROVED " + words) == ExitCode::evidence);
  REQUIRE(says("ACCEPT never-on OBSERVED " + words) == ExitCode::evidence);
  REQUIRE(says("ACCEPT never-on PROVED feature 4 is off after suffix 1 2 3") == ExitCode::evidence);
  REQUIRE(says("ACCEPT never-on SURE " + words) == ExitCode::evidence);
  REQUIRE(says("") == ExitCode::evidence);
}

TEST_CASE("the checker runs on exactly the files named, and not for ever") {
  Case c;
  fixture::put_script(
      c.folder.path() / "assay-check",
      "#!/bin/sh\ncd \"$(dirname \"$1\")\"\n[ \"$(find . -type f | sort | tr '\\n' ' ')\" = "
      "'./bounds.cert ./bounds.request ./sae/cfg.json ' ] || exit 1\n"
      "[ \"$4 $6\" = \"--request --sae\" ] || exit 1\n"
      "echo 'ACCEPT never-on PROVED feature 3 is off after suffix 1 2 3'\n");
  c.write();
  put(c.paths.evidence / "not-named", "x");
  REQUIRE(verify(c.options()).code == ExitCode::ok);
  fixture::put_script(c.folder.path() / "assay-check", "#!/bin/sh\nexec sleep 30\n");
  VerifyOptions options = c.options();
  options.timeout_seconds = 1;
  REQUIRE(verify(options).code == ExitCode::evidence);
}

TEST_CASE("levels and verdicts that the evidence does not carry, signed with the right key") {
  const auto claim = [](const std::function<void(Claim&)>& change) {
    return resigned([&](Case& c) { change(c.statement.claims[0]); });
  };
  REQUIRE(claim([](Claim& c) {
            c.chain.push_back({"fitted to samples", Level::observed});
          }) == ExitCode::evidence);
  REQUIRE(claim([](Claim& c) { c.chain.clear(); }) == ExitCode::evidence);
  REQUIRE(claim([](Claim& c) { c.recheck.reset(); }) == ExitCode::evidence);
  REQUIRE(claim([](Claim& c) { c.evidence.clear(); }) == ExitCode::evidence);
  REQUIRE(claim([](Claim& c) { c.status = Status::violated; }) == ExitCode::evidence);
  REQUIRE(claim([](Claim& c) { c.recheck->accepts = "elsewhere"; }) == ExitCode::evidence);
  for (const char* formal :
       {"feature-off never-on 4 suffix 1 2 3", "feature-off never-on 3 suffix 1 2", "", "end",
        "feature-off never-on 3 suffix 1 2 3 "}) {
    CAPTURE(formal);
    REQUIRE(claim([&](Claim& c) { c.formal = formal; }) == ExitCode::evidence);
  }
  REQUIRE(claim([](Claim& c) { c.kind = "token-out"; }) == ExitCode::evidence);
  REQUIRE(claim([](Claim& c) {
            c.level = Level::observed;
            c.chain[0].level = Level::observed;
          }) == ExitCode::ok);    // less than the checker accepted
  REQUIRE(resigned([](Case& c) {  // a proof about another model
            c.statement.evidence.erase(c.statement.evidence.begin());
            add_evidence(c.statement, c.paths, "bounds.cert", "proof",
                         "assay-cert 1\nkind bounds\nmodel " + std::string(64, 'a') + " " +
                             std::string(64, 'b') + "\nnever-on FEATURE-OFF s0 : 0x1p+0\nend 1\n");
          }) == ExitCode::evidence);
}

TEST_CASE("a claim that is called like a header line is still compared with its own step") {
  const auto named = [](const std::string& id, const std::string& rule, Status status,
                        const std::string& formal = "all G(a)") {
    return resigned([&](Case& c) {
      fixture::put_script(
          c.folder.path() / "assay-check",
          "#!/bin/sh\necho 'ACCEPT " + id + " PROVED what the run shows: all G ( a )'\n");
      c.statement.evidence.erase(c.statement.evidence.begin());
      add_evidence(c.statement, c.paths, "bounds.cert", "proof",
                   "assay-cert 1\nkind automaton\nsemantics REAL\nmodel " + sha256("{}\n").hex() +
                       " " + sha256("weights\n").hex() + "\nautomaton " + std::string(64, 'a') +
                       "\nstatement " + std::string(64, 'b') + "\n" + id + " " + rule +
                       " : P 1 N 2\nend 1\n");
      c.statement.claims[0].status = status;
      c.statement.claims[0].recheck->accepts = id;
      c.statement.claims[0].formal = formal;
      c.statement.claims[0].recheck->statement = "what the run shows: all G ( a )";
    });
  };
  for (const char* id : {"plain", "kind", "semantics", "model", "automaton", "statement", "end"}) {
    CAPTURE(id);
    REQUIRE(named(id, "WITNESS", Status::violated) == ExitCode::ok);
    REQUIRE(named(id, "WITNESS", Status::holds) == ExitCode::evidence);
    REQUIRE(named(id, "FEATURE-OFF", Status::holds) == ExitCode::ok);
    REQUIRE(named(id, "FEATURE-OFF", Status::violated) == ExitCode::evidence);
    REQUIRE(named(id, "WITNESS", Status::violated, "all G(b)") == ExitCode::evidence);
  }
}

TEST_CASE("a certificate of which nothing is re-checked is inconclusive, never 0") {
  REQUIRE(resigned([](Case& c) { c.statement.claims.clear(); }) == ExitCode::unknown);
  REQUIRE(resigned([](Case& c) { c.statement.claims[0].status = Status::unknown; }) ==
          ExitCode::unknown);
  REQUIRE(resigned([](Case& c) {
            Claim& claim = c.statement.claims[0];
            claim.recheck.reset();
            claim.level = claim.chain[0].level = Level::observed;
          }) == ExitCode::unknown);
  REQUIRE(resigned([](Case& c) {  // beside a claim that is re-checked they may stand
            Claim other = c.statement.claims[0];
            other.id = "seen";
            other.recheck.reset();
            other.level = other.chain[0].level = Level::observed;
            c.statement.claims.push_back(other);
          }) == ExitCode::ok);
}

TEST_CASE("what a certificate leaves out of the comparison is said") {
  Case c;
  c.statement.exclusions.emplace_back("*.py");
  put(c.folder.path() / "model/exec.py", "");
  c.statement.exclusions.emplace_back("exec*");
  c.write();
  const VerifyResult result = verify(c.options());
  REQUIRE(result.code == ExitCode::ok);
  REQUIRE(std::any_of(result.steps.begin(), result.steps.end(), [](const std::string& s) {
    return s.find("not looked at:") != std::string::npos && s.find("'exec*'") != std::string::npos;
  }));
}
