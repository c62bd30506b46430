#include <algorithm>
#include <array>

#include "assay/automata/emission.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/spec/spec.hpp"

namespace assay::automata {
namespace {

/// Decoders that exist elsewhere and are no hypothesis here, and why.
struct Refused {
  const char* name;
  const char* why;
};
constexpr std::array<Refused, 16> kRefused = {{
    {"repetition-penalty",
     "what it emits depends on every token so far, not on the last ones alone"},
    {"frequency-penalty",
     "what it emits depends on every token so far, not on the last ones alone"},
    {"presence-penalty", "what it emits depends on every token so far, not on the last ones alone"},
    {"no-repeat-ngram", "what it emits depends on every token so far, not on the last ones alone"},
    {"dry", "what it emits depends on every token so far, not on the last ones alone"},
    {"mirostat", "its cut is a state that the tokens so far have moved"},
    {"logit-bias", "it is another model: add the bias to unembed.b_U and certify that one"},
    {"typical-p",
     "its cut is a distance from the entropy of the whole distribution, for which there is no "
     "bound here"},
    {"eta",
     "its cut depends on the entropy of the whole distribution, for which there is no bound here"},
    {"epsilon",
     "a cut at an absolute probability has no rule here; min-p cuts relative to the largest"},
    {"top-a",
     "its cut depends on the square of the largest probability, for which there is no rule here"},
    {"xtc", "it drops the best tokens at random; `plain` contains every run of it"},
    {"tail-free",
     "its cut depends on second differences of the sorted probabilities, for which there is no "
     "rule here"},
    {"beam", "it chooses whole sequences by what comes later"},
    {"contrastive", "it reads hidden states of every token so far"},
    {"speculative", "name the decoder whose distribution it keeps"},
}};

[[noreturn]] void refuse(const std::string& words) {
  for (const Refused& known : kRefused) {
    if (words.substr(0, words.find(':')) == known.name) {
      throw UsageError("--decoder " + visible(words) + ": refused: " + known.why);
    }
  }
  throw UsageError(
      "--decoder: expected greedy, min-p:RHO[:T[:before|after]], top-k:K, "
      "top-p:P[:T[:before|after]] or plain "
      "(these with :T too), found " +
      visible(words));
}

Rational number(const std::string& text, const std::string& words) {
  try {
    return parse_rational(text);
  } catch (const InputError& e) {
    throw UsageError("--decoder " + visible(words) + ": " + e.what());
  }
}

Interval enclosed(const Rational& r) {
  return Interval(static_cast<double>(r.num)) / Interval(static_cast<double>(r.den));
}

[[noreturn]] void refuse_list(const std::string& expected, const std::string& found) {
  throw UsageError("--allow: expected " + expected + ", found " + visible(found));
}

/// "3,5-9"; nothing when it is no list of numbers.
std::optional<std::vector<TokenId>> parse_ids(const std::string& words, std::size_t vocabulary) {
  std::vector<TokenId> out;
  for (const std::string& run : split(words, ',')) {
    const std::size_t dash = run.find('-');
    const std::string first = run.substr(0, dash);
    const std::string last = dash == std::string::npos ? first : run.substr(dash + 1);
    const auto is_number = [](const std::string& s) {
      return !s.empty() && s.size() <= 9 && s.find_first_not_of("0123456789") == std::string::npos;
    };
    if (!is_number(first) || !is_number(last)) {
      return std::nullopt;
    }
    if (std::stoul(last) >= vocabulary || std::stoul(last) < std::stoul(first)) {
      refuse_list("rising token ids below " + std::to_string(vocabulary), run);
    }
    for (std::size_t t = std::stoul(first); t <= std::stoul(last); ++t) {
      out.emplace_back(t);
    }
  }
  return out;
}

/// SET of docs/certificate-format.md.
std::string set_text(const std::vector<TokenId>& tokens) {
  std::string out;
  for (std::size_t i = 0, j = 0; i < tokens.size(); i = j) {
    for (j = i + 1; j < tokens.size() && tokens[j].at() == tokens[j - 1].at() + 1; ++j) {
    }
    out += (out.empty() ? "" : ",") + std::to_string(tokens[i].at());
    out += j > i + 1 ? "-" + std::to_string(tokens[j - 1].at()) : "";
  }
  return out;
}

}  // namespace

Emission Emission::parse(const std::string& words) {
  return parse_known(split(words, ':'), words);
}

Emission Emission::parse_known(const std::vector<std::string>& parts, const std::string& words) {
  Emission out;
  const std::string& name = parts[0];
  const std::size_t n = parts.size();
  if ((name == "greedy" || name == "plain") && n <= 2) {
    out.kind_ = name == "greedy" ? Kind::greedy : Kind::plain;
    out.set_temperature(parts, 1, false, words);
    return out;
  }
  if (name == "top-k" && (n == 2 || n == 3)) {
    const Rational k = number(parts[1], words);
    if (k.den != 1 || k.num < 1 || k.num > 1000000) {
      throw UsageError("--decoder top-k: expected a whole number of 1 or more, found " +
                       visible(parts[1]));
    }
    out.kind_ = Kind::top_k;
    out.k_ = static_cast<std::size_t>(k.num);
    out.set_temperature(parts, 2, false, words);
    return out;
  }
  if ((name == "min-p" || name == "top-p") && n >= 2 && n <= 4) {
    out.kind_ = name == "min-p" ? Kind::min_p : Kind::top_p;
    out.share_ = number(parts[1], words);
    if (out.share_.num <= 0 || out.share_.num > out.share_.den) {
      throw UsageError("--decoder " + name + ": expected 0 < " + (name == "min-p" ? "RHO" : "P") +
                       " <= 1 and T > 0, found " + visible(words));
    }
    out.set_temperature(parts, 2, true, words);
    if (out.kind_ == Kind::min_p) {
      out.set_cut();
    }
    return out;
  }
  refuse(words);
}

void Emission::set_cut() {
  cut_ = share_.num == share_.den ? Interval(0.0) : log(enclosed(share_));
  cut_ = temperature_first_ ? cut_ * enclosed(*temperature_) : cut_;
}

Emission Emission::at_min_p(const Rational& min_p) const {
  require(kind_ == Kind::min_p && min_p.num > 0 && min_p.num <= min_p.den, "Emission::at_min_p");
  Emission out = *this;
  out.share_ = min_p;
  out.set_cut();
  return out;
}

/// T and, where the cut reads probabilities, its order.
void Emission::set_temperature(const std::vector<std::string>& parts, std::size_t from,
                               bool ordered, const std::string& words) {
  if (ordered) {
    temperature_ = Rational{1, 1};
  }
  if (parts.size() > from) {
    temperature_ = number(parts[from], words);
    if (temperature_->num <= 0) {
      throw UsageError("--decoder " + parts[0] + ": expected T > 0, found " + visible(words));
    }
  }
  if (parts.size() > from + 1) {
    if (parts[from + 1] != "before" && parts[from + 1] != "after") {
      throw UsageError("--decoder " + parts[0] + ": expected before or after, found " +
                       visible(parts[from + 1]));
    }
    temperature_first_ = parts[from + 1] == "before";
  }
}

void Emission::allow(const std::string& words, const spec::Spec& spec, std::size_t vocabulary) {
  const bool after = words.starts_with("after:");
  const std::string list =
      after || words.starts_with("before:") ? words.substr(words.find(':') + 1) : words;
  std::optional<std::vector<TokenId>> tokens = parse_ids(list, vocabulary);
  if (!tokens) {
    const spec::TokenClass* found = spec.find_class(list);
    if (found == nullptr) {
      refuse_list("token ids (3,5-9) or a class of the spec", list.empty() ? "nothing" : list);
    }
    tokens = found->ids;
  }
  std::sort(tokens->begin(), tokens->end());
  tokens->erase(std::unique(tokens->begin(), tokens->end()), tokens->end());
  if (tokens->empty() || tokens->back().at() >= vocabulary) {
    refuse_list("at least one token, all below " + std::to_string(vocabulary), list);
  }
  mask_ = after ? Mask::after : Mask::before;
  allowed_ = std::move(*tokens);
}

DecoderRule Emission::rule() const {
  static constexpr std::array kKinds = {DecoderRule::Kind::greedy, DecoderRule::Kind::min_p,
                                        DecoderRule::Kind::top_k, DecoderRule::Kind::top_p,
                                        DecoderRule::Kind::plain};
  static constexpr std::array kMasks = {DecoderRule::Mask::none, DecoderRule::Mask::before,
                                        DecoderRule::Mask::after};
  DecoderRule out;
  out.kind = kKinds.at(static_cast<std::size_t>(kind_));
  out.share = share_;
  out.temperature = temperature_.value_or(Rational{1, 1});
  out.temperature_first = temperature_first_;
  out.k = k_;
  out.mask = kMasks.at(static_cast<std::size_t>(mask_));
  out.allowed = allowed_;
  return out;
}

bool Emission::has_idle_temperature() const {
  return temperature_ && !(*temperature_ == Rational{1, 1}) && !temperature_first_;
}

std::string Emission::text() const {
  std::string out;
  switch (kind_) {
    case Kind::greedy:
      out = "greedy";
      break;
    case Kind::plain:
      out = "plain";
      break;
    case Kind::top_k:
      out = "top-k " + std::to_string(k_);
      break;
    case Kind::min_p:
    case Kind::top_p:
      out = (kind_ == Kind::min_p ? "min-p " : "top-p ") + share_.text();
      break;
  }
  out += temperature_ ? " temperature " + temperature_->text() : "";
  if (kind_ == Kind::min_p || kind_ == Kind::top_p) {
    out += temperature_first_ ? " order before" : " order after";
  }
  if (mask_ != Mask::none) {
    out += std::string(" allow ") + (mask_ == Mask::before ? "before " : "after ") +
           set_text(allowed_);
  }
  return out;
}

}  // namespace assay::automata
