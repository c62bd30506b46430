#include <filesystem>
#include <memory>
#include <optional>

#include "assay/certify/keys.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

struct KeyOptions {
  std::string out, file, passphrase, scheme = "ed25519";
};

/// DIR gives DIR/private.pem and DIR/public.pem; NAME.pem gives itself and NAME.pub.pem.
void new_key(const KeyOptions& options, Session& session) {
  const fs::path out = options.out;
  fs::path secret = out;
  fs::path open = out;
  if (out.extension() == ".pem") {
    open.replace_extension(".pub.pem");
  } else {
    std::error_code error;
    fs::create_directories(out, error);
    secret = out / "private.pem";
    open = out / "public.pem";
  }
  const certify::PrivateKey key = certify::PrivateKey::generate(
      options.scheme == "p256" ? certify::KeyScheme::ecdsa_p256 : certify::KeyScheme::ed25519);
  std::optional<std::string> passphrase;
  if (!options.passphrase.empty()) {
    const std::string text = certify::read_secret(options.passphrase);
    passphrase = text.substr(0, text.find('\n'));
    if (passphrase->empty()) {
      throw UsageError("--passphrase: its first line is empty");
    }
  }
  certify::write_key_pair(key, secret, open, passphrase);
  const std::string id = key.public_key().key_id();
  session.finish(ExitCode::ok,
                 "private key  " + secret.string() + "  (keep it; mode 0600, " +
                     (passphrase ? "encrypted)\n" : "not encrypted)\n") + "public key   " +
                     open.string() + "  (give it to whoever verifies)\n" + "key id       " + id,
                 {{"private", secret.string()}, {"public", open.string()}, {"keyid", id}});
}

void show_key(const KeyOptions& options, Session& session) {
  const certify::PublicKey key = certify::load_any_key(options.file, options.passphrase);
  const std::string scheme = certify::scheme_name(key.scheme());
  session.finish(ExitCode::ok, key.key_id() + "\n" + scheme + "\n" + key.pem(),
                 {{"keyid", key.key_id()}, {"scheme", scheme}, {"public", key.pem()}});
}

}  // namespace

void add_key(CLI::App& app, Session& session) {
  const auto options = std::make_shared<KeyOptions>();
  CLI::App* key = app.add_subcommand("key", "Make and show signing keys: Ed25519 or ECDSA P-256");
  key->require_subcommand(1);
  CLI::App* make = key->add_subcommand("new", "Make a key pair; never overwrites a key");
  make->add_option("--out", options->out, "A folder, or the private key's file NAME.pem")
      ->required();
  make->add_option("--scheme", options->scheme, "ed25519 (default) or p256")
      ->check(CLI::IsMember({"ed25519", "p256"}));
  make->add_option("--passphrase", options->passphrase,
                   "Encrypt the private key with the first line of a file, env:NAME or fd:N");
  make->callback([options, &session] { new_key(*options, session); });
  CLI::App* show = key->add_subcommand("show", "Print the key id and the public key of a PEM file");
  show->add_option("FILE", options->file, "Public or private key: a PEM file, env:NAME or fd:N")
      ->required();
  show->add_option("--passphrase", options->passphrase,
                   "Of an encrypted key: a file, env:NAME or fd:N; default: ASSAY_KEY_PASSPHRASE");
  show->callback([options, &session] { show_key(*options, session); });
}

}  // namespace assay::cli
