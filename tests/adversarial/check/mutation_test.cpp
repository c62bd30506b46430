#include "check_sample.hpp"

using namespace check_test;

// Every word of every step of certificates that together hold every rule is changed, one at a time. A word that is
// no number has to be as it is. A number may move the harmless way: ATTN-MAX numbers and s_hi up, s_lo down; θ,
// slopes, μ, u and an L beside T are free, and a smaller bound proves the claim too. Whatever is accepted is the
// control's statement; a false statement is never accepted.

namespace {

using Words = std::vector<std::string>;

bool is_hex(const std::string& word) {
  return word.find("0x") != std::string::npos;
}
bool is_natural(const std::string& word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
}

/// What takes the place of a word that is no HEX.
Words others(const std::string& word, const std::string& id) {
  Words out = {"x", id};
  if (is_natural(word)) {
    const int n = std::stoi(word);
    out.push_back(std::to_string(n + 1));
    out.push_back(n > 0 ? std::to_string(n - 1) : "-1");
  }
  static const std::map<std::string, std::string> kTwin = {
      {"hi", "lo"},        {"lo", "hi"},        {"+", "-"}, {"-", "+"}, {"token", "length"},
      {"length", "token"}, {"neuron", "token"}, {"L", "A"}, {"A", "B"}, {"B", "A"},
      {"T", "L"},          {"M", "S"},          {"S", "M"}, {":", "T"}};
  if (kTwin.contains(word)) {
    out.push_back(kTwin.at(word));
  }
  out.erase(std::remove(out.begin(), out.end(), word), out.end());
  return out;
}

/// What a HEX of a step is: an ATTN-MAX number, s_lo, s_hi, or one that any step may choose freely.
enum class Role { free, attn_max, s_lo, s_hi };

std::vector<Role> roles(const Words& words) {
  constexpr std::size_t H = 2, d = 4;
  std::vector<Role> out(words.size(), Role::free);
  const std::string& rule = words[1];
  const bool spread = rule == "SPREAD" || rule == "FINAL-SPREAD";
  if (spread) {
    out[words.size() - 2] = Role::s_lo;
    out[words.size() - 1] = Role::s_hi;
  }
  const bool range = rule.find("-RANGE") != std::string::npos;
  std::size_t at =
      static_cast<std::size_t>(std::find(words.begin(), words.end(), ":") - words.begin()) + 1;
  const auto heads = [&](std::size_t keys) {
    const bool joint = at + H < words.size() && words[at + H] == "T";
    for (std::size_t h = 0; h < H; ++h) {
      out[at + h] = joint ? Role::free : Role::attn_max;
    }
    at += H + (joint ? 1 + H * keys : 0);
  };
  const auto lists = static_cast<std::size_t>(std::count(words.begin(), words.end(), "T"));
  if (range) {
    const std::size_t keys = lists == 0 ? 0 : (words.size() - at - 2 * H - lists) / (lists * H);
    heads(keys);
    heads(keys);
  } else if (rule == "SPREAD") {
    at += d;
    heads(0);
  } else if (rule == "LINEAR" || rule == "FEATURE-OFF") {
    heads(0);
  } else {
    for (; at < words.size(); ++at) {
      if (words[at] == "L" || words[at] == "A" || words[at] == "B" || words[at] == "LINEAR") {
        ++at;
        heads(0);
        --at;
      }
    }
  }
  return out;
}

/// The number moved by one step of a double, by a little and far: down and up in turn, but s_lo up and an
/// ATTN-MAX number or s_hi down whenever it is far.
Words moved(const std::string& word, Role role, std::size_t turn) {
  const double x = std::strtod(word.c_str(), nullptr), way = turn % 2 == 0 ? -1 : 1;
  const double far = role == Role::free ? way : role == Role::s_lo ? 1 : -1;
  return {hex(std::nextafter(x, way * HUGE_VAL)), hex(x + far * 0x1p-20), hex(x + far)};
}

/// Whether a move of this size in this direction makes the step false.
bool is_false(Role role, double by) {
  return (role == Role::s_lo && by > 1e-7) ||
         (role != Role::free && role != Role::s_lo && by < -1e-7);
}

/// Words that may stand otherwise: the id of a line that nothing names, another rival, another head of HULL.
bool is_free(const Words& words, std::size_t k, const Case& c) {
  const bool range = words[1].find("-RANGE") != std::string::npos;
  const bool unused =
      words[1] == "SPREAD" && c.text().find(" NEURONS " + words[0]) == std::string::npos;
  return (k == 0 && (range || unused)) || ((words[1] == "TOKEN-OUT" || words[1] == "HULL") &&
                                           words[k].size() == 1 && is_natural(words[k]));
}

struct Counts {
  std::size_t words = 0, numbers = 0, fell = 0;
};

/// All changes of one line; `holds` is false when the statement is.
void change_line(Case& c, std::size_t i, const std::vector<std::string>& control, bool holds,
                 Counts& counts) {
  const Words words = words_of(c.lines[i]);
  const std::vector<Role> role = roles(words);
  const auto outcome_with = [&](std::size_t k, const std::string& with) {
    Words changed = words;
    changed[k] = with;
    const std::string saved = std::exchange(c.lines[i], joined(changed));
    const auto outcome = c.check();
    c.lines[i] = saved;
    return outcome;
  };
  for (std::size_t k = 0; k < words.size(); ++k) {
    const bool number = is_hex(words[k]);
    if (!holds && (!number || (i + k) % 3 != 0)) {
      continue;
    }
    const Words all = number ? moved(words[k], role[k], i + k)
                             : others(words[k], words_of(c.lines[i > 12 ? i - 3 : i + 1])[0]);
    for (const std::string& with : all) {
      const auto outcome = outcome_with(k, with);
      INFO(joined(words).substr(0, 300) << "\nword " << k << " -> " << with);
      if (number) {
        const double by =
            std::strtod(with.c_str(), nullptr) - std::strtod(words[k].c_str(), nullptr);
        CHECK_FALSE((outcome.accepted && (!holds || is_false(role[k], by))));
        counts.fell += outcome.accepted ? 0 : 1;
        ++counts.numbers;
      } else {
        CHECK_FALSE((outcome.accepted && !is_free(words, k, c)));
        ++counts.words;
      }
      if (outcome.accepted) {
        CHECK(outcome.lines == control);
      }
    }
  }
}

}  // namespace

TEST_CASE("mutations: every field of every step of every rule") {
  Counts counts;
  for (const auto& c : every_rule()) {
    const auto control = c->check();
    INFO(control.lines.back());
    REQUIRE(control.accepted);
    for (std::size_t i = c->find("statement") + 1; i + 1 < c->lines.size(); ++i) {
      change_line(*c, i, control.lines, true, counts);
    }
  }
  CHECK(counts.words > 2000);
  CHECK(counts.numbers > 4000);
  CHECK(counts.fell > 1000);
}

TEST_CASE("mutations: no number proves a statement that a context refutes") {
  Counts counts;
  for (const auto& any : every_rule()) {
    auto* c = dynamic_cast<GeneralCase*>(any.get());
    if (c == nullptr) {
      continue;
    }
    c->brute_force();
    c->state(-c->U[1] - 1, c->reached[0] - 1e-9);
    REQUIRE_FALSE(c->check().accepted);
    for (std::size_t i = c->find("statement") + 1; i + 1 < c->lines.size(); ++i) {
      change_line(*c, i, {}, false, counts);
    }
  }
  CHECK(counts.fell == counts.numbers);
}
