#include <functional>

#include "assay/certify/envelope.hpp"
#include "catch.hpp"
#include "certify_fixture.hpp"

using namespace assay::certify;
using assay::ExitCode;
using fixture::Case;

// Every byte of a signed certificate, and every field of its claim under the same key. Nothing is verified as a claim that was not signed.

TEST_CASE("no changed byte of an envelope verifies as another payload") {
  Case c;
  c.write();
  const VerifyOptions o = c.options();
  const VerifyResult control = verify(o);
  REQUIRE(control.code == ExitCode::ok);
  const std::string bytes = assay::read_file(c.paths.envelope, kMaxEnvelopeBytes);
  std::size_t tried = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int mask : {1, 0x20}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ mask);
      fixture::put(c.paths.envelope, changed);
      const VerifyResult now = verify(o);
      INFO("byte " << i << ", mask " << mask);
      // A hint or white space may change; what was signed may not.
      const bool same = now.code == ExitCode::ok && now.payload_sha256 == control.payload_sha256;
      CHECK((now.code != ExitCode::ok || same));
      ++tried;
    }
  }
  CHECK(tried == 2 * bytes.size());
  fixture::put(c.paths.envelope, bytes);
  CHECK(verify(o).code == ExitCode::ok);
}

TEST_CASE("no changed field that says what was shown verifies, even under the right key") {
  const auto with = [](const std::function<void(Claim&)>& change) {
    Case c;
    change(c.statement.claims[0]);
    c.write();
    return verify(c.options()).code;
  };
  REQUIRE(with([](Claim&) {}) == ExitCode::ok);
  const std::vector<std::function<void(Claim&)>> changes = {
      [](Claim& x) { x.formal = "feature-off never-on 4 suffix 1 2 3"; },
      [](Claim& x) { x.formal = "feature-off never-on 3 suffix 1 2"; },
      [](Claim& x) { x.status = Status::violated; },
      [](Claim& x) { x.level = Level::observed; },
      [](Claim& x) { x.chain[0].level = Level::observed; },
      [](Claim& x) { x.recheck->statement += " and more"; },
      [](Claim& x) { x.recheck->accepts = "other"; },
      [](Claim& x) { x.recheck->certificate = "bounds.request"; },
      [](Claim& x) { x.recheck.reset(); }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    INFO("change " << i);
    CHECK(with(changes[i]) != ExitCode::ok);
  }
}
