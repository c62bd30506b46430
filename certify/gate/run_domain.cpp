#include "run_domain.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay::certify {
namespace {

/// First and last of a run of token ids.
using Run = std::pair<std::uint64_t, std::uint64_t>;

struct Prompts {
  std::uint64_t shortest = 0, longest = 0;  ///< of any tokens; or
  std::vector<std::vector<Run>> sets;  ///< the tokens of each position, rising; empty: all (`*`)
};

struct RunDomain {
  bool endless_only = false;
  Prompts prompts;
  std::string decoder;
  std::optional<std::uint64_t> max_new;  ///< nothing: any number
  std::string rest;                      ///< "within N tokens (…)" of a probability, or empty
};

/// "*", "3-9,12"
std::vector<Run> read_set(const std::string& text) {
  if (text == "*") {
    return {{0, UINT64_MAX}};
  }
  std::vector<Run> out;
  for (const std::string& part : split(text, ',')) {
    const std::size_t dash = part.find('-');
    const std::uint64_t lo = parse_unsigned(part.substr(0, dash), "token");
    const std::uint64_t hi =
        dash == std::string::npos ? lo : parse_unsigned(part.substr(dash + 1), "token");
    const bool joins = !out.empty() && out.back().second + 1 == lo;
    if (joins) {
      out.back().second = hi;
    } else {
      out.emplace_back(lo, hi);
    }
  }
  return out;
}

std::optional<Prompts> read_prompts(const std::string& text) {
  const std::vector<std::string> words = split(text, ' ');
  Prompts out;
  if (words.size() == 7 && text.starts_with("any prompt of ") && words[4] == "to") {
    out.shortest = parse_unsigned(words[3], "length");
    out.longest = parse_unsigned(words[5], "length");
    return out;
  }
  if (words.size() < 3 || !text.starts_with("prompts in ")) {
    return std::nullopt;
  }
  for (std::size_t i = 2; i < words.size(); ++i) {
    out.sets.push_back(read_set(words[i]));
  }
  return out;
}

std::optional<RunDomain> read_domain(const std::string& text) {
  static const std::string kEvery = "every run of the model: ";
  static const std::string kEndless = "every endless run of the model: ";
  static const std::string kChance = "every prompt and every choice of nature: ";
  RunDomain out;
  out.endless_only = text.starts_with(kEndless);
  const std::string& head = text.starts_with(kEvery)    ? kEvery
                            : out.endless_only          ? kEndless
                            : text.starts_with(kChance) ? kChance
                                                        : text;
  const std::size_t decoder = text.find(", decoder ", head.size());
  const std::size_t most = text.find(", at most ", decoder);
  const std::size_t any = text.find(", any number of new tokens", decoder);
  const std::size_t horizon = std::min(most, any);
  if (decoder == std::string::npos || horizon == std::string::npos) {
    return std::nullopt;
  }
  const std::optional<Prompts> prompts =
      read_prompts(text.substr(head.size(), decoder - head.size()));
  if (!prompts) {
    return std::nullopt;
  }
  out.prompts = *prompts;
  out.decoder = text.substr(decoder, horizon - decoder);
  const std::size_t end = text.find(" new tokens", horizon) + std::string(" new tokens").size();
  if (horizon == most) {
    out.max_new = parse_unsigned(split(text.substr(most + 10), ' ')[0], "tokens");
  }
  out.rest = (head == kChance ? "chance" : "") + text.substr(end);
  return out;
}

bool covers(const std::vector<Run>& large, const std::vector<Run>& small) {
  return std::all_of(small.begin(), small.end(), [&](const Run& run) {
    return std::any_of(large.begin(), large.end(), [&](const Run& r) {
      return r.first <= run.first && run.second <= r.second;
    });
  });
}

bool covers(const Prompts& large, const Prompts& small) {
  const std::uint64_t shortest = small.sets.empty() ? small.shortest : small.sets.size();
  const std::uint64_t longest = small.sets.empty() ? small.longest : small.sets.size();
  if (large.sets.empty()) {
    return large.shortest <= shortest && longest <= large.longest;
  }
  bool inside = shortest == large.sets.size() && longest == large.sets.size();
  for (std::size_t i = 0; inside && i < large.sets.size(); ++i) {
    inside = covers(large.sets[i],
                    small.sets.empty() ? std::vector<Run>{{0, UINT64_MAX}} : small.sets[i]);
  }
  return inside;
}

bool covers(const RunDomain& large, const RunDomain& small) {
  return (!large.endless_only || small.endless_only) && covers(large.prompts, small.prompts) &&
         large.decoder == small.decoder && large.rest == small.rest &&
         (!large.max_new || (small.max_new && *small.max_new <= *large.max_new));
}

}  // namespace

DomainOrder compare_domains(const std::string& old_text, const std::string& now_text) {
  if (old_text == now_text) {
    return {true, true};
  }
  try {
    const std::optional<RunDomain> old = read_domain(old_text);
    const std::optional<RunDomain> now = read_domain(now_text);
    if (old && now) {
      return {covers(*now, *old), covers(*old, *now)};
    }
  } catch (const Error&) {  // a number of another form
  }
  return {};
}

}  // namespace assay::certify
