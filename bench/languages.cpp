#include "languages.hpp"

#include "assay/base/random.hpp"

namespace {

constexpr int X = Language::kDead;

Language dyck2() {
  // States: the open brackets, at most two: 0 none, 1 "(", 2 "[", 3 "((", 4 "([", 5 "[(", 6 "[[".
  return {"dyck-2",
          "balanced () and [], at most two open",
          "()[]",
          {true, false, false, false, false, false, false},
          {{1, X, 2, X},
           {3, 0, 4, X},
           {5, X, 6, 0},
           {X, 1, X, X},
           {X, X, X, 1},
           {X, 2, X, X},
           {X, X, X, 2}}};
}

Language power() {
  // 0, then i times a: 1…4; after the first b the ones still owed: 5 three, 6 two, 7 one, 8 none.
  return {"anbn",
          "a^n b^n for n <= 4",
          "ab",
          {true, false, false, false, false, false, false, false, true},
          {{1, X}, {2, 8}, {3, 7}, {4, 6}, {X, 5}, {X, 6}, {X, 7}, {X, 8}, {X, X}}};
}

Language tags() {
  // 0 text, 1 "<", 2 "<a", 3 "<b", 4 inside a, 5 inside b, 6 "<" in a, 7 "<" in b, 8 "</" in a,
  // 9 "</" in b, 10 "</a", 11 "</b".
  return {"tags",
          "x* with <a>x*</a> and <b>x*</b>, not nested",
          "<>/abx",
          {true, false, false, false, false, false, false, false, false, false, false, false},
          {{1, X, X, X, X, 0},
           {X, X, X, 2, 3, X},
           {X, 4, X, X, X, X},
           {X, 5, X, X, X, X},
           {6, X, X, X, X, 4},
           {7, X, X, X, X, 5},
           {X, X, 8, X, X, X},
           {X, X, 9, X, X, X},
           {X, X, X, 10, X, X},
           {X, X, X, X, 11, X},
           {X, 0, X, X, X, X},
           {X, 0, X, X, X, X}}};
}

/// reach[n][s]: the end of a word is at most n symbols away from s.
std::vector<std::vector<bool>> within_reach(const Language& language, std::size_t longest) {
  std::vector<std::vector<bool>> reach = {language.accepting};
  for (std::size_t n = 1; n <= longest; ++n) {
    reach.push_back(language.accepting);
    for (std::size_t s = 0; s < language.next.size(); ++s) {
      for (const int to : language.next[s]) {
        reach[n][s] = reach[n][s] || (to != X && reach[n - 1][static_cast<std::size_t>(to)]);
      }
    }
  }
  return reach;
}

}  // namespace

const std::vector<Language>& languages() {
  static const std::vector<Language> all = {
      {"tomita-1", "1*", "01", {true}, {{X, 0}}},
      {"tomita-2", "(10)*", "01", {true, false}, {{X, 1}, {0, X}}},
      {"tomita-3",
       "an odd run of 1s is followed by an even run of 0s, if any",
       "01",
       {true, true, false, true},
       {{0, 1}, {2, 0}, {3, X}, {2, 1}}},
      {"tomita-4", "no 000", "01", {true, true, true}, {{1, 0}, {2, 0}, {X, 0}}},
      {"tomita-5",
       "an even number of 0s and of 1s",
       "01",
       {true, false, false, false},
       {{1, 2}, {0, 3}, {3, 0}, {2, 1}}},
      {"tomita-6",
       "the 0s less the 1s are a multiple of three",
       "01",
       {true, false, false},
       {{1, 2}, {2, 0}, {0, 1}}},
      {"tomita-7", "0*1*0*1*", "01", {true, true, true, true}, {{0, 1}, {2, 1}, {2, 3}, {X, 3}}},
      {"dyck-1",
       "balanced (), at most three open",
       "()",
       {true, false, false, false},
       {{1, X}, {2, 0}, {3, 1}, {X, 2}}},
      dyck2(),
      power(),
      tags()};
  return all;
}

std::string corpus(const Language& language, std::size_t lines, std::size_t longest,
                   std::uint64_t seed) {
  const auto reach = within_reach(language, longest);
  assay::Random random(seed);
  std::string text;
  for (std::size_t line = 0; line < lines; ++line) {
    int state = 0;
    for (std::size_t left = longest; state != X; --left) {
      const auto at = static_cast<std::size_t>(state);
      std::vector<std::size_t> choices;  // symbols; the alphabet's size is the end
      for (std::size_t i = 0; i < language.alphabet.size() && left > 0; ++i) {
        const int to = language.next[at][i];
        if (to != X && reach[left - 1][static_cast<std::size_t>(to)]) {
          choices.push_back(i);
        }
      }
      if (language.accepting[at]) {
        choices.push_back(language.alphabet.size());
      }
      const std::size_t choice = choices[random.below(choices.size())];
      const bool ends = choice == language.alphabet.size();
      text += ends ? '\n' : language.alphabet[choice];
      state = ends ? X : language.next[at][choice];
    }
  }
  return text;
}

std::optional<int> after(const Language& language, int state, char symbol) {
  const auto at = static_cast<std::size_t>(state);
  if (symbol == '\n') {
    return language.accepting[at] ? std::optional(0) : std::nullopt;
  }
  const std::size_t i = language.alphabet.find(symbol);
  if (i == std::string::npos || language.next[at][i] == X) {
    return std::nullopt;
  }
  return language.next[at][i];
}
