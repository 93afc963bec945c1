#include "offline.h"

#include <algorithm>

namespace domino_sim {

namespace {

// Open addressing; a cleared entry keeps this mark so that searches go on past it.
constexpr std::uint64_t kTombstone = 1;

std::uint64_t keyOf(const std::string& path) {
    return std::max<std::uint64_t>(hashOf(path), kTombstone + 1);
}

OfflineEntry* find(PartitionLayout& shared, const std::string& path) {
    const std::uint64_t key = keyOf(path);
    for (std::uint32_t step = 0; step < kMaxOffline; ++step) {
        OfflineEntry& entry = shared.offline[(key + step) % kMaxOffline];
        if (entry.pathHash == 0) {
            return nullptr;
        }
        if (entry.pathHash == key && path == entry.path) {
            return &entry;
        }
    }
    return nullptr;
}

} // namespace

bool isOffline(Partition& partition, const std::string& expandedPath) {
    PartitionLayout& shared = partition.layout();
    if (shared.offlineCount.load(std::memory_order_acquire) == 0) {
        return false;
    }
    const platform::RobustLock lock(shared.offlineLock);
    return find(shared, expandedPath) != nullptr;
}

void markOffline(Partition& partition, const std::string& expandedPath) {
    PartitionLayout& shared = partition.layout();
    const platform::RobustLock lock(shared.offlineLock);
    if (find(shared, expandedPath) != nullptr) {
        return;
    }
    const std::uint64_t key = keyOf(expandedPath);
    for (std::uint32_t step = 0; step < kMaxOffline; ++step) {
        OfflineEntry& entry = shared.offline[(key + step) % kMaxOffline];
        if (entry.pathHash <= kTombstone) {
            copyPath(entry.path, expandedPath);
            entry.pathHash = key;
            shared.offlineCount.fetch_add(1);
            return;
        }
    }
    throw StatusError(kDatabasePoolFull);
}

bool clearOffline(Partition& partition, const std::string& expandedPath) {
    PartitionLayout& shared = partition.layout();
    const platform::RobustLock lock(shared.offlineLock);
    OfflineEntry* entry = find(shared, expandedPath);
    if (entry == nullptr) {
        return false;
    }
    entry->pathHash = kTombstone;
    shared.offlineCount.fetch_sub(1);
    return true;
}

void clearAllOffline(Partition& partition) {
    PartitionLayout& shared = partition.layout();
    const platform::RobustLock lock(shared.offlineLock);
    if (shared.offlineCount != 0) {
        for (OfflineEntry& entry : shared.offline) {
            entry.pathHash = 0;
        }
    }
    shared.offlineCount = 0;
}

} // namespace domino_sim
