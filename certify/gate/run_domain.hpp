#pragma once

#include <string>

namespace assay::certify {

/// What is known of two domains as signed claims about runs state them ("every run of the model: any prompt of 1 to 64 tokens,
/// decoder …, any number of new tokens").
struct DomainOrder {
  bool now_covers_old = false, old_covers_now = false;
};
/// By sets: of prompts position by position, of lengths, of horizons; the decoder must be the same. Texts of another form cover
/// each other when they are equal.
[[nodiscard]] DomainOrder compare_domains(const std::string& old_text, const std::string& now_text);

}  // namespace assay::certify
