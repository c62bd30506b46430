#include <filesystem>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/envelope.hpp"
#include "assay/certify/revocation.hpp"
#include "assay/certify/sigstore.hpp"
#include "assay/certify/statement.hpp"
#include "release.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

struct SignOptions {
  std::string certificate, key, passphrase, out, list;
  bool bundles = false;
};

/// What a signer puts a name to: type, subject, verdict.
std::string what_is_signed(const certify::Envelope& envelope, const std::string& file) {
  try {
    const certify::Statement s = certify::parse_statement(envelope.payload, file);
    const certify::Verdict v = certify::verdict_of(s.claims);
    return visible(s.certificate.name) + ", serial " + visible(s.certificate.serial) + ": " +
           std::to_string(v.holds) + " claims hold, " + std::to_string(v.violated) + " violated, " +
           std::to_string(v.unknown) + " unknown";
  } catch (const InputError&) {
    return "a statement of another type";
  }
}

std::vector<std::string> write_bundles(const certify::Envelope& envelope, const fs::path& file) {
  std::vector<std::string> written;
  const std::string name = file.filename().string();
  const std::string stem = name.substr(0, name.find(".cert.dsse.json"));
  for (std::size_t i = 0; i < envelope.signatures.size(); ++i) {
    const certify::SigstoreBundle bundle = certify::sigstore_bundle(envelope, i);
    const fs::path out = file.parent_path() / (stem + "." + bundle.fingerprint8 + ".sigstore.json");
    write_file_atomic(out, bundle.json);
    written.push_back(out.string());
  }
  return written;
}

void sign_certificate(const SignOptions& options, Session& session) {
  const fs::path file = options.certificate;
  certify::Envelope envelope =
      certify::parse_envelope(read_file(file, certify::kMaxEnvelopeBytes), file.string());
  if (envelope.payload_type != certify::kPayloadType) {
    throw InputError(file.string(), "payloadType", certify::kPayloadType,
                     visible(envelope.payload_type));
  }
  const certify::PrivateKey key = certify::load_signing_key(options.key, options.passphrase);
  certify::add_signature(envelope, key);
  const fs::path out = options.out.empty() ? file : fs::path(options.out);
  write_file_atomic(out, certify::envelope_json(envelope));
  std::vector<std::string> bundles;
  if (options.bundles) {
    bundles = write_bundles(envelope, out);
  }
  const std::string id = key.public_key().key_id();
  std::string text = "signed by " + id + ": " + what_is_signed(envelope, file.string()) + "\n" +
                     out.string() + ": " + std::to_string(envelope.signatures.size()) +
                     " signatures";
  for (const std::string& bundle : bundles) {
    text += "\n" + bundle;
  }
  session.finish(ExitCode::ok, text,
                 {{"certificate", out.string()},
                  {"keyid", id},
                  {"signatures", envelope.signatures.size()},
                  {"bundles", bundles}});
}

/// A revocation list, or a further signature on one.
void sign_list(const SignOptions& options, Session& session) {
  const certify::RevocationList list =
      certify::parse_revocation_list(read_file(options.list, std::size_t{16} << 20U), options.list);
  const certify::PrivateKey key = certify::load_signing_key(options.key, options.passphrase);
  const certify::Envelope envelope = certify::sign(certify::revocation_statement(list), key);
  write_file_atomic(options.out, certify::envelope_json(envelope));
  session.finish(
      ExitCode::ok,
      options.out + ": list " + std::to_string(list.sequence) + ", " +
          std::to_string(list.entries.size()) + " entries, in force until " + list.next_update,
      {{"list", options.out}, {"sequence", list.sequence}, {"keyid", key.public_key().key_id()}});
}

void add_key_options(CLI::App& sub, SignOptions& options) {
  sub.add_option(
      "--key", options.key,
      "Private key: a PEM file, env:NAME or fd:N; default: the text in ASSAY_SIGNING_KEY");
  sub.add_option("--passphrase", options.passphrase,
                 "Of an encrypted key: a file, env:NAME or fd:N; default: ASSAY_KEY_PASSPHRASE");
}

}  // namespace

void add_sign(CLI::App& app, Session& session) {
  const auto options = std::make_shared<SignOptions>();
  CLI::App* sub = app.add_subcommand(
      "sign", "Add a signature to a certificate (or to any envelope); see `assay verify --trust`");
  sub->add_option("CERT", options->certificate, "NAME.cert.dsse.json")->required();
  add_key_options(*sub, *options);
  sub->add_option("--out", options->out, "Where to write it; default: CERT itself");
  sub->add_flag("--bundles", options->bundles,
                "Also one Sigstore bundle a signature, NAME.<fp8>.sigstore.json");
  sub->callback([options, &session] { sign_certificate(*options, session); });
  const auto revoke = std::make_shared<SignOptions>();
  CLI::App* list = app.add_subcommand("revoke", "Sign a revocation list (docs/gate.md)");
  list->add_option("LIST", revoke->list, "The list, JSON")->required();
  add_key_options(*list, *revoke);
  list->add_option("--out", revoke->out, "The signed list to write")->required();
  list->callback([revoke, &session] { sign_list(*revoke, session); });
}

}  // namespace assay::cli
