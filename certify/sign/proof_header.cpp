#include "proof_header.hpp"

#include <algorithm>
#include <fstream>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay::certify {

ProofHeader read_proof_header(const std::filesystem::path& file, const std::set<std::string>& ids) {
  std::ifstream in(file, std::ios::binary);
  std::string line;
  if (!std::getline(in, line) || line != "assay-cert 1") {
    throw InputError(file.filename().string(), "first line", "assay-cert 1",
                     visible(line.substr(0, 40)));
  }
  ProofHeader header;
  while (std::getline(in, line)) {
    const std::size_t space = line.find(' ');
    const std::string word = line.substr(0, space);
    const bool asked = ids.count(word) > 0;
    if (space == std::string::npos || (!asked && word != "model" && word != "kind")) {
      continue;
    }
    const std::vector<std::string> words = split(line, ' ');
    // A step has a colon among its words, a header line never: a claim may be called `kind`.
    const bool is_step = std::find(words.begin(), words.end(), ":") != words.end();
    if (word == "model" && !is_step && !header.config && words.size() == 3) {
      header.config = parse_digest(words[1]);
      header.weights = parse_digest(words[2]);
    } else if (word == "kind" && !is_step && header.kind.empty() && words.size() == 2) {
      header.kind = words[1];
    } else if (asked && is_step) {
      header.rules.emplace(word, words[1]);
    }
  }
  return header;
}

}  // namespace assay::certify
