#include "assay/bounds/request.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"

namespace assay::bounds {
namespace {

constexpr std::size_t kMaxRequestBytes = std::size_t{16} << 20;
constexpr std::int64_t kMaxFraction = 1'000'000'000'000'000;

/// One line being read word by word; every error names file and line.
class Line {
 public:
  Line(const std::string& text, std::string where)
      : words_(split(text, ' ')), where_(std::move(where)) {
    for (const std::string& word : words_) {
      if (word.empty()) {
        fail("words", "one space between words", "an empty word");
      }
    }
  }

  [[noreturn]] void fail(const std::string& key, const std::string& expected,
                         const std::string& found) const {
    throw InputError(where_, key, expected, found);
  }
  [[nodiscard]] bool done() const { return next_ == words_.size(); }
  std::string word(const char* what) {
    if (done()) {
      fail(what, what, "the end of the line");
    }
    return words_[next_++];
  }
  void literal(const std::string& expected) {
    const std::string found = word(expected.c_str());
    if (found != expected) {
      fail("word", "\"" + expected + "\"", "\"" + visible(found) + "\"");
    }
  }
  void end() const {
    if (!done()) {
      fail("line", "the end of the line", "\"" + visible(words_[next_]) + "\"");
    }
  }

  std::uint32_t natural(const char* what) {
    const std::string s = word(what);
    const std::int64_t n = digits(s, what, std::int64_t{1} << 31);
    return static_cast<std::uint32_t>(n);
  }
  Rational fraction(const char* what) {
    const std::string s = word(what);
    const std::size_t slash = s.find('/');
    const bool negative = s[0] == '-';
    const std::string numerator =
        s.substr(negative ? 1 : 0, slash - (negative && slash != s.npos ? 1 : 0));
    const std::int64_t p = digits(numerator, what, kMaxFraction);
    const std::int64_t q = slash == s.npos ? 1 : digits(s.substr(slash + 1), what, kMaxFraction);
    if (q == 0) {
      fail(what, "a denominator above 0", s);
    }
    const std::int64_t common = std::gcd(p, q);
    return {(negative ? -p : p) / common, q / common};
  }
  std::string id() {
    std::string s = word("an id");
    const auto letter = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    const auto inner = [&](char c) {
      return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
    };
    if (s.size() > 64 || !letter(s[0]) || !std::all_of(s.begin(), s.end(), inner)) {
      fail("id", "[A-Za-z_][A-Za-z0-9_.-]{0,63}", "\"" + visible(s) + "\"");
    }
    return s;
  }

 private:
  [[nodiscard]] std::int64_t digits(const std::string& s, const char* what,
                                    std::int64_t limit) const {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
    const bool plain = !s.empty() && s[0] >= '0' && s[0] <= '9' && (s.size() == 1 || s[0] != '0');
    if (error != std::errc{} || end != s.data() + s.size() || !plain || n >= limit) {
      fail(what, "a decimal number below " + std::to_string(limit), "\"" + visible(s) + "\"");
    }
    return n;
  }

