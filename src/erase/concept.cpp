#include "assay/erase/concept.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <regex>
#include <span>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/base/text.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kMaxPiece = 4096;
constexpr const char* kUrlPattern = "(https?|ftp)://[^\\s\"'<>]+";
constexpr const char* kEmailPattern = "[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_word(char c) {
  return is_letter(c) || is_digit(c);
}
bool in(char c, const char* set) {
  return c != '\0' && std::strchr(set, c) != nullptr;
}
bool is_local(char c) {
  return is_word(c) || in(c, "._%+-");
}
bool is_domain(char c) {
  return is_word(c) || in(c, ".-");
}
bool is_url_byte(char c) {
  return !in(c, " \t\n\v\f\r\"'<>");
}

using Marks = std::span<std::uint8_t>;

void mark(Marks marks, std::size_t begin, std::size_t end) {
  std::fill(marks.begin() + static_cast<std::ptrdiff_t>(begin),
            marks.begin() + static_cast<std::ptrdiff_t>(end), std::uint8_t{1});
}

/// Leftmost-longest matches of kUrlPattern, without a regex engine.
void mark_urls(std::string_view piece, Marks marks) {
  for (std::size_t i = 0; i < piece.size(); ++i) {
    for (const std::string_view scheme : {"https://", "http://", "ftp://"}) {
      if (piece.substr(i, scheme.size()) != scheme) {
        continue;
      }
      std::size_t end = i + scheme.size();
      while (end < piece.size() && is_url_byte(piece[end])) {
        ++end;
      }
      if (end > i + scheme.size()) {
        mark(marks, i, end);
        i = end - 1;
      }
      break;
    }
  }
}

/// The end of the longest domain `[A-Za-z0-9.-]+\.[A-Za-z]{2,}` from `begin`, or `begin`.
std::size_t domain_end(std::string_view piece, std::size_t begin) {
  std::size_t run = begin;
  while (run < piece.size() && is_domain(piece[run])) {
    ++run;
  }
  for (std::size_t dot = run; dot-- > begin + 1;) {
    if (piece[dot] != '.') {
      continue;
    }
    std::size_t end = dot + 1;
    while (end < run && is_letter(piece[end])) {
      ++end;
    }
    if (end >= dot + 3) {
      return end;
    }
  }
  return begin;
}

/// Leftmost-longest matches of kEmailPattern, without a regex engine.
void mark_emails(std::string_view piece, Marks marks) {
  std::size_t done = 0;
  for (std::size_t at = 0; at < piece.size(); ++at) {
    if (piece[at] != '@') {
      continue;
    }
    std::size_t begin = at;
    while (begin > done && is_local(piece[begin - 1])) {
      --begin;
    }
    const std::size_t end = domain_end(piece, at + 1);
    if (begin < at && end > at + 1) {
      mark(marks, begin, end);
      done = end;
    }
  }
}

void mark_regex(const std::regex& pattern, std::string_view piece, Marks marks) {
  const char* first = piece.data();
  for (std::cregex_iterator it(first, first + piece.size(), pattern), end; it != end; ++it) {
    const auto begin = static_cast<std::size_t>(it->position());
    mark(marks, begin, begin + static_cast<std::size_t>(it->length()));
  }
}

std::regex compile(const std::string& pattern) {
  try {
    return std::regex(pattern, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& e) {
    throw UsageError("concept: the expression '" + visible(pattern) + "' is not one: " + e.what());
  }
}

template <class Marker>
void each_piece(std::string_view text, Marks marks, Marker marker) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t line = std::min(text.find('\n', begin), text.size());
    for (std::size_t at = begin; at < line; at += kMaxPiece) {
      const std::size_t size = std::min(kMaxPiece, line - at);
      marker(text.substr(at, size), marks.subspan(at, size));
    }
    begin = line + 1;
  }
}

void check_name(const std::string& name) {
  const bool good =
      !name.empty() && name.size() <= 48 && (is_letter(name[0]) || name[0] == '_') &&
      std::all_of(name.begin(), name.end(), [](char c) { return is_word(c) || in(c, "_.-"); });
  if (!good) {
    throw UsageError(
        "concept: expected a name of letters, digits, '_', '.' and '-' that starts with a letter "
        "and has at most 48 characters, found '" +
        visible(name) + "'");
  }
}

}  // namespace

