#pragma once
// The transaction log: extents S0000000.TXN … and the control file NLOGCTRL.LFH in the log directory.
//
// A redo record names the pages and the seed their content follows from; it is enough to write the pages again.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "transaction.h"

namespace domino_sim {

/** As the C API numbers them. */
enum class LogStyle : std::uint32_t { circular = 0, archive = 1, linear = 2 };

bool isServerLogged(const Environment& environment);
std::string logDirectory(const Environment& environment);

/** The log as it is now; the log lock is held only inside the call. */
struct LogPosition {
    LogStyle style;
    Unid logId;
    std::uint32_t firstExtent;
    std::uint32_t currentExtent;
};

LogPosition logPosition(Environment& environment);

struct LogRecord {
    Unid instanceId;
    std::uint64_t sequence = 0;
    std::uint64_t seed = 0;
    std::uint64_t parentChain = 0;
    std::uint64_t chain = 0;
    TimeDate committed{};
    std::uint32_t pageCountAfter = 0;
    std::vector<std::uint32_t> pages;
};

void appendTransaction(Environment& environment, const Unid& instanceId, const TransactionPlan& plan);

/** File name of an extent, without directory. */
std::string extentName(std::uint32_t number);

/** Reads the records of one extent file; false when it is missing or not that extent of that log. */
bool readExtent(const std::string& path, const Unid& logId, std::uint32_t number,
                const std::function<void(const LogRecord&)>& visit);

/** Runs `change` on the log's state under the log lock and saves the control file afterwards. */
void changeLog(Environment& environment, const std::function<void(LogState&)>& change);

bool isArchived(const LogState& log, std::uint32_t extent);
void setArchived(LogState& log, std::uint32_t extent, bool archived);
bool isHandedOut(const LogState& log, std::uint32_t extent);
void setHandedOut(LogState& log, std::uint32_t extent, bool handedOut);

}  // namespace domino_sim
