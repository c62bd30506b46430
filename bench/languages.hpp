#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// A regular language as its complete-but-for-dead-ends automaton: `next[s][i]` is the state after
/// symbol i of the alphabet, or kDead. State 0 is initial; every state reaches an accepting one.
struct Language {
  static constexpr int kDead = -1;
  std::string name, words;  ///< `words`: the language in words
  std::string alphabet;     ///< one character a symbol, none of them the newline
  std::vector<bool> accepting;
  std::vector<std::vector<int>> next;
};

/// Tomita's seven languages (Tomita 1982), Dyck-1 to depth 3, Dyck-2 to depth 2, a^n b^n for
/// n <= 4, and text with two kinds of tags.
const std::vector<Language>& languages();

/// Lines of the language: a text whose lines are words of at most `longest` symbols, each drawn by a
/// walk that takes every continuation (a symbol, or the end) from which the end is in reach alike.
std::string corpus(const Language& language, std::size_t lines, std::size_t longest,
                   std::uint64_t seed);

/// The lines as one machine: what may follow a text of whole lines and the part of a line. The
/// newline is allowed where a word may end, and begins the next one.
std::optional<int> after(const Language& language, int state, char symbol);
