#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/model/tokenizer.hpp"

namespace assay {

struct Document {
  std::string name;  ///< path relative to the corpus root
  std::string text;
};

/// Which part a document belongs to, by its content hash: fit 70 %, calibration 10 %,
/// held_out 20 %. Fit trains models, dictionaries, erasers; calibration is used once, for the
/// erasure residual; held_out for every figure that is printed as an evaluation.
enum class Part { fit, calibration, held_out };

[[nodiscard]] Part part_of(const Document& document);

/// A text file, or every *.html, *.htm, *.xhtml, *.txt, *.md below a directory (gzip is not
/// unpacked), ordered by path; symbolic links are not followed. A single file of more than
/// 16 KiB becomes documents "name#0000001"… of about 8 KiB, so that it has held-out text too.
/// Throws InputError when the text is empty or missing.
[[nodiscard]] std::vector<Document> load_corpus(const std::filesystem::path& path);

/// The token ids of the documents of one part, document by document.
[[nodiscard]] std::vector<std::vector<TokenId>> encode_part(const std::vector<Document>& documents,
                                                            Part part, const Tokenizer& tokenizer);

/// Digest over names and contents in order.
[[nodiscard]] Digest corpus_digest(const std::vector<Document>& documents);

}  // namespace assay
