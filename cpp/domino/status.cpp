#include "domino/status.h"

#include <algorithm>
#include <array>

namespace domino_vss::domino {

namespace {

struct Name {
    STATUS status;
    std::string_view name;
};

/// Values from the 11.0.1 headers, sorted.
constexpr std::array kNames{
    Name{0x0102, "ERR_PROTECTED"},
    Name{0x0103, "ERR_NOEXIST"},
    Name{0x0104, "ERR_EXISTS"},
    Name{0x0105, "ERR_FILES"},
    Name{0x0106, "ERR_DISK"},
    Name{0x0107, "ERR_MEMORY"},
    Name{0x010B, "ERR_NO_MORE_FILES"},
    Name{0x010C, "ERR_LOCK"},
    Name{0x010E, "ERR_IOERROR"},
    Name{0x0110, "ERR_ACCESS"},
    Name{0x0112, "ERR_INV_SERVER_NAME"},
    Name{0x0113, "ERR_INV_FILE_NAME"},
    Name{0x0117, "ERR_TERMINATING"},
    Name{0x0140, "ERR_LIBLOAD2"},
    Name{0x0142, "ERR_SETUP_NOT_DONE"},
    Name{0x0143, "ERR_MEMORY_WENT_AWAY"},
    Name{0x014B, "ERR_OS_ABSOLUTE"},
    Name{0x0192, "ERR_THREADSLEFT"},
    Name{0x019D, "ERR_CANCEL"},
    Name{0x019F, "ERR_NESTED_OSINIT"},
    Name{0x01A5, "ERR_NO_NOTESINI"},
    Name{0x01BF, "ERR_NOTES_ALREADY_RUNNING"},
    Name{0x01ED, "ERR_USER_ROOT"},
    Name{0x01F9, "ERR_LINK_DEST_NO_EXIST"},
    Name{0x0200, "ERR_RM_FAIL_RESTART_OPEN"},
    Name{0x0201, "ERR_NOT_NSF"},
    Name{0x0208, "ERR_VALUE_FLAGS"},
    Name{0x020D, "ERR_NO_FILE_SHARING"},
    Name{0x0217, "ERR_NOTES_NOT_INITIALIZED"},
    Name{0x0219, "ERR_NSF_VERSION"},
    Name{0x0220, "ERR_NOT_LOCAL"},
    Name{0x0229, "ERR_NSFOPEN"},
    Name{0x022E, "ERR_NSF_IN_USE"},
    Name{0x0230, "ERR_NSF_POOLFULL"},
    Name{0x0237, "ERR_TRANSLOG_MISSING_SEGS"},
    Name{0x0238, "ERR_NSF_CORRUPT"},
    Name{0x0246, "ERR_NOACCESS"},
    Name{0x024B, "ERR_OPEN_FILE"},
    Name{0x0266, "ERR_ALREADY_LOCKED"},
    Name{0x0286, "ERR_NSF_CORRUPT2"},
    Name{0x0294, "ERR_RM_CANNOT_RECOVER"},
    Name{0x02A6, "ERR_COMPACT_MODE"},
    Name{0x02CC, "ERR_NSFOPENEXCLUSIVE"},
    Name{0x02CF, "ERR_DBCLOSE_THREAD"},
    Name{0x02F5, "ERR_DBINDEX_POOLFULL"},
    Name{0x02F8, "ERR_LOCALSEC_DBOPENFAILURE"},
    Name{0x038C, "ERR_COMPACT_INTERRUPTED"},
    Name{0x03B6, "ERR_NEEDS_FIXUP"},
    Name{0x03B7, "ERR_FIXUP_IN_PROGRESS"},
    Name{0x03CB, "ERR_DB_MARKED_FOR_DELETE"},
    Name{0x05D9, "ERR_ONLY_LOGGED_DATABASES"},
    Name{0x0806, "ERR_MULTI_THREAD"},
    Name{0x0807, "ERR_SERVER_NOT_RESPONDING"},
    Name{0x0EA0, "ERR_RM_SKIP_FIXUP"},
    Name{0x0EA1, "ERR_TRANSLOG_NOT_ARCHIVED"},
    Name{0x0EA2, "ERR_RM_NEW_DBIID"},
    Name{0x0EA3, "ERR_RM_MEDIA_RECOVERY"},
    Name{0x0EA4, "ERR_BACKUP_ALREADY_IN_PROGRESS"},
    Name{0x0EA5, "ERR_NOT_DOING_BACKUP"},
    Name{0x0EA6, "ERR_INVALID_CHANGE_INFO_CONTEXT"},
    Name{0x0EA7, "ERR_CORRUPT_CHANGE_INFO"},
    Name{0x0EA9, "ERR_RM_DUP_DBIID"},
    Name{0x0EAE, "ERR_TRANSLOG_ARCHIVE_IN_PROGRESS"},
    Name{0x1380, "ERR_TRANSLOG_NO_SPACE"},
    Name{0x13A9, "ERR_NSF_CANT_BACKUP"},
    Name{0x13AA, "ERR_CANT_BACKUP_DURING_COMPACT"},
    Name{0x13C1, "ERR_RM_FIXUP_DB"},
    Name{0x13C4, "ERR_RM_LOG_FULL"},
    Name{0x13C5, "ERR_RM_GENERAL_FAILURE"},
    Name{0x13C7, "ERR_ONLY_V5_DATABASES"},
    Name{0x13DC, "ERR_NO_SUCH_TRANSLOG"},
    Name{0x13DD, "ERR_NO_ARCHIVED_EXTENT"},
    Name{0x13DE, "ERR_NO_TRANSLOGS_TO_ARCHIVE"},
    Name{0x13E3, "ERR_RM_MQ_LOG_ERROR"},
    Name{0x13E8, "ERR_RM_SCAN_IN_PROGRESS"},
    Name{0x13E9, "ERR_RM_LOG_SPACE_CRITICAL"},
    Name{0x13EA, "ERR_DBINUSE"},
    Name{0x13EB, "ERR_RM_LATE_BACKUP"},
    Name{0x13F3, "ERR_RM_OPEN_BACKUP"},
    Name{0x13F4, "ERR_RM_DBIID_IN_USE"},
    Name{0x13F5, "ERR_RM_DOWN_LEVEL"},
    Name{0x13F9, "ERR_DBOFFLINE"},
    Name{0x13FA, "ERR_RM_RECOVER_NONBACKUP"},
    Name{0x13FF, "ERR_SERVER_NOT_TRANSLOGGED"},
    Name{0x1728, "ERR_BSAFE_USER_ABORT"},
    Name{0x2DC7, "ERR_NSF_LOG_FULL_DDM"},
    Name{0x2DD8, "ERR_BACKUP_ABORTED2"},
    Name{0x2DDF, "ERR_RM_SNAPSHOT_INVALID_DB"},
    Name{0x3810, "ERR_BACKUP_ABORTED"},
    Name{0x3868, "ERR_RM_LOG_READ_ONLY"},
};
static_assert(std::ranges::is_sorted(kNames, {}, &Name::status));

}  // namespace

std::string_view statusName(STATUS status) noexcept {
    const STATUS wanted = errorCode(status);
    const auto* const found = std::ranges::lower_bound(kNames, wanted, {}, &Name::status);
    return found != kNames.end() && found->status == wanted ? found->name : std::string_view{};
}

std::string_view ownText(STATUS status) noexcept {
    switch (errorCode(status)) {
        case error::kNoNotesIni: return "notes.ini was not found at the given path, nor along PATH";
        case error::kUserRoot: return "Domino refuses to run as root: use the account that the server runs under";
        case error::kAlreadyRunning: return "Notes or Domino is already running with this data directory";
        case error::kSetupNotDone:
            return "this Domino has not been set up yet, or its notes.ini names no data directory";
        case error::kTerminating: return "the Domino partition is shutting down";
        case error::kMemoryWentAway: return "another Domino process crashed and took the shared memory with it";
        case error::kNestedInit: return "the Domino runtime was already initialised in this process";
        case error::kNotInitialized: return "the Domino runtime is not initialised on this thread";
        default: return {};
    }
}

CallStatus callStatus(STATUS status, const char* operation) noexcept {
    const STATUS number = errorCode(status);
    if (number == 0) return {};
    const char* failureCode = code::kDominoCall;
    if (number == error::kBackupAborted || number == error::kBackupAborted2) failureCode = code::kBackupEndedByDomino;
    if (number == error::kCorruptChangeInfo) failureCode = code::kCorruptChangeInfo;
    return {failureCode, operation, Domain::domino, number};
}

}  // namespace domino_vss::domino
