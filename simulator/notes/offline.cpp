#include "offline.h"

#include <algorithm>

namespace domino_sim {

namespace {

// Open addressing. A removed entry keeps this mark, so that searches continue past it.
constexpr std::uint32_t kTombstone = 0xffff'ffff;

/** The index entry with the key of a path, or null. Call with the offline lock held. */
std::uint32_t* find(PartitionLayout& shared, const std::string& key) {
    const std::uint64_t hash = hashOf(key);
    for (std::uint32_t step = 0; step < kOfflineIndexSize; ++step) {
        std::uint32_t& place = shared.offlineIndex[(hash + step) % kOfflineIndexSize];
        if (place == 0) {
            return nullptr;
        }
        const bool isHere =
            place != kTombstone && shared.offline[place - 1].pathHash == hash && key == shared.offline[place - 1].path;
        if (isHere) {
            return &place;
        }
    }
    return nullptr;
}

void forgetAll(PartitionLayout& shared) {
    std::ranges::fill(shared.offlineIndex, 0u);
    shared.offlineUsed = 0;
    shared.offlineCount = 0;
}

}  // namespace

bool isOffline(Partition& partition, const std::string& expandedPath) {
    PartitionLayout& shared = partition.layout();
    if (shared.offlineCount.load(std::memory_order_acquire) == 0) {
        return false;
    }
    const platform::RobustLock lock(shared.offlineLock);
    return find(shared, platform::pathKey(expandedPath)) != nullptr;
}

void markOffline(Partition& partition, const std::string& expandedPath) {
    PartitionLayout& shared = partition.layout();
    const std::string key = platform::pathKey(expandedPath);
    const platform::RobustLock lock(shared.offlineLock);
    if (find(shared, key) != nullptr) {
        return;
    }
    if (shared.offlineUsed == kMaxOffline) {
        throw StatusError(kDatabasePoolFull);
    }
    const std::uint64_t hash = hashOf(key);
    std::uint32_t at = static_cast<std::uint32_t>(hash % kOfflineIndexSize);
    while (shared.offlineIndex[at] != 0) {
        at = (at + 1) % kOfflineIndexSize;
    }
    OfflineEntry& entry = shared.offline[shared.offlineUsed++];
    entry.pathHash = hash;
    copyPath(entry.path, key);
    shared.offlineIndex[at] = shared.offlineUsed;
    shared.offlineCount.fetch_add(1);
}

bool clearOffline(Partition& partition, const std::string& expandedPath) {
    PartitionLayout& shared = partition.layout();
    const platform::RobustLock lock(shared.offlineLock);
    std::uint32_t* place = find(shared, platform::pathKey(expandedPath));
    if (place == nullptr) {
        return false;
    }
    *place = kTombstone;
    if (shared.offlineCount.fetch_sub(1) == 1) {
        forgetAll(shared);  // frees all entries and marks
    }
    return true;
}

void clearAllOffline(Partition& partition) {
    PartitionLayout& shared = partition.layout();
    const platform::RobustLock lock(shared.offlineLock);
    if (shared.offlineCount != 0) {
        forgetAll(shared);
    }
}

}  // namespace domino_sim
