#include <cstdlib>

#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/certify/envelope.hpp"
#include "assay/certify/manifest.hpp"
#include "catch.hpp"
#include "certify_fixture.hpp"

using namespace assay::certify;

// The golden vector: four independent implementations agree on every byte of it.
TEST_CASE("the golden vector, from seed to signature") {
  const PrivateKey key = fixture::golden_key();
  const PublicKey pk = key.public_key();
  REQUIRE(assay::hex_encode({reinterpret_cast<const char*>(pk.bytes().data()), 32}) ==
          "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
  REQUIRE(pk.key_id() == "SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg");

  fixture::Folder folder;
  fixture::put(folder.path() / "model/config.json", "{}\n");
  fixture::put(folder.path() / "model/model.safetensors", "weights\n");
  const std::string manifest = build_manifest(folder.path(), {}).text();
  REQUIRE(manifest ==
          "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356  model/config.json\n"
          "1b465fa6b6bcbc06a3199e3d2d8aec35d37494a712f888b6d5536684dd89d0f0  "
          "model/model.safetensors\n");
  const std::string subject = assay::sha256(manifest).hex();
  REQUIRE(subject == "1848854733eeee90e0e7eef5cac46c96405bc18a40a310650d9e7abb94865b8b");

  const std::string payload =
      R"({"_type":"https://in-toto.io/Statement/v1","predicate":{"schemaVersion":"1.0.0"},)"
      R"("predicateType":"https://example.org/nncert/certificate/v1","subject":[{"digest":)"
      R"({"sha256":")" +
      subject + R"("},"name":"model.sha256"}]})";
  REQUIRE(payload.size() == 264);
  REQUIRE(assay::sha256(payload).hex() ==
          "5cdb02e91c7f29e8605cb3c04e4e91b23b2b2152684632e4d4b6a0c55b942dba");
  const std::string pae = pre_authentication_encoding(kPayloadType, payload);
  REQUIRE(pae.size() == 307);
  REQUIRE(assay::sha256(pae).hex() ==
          "d34b4876f7e34faa43317d62017e6ed0bd4933b3228f56cc625b1b2b13b9841b");
  const std::string json = envelope_json(sign(payload, key));
  REQUIRE(json.find("q6WOOSMDSd3m2GdS1xNKhqaf+Pmm7cEX0yhKtNZ7y000R7CYa5MJjnDxo2aryLvttHO4Pn+"
                    "BvirwQShGF2XADw==") != std::string::npos);
  const Envelope read = parse_envelope(json, "golden");
  REQUIRE(read.payload == payload);
  REQUIRE(signed_by(read, pk));
}

TEST_CASE("the pre-authentication encoding of the DSSE specification") {
  REQUIRE(pre_authentication_encoding("http://example.com/HelloWorld", "hello world") ==
          "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  REQUIRE(pre_authentication_encoding("", "\xc3\xa9") == "DSSEv1 0  2 \xc3\xa9");  // bytes
}

TEST_CASE("keys travel as PEM and are never overwritten") {
  const PrivateKey key = fixture::golden_key();
  // What `openssl pkey` writes for this seed.
  REQUIRE(key.pem() ==
          "-----BEGIN PRIVATE KEY-----\n"
          "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
          "-----END PRIVATE KEY-----\n");
  REQUIRE(parse_private_key(key.pem(), "pem").public_key().bytes() == key.public_key().bytes());
  REQUIRE(parse_public_key(key.public_key().pem(), "pem").bytes() == key.public_key().bytes());

  fixture::Folder folder;
  const auto secret = folder.path() / "private.pem";
  const auto open = folder.path() / "public.pem";
  write_key_pair(key, secret, open);
  struct stat info {};
  REQUIRE(::stat(secret.c_str(), &info) == 0);
  REQUIRE((info.st_mode & 0777U) == 0600);
  REQUIRE_THROWS_AS(write_key_pair(PrivateKey::generate(), secret, folder.path() / "b.pem"),
                    assay::UsageError);
  REQUIRE_FALSE(fixture::fs::exists(folder.path() / "b.pem"));
  REQUIRE(load_signing_key(secret).public_key().bytes() == key.public_key().bytes());

  ::setenv("ASSAY_SIGNING_KEY", key.pem().c_str(), 1);
  REQUIRE(load_signing_key("").public_key().bytes() == key.public_key().bytes());
  ::unsetenv("ASSAY_SIGNING_KEY");
  REQUIRE_THROWS_AS(load_signing_key(""), assay::UsageError);
  for (const char* bad : {"", "x", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n",
                          "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAB\n"
                          "-----END PRIVATE KEY-----\n"}) {
    REQUIRE_THROWS_AS(parse_private_key(bad, "bad"), assay::Error);
  }
}

TEST_CASE("weak public keys are refused") {
  std::array<std::uint8_t, 32> identity{};
  identity[0] = 1;
  REQUIRE_THROWS_AS(PublicKey(identity), assay::Error);  // small order
  REQUIRE_THROWS_AS(PublicKey(std::array<std::uint8_t, 32>{}), assay::Error);
  std::array<std::uint8_t, 32> large{};
  large.fill(0xff);
  large[0] = 0xee;
  large[31] = 0x7f;  // y = p + 1, the identity again, written above p
  REQUIRE_THROWS_AS(PublicKey(large), assay::Error);
}

TEST_CASE("two signers stand in one envelope, one key counts once") {
  Envelope envelope = sign("payload", fixture::golden_key());
  const PrivateKey second = PrivateKey::generate();
  REQUIRE_FALSE(signed_by(envelope, second.public_key()));
  add_signature(envelope, second);
  REQUIRE(signed_by(parse_envelope(envelope_json(envelope), "two"), second.public_key()));
  REQUIRE_THROWS_AS(add_signature(envelope, second), assay::UsageError);
}
