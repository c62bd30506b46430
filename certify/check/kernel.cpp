#include "kernel.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
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
  explicit Kernel(Session& session) : session_(session) {
    const std::vector<std::string> claims = session.claims();
    claims_.insert(claims.begin(), claims.end());
  }

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

  [[nodiscard]] const std::set<std::string>& rules_used() const { return rules_; }

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
    const bool again = last_rule_ != kRules.end() && is_it(*last_rule_);
    const auto rule = again ? last_rule_ : std::find_if(kRules.begin(), kRules.end(), is_it);
    if (rule == kRules.end()) {
      throw Reject("step", "no such rule in this kind of certificate");
    }
    if (!ids_.insert(step.id).second) {
      throw Reject("step", "a second step has the id " + step.id);
    }
    if (claims_.contains(step.id) != rule->concludes) {
      throw Reject("step", "exactly the steps that conclude have the id of a claim");
    }
    if (header.has_cases()) {
      session_.facts().need_block_in_place(step);
    }
    const std::size_t before = session_.conclusions.size();
    rule->apply(session_, step);
    if (session_.conclusions.size() != before + (rule->concludes ? 1 : 0)) {
      throw Reject("step", "the rule did not conclude");
    }
    if (std::exchange(last_rule_, rule) != rule) {
      rules_.emplace(step.rule);
    }
  }

  Session& session_;
  std::set<std::string> claims_, rules_;  ///< claims_: ids
  std::unordered_set<std::string> ids_;
  decltype(kRules)::const_iterator last_rule_ = kRules.end();
  std::size_t steps_ = 0;
};

/// The statement's words for one conclusion, and "not concluded" for the claims left over.
void report(const Session& session, const Kernel& kernel, Outcome& outcome) {
  std::map<std::string_view, const Conclusion*> conclusions;
  for (const Conclusion& c : session.conclusions) {
    conclusions.emplace(c.claim, &c);
  }
  std::vector<std::string> missing;
  for (const std::string& id : session.claims()) {
    const auto found = conclusions.find(id);
    if (found != conclusions.end()) {
      outcome.lines.push_back("ACCEPT " + id + " " + found->second->level + " " +
                              found->second->words);
    } else {
      missing.push_back("not concluded " + id);
    }
  }
  const bool none = session.conclusions.empty();
  if (none || (!missing.empty() && !session.header().is_about_runs())) {
    outcome.lines = missing;
    throw Reject("end", none ? "nothing is concluded" : "a claim is not concluded");
  }
  outcome.lines.insert(outcome.lines.end(), missing.begin(), missing.end());
  std::string rules;
  for (const std::string& rule : kernel.rules_used()) {
    rules += " " + rule;
  }
  outcome.lines.push_back("accepted " + std::to_string(session.conclusions.size()) +
                          " claims, kernel 1, rules" + rules);
}

void decide(const Inputs& inputs, Lines& lines, Outcome& outcome) {
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
  report(session, kernel, outcome);
  outcome.accepted = true;  // the only place
}

}  // namespace

Outcome check(const Inputs& inputs) noexcept {
  Outcome outcome;
  std::size_t line = 0;
  try {
    if (inputs.spec.has_value() == inputs.request.has_value()) {
      throw Reject("usage", "expected one statement");
    }
    Lines lines(inputs.certificate);
    try {
      decide(inputs, lines, outcome);
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
