#pragma once
// The workload's own log: an independent record of what was written when. One file per writer.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "platform.h"
#include "transaction.h"

namespace domino_sim::cli {

struct WorkloadRecord {
    TimeDate databaseId{};
    std::uint64_t sequence = 0;
    std::uint64_t seed = 0;
    std::uint64_t parentChain = 0;
    std::uint64_t chain = 0;
    std::int64_t beginNs = 0;
    std::int64_t endNs = 0;  // 0 = no end was logged: the writer died, and another process completed it
    std::uint32_t pageCount = 0;
    TimeDate committed{};
    std::vector<std::uint32_t> pages;
};

/**
 * Appends records. A record is written before the transaction releases its lock, so that every visible page has one.
 */
class WorkloadLog {
public:
    WorkloadLog(const std::filesystem::path& directory, const std::string& writerName);

    void begin(const TransactionPlan& plan, std::int64_t beginNs);
    void end(const TransactionPlan& plan, std::int64_t endNs);

private:
    void append(std::span<const std::byte> bytes);

    platform::File file_;
    std::uint64_t sizeBytes_ = 0;
};

/** Reads all logs of a directory. Skips an incomplete record at the end of a file, left by a writer that was killed. */
void readWorkloadLogs(const std::filesystem::path& directory, const std::function<void(WorkloadRecord&&)>& visit);

}  // namespace domino_sim::cli
