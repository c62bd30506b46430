#include "kernel.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <tuple>
#include <unordered_set>

#include "reject.hpp"
#include "rules.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxCertificate = std::size_t{256} << 20;
constexpr std::size_t kMaxLine = std::size_t{1} << 20;
constexpr std::size_t kMaxLines = 4'000'000;

using Words = std::vector<std::string_view>;
using Print = std::function<void(const std::string&)>;

/// The lines of the certificate, one in memory at a time; knows the number of the current one.
class Lines {
 public:
  explicit Lines(const std::string& path) : in_(path, std::ios::binary), buffer_(kMaxLine + 1) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error || !in_) {
      throw Reject("file", "cannot be read", path);
    }
    if (size > kMaxCertificate) {
      throw Reject("file", "larger than the limit of " + std::to_string(kMaxCertificate) + " bytes",
                   path);
    }
  }

  [[nodiscard]] bool at_end() { return in_.peek() == std::ifstream::traits_type::eof(); }
  [[nodiscard]] std::size_t number() const { return number_; }
  /// The words of the next line, which stays the current one: they last until the next call.
  Words next() {
    ++number_;
    in_.getline(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    const auto read = static_cast<std::size_t>(in_.gcount());
    if (in_.bad() || in_.eof()) {
      throw Reject("lexis", "the file ends inside the certificate");
    }
    if (in_.fail() || number_ > kMaxLines) {
      throw Reject("lexis", "over the limit of line length or lines");
    }
    return split_words({buffer_.data(), read - 1});
  }

 private:
  std::ifstream in_;
  std::vector<char> buffer_;
  std::size_t number_ = 0;
};

/// Header lines in their fixed order; leaves `words` at the first step.
class HeaderReader {
 public:
  HeaderReader(Lines& lines, Words& words) : lines_(lines), words_(words) {}

  Header read() {
    need(2);
    if (words_[0] != "assay-cert" || words_[1] != "1") {
      throw Reject("header", "expected assay-cert 1");
    }
    advance();
    header_.kind = text("kind");
    header_.semantics = text("semantics");
    const bool erasure = header_.kind == "erasure", chain = header_.kind == "chain";
    const bool level = header_.kind == "level";
    if ((header_.kind != "bounds" && header_.kind != "site" && !header_.is_about_runs() &&
         !erasure && !chain) ||
        header_.semantics != (erasure ? "DEPLOYED" : "REAL")) {
      throw Reject("header", "unknown kind, or semantics that do not fit it");
    }
    if (chain || level) {
      (chain ? header_.chain : header_.machine) = parse_sha(text(chain ? "chain" : "machine"));
      header_.statement_sha = parse_sha(text("statement"));
      return std::move(header_);
    }
    if (!erasure || words_[0] == "model") {
      std::tie(header_.config_sha, header_.weights_sha) = pair("model");
    }
    if (words_[0] == "sae") {
      header_.sae = pair("sae");
    }
    read_readouts();
    if (erasure) {
      header_.eraser = pair("eraser");
    }
    if (header_.is_about_runs()) {
      const bool fitted = header_.kind == "automaton";
      (fitted ? header_.automaton : header_.runs) = parse_sha(text(fitted ? "automaton" : "runs"));
    }
    header_.statement_sha = parse_sha(text("statement"));
    return std::move(header_);
  }

 private:
  void need(std::size_t count, std::string_view word = {}) const {
    if (words_.size() != count || (!word.empty() && words_[0] != word)) {
      throw Reject("header", "expected a line of " + std::to_string(count) + " words" +
                                 (word.empty() ? "" : ", " + std::string(word) + " first"));
    }
  }
  void advance() { words_ = lines_.next(); }
  std::string text(std::string_view word) {
    need(2, word);
    std::string value(words_[1]);
    advance();
    return value;
  }
  std::pair<std::string, std::string> pair(std::string_view word) {
    need(3, word);
    std::pair value(parse_sha(words_[1]), parse_sha(words_[2]));
    advance();
    return value;
  }
  void read_readouts() {
    std::string last;
    while (words_[0] == "readout") {
      need(3);
      const std::string id = parse_id(words_[1]);
      if (!(last < id)) {
        throw Reject("header", "readout lines are not sorted and unique");
      }
      header_.readouts.emplace(id, parse_sha(words_[2]));
      last = id;
      advance();
    }
  }

  Lines& lines_;
  Words& words_;
  Header header_;
};

/// Runs the steps one after the other.
class Kernel {
 public:
  explicit Kernel(Session& session) : session_(session), done_(session.claim_count()) {}

  void run(Lines& lines, Words words) {
    while (words[0] != "end" || words.size() != 2) {
      apply(words);
      ++steps_;
      words = lines.next();
    }
    if (parse_nat(words[1]) != steps_) {
      throw Reject("end", "the number of steps is " + std::to_string(steps_));
    }
    if (session_.header().has_cases() && !session_.facts().open.empty()) {
      throw Reject("end", "the lines of " + session_.facts().open + " are not complete");
    }
    if (!lines.at_end()) {
      throw Reject("end", "a line after end");
    }
  }

  /// What is shown of a claim.
  struct Done {
    std::string level, words;
    const std::string* rest = nullptr;
  };
  [[nodiscard]] const std::set<std::string>& rules_used() const { return rules_; }
  [[nodiscard]] const std::vector<Done>& done() const { return done_; }
  [[nodiscard]] std::size_t concluded() const { return concluded_; }

