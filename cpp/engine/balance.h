#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace domino_vss::engine {

/// What is expected of a database.
struct Expected {
    std::uint32_t costUs = 0;  ///< 0 = unknown; the median of the known costs is used instead
    double activity = 0;
};

/// Assigns databases to shards so that all shards are expected to finish at the same time and the busiest databases are
/// on different shards. Each shard's list is sorted by activity, least active first; databases of equal activity keep
/// their order.
[[nodiscard]] std::vector<std::vector<std::size_t>> spreadOverShards(std::span<const Expected> databases,
                                                                     std::size_t shards);

}  // namespace domino_vss::engine
