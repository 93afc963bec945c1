#include "engine/balance.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>

namespace domino_vss::engine {

namespace {

std::uint32_t medianOfKnown(std::span<const Expected> databases) {
    std::vector<std::uint32_t> known;
    for (const Expected& database : databases)
        if (database.costUs > 0) known.push_back(database.costUs);
    if (known.empty()) return 1;
    const auto middle = known.begin() + static_cast<std::ptrdiff_t>(known.size() / 2);
    std::ranges::nth_element(known, middle);
    return *middle;
}

}  // namespace

std::vector<std::vector<std::size_t>> spreadOverShards(std::span<const Expected> databases, std::size_t shards) {
    const std::uint32_t usual = medianOfKnown(databases);
    const auto costOf = [&](std::size_t index) -> std::uint64_t {
        return databases[index].costUs > 0 ? databases[index].costUs : usual;
    };
    const auto activityOf = [&](std::size_t index) { return databases[index].activity; };

    // Largest cost first, each to the shard with the smallest load: at most a third above the optimum (Graham's LPT
    // rule). Among equal costs the most active first, so that these are distributed over all shards.
    std::vector<std::size_t> order(databases.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater{}, activityOf);
    std::ranges::stable_sort(order, std::greater{}, costOf);
    using Load = std::pair<std::uint64_t, std::size_t>;
    std::priority_queue<Load, std::vector<Load>, std::greater<>> least;
    for (std::size_t shard = 0; shard < shards; ++shard) least.emplace(0, shard);

    std::vector<std::vector<std::size_t>> assigned(shards);
    for (const std::size_t index : order) {
        auto [load, shard] = least.top();
        least.pop();
        assigned[shard].push_back(index);
        least.emplace(load + costOf(index), shard);
    }
    for (auto& indexes : assigned) {
        std::ranges::sort(indexes);
        std::ranges::stable_sort(indexes, std::less{}, activityOf);
    }
    return assigned;
}

}  // namespace domino_vss::engine