 private:
  void apply(const Words& words) {
    const auto colon = std::find(words.begin(), words.end(), ":");
    if (words.size() < 3 || colon == words.end() || colon < words.begin() + 2) {
      throw Reject("step", "expected ID RULE premises : words");
    }
    const Step step{parse_id(words[0]), words[1], Words(words.begin() + 2, colon),
                    Words(colon + 1, words.end())};
    const Header& header = session_.header();
    const auto is_it = [&](const Rule& r) { return r.name == step.rule && r.is_of(header); };
    const auto rule = std::find_if(kRules.begin(), kRules.end(), is_it);
    if (rule == kRules.end()) {
      throw Reject("step", "no such rule in this kind of certificate");
    }
    // Two ids of one hash are taken for one: then a good certificate is rejected, and never a bad one accepted.
    if (!ids_.insert(std::hash<std::string>{}(step.id)).second) {
      throw Reject("step", "a second step has the id " + step.id);
    }
    const std::optional<std::size_t> claim = session_.claim_place(step.id);
    if (claim.has_value() != rule->concludes) {
      throw Reject("step", "exactly the steps that conclude have the id of a claim");
    }
    if (header.has_cases()) {
      session_.facts().need_block_in_place(step);
    }
    rule->apply(session_, step);
    std::vector<Conclusion> shown = std::exchange(session_.conclusions, {});
    if (shown.size() != (claim ? 1U : 0U) || (claim && shown[0].claim != step.id)) {
      throw Reject("step", "the rule did not conclude");
    }
    if (claim) {
      done_[*claim] = {std::move(shown[0].level), std::move(shown[0].words), shown[0].rest};
      ++concluded_;
      session_.close(*claim);
    }
    rules_.emplace(step.rule);
  }

  Session& session_;
  std::unordered_set<std::size_t> ids_;  ///< hashes
  std::set<std::string> rules_;
  std::vector<Done> done_;  ///< by claim; no level: not shown
  std::size_t steps_ = 0, concluded_ = 0;
};

/// The statement's words for one conclusion, and "not concluded" for the claims left over.
void report(const Session& session, const Kernel& kernel, Outcome& outcome, const Print& print) {
  const bool none = kernel.concluded() == 0, some = kernel.concluded() < session.claim_count();
  const bool bad = none || (some && !session.header().is_about_runs());
  const auto out = [&](const std::string& line) {
    if (print && !bad) {
      print(line);
    } else {
      outcome.lines.push_back(line);
    }
  };
  for (const bool shown : {true, false}) {
    for (std::size_t i = 0; i < session.claim_count(); ++i) {
      const Kernel::Done& done = kernel.done()[i];
      if (done.level.empty() == shown || (shown && bad)) {
        continue;
      }
      out(!shown ? "not concluded " + session.claim_id(i)
                 : "ACCEPT " + session.claim_id(i) + " " + done.level + " " +
                       (done.words.empty() ? session.claim_words(i) : done.words) +
                       (done.rest == nullptr ? "" : *done.rest));
    }
  }
  if (bad) {
    throw Reject("end", none ? "nothing is concluded" : "a claim is not concluded");
  }
  std::string rules;
  for (const std::string& rule : kernel.rules_used()) {
    rules += " " + rule;
  }
  out("accepted " + std::to_string(kernel.concluded()) + " claims, kernel 1, rules" + rules);
}

void decide(const Inputs& inputs, Lines& lines, Outcome& outcome, const Print& print) {
  // volatile: the machine must do it, not the compiler; the ties tell the rounding modes apart
  const volatile double one = 1, next = 1 + 0x1p-52, half = 0x1p-53, smallest = 0x1p-1022;
  if (one + half != 1 || next + half != 1 + 0x1p-51 || !(smallest / 2 > 0)) {
    throw Reject("arithmetic", "the machine does not round to nearest, or drops small numbers");
  }
  Words words = lines.next();
  Header header = HeaderReader(lines, words).read();
  Session session(inputs, std::move(header));
  Kernel kernel(session);
  kernel.run(lines, std::move(words));
  report(session, kernel, outcome, print);
  outcome.accepted = true;  // the only place
}

}  // namespace

Outcome check(const Inputs& inputs, const Print& print) noexcept {
  Outcome outcome;
  std::size_t line = 0;
  try {
    if (inputs.spec.has_value() == inputs.request.has_value()) {
      throw Reject("usage", "expected one statement");
    }
    Lines lines(inputs.certificate);
    try {
      decide(inputs, lines, outcome, print);
      return outcome;
    } catch (...) {
      line = lines.number();
      throw;
    }
  } catch (const Reject& r) {
    outcome.lines.push_back("REJECT " + (r.file().empty() ? inputs.certificate : r.file()) + ":" +
                            std::to_string(r.file().empty() ? line : r.line()) + ": " + r.rule() +
                            ": " + r.reason());
  } catch (const std::exception& e) {
    outcome.lines.push_back("REJECT " + inputs.certificate + ":" + std::to_string(line) +
                            ": internal: " + e.what());
  } catch (...) {
    outcome.lines.push_back("REJECT " + inputs.certificate + ":" + std::to_string(line) +
                            ": internal: unknown exception");
  }
  outcome.lines.back() = one_line(outcome.lines.back());
  outcome.accepted = false;
  return outcome;
}

}  // namespace assay_check
