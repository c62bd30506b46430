#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/verify/counterexample.hpp"
#include "exact_certificate.hpp"

namespace assay::verify {
namespace {

using nlohmann::json;

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    out.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::size_t natural(const std::string& word, const std::string& file) {
  if (word.empty() || word.size() > 9 ||
      word.find_first_not_of("0123456789") != std::string::npos) {
    throw InputError(file + ": expected a number, found " + visible(word));
  }
  return std::stoul(word);
}

TokenId token(std::size_t id, std::size_t vocabulary, const std::string& file) {
  if (id >= vocabulary) {
    throw InputError(file + ": token " + std::to_string(id) + ": the model has " +
                     std::to_string(vocabulary));
  }
  return TokenId(id);
}

std::vector<TokenId> tokens_of(const json& list, std::size_t vocabulary, const std::string& file) {
  if (!list.is_array()) {
    throw InputError(file + ": expected a list of token ids");
  }
  std::vector<TokenId> out;
  for (const json& id : list) {
    if (!id.is_number_unsigned()) {
      throw InputError(file + ": expected a list of token ids");
    }
    out.push_back(token(id.get<std::size_t>(), vocabulary, file));
  }
  return out;
}

/// SET of docs/certificate-format.md: `*`, or rising runs A, A-B.
std::vector<TokenId> set_of(const std::string& word, std::size_t vocabulary,
                            const std::string& file) {
  std::vector<TokenId> out;
  if (word == "*") {
    for (std::size_t t = 0; t < vocabulary; ++t) {
      out.emplace_back(t);
    }
    return out;
  }
  for (std::size_t at = 0; at <= word.size();) {
    const std::size_t end = std::min(word.find(',', at), word.size());
    const std::string part = word.substr(at, end - at);
    const std::size_t dash = part.find('-');
    const std::size_t first = natural(part.substr(0, dash), file);
    const std::size_t last =
        dash == std::string::npos ? first : natural(part.substr(dash + 1), file);
    for (std::size_t t = first; t <= last; ++t) {
      out.push_back(token(t, vocabulary, file));
    }
    at = end + 1;
  }
  return out;
}

/// `witness` of the exact and refined modes, `counterexample` of the fitted one; `holds` and `below` of threshold.
void add_runs(const json& property, const std::string& name, std::size_t vocabulary,
              const std::string& file, Counterexamples& out) {
  for (const char* key : {"witness", "counterexample"}) {
    if (property.contains(key) && property[key].is_object()) {
      const json& run = property[key];
      Counterexample c{name, tokens_of(run.value("prompt", json()), vocabulary, file),
                       tokens_of(run.value("tokens", json()), vocabulary, file), 0};
      if (run.contains("loop")) {
        c.loop = run["loop"].is_number_unsigned() ? run["loop"].get<std::size_t>() : 0;
        if (c.loop == 0 || c.loop > c.tokens.size()) {
          throw InputError(file + ": a loop of no token, or of more than the run has");
        }
      }
      out.runs.push_back(std::move(c));
    }
  }
}

Counterexamples from_json(const std::string& text, const std::string& file,
                          std::size_t vocabulary) {
  json object;
  try {
    object = json::parse(text);
  } catch (const json::exception& e) {
    throw InputError(file + ": broken JSON: " + e.what());
  }
  if (!object.is_object() || !object.contains("properties") || !object["properties"].is_array()) {
    throw InputError(file + ": expected the JSON of assay check, with properties");
  }
  Counterexamples out;
  if (object.contains("decoder") && object["decoder"].is_string()) {
    out.decoder = object["decoder"].get<std::string>();
  }
  for (const json& property : object["properties"]) {
    if (!property.is_object() || !property.contains("name") || !property["name"].is_string()) {
      throw InputError(file + ": a property without a name");
    }
    add_runs(property, property["name"].get<std::string>(), vocabulary, file, out);
  }
  return out;
}

/// `NAME WITNESS : P … N …`, `NAME LASSO : P … N … L …`.
Counterexample from_line(const std::vector<std::string>& words, std::size_t vocabulary,
                         const std::string& file) {
  Counterexample out;
  out.property = words[0];
  std::string part;
  for (std::size_t i = 3; i < words.size(); ++i) {
    if (words[i] == "P" || words[i] == "N" || words[i] == "L") {
      part = words[i];
      continue;
    }
    const TokenId t = token(natural(words[i], file), vocabulary, file);
    if (part.empty()) {
      throw InputError(file + ": expected P, N or L before the tokens of " + out.property);
    }
    (part == "P" ? out.prompt : out.tokens).push_back(t);
    out.loop += part == "L" ? 1 : 0;
  }
  return out;
}

}  // namespace

Counterexamples read_counterexamples(const std::string& text, const std::string& file,
                                     std::size_t vocabulary) {
  if (!text.starts_with("assay-cert 1\n")) {
    return from_json(text, file, vocabulary);
  }
  Counterexamples out;
  for (const std::string& line : lines_of(text)) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() > 3 && (words[1] == "WITNESS" || words[1] == "LASSO") && words[2] == ":") {
      out.runs.push_back(from_line(words, vocabulary, file));
    }
  }
  return out;
}

automata::Emission emission_of(const std::string& text, const spec::Spec& spec,
                               std::size_t vocabulary, const std::string& file) {
  const std::vector<std::string> words = words_of(text);
  std::string option, allow;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "allow" && i + 2 < words.size()) {
      allow = words[i + 1] + ":" + words[i + 2];
      i += 2;
    } else if (words[i] != "temperature" && words[i] != "order") {
      option += (option.empty() ? "" : ":") + words[i];
    }
  }
  const InputError wrong(file + ": expected a decoder in a statement's words, found " +
                         visible(text));
  try {
    automata::Emission out = automata::Emission::parse(option);
    if (!allow.empty()) {
      out.allow(allow, spec, vocabulary);
    }
    if (out.text() == text) {
      return out;
    }
  } catch (const UsageError&) {
    throw wrong;
  }
  throw wrong;
}

void read_runs(const std::string& text, const std::string& file, ExactInput& input) {
  const std::size_t V = input.subject.model->config.d_vocab;
  const std::vector<std::string> lines = lines_of(text);
  const auto rest = [&](std::size_t i, const std::string& word) {
    if (i >= lines.size() || !lines[i].starts_with(word + " ")) {
      throw InputError(file + ":" + std::to_string(i + 1) + ": expected " + word);
    }
    return lines[i].substr(word.size() + 1);
  };
  input.emission = emission_of(rest(1, "decoder"), *input.subject.spec, V, file);
  const std::vector<std::string> prompts = words_of(rest(2, "prompts"));
  input.prompts = {};
  if (prompts[0] == "any" && prompts.size() == 2) {
    input.prompts.max_length = natural(prompts[1], file);
  }
  for (std::size_t i = 1; i < prompts.size() && prompts[0] == "sets"; ++i) {
    input.prompts.sets.push_back(set_of(prompts[i], V, file));
  }
  const std::string most = rest(3, "max-new");
  input.max_new = most == "any" ? std::nullopt : std::optional(natural(most, file));
  if (runs_text(input) != text) {
    throw InputError(file + ": expected assay-runs 1, found another file or other words");
  }
}

}  // namespace assay::verify
