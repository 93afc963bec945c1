// What the transaction log contains about a database, and archiving the log.

#include <algorithm>
#include <cstring>

#include "api.h"
#include "translog.h"

using namespace domino_sim;

namespace {

void requireArchiveStyle(Environment& environment) {
    if (!isServerLogged(environment)) {
        throw StatusError(kServerNotLogged);
    }
    if (logPosition(environment).style != LogStyle::archive) {
        throw StatusError(kTransLogNotArchived);
    }
}

/** Fails without NSFBeginArchivingLogs. It is not known which status Domino returns in that case. */
void requireArchiver(Environment& environment) {
    if (!Runtime::get().isArchiving && environment.isOn("SIM_ARCHIVE_NEEDS_BEGIN"_setting)) {
        throw StatusError(kNoSuchTransLog);
    }
}

/**
 * Returns the first extent ready for archiving: full, not archived, and not handed out yet; otherwise the current
 * extent. `again` forgets what was handed out. Without it, an extent that was handed out to an archiver that died is
 * skipped.
 */
Status nextToArchive(Environment& environment, bool again, Unid* logId, std::uint32_t* number, char* path) {
    requireArchiveStyle(environment);
    requireArchiver(environment);
    Status status = kNoTransLogsToArchive;
    std::uint32_t extent = 0;
    changeLog(environment, [&](LogState& log) {
        *logId = log.logId;
        extent = log.currentExtent;
        if (again) {
            std::ranges::fill(log.handedOut, 0u);
        }
        for (std::uint32_t candidate = log.firstExtent; candidate < log.currentExtent; ++candidate) {
            if (!isHandedOut(log, candidate) && !isArchived(log, candidate)) {
                setHandedOut(log, candidate, true);
                extent = candidate;
                status = kNoError;
                break;
            }
        }
    });
    *number = extent;
    storePath(environment, path, logDirectory(environment) + platform::kSeparator + extentName(extent));
    return status;
}

}  // namespace

NOTES_API std::uint64_t NSFDbGetLogInfo(Handle hDb, std::uint32_t flags, int* logged, Unid* logId, Unid* instanceId,
                                        std::uint32_t* logExtent) {
    return call("NSFDbGetLogInfo"_function, {hDb}, [&](Environment& environment) -> Status {
        requireZero(flags);
        const auto open = requireLocalDatabase(hDb);
        const HeaderPage header = open->database->readHeader();
        const BackupRecord& backup = open->database->slot().backup;
        const bool isInBackup = backup.state != BackupState::none;
        if (!isInBackup && environment.settings.is("SIM_LOGINFO_OUTSIDE_BACKUP"_setting, "error")) {
            return kNotDoingBackup;
        }
        const bool isLogged = open->database->isLogged(header);
        *logged = isLogged ? 1 : 0;
        if (isLogged) {
            *logId = header.logId;
            *instanceId = header.instanceId;
            *logExtent = isInBackup ? backup.logExtent : logPosition(environment).currentExtent;
        } else {
            // Documented as set only if logged, so a caller must not read them.
            const int filler = environment.settings.is("SIM_UNLOGGED_LOGINFO"_setting, "zero") ? 0 : 0xE5;
            std::memset(logId, filler, sizeof *logId);
            std::memset(instanceId, filler, sizeof *instanceId);
            std::memset(logExtent, filler, sizeof *logExtent);
        }
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFGetTransLogStyle(std::uint16_t* logType) {
    return call("NSFGetTransLogStyle"_function, {}, [&](Environment& environment) -> Status {
        if (!isServerLogged(environment)) {
            return kServerNotLogged;
        }
        *logType = static_cast<std::uint16_t>(logPosition(environment).style);
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFBeginArchivingLogs() {
    return call("NSFBeginArchivingLogs"_function, {}, [&](Environment& environment) -> Status {
        requireArchiveStyle(environment);
        Partition& partition = *environment.partition;
        changeLog(environment, [&](LogState& log) {
            if (partition.isAlive(log.archiver)) {
                throw StatusError(kArchiveInProgress);
            }
            log.archiver = partition.self();
        });
        Runtime::get().isArchiving = true;
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFEndArchivingLogs() {
    return call("NSFEndArchivingLogs"_function, {}, [&](Environment& environment) -> Status {
        if (!isServerLogged(environment)) {
            return kServerNotLogged;
        }
        changeLog(environment, [&](LogState& log) {
            if (log.archiver == environment.partition->self()) {
                log.archiver = 0;
            }
        });
        Runtime::get().isArchiving = false;
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFGetFirstLogToArchive(Unid* logId, std::uint32_t* logNumber, char* logPath) {
    return call("NSFGetFirstLogToArchive"_function, {}, [&](Environment& environment) -> Status {
        return nextToArchive(environment, true, logId, logNumber, logPath);
    });
}

NOTES_API std::uint64_t NSFGetNextLogToArchive(Unid* logId, std::uint32_t* logNumber, char* logPath) {
    return call("NSFGetNextLogToArchive"_function, {}, [&](Environment& environment) -> Status {
        return nextToArchive(environment, false, logId, logNumber, logPath);
    });
}

NOTES_API std::uint64_t NSFDoneArchivingLog(const Unid* logId, const std::uint32_t* logNumber) {
    return call("NSFDoneArchivingLog"_function, {}, [&](Environment& environment) -> Status {
        requireArchiveStyle(environment);
        changeLog(environment, [&](LogState& log) {
            const bool isWaiting = *logId == log.logId && *logNumber >= log.firstExtent &&
                                   *logNumber < log.currentExtent && !isArchived(log, *logNumber);
            if (!isWaiting) {
                throw StatusError(kNoSuchTransLog);
            }
            setArchived(log, *logNumber, true);
        });
        return kNoError;
    });
}
