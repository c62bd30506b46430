#include "request_order.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "assay/base/text.hpp"
#include "exact_number.hpp"

namespace assay::certify {
namespace {

using Words = std::vector<std::string>;

/// Words before a number that the claim's quantity is at most, and at least.
constexpr std::array<std::string_view, 8> kUpper = {"max-r2", "max-gain", "at-most", "hi",
                                                    "width",  "kl",       "tv",      "alpha"};
constexpr std::array<std::string_view, 4> kLower = {"lo", "at-least", "kept", "range"};

template <std::size_t N>
bool one_of(const std::array<std::string_view, N>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// "suffix T …" at the end: whether contexts that end in `small` all end in `large`.
bool suffix_covers(const Words& large, const Words& small) {
  return large.size() <= small.size() && std::equal(large.rbegin(), large.rend(), small.rbegin());
}

/// The words of "domain ID …" in a request, after the id.
Words domain_words(const std::string& request, const std::string& id) {
  for (const std::string& line : split(request, '\n')) {
    Words words = split(line, ' ');
    if (words.size() > 2 && words[0] == "domain" && words[1] == id) {
      return {words.begin() + 2, words.end()};
    }
  }
  return {};
}

/// What is found word by word.
struct Walk {
  const std::string &old_request, &now_request;
  RequestOrder order{true, true, false, "", ""};

  void differ(bool now_is_stronger, bool old_is_stronger, const char* aspect,
              const std::string& reason) {
    if (!now_is_stronger && order.reason.empty()) {
      order.aspect = aspect;
      order.reason = reason;
    }
    order.now_implies_old = order.now_implies_old && now_is_stronger;
    order.old_implies_now = order.old_implies_now && old_is_stronger;
  }

  void numbers(const std::string& key, const std::string& old, const std::string& now) {
    const auto o = exact_number(old);
    const auto n = exact_number(now);
    const bool upper = one_of(kUpper, key);
    const bool both = o && n;
    differ(both && (upper ? *n <= *o : *n >= *o), both && (upper ? *o <= *n : *o >= *n), "bound",
           key + " " + visible(old) + " became " + visible(now));
  }

  void domains(const std::string& old, const std::string& now) {
    const Words o = domain_words(old_request, old);
    const Words n = domain_words(now_request, now);
    // lengths LO HI|any sets K SET … rest SET: as one text they are compared only for equality
    differ(!o.empty() && o == n, !o.empty() && o == n, "domain",
           "domain " + visible(old) + " became " + visible(now));
  }
};

}  // namespace

std::string upper_limit(const std::string& line) {
  const Words words = split(line, ' ');
  std::string found;
  for (std::size_t i = 3; i + 1 < words.size(); ++i) {
    if (one_of(kUpper, words[i]) && words[i] != "alpha") {
      found = words[i + 1];
    }
  }
  return found;
}

RequestOrder compare_requests(const std::string& old_line, const std::string& old_request,
                              const std::string& now_line, const std::string& now_request) {
  Words old = split(old_line, ' ');
  Words now = split(now_line, ' ');
  Walk walk{old_request, now_request};
  const auto old_suffix = std::find(old.begin(), old.end(), "suffix");
  const auto now_suffix = std::find(now.begin(), now.end(), "suffix");
  if (old_suffix != old.end() && now_suffix != now.end()) {
    const Words o(old_suffix + 1, old.end());
    const Words n(now_suffix + 1, now.end());
    walk.differ(suffix_covers(n, o), suffix_covers(o, n), "domain",
                "contexts that end in other tokens");
    old.erase(old_suffix, old.end());
    now.erase(now_suffix, now.end());
  }
  if (old.size() != now.size() || old.size() < 2 || old[0] != now[0]) {
    walk.differ(false, false, "formula", "a claim of another form");
    return walk.order;
  }
  for (std::size_t i = 2; i < old.size(); ++i) {  // 0: kind, 1: id
    const std::string& key = old[i - 1];
    if (i > 2 && key == "domain") {
      walk.domains(old[i], now[i]);
    } else if (old[i] == now[i]) {
      continue;
    } else if (i > 2 && key == now[i - 1] && (one_of(kUpper, key) || one_of(kLower, key))) {
      walk.numbers(key, old[i], now[i]);
    } else if (i > 2 && key == now[i - 1] && (key == "data" || key == "labels")) {
      walk.order.other_data = true;
    } else {
      walk.differ(false, false, "formula", visible(old[i]) + " became " + visible(now[i]));
    }
  }
  return walk.order;
}

}  // namespace assay::certify
