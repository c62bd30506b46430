#include "suggest.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace assay::spec {
namespace {

constexpr std::size_t kFar = 3;
constexpr std::size_t kShown = 100;

/// Optimal string alignment: Damerau-Levenshtein without second edits of a swapped pair.
std::size_t distance(const std::string& a, const std::string& b) {
  if (a.size() > b.size() + 2 || b.size() > a.size() + 2) {
    return kFar;
  }
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + differs});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string word_at(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_word);
  return {text.begin(), end};
}

std::string_view without_blanks_at_end(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

/// `before` ends in "F[3" or the like: the next thing is the sign between two bounds.
bool is_inside_bounds(std::string_view before) {
  const std::size_t open = before.rfind('[');
  return open != std::string_view::npos && open > 0 &&
         std::string_view("FGOH").find(before[open - 1]) != std::string_view::npos &&
         before.find(']', open) == std::string_view::npos;
}

/// `before` ends in an opening bracket that is not the one of "feat(" or "read(".
bool is_formula_bracket(std::string_view before) {
  const std::string_view word = without_blanks_at_end(before.substr(0, before.size() - 1));
  return word.size() < 4 ||
         (word.substr(word.size() - 4) != "feat" && word.substr(word.size() - 4) != "read");
}

/// One column a byte, so that a caret can point at it; nothing a terminal would act on.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '\t' ? ' ' : c >= 32 && c < 127 ? c : '?';
  }
  return out;
}

}  // namespace

std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates) {
  std::size_t best = std::min(kFar, word.size());
  std::string name;
  for (const std::string& candidate : candidates) {
    if (const std::size_t d = distance(word, candidate); d < best) {
      best = d;
      name = candidate;
    }
  }
  return name.empty() ? "" : "did you mean '" + name + "'?";
}

std::string habit_fix(std::string_view before, std::string_view rest) {
  before = without_blanks_at_end(before);
  const char last = before.empty() ? '\0' : before.back();
  const char first = rest.empty() ? '\0' : rest[0];
  if ((first == '&' || first == '|') && first == last) {
    return std::string("write '") + first + "' once";
  }
  if ((first == '.' || first == ',' || first == '-') && is_inside_bounds(before)) {
    return "write ':' between the bounds, as in F[0:3]";
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kSigns = {{
      {"=>", "write '->' for 'implies'"},
      {"==", "write '<->' between formulas"},
      {"=", "write '<->' between formulas; a value is compared in an 'ap'"},
      {"[]", "write 'G' for 'always'"},
      {"<>", "write 'F' for 'eventually'"},
      {"~", "write '!' for 'not'"},
  }};
  for (const auto& [sign, fix] : kSigns) {
    if (rest.substr(0, sign.size()) == sign) {
      return std::string(fix);
    }
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kWords = {{
      {"and", "write '&'"},
      {"or", "write '|'"},
      {"not", "write '!'"},
      {"implies", "write '->'"},
      {"iff", "write '<->'"},
      {"globally", "write 'G'"},
      {"eventually", "write 'F'"},
      {"finally", "write 'F'"},
      {"next", "write 'X' (weak) or 'X[!]' (strong)"},
      {"N", "write 'X' for the weak next"},
      {"until", "write 'U' (strong) or 'W' (weak)"},
      {"S", "the past has 'Y', 'O' and 'H' only"},
      {"never", "write 'absent(…)'"},
  }};
  const std::string word = word_at(rest);
  if (word == "S" && !before.empty() && before.back() == '(' && !is_formula_bracket(before)) {
    return "";  // feat(S/7), read(S): a name
  }
  const auto* found = std::find_if(kWords.begin(), kWords.end(),
                                   [&](const auto& entry) { return entry.first == word; });
  return found == kWords.end() ? "" : std::string(found->second);
}

std::string caret_lines(std::string_view line, std::size_t column) {
  const std::size_t at = std::min(column == 0 ? 0 : column - 1, line.size());
  std::size_t begin = 0;
  if (line.size() > kShown && at > kShown / 2) {
    begin = at - kShown / 2;
  }
  const std::string before = plain(line.substr(begin, at - begin));
  const std::string rest = plain(line.substr(at, kShown - (at - begin)));
  return "\n    " + before + rest + "\n    " + std::string(before.size(), ' ') + "^";
}

}  // namespace assay::spec
