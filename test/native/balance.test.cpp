// How databases are spread over the shards.

#include "engine/balance.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>

#include "check.h"

namespace {

using namespace domino_vss::engine;

std::vector<std::vector<std::size_t>> spread(const std::vector<std::uint32_t>& costs, std::size_t shards) {
    std::vector<Expected> databases;
    for (const std::uint32_t cost : costs) databases.push_back({cost, 0});
    return spreadOverShards(databases, shards);
}

std::uint64_t longest(const std::vector<std::vector<std::size_t>>& assigned, const std::vector<std::uint32_t>& costs) {
    std::uint64_t most = 0;
    for (const auto& shard : assigned) {
        std::uint64_t sum = 0;
        for (const std::size_t index : shard) sum += costs[index];
        most = std::max(most, sum);
    }
    return most;
}

void everyDatabaseIsOnOneShardInItsOrder() {
    std::mt19937 random(20261123);
    for (const std::size_t shards : {1U, 3U, 16U}) {
        std::vector<std::uint32_t> costs(200);
        for (auto& cost : costs) cost = static_cast<std::uint32_t>(random() % 50);
        std::vector<std::size_t> all;
        for (const auto& shard : spread(costs, shards)) {
            CHECK(std::ranges::is_sorted(shard));
            all.insert(all.end(), shard.begin(), shard.end());
        }
        std::ranges::sort(all);
        std::vector<std::size_t> expected(costs.size());
        std::iota(expected.begin(), expected.end(), std::size_t{0});
        CHECK(all == expected);
    }
}

void withoutKnowledgeTheyAreDealtInTurn() {
    const auto assigned = spread(std::vector<std::uint32_t>(7), 3);
    CHECK(assigned == (std::vector<std::vector<std::size_t>>{{0, 3, 6}, {1, 4}, {2, 5}}));
}

void fewDearOnesDoNotMeetOnOneShard() {
    std::vector<std::uint32_t> costs(160, 2);
    for (const std::size_t dear : {0U, 16U, 32U, 48U}) costs[dear] = 100;  // dealt in turn, all four on the first shard
    CHECK(longest(spread(costs, 16), costs) == 100);
}

void uncertainOnesCountAsUsual() {
    const std::vector<std::uint32_t> costs{90, 0, 90, 0, 90, 0};
    const auto assigned = spread(costs, 3);
    for (const auto& shard : assigned) CHECK(shard.size() == 2);
}

void staysWithinAThirdOfTheBest() {
    std::mt19937 random(7);
    std::lognormal_distribution<double> cost(3, 2);
    for (int round = 0; round < 50; ++round) {
        std::vector<std::uint32_t> costs(300);
        for (auto& each : costs) each = 1 + static_cast<std::uint32_t>(cost(random));
        const std::uint64_t sum = std::accumulate(costs.begin(), costs.end(), std::uint64_t{0});
        const std::uint64_t best = std::max<std::uint64_t>((sum + 7) / 8, std::ranges::max(costs));
        CHECK(3 * longest(spread(costs, 8), costs) <= 4 * best);
    }
}

void theMostActiveOnesComeLastOnDifferentShards() {
    std::mt19937 random(20261127);
    for (const std::uint32_t cost : {0U, 5U}) {
        std::vector<Expected> databases(200);
        for (std::size_t i = 0; i < databases.size(); ++i) databases[i] = {cost, static_cast<double>(i % 50)};
        std::ranges::shuffle(databases, random);
        const auto activityOf = [&](std::size_t index) { return databases[index].activity; };
        const auto assigned = spreadOverShards(databases, 4);
        for (const auto& shard : assigned) {
            CHECK(shard.size() == 50);
            CHECK(std::ranges::is_sorted(shard, std::less{}, activityOf));
            CHECK(activityOf(shard.back()) == 49);
        }
    }
}

void costsComeBeforeActivity() {
    const std::vector<Expected> databases{{1, 9}, {1, 8}, {10, 0}, {1, 7}};
    CHECK(spreadOverShards(databases, 2) == (std::vector<std::vector<std::size_t>>{{2}, {3, 1, 0}}));
}

}  // namespace

int main() {
    return check::run({
        {"every database is on one shard, in its order", everyDatabaseIsOnOneShardInItsOrder},
        {"without knowledge they are dealt in turn", withoutKnowledgeTheyAreDealtInTurn},
        {"few dear ones do not meet on one shard", fewDearOnesDoNotMeetOnOneShard},
        {"uncertain ones count as usual", uncertainOnesCountAsUsual},
        {"stays within a third of the best", staysWithinAThirdOfTheBest},
        {"the most active ones come last, on different shards", theMostActiveOnesComeLastOnDifferentShards},
        {"costs come before activity", costsComeBeforeActivity},
    });
}
