#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "assay/base/files.hpp"
#include "assay/certify/bundle.hpp"
#include "assay/certify/verify.hpp"

/// A small signed certificate on disk, with a script that plays the checker.
namespace assay::certify::fixture {

namespace fs = std::filesystem;

/// The seed 00 01 … 1f of the golden vector.
inline PrivateKey golden_key() {
  std::array<std::uint8_t, 32> seed{};
  for (std::size_t i = 0; i < seed.size(); ++i) {
    seed[i] = static_cast<std::uint8_t>(i);
  }
  return PrivateKey(seed);
}

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "assay-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline void put(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

inline void put_script(const fs::path& file, const std::string& text) {
  put(file, text);
  ::chmod(file.c_str(), 0755);
}

/// DIR/model, DIR/key.pem, DIR/assay-check (a script), DIR/out with the bundle "m".
struct Case {
  Folder folder;
  BundlePaths paths = bundle_paths(folder.path() / "out", "m");
  Statement statement;

  Case() {
    const fs::path root = folder.path();
    put(root / "model/config.json", "{}\n");
    put(root / "model/model.safetensors", "weights\n");
    put(root / "model/tokenizer.json", "{\"a\":0}\n");
    put(root / "model/training.json", "{}\n");
    put(root / "key.pem", golden_key().public_key().pem());
    put_script(root / "assay-check",
               "#!/bin/sh\n[ -f \"$1\" ] || exit 2\n"
               "echo 'ACCEPT never-on PROVED feature 3 is off after suffix 1 2 3'\n"
               "echo 'accepted 1 claims, kernel 0 lines'\n");
    set_subject(statement, "m", root / "model");
    statement.certificate = {"m",
                             "1",
                             "pkg:generic/test/m",
                             "One test model.",
                             "2026-01-31T00:00:00Z",
                             "",
                             "2027-01-31T00:00:00Z",
                             0,
                             ""};
    statement.environment = {{"toolVersion", "0.1.0"}};
    const std::string weights = sha256("weights\n").hex();
    add_evidence(statement, paths, "bounds.cert", "proof",
                 "assay-cert 1\nkind bounds\nmodel " + sha256("{}\n").hex() + " " + weights +
                     "\nnever-on FEATURE-OFF s0 : 0x1p+0\nend 1\n");
    add_evidence(statement, paths, "bounds.request", "request",
                 "assay-request 1\nfeature-off never-on 3 suffix 1 2 3\nend\n");
    add_evidence(statement, paths, "sae/cfg.json", "sae", "{}\n");
    statement.claims.push_back(claim());
    statement.assumptions = {{"A1", "The tokenizer is the listed one.", "scope", "it is not"}};
    statement.not_claimed = {"Nothing is said about other models."};
  }

  static Claim claim() {
    Claim c;
    c.id = "never-on";
    c.kind = "feature-off";
    c.formal = "feature-off never-on 3 suffix 1 2 3";
    c.text = "Feature 3 is never on after the tokens 1 2 3.";
    c.status = Status::holds;
    c.level = Level::proved;
    c.chain = {{"ATTN-MAX bound over all contexts", Level::proved}};
    c.domain = "every context that ends in 1 2 3";
    c.bound = "-0x1p-2";
    c.threshold = "0x0p+0";
    c.attack = "-0x1p-1";
    c.unit = "pre-activation";
    c.evidence = {"bounds.cert", "bounds.request", "sae/cfg.json"};
    c.recheck = Recheck{"bounds.cert",
                        {{"request", "bounds.request"}, {"sae", "sae"}},
                        "never-on",
                        "feature 3 is off after suffix 1 2 3"};
    c.assumptions = {"A1"};
    return c;
  }

  void write() { (void)write_bundle(statement, paths, golden_key()); }

  [[nodiscard]] VerifyOptions options() const {
    VerifyOptions o;
    o.certificate = paths.envelope;
    o.model_dir = folder.path() / "model";
    o.key_file = folder.path() / "key.pem";
    o.checker = folder.path() / "assay-check";
    o.at = "2026-06-01T00:00:00Z";
    o.timeout_seconds = 5;
    return o;
  }
};

}  // namespace assay::certify::fixture
