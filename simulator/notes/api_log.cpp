// What the transaction log says about a database, and archiving it.

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

/** First waiting extent with a number above `after`: full, and not archived yet. Else the current extent. */
Status nextToArchive(Environment& environment, std::int64_t after, Unid* logId, std::uint32_t* number, char* path) {
    requireArchiveStyle(environment);
    Status status = kNoTransLogsToArchive;
    std::uint32_t extent = 0;
    changeLog(environment, [&](LogState& log) {
        *logId = log.logId;
        extent = log.currentExtent;
        for (std::uint32_t candidate = log.firstExtent; candidate < log.currentExtent; ++candidate) {
            if (candidate > after && !isArchived(log, candidate)) {
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
            // Documented as set only when logged: a caller must not read them.
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
        ArchiveCursor& cursor = Runtime::get().archive;
        const std::lock_guard lock(cursor.mutex);
        cursor.last = -1;
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
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFGetFirstLogToArchive(Unid* logId, std::uint32_t* logNumber, char* logPath) {
    return call("NSFGetFirstLogToArchive"_function, {}, [&](Environment& environment) -> Status {
        ArchiveCursor& cursor = Runtime::get().archive;
        const std::lock_guard lock(cursor.mutex);
        const Status status = nextToArchive(environment, -1, logId, logNumber, logPath);
        cursor.last = status == kNoError ? *logNumber : -1;
        return status;
    });
}

NOTES_API std::uint64_t NSFGetNextLogToArchive(Unid* logId, std::uint32_t* logNumber, char* logPath) {
    return call("NSFGetNextLogToArchive"_function, {}, [&](Environment& environment) -> Status {
        ArchiveCursor& cursor = Runtime::get().archive;
        const std::lock_guard lock(cursor.mutex);
        const Status status = nextToArchive(environment, cursor.last, logId, logNumber, logPath);
        cursor.last = status == kNoError ? *logNumber : cursor.last;
        return status;
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
