#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>

#include "engine/database.h"
#include "engine/record.h"
#include "engine/shadow_provider.h"

namespace domino_vss::engine {

/// Buffer size for NSFBackupGetNextChangeInfo. HCL's sample uses it; other sizes are not known to work everywhere.
inline constexpr std::uint32_t kPieceBytes = 32768;

/// State shared by the control thread and the shard threads of one session. Held by shared_ptr, because a shard thread
/// that hangs in a call outlives its session.
struct SessionCore {
    std::unique_ptr<DatabaseSource> source;
    std::unique_ptr<ShadowProvider> provider;
    std::filesystem::path deltaDirectory;
    std::deque<DatabaseRecord> records;

    std::atomic<Phase> phase = Phase::idle;
    std::atomic<std::uint32_t> done = 0;
    std::atomic<std::uint32_t> total = 0;

    std::mutex mutex;
    std::condition_variable shardFinished;  ///< a shard finished a command, or a provider step ended
    ServerTime afterLastStart;              ///< guarded by mutex: the latest of all shards
};

}  // namespace domino_vss::engine
