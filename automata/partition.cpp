#include "assay/automata/partition.hpp"

#include <map>
#include <set>
#include <string>

#include "assay/base/text.hpp"

namespace assay::automata {
namespace {

std::string token_list(const std::vector<TokenId>& tokens, const Tokenizer* tokenizer) {
  std::string text;
  for (const TokenId token : tokens) {
    text.append(text.empty() ? "`" : " `");
    text.append(tokenizer == nullptr || token.at() >= tokenizer->size()
                    ? std::to_string(token.at())
                    : visible(tokenizer->text(token)));
    text.append("`");
  }
  return text;
}

std::string block_name(const features::NamedTokens& whole, const std::vector<TokenId>& part,
                       std::uint64_t atoms, const std::vector<std::string>& atom_names,
                       const Tokenizer* tokenizer) {
  if (part.size() == 1) {
    return token_list(part, tokenizer);
  }
  if (part.size() == whole.tokens.size()) {
    return whole.name;
  }
  if (part.size() <= 3) {
    return token_list(part, tokenizer);
  }
  std::string name = whole.name;
  for (std::size_t i = 0; i < atom_names.size(); ++i) {
    if ((atoms >> i & 1U) != 0) {
      name.append("+").append(atom_names[i]);
    }
  }
  return atoms == 0 ? name + " (other)" : name;
}

}  // namespace

std::vector<features::NamedTokens> token_partition(
    const std::vector<features::NamedTokens>& classes,
    const std::vector<std::uint64_t>& token_atoms, const std::vector<std::string>& atom_names,
    const Tokenizer* tokenizer) {
  std::vector<features::NamedTokens> blocks;
  std::set<std::string> taken;
  for (const features::NamedTokens& whole : classes) {
    std::map<std::uint64_t, std::vector<TokenId>> parts;
    for (const TokenId token : whole.tokens) {
      parts[token_atoms.at(token.at())].push_back(token);
    }
    for (auto& [atoms, part] : parts) {
      std::string name = block_name(whole, part, atoms, atom_names, tokenizer);
      for (int i = 2; !taken.insert(name).second; ++i) {
        name.append(" #").append(std::to_string(i));
      }
      blocks.push_back({std::move(name), std::move(part)});
    }
  }
  return blocks;
}

}  // namespace assay::automata
