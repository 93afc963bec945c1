#pragma once
// The workload's own log: the independent truth about what was written when. One file per writer.

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
    std::int64_t endNs = 0;  // 0 = the end was never logged: the writer died and another process completed it
    std::uint32_t pageCount = 0;
    TimeDate committed{};
    std::vector<std::uint32_t> pages;
};

/** Appends; written before the transaction's lock is released, so that whoever sees a page can find its record. */
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

/** Reads all logs of a directory. A record cut off at the end of a file (writer killed) is left out. */
void readWorkloadLogs(const std::filesystem::path& directory, const std::function<void(WorkloadRecord&&)>& visit);

}  // namespace domino_sim::cli