std::string Concept::rule() const {
  const std::string what = kind == Kind::digit   ? "bytes 0x30 to 0x39"
                           : kind == Kind::url   ? std::string("matches of ") + kUrlPattern
                           : kind == Kind::email ? std::string("matches of ") + kEmailPattern
                                                 : "matches of " + visible(pattern);
  return "assay-labels 1\nconcept " + name + "\nmark " + what +
         "\nmatch leftmost, line by line, lines cut every 4096 bytes\nlabel token t is 1 iff byte "
         "t+" +
         std::to_string(shift) + " of the document is marked; one token is one byte\n";
}

Concept make_concept(const std::string& name, const std::string& pattern, std::size_t shift) {
  check_name(name);
  if (shift > kMaxPiece) {
    throw UsageError("concept: expected a shift of at most 4096, found " + std::to_string(shift));
  }
  if (!pattern.empty()) {
    static_cast<void>(compile(pattern));
    return {name, Concept::Kind::regex, pattern, shift};
  }
  const bool next = name.rfind("next-", 0) == 0;
  const std::string base = next ? name.substr(5) : name;
  const std::size_t by = shift + (next ? 1 : 0);
  if (base == "digit") {
    return {name, Concept::Kind::digit, "", by};
  }
  if (base == "url") {
    return {name, Concept::Kind::url, "", by};
  }
  if (base == "email") {
    return {name, Concept::Kind::email, "", by};
  }
  throw UsageError(
      "concept: expected digit, url, email (or next-…), or --regex with --name, found '" + name +
      "'");
}

std::vector<std::uint8_t> label(const Concept& labelled, std::string_view text) {
  std::vector<std::uint8_t> marks(text.size(), 0);
  switch (labelled.kind) {
    case Concept::Kind::digit:
      std::transform(text.begin(), text.end(), marks.begin(),
                     [](char c) { return static_cast<std::uint8_t>(is_digit(c) ? 1 : 0); });
      break;
    case Concept::Kind::url:
      each_piece(text, marks, mark_urls);
      break;
    case Concept::Kind::email:
      each_piece(text, marks, mark_emails);
      break;
    case Concept::Kind::regex:
      each_piece(text, marks,
                 [pattern = compile(labelled.pattern)](std::string_view piece, Marks piece_marks) {
                   mark_regex(pattern, piece, piece_marks);
                 });
      break;
  }
  if (labelled.shift > 0) {
    const std::size_t by = std::min(labelled.shift, marks.size());
    marks.erase(marks.begin(), marks.begin() + static_cast<std::ptrdiff_t>(by));
    marks.resize(text.size(), 0);
  }
  return marks;
}

ConceptCount count(const Concept& labelled, const std::vector<Document>& documents) {
  ConceptCount total;
  for (const Document& document : documents) {
    const std::vector<std::uint8_t> labels = label(labelled, document.text);
    const auto ones =
        static_cast<std::size_t>(std::count(labels.begin(), labels.end(), std::uint8_t{1}));
    total.tokens += labels.size();
    total.positive += ones;
    total.documents += ones > 0 ? 1 : 0;
  }
  return total;
}

namespace {

std::string address(Random& random) {
  static constexpr std::array kSyllables = {"al", "ber", "cor", "dan", "el",  "fi",  "gar", "han",
                                            "il", "jon", "ka",  "lem", "mar", "nor", "ol",  "per"};
  static constexpr std::array kHosts = {"example.org", "example.com", "mail.example.net"};
  const auto word = [&random] {
    std::string out;
    for (std::uint64_t n = 2 + random.below(2); n > 0; --n) {
      out += kSyllables[random.below(kSyllables.size())];
    }
    return out;
  };
  std::string out = word();
  out += random.below(2) == 0 ? "." : "_";
  out += word();
  return out + "@" + kHosts[random.below(kHosts.size())];
}

}  // namespace

std::vector<Document> plant_emails(const std::vector<Document>& documents, std::uint64_t seed) {
  std::vector<Document> planted;
  planted.reserve(documents.size());
  for (const Document& document : documents) {
    const Digest digest = sha256(document.name + "\n" + document.text);
    std::uint64_t mixed = seed;
    for (std::size_t i = 0; i < 8; ++i) {
      mixed = mixed * 0x100000001b3ULL + digest.bytes[i];
    }
    Random random(mixed);
    Document copy{document.name, ""};
    std::size_t from = 0;
    std::size_t aim = random.below(std::min<std::size_t>(400, document.text.size() / 2 + 1));
    for (std::size_t at = document.text.find(' ', aim); at != std::string::npos;
         at = document.text.find(' ', at + 400 + random.below(400))) {
      copy.text += document.text.substr(from, at - from) + " " + address(random) + " ";
      from = at + 1;
    }
    copy.text += document.text.substr(std::min(from, document.text.size()));
    planted.push_back(std::move(copy));
  }
  return planted;
}

}  // namespace assay::erase
