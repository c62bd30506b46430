#pragma once

#include <cstddef>
#include <functional>

namespace assay::erase {

/// Cores that this process may use.
[[nodiscard]] std::size_t workers();

/// work(worker, i) once for every i < count, worker < workers(), in any order, on all cores where there is
/// more than one i. Rethrows the exception of the least i that threw one.
void for_each_index(std::size_t count,
                    const std::function<void(std::size_t worker, std::size_t i)>& work);

}  // namespace assay::erase
