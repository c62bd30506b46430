#pragma once

#include "session.hpp"

namespace assay::cli {

/// erase fit | apply | certify: on activations and labels given as tensors.
void add_erase_tensors(CLI::App& erase, Session& session);
/// erase extent | moments | merge: exact sums of parts of the rows, for erase fit --moments.
void add_erase_moments(CLI::App& erase, Session& session);
/// erase attack: the battery of probes.
void add_erase_attack(CLI::App& erase, Session& session);
/// erase rows: activations of a model with labels.
void add_erase_rows(CLI::App& erase, Session& session);
/// erase split: parts by document.
void add_erase_split(CLI::App& erase, Session& session);

}  // namespace assay::cli
