#include "assay/model/corpus.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

bool is_text_file(const fs::path& path) {
  static const std::set<std::string> kExtensions = {".html", ".htm", ".xhtml", ".txt", ".md"};
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return kExtensions.contains(extension);
}

std::vector<fs::path> text_files_below(const fs::path& root) {
  std::vector<fs::path> files;
  // The default options do not descend into linked directories; linked files are skipped here.
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_symlink() && entry.is_regular_file() && is_text_file(entry.path())) {
      files.push_back(entry.path());
    }
  }
  return files;
}

/// A single file as pieces of about `kPiece` bytes that end at a line's end where one is near, so
/// that one file too has text to fit on and text held out.
void add_pieces(const std::string& name, const std::string& text,
                std::vector<Document>& documents) {
  constexpr std::size_t kPiece = 8192;
  if (text.size() <= 2 * kPiece) {
    documents.push_back({name, text});
    return;
  }
  for (std::size_t first = 0, number = 1; first < text.size(); ++number) {
    const std::size_t line_end = text.find('\n', first + kPiece);
    const std::size_t end =
        line_end < first + 2 * kPiece ? line_end + 1 : std::min(first + kPiece, text.size());
    const std::string digits = std::to_string(number);
    std::string piece = name + "#";
    piece.append(digits.size() < 7 ? 7 - digits.size() : 0, '0').append(digits);
    documents.push_back({std::move(piece), text.substr(first, end - first)});
    first = end;
  }
}

}  // namespace

Part part_of(const Document& document) {
  const unsigned first = sha256(document.text).bytes[0];
  return first < 179 ? Part::fit : first < 205 ? Part::calibration : Part::held_out;
}

std::vector<Document> load_corpus(const fs::path& path) {
  std::vector<Document> documents;
  try {
    if (fs::is_directory(path)) {
      for (const fs::path& file : text_files_below(path)) {
        documents.push_back({file.lexically_relative(path).generic_string(), read_file(file)});
      }
    } else {
      add_pieces(path.filename().string(), read_file(path), documents);
    }
  } catch (const fs::filesystem_error& e) {
    throw InputError(path.string() + ": cannot be read: " + e.what());
  }
  std::erase_if(documents, [](const Document& document) { return document.text.empty(); });
  if (documents.empty()) {
    throw InputError(path.string(), "text",
                     "a text file, or a directory with *.html, *.htm, "
                     "*.xhtml, *.txt or *.md files, that is not empty",
                     "no text");
  }
  std::sort(documents.begin(), documents.end(),
            [](const Document& a, const Document& b) { return a.name < b.name; });
  return documents;
}

std::vector<std::vector<TokenId>> encode_part(const std::vector<Document>& documents, Part part,
                                              const Tokenizer& tokenizer) {
  std::vector<std::vector<TokenId>> out;
  for (const Document& document : documents) {
    if (part_of(document) == part) {
      out.push_back(tokenizer.encode(document.text));
    }
  }
  return out;
}

Digest corpus_digest(const std::vector<Document>& documents) {
  // The digest of what sha256sum would print for the files, in order.
  std::string lines;
  for (const Document& document : documents) {
    lines += sha256(document.text).hex() + "  " + visible(document.name) + "\n";
  }
  return sha256(lines);
}

}  // namespace assay
