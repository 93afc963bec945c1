#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace domino_vss::engine {

/// What is expected of a database.
struct Expected {
    std::uint32_t costUs = 0;  ///< 0 = unknown, taken as the median of the known ones
    double activity = 0;
};

/// Which databases each shard gets, so that all shards are expected to finish at the same time, and those with most
/// activity are on different ones. Within a shard they are in the order of their activity, least first; equals keep
/// their order.
[[nodiscard]] std::vector<std::vector<std::size_t>> spreadOverShards(std::span<const Expected> databases,
                                                                     std::size_t shards);

}  // namespace domino_vss::engine
