#pragma once
// The transaction log: extents S0000000.TXN … and the control file NLOGCTRL.LFH in the log directory.
//
// A redo record contains page numbers and the seed from which their content is derived, so the pages can be written
// again.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "transaction.h"

namespace domino_sim {

/** The values of the C API. */
enum class LogStyle : std::uint32_t { circular = 0, archive = 1, linear = 2 };

bool isServerLogged(const Environment& environment);
std::string logDirectory(const Environment& environment);

/** The current state of the log. The log lock is held only during the call. */
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

/** The file name of an extent, without the directory. */
std::string extentName(std::uint32_t number);

/** Reads the records of an extent file. Returns false if it is missing or is not that extent of that log. */
bool readExtent(const std::string& path, const Unid& logId, std::uint32_t number,
                const std::function<void(const LogRecord&)>& visit);

/** Runs `change` on the log's state under the log lock, then saves the control file. */
void changeLog(Environment& environment, const std::function<void(LogState&)>& change);

bool isArchived(const LogState& log, std::uint32_t extent);
void setArchived(LogState& log, std::uint32_t extent, bool archived);
bool isHandedOut(const LogState& log, std::uint32_t extent);
void setHandedOut(LogState& log, std::uint32_t extent, bool handedOut);

}  // namespace domino_sim
