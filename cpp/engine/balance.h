#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace domino_vss::engine {

/// Which databases each shard gets, so that all shards are expected to finish at the same time. `costs` are what the
/// databases are expected to cost, in any unit; 0 = unknown, taken as the median of the known ones. Within a shard the
/// order stays.
[[nodiscard]] std::vector<std::vector<std::size_t>> spreadOverShards(std::span<const std::uint32_t> costs,
                                                                     std::size_t shards);

}  // namespace domino_vss::engine
