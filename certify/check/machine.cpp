#include "machine.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "lexis.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxStates = 1'000'000, kMaxEdges = 5'000'000, kMaxAps = 64;
constexpr std::size_t kMaxDepth = 200, kMaxPasses = 1000;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) { take(); }
  [[nodiscard]] std::size_t line() const { return line_; }

  Machine read() {
    expect("HOA:");
    expect("v1");
    std::optional<std::size_t> states;
    while (word_ != "--BODY--") {
      header(states);
    }
    take();
    if (!states || *states > kMaxStates) {
      no("expected States: of at most 1000000");
    }
    machine_.edges.resize(*states);
    for (const std::size_t s : machine_.start) {
      need_state(s);
    }
    listed_.resize(*states);
    while (word_ == "State:") {
      state();
    }
    if (word_ != "--END--") {
      no("expected State: or --END--");
    }
    take();
    if (!word_.empty() || machine_.start.empty() || machine_.start[0] >= *states) {
      no("expected a start state, and nothing after --END--");
    }
    mark_ways_on();
    return std::move(machine_);
  }

 private:
  [[noreturn]] static void no(const std::string& reason) { throw Reject("machine", reason); }

  /// The next word: a string with its quotes, a word with its colon, a number or one sign.
  void take() {
    skip();
    std::size_t end = at_;
    const auto is_word = [&] {
      const char c = text_[end];
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-' || c == '@';
    };
    if (at_ < text_.size() && text_[at_] == '"') {
      for (end = at_ + 1; end < text_.size() && text_[end] != '"'; ++end) {
        end += text_[end] == '\\' ? 1 : 0;
      }
      if (end >= text_.size()) {
        no("a string without an end");
      }
      ++end;
    } else if (at_ < text_.size()) {
      while (end < text_.size() && is_word()) {
        ++end;
      }
      end += end == at_ || (end < text_.size() && text_[end] == ':') ? 1 : 0;
    }
    word_ = text_.substr(at_, end - at_);
    line_ += static_cast<std::size_t>(std::count(word_.begin(), word_.end(), '\n'));
    at_ = end;
  }
  void skip() {
    std::size_t depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const std::string_view two = text_.substr(at_, 2);
      if (two == "/*" || (depth > 0 && two == "*/")) {
        depth += two == "/*" ? 1 : -1;
        ++at_;
      } else if (depth == 0 &&
                 std::string_view(" \t\r\n").find(text_[at_]) == std::string_view::npos) {
        return;
      }
      line_ += text_[at_] == '\n' ? 1 : 0;
    }
    if (depth > 0) {
      no("a comment without an end");
    }
  }
  bool take_if(std::string_view word) {
    const bool is = word_ == word;
    if (is) {
      take();
    }
    return is;
  }
  void expect(std::string_view word) {
    if (!take_if(word)) {
      no("expected " + std::string(word));
    }
  }
  std::size_t natural() {
    const std::size_t n = parse_nat(word_);
    take();
    return n;
  }
  void need_state(std::size_t s) const {
    if (s >= machine_.edges.size()) {
      no("no such state");
    }
  }
  std::string string() {
    if (!word_.starts_with('"')) {
      no("expected a string");
    }
    std::string out;
    for (std::size_t i = 1; i + 1 < word_.size(); ++i) {
      i += word_[i] == '\\' ? 1 : 0;
      out += word_[i];
    }
    take();
    return out;
  }

  void header(std::optional<std::size_t>& states) {
    const std::string_view name = word_;
    if (!name.ends_with(':') || name.size() < 2) {
      no("expected a header or --BODY--");
    }
    take();
    if (name == "States:" && !states) {
      states = natural();
    } else if (name == "Start:") {
      machine_.start.push_back(natural());
      if (word_ == "&") {
        no("alternation is not read");
      }
    } else if (name == "AP:" && machine_.aps.empty()) {
      for (std::size_t n = natural(); n > 0; --n) {
        std::string ap = string();
        if (machine_.aps.size() >= kMaxAps ||
            std::find(machine_.aps.begin(), machine_.aps.end(), ap) != machine_.aps.end()) {
          no("expected at most 64 different aps");
        }
        machine_.aps.push_back(std::move(ap));
      }
    } else if (name == "Acceptance:" || (name[0] >= 'a' && name[0] <= 'z')) {
      while (!word_.empty() && word_ != "--BODY--" && (!word_.ends_with(':') || word_.size() < 2)) {
        take();
      }
    } else {
      no("a header that is not read: " + std::string(name));
    }
  }

  void marks() {
    if (take_if("{")) {
      while (word_ != "}") {
        static_cast<void>(natural());
      }
      take();
    }
  }

  void state() {
    take();
    const std::size_t s = natural();  // a label in front is refused here
    need_state(s);
    if (listed_[s]) {
      no("a state stands twice");
    }
    listed_[s] = true;
    if (word_.starts_with('"')) {
      take();
    }
    marks();
    while (take_if("[")) {
      Machine::Edge edge;
      disjunction(edge.label, 0);
      expect("]");
      edge.to = natural();
      need_state(edge.to);
      if (word_ == "&" || ++edges_ > kMaxEdges) {
        no("alternation is not read, nor more than 5000000 edges");
      }
      marks();
      machine_.edges[s].push_back(std::move(edge));
    }
  }

  void disjunction(Machine::Label& out, std::size_t depth) {
    conjunction(out, depth);
    while (take_if("|")) {
      conjunction(out, depth);
      out.program.push_back(Machine::Label::kOr);
    }
  }
  void conjunction(Machine::Label& out, std::size_t depth) {
    factor(out, depth);
    while (take_if("&")) {
      factor(out, depth);
      out.program.push_back(Machine::Label::kAnd);
    }
  }
  void factor(Machine::Label& out, std::size_t depth) {
    if (depth > kMaxDepth) {
      no("a label that is too deep");
    }
    if (take_if("!")) {
      factor(out, depth + 1);
      out.program.push_back(Machine::Label::kNot);
    } else if (take_if("(")) {
      disjunction(out, depth + 1);
      expect(")");
    } else if (take_if("t")) {
      out.program.push_back(Machine::Label::kTrue);
    } else if (take_if("f")) {
      out.program.push_back(Machine::Label::kFalse);
    } else {
      const std::size_t ap = natural();
      if (ap >= machine_.aps.size()) {
        no("no such ap");
      }
      out.program.push_back(static_cast<int>(ap));
    }
  }

  /// Takes out states that no edge leaves, again and again; what stays too long is only more to show.
  void mark_ways_on() {
    std::vector<bool> stays(machine_.edges.size(), true);
    for (auto& edges : machine_.edges) {
      for (Machine::Edge& e : edges) {
        e.goes_on = shows(e.label, 0, 0);
      }
    }
    bool changed = true;
    for (std::size_t pass = 0; changed && pass < kMaxPasses; ++pass) {
      changed = false;
      for (std::size_t s = 0; s < stays.size(); ++s) {
        bool any = false;
        for (Machine::Edge& e : machine_.edges[s]) {
          e.goes_on = e.goes_on && stays[s] && stays[e.to];
          any = any || e.goes_on;
        }
        changed = changed || (stays[s] && !any);
        stays[s] = stays[s] && any;
      }
    }
  }

  std::string_view text_, word_;
  std::size_t at_ = 0, line_ = 1, edges_ = 0;
  std::vector<bool> listed_;
  Machine machine_;
};

}  // namespace

Machine parse_machine(const std::string& text, const std::string& file) {
  std::optional<Reader> reader;
  try {
    reader.emplace(text);
    return reader->read();
  } catch (const Reject& r) {
    throw Reject("machine", r.reason(), file, reader ? reader->line() : 1);
  }
}

}  // namespace assay_check
