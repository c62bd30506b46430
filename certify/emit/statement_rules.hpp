#pragma once

#include <string>

#include "assay/certify/statement.hpp"

namespace assay::certify {

/// What writer and reader demand alike: names unique and allowed, every reference resolved,
/// re-check options known. Says nothing about levels: those are the verifier's to recompute.
/// Throws InputError.
void check_rules(const Statement& statement, const std::string& file);

}  // namespace assay::certify