  std::vector<std::string> words_;
  std::string where_;
  std::size_t next_ = 0;
};

std::vector<TokenId> read_suffix(Line& line) {
  line.literal("suffix");
  std::vector<TokenId> tokens{TokenId(line.natural("a token of the suffix"))};
  while (!line.done()) {
    tokens.emplace_back(line.natural("a token of the suffix"));
  }
  return tokens;
}

Decoder read_decoder(Line& line) {
  Decoder d;
  line.literal("min-p");
  d.min_p = line.fraction("min-p");
  line.literal("temperature");
  d.temperature = line.fraction("temperature");
  line.literal("order");
  const std::string order = line.word("before or after");
  if (order != "before" && order != "after") {
    line.fail("order", "before or after", visible(order));
  }
  d.order = order == "before" ? TemperatureOrder::before : TemperatureOrder::after;
  if (d.min_p.num <= 0 || d.min_p.num > d.min_p.den || d.temperature.num <= 0) {
    line.fail("decoder", "0 < min-p <= 1 and temperature > 0", d.text());
  }
  return d;
}

Claim read_claim(Line& line, ClaimKind kind) {
  Claim claim;
  claim.kind = kind;
  claim.id = line.id();
  if (kind == ClaimKind::residual) {
    line.literal("data");
    claim.data = parse_digest(line.word("a digest"));
    line.literal("max-r2");
    claim.max_r2 = line.fraction("max-r2");
  } else {
    claim.target = line.natural(kind == ClaimKind::feature_off ? "a feature" : "a next token");
    claim.suffix = read_suffix(line);
  }
  return claim;
}

void read_line(const std::string& text, const std::string& where, Request& request,
               std::set<std::string>& ids) {
  Line line(text, where);
  const std::string head = line.word("a claim");
  if (head == "decoder") {
    if (request.decoder) {
      line.fail("decoder", "one decoder line", "a second");
    }
    request.decoder = read_decoder(line);
  } else {
    std::optional<ClaimKind> kind;
    for (const ClaimKind k : {ClaimKind::feature_off, ClaimKind::token_out, ClaimKind::residual}) {
      kind = head == name(k) ? std::optional(k) : kind;
    }
    if (!kind) {
      line.fail("line", "decoder, feature-off, token-out, residual or end",
                "\"" + visible(head) + "\"");
    }
    request.claims.push_back(read_claim(line, *kind));
    if (!ids.insert(request.claims.back().id).second) {
      line.fail("id", "an id not used before", request.claims.back().id);
    }
  }
  line.end();
}

}  // namespace

const char* name(ClaimKind kind) {
  return kind == ClaimKind::feature_off ? "feature-off"
         : kind == ClaimKind::token_out ? "token-out"
                                        : "residual";
}

std::string Claim::text() const {
  std::string line = std::string(name(kind)) + " " + id;
  if (kind == ClaimKind::residual) {
    return line + " data " + data.hex() + " max-r2 " + max_r2.text();
  }
  line += " " + std::to_string(target) + " suffix";
  for (const TokenId t : suffix) {
    line += " " + std::to_string(t.value);
  }
  return line;
}

Request parse_request(const std::string& text, const std::string& file) {
  Request request;
  request.text = text;
  request.digest = sha256(text);
  if (text.empty() || text.back() != '\n') {
    throw InputError(file, "last line", "a line end", "none");
  }
  const std::vector<std::string> lines = split(text.substr(0, text.size() - 1), '\n');
  const auto where = [&](std::size_t i) { return file + ":" + std::to_string(i + 1); };
  if (lines.front() != "assay-request 1") {
    throw InputError(where(0), "first line", "\"assay-request 1\"",
                     "\"" + visible(lines[0].substr(0, 40)) + "\"");
  }
  if (lines.size() < 2 || lines.back() != "end") {
    throw InputError(where(lines.size() - 1), "last line", "\"end\"",
                     "\"" + visible(lines.back().substr(0, 40)) + "\"");
  }
  std::set<std::string> ids;
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
    const bool ascii =
        std::all_of(lines[i].begin(), lines[i].end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (!ascii || lines[i].empty()) {
      throw InputError(where(i), "line", "printable ASCII",
                       lines[i].empty() ? "an empty line" : "other bytes");
    }
    if (lines[i][0] != '#') {
      read_line(lines[i], where(i), request, ids);
    }
  }
  if (request.claims.empty()) {
    throw InputError(file, "claims", "at least one claim", "none");
  }
  for (const Claim& claim : request.claims) {
    if (claim.kind == ClaimKind::token_out && !request.decoder) {
      throw InputError(file, "decoder", "a decoder line (token-out " + claim.id + " needs it)",
                       "none");
    }
  }
  return request;
}

Request load_request(const std::filesystem::path& file) {
  return parse_request(read_file(file, kMaxRequestBytes), file.string());
}

Request make_request(const std::optional<Decoder>& decoder, const std::vector<Claim>& claims,
                     const std::vector<std::string>& comments) {
  std::string text = "assay-request 1\n";
  for (const std::string& comment : comments) {
    text += "# " + comment + "\n";
  }
  if (decoder) {
    text += "decoder " + decoder->text() + "\n";
  }
  for (const Claim& claim : claims) {
    text += claim.text() + "\n";
  }
  return parse_request(text + "end\n", "request");
}

}  // namespace assay::bounds
