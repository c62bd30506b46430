#include "print_pdf.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/statement.hpp"

extern char** environ;

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kSeconds = 120;
constexpr std::size_t kMaxPdfBytes = std::size_t{256} << 20;

class PrivateFolder {
 public:
  PrivateFolder() {
    std::string pattern = (fs::temp_directory_path() / "assay-pdf-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw Error(ExitCode::internal, "no temporary folder can be made");
    }
    path_ = pattern;
  }
  ~PrivateFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

fs::path chromium() {
  if (const char* named = std::getenv("ASSAY_CHROMIUM"); named != nullptr && *named != '\0') {
    return named;
  }
  const char* path = std::getenv("PATH");
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
    for (const std::string& folder : split(path == nullptr ? "" : path, ':')) {
      const fs::path file = fs::path(folder) / name;
      if (::access(file.c_str(), X_OK) == 0) {
        return file;
      }
    }
  }
  throw UsageError(
      "report: a PDF is printed by Chromium, and none is on PATH (chromium, chromium-browser, "
      "google-chrome; or name one in "
      "ASSAY_CHROMIUM); write .html and print it");
}

/// Without a shell, silent, killed when it takes too long; true when it ended well.
bool run_silently(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return false;
  }
  int status = 0;
  for (int tenths = 0; tenths < 10 * kSeconds; ++tenths) {
    const pid_t done = waitpid(child, &status, WNOHANG);
    if (done == child) {
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    if (done < 0 && errno != EINTR) {
      return false;
    }
    ::usleep(100000);
  }
  ::kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return false;
}

/// "D:20261125152554+00'00'" from the certificate's "2026-11-25T15:25:54Z", or a fixed day.
std::string pdf_date(const std::string& issued_at) {
  std::string digits;
  for (const char c : issued_at) {
    if (c >= '0' && c <= '9') {
      digits += c;
    }
  }
  return "D:" + (digits.size() == 14 ? digits : "19700101000000") + "+00'00'";
}

/// The printer's own clock out of the file, so that the same certificate gives the same bytes.
void set_dates(std::string& pdf, const std::string& date) {
  for (const std::string key : {"/CreationDate (", "/ModDate ("}) {
    const std::size_t at = pdf.find(key);
    if (at != std::string::npos && pdf.find(')', at) == at + key.size() + date.size()) {
      pdf.replace(at + key.size(), date.size(), date);
    }
  }
}

}  // namespace

std::string print_pdf(const std::string& html, const report::ReportInput& input) {
  const fs::path program = chromium();
  const PrivateFolder folder;
  const fs::path page = folder.path() / "report.html", out = folder.path() / "report.pdf";
  write_file_atomic(page, html);
  std::vector<std::string> arguments = {program.string(),
                                        "--headless",
                                        "--disable-gpu",
                                        "--no-first-run",
                                        "--disable-background-networking",
                                        "--disable-component-update",
                                        "--disable-sync",
                                        "--disable-quic",
                                        "--no-pdf-header-footer",
                                        "--user-data-dir=" + (folder.path() / "profile").string(),
                                        "--print-to-pdf=" + out.string(),
                                        "file://" + page.string()};
  if (::geteuid() == 0) {
    arguments.insert(
        arguments.begin() + 1,
        "--no-sandbox");  // Chromium refuses to run as root with it; the page has no script
  }
  if (!run_silently(arguments) || !fs::exists(out)) {
    throw UsageError("report: " + program.string() + " printed no PDF; write .html and print it");
  }
  std::string pdf = read_file(out, kMaxPdfBytes);
  set_dates(pdf,
            pdf_date(certify::parse_statement(input.payload, "payload").certificate.issued_at));
  return pdf;
}

}  // namespace assay::cli
