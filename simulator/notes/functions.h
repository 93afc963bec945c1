#pragma once
// The exported functions by name. Counters, latencies and faults use them as keys.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace domino_sim {

enum class Function : std::uint16_t {};

inline constexpr auto kFunctionNames = std::to_array<std::string_view>({
    "NotesInit",
    "NotesInitExtended",
    "NotesInitIni",
    "NotesTerm",
    "NotesInitThread",
    "NotesTermThread",
    "NSFBackupStart",
    "NSFBackupStop",
    "NSFBackupEnd",
    "NSFBackupSetHighWaterMark",
    "NSFBackupGetChangeInfoSize",
    "NSFBackupGetNextChangeInfo",
    "NSFDbGetLogInfo",
    "NSFBackupStartApplyChangeInfo",
    "NSFBackupStartApplyChangeInfoWithCallback",
    "NSFBackupApplyNextChangeInfo",
    "NSFBackupEndApplyChangeInfo",
    "NSFTakeDatabaseOffline",
    "NSFBringDatabaseOnline",
    "NSFRecoverDatabases",
    "NSFRecoverDatabasesWithCallback",
    "NSFIsNewBackupNeeded",
    "NSFGetTransLogStyle",
    "NSFBeginArchivingLogs",
    "NSFEndArchivingLogs",
    "NSFGetFirstLogToArchive",
    "NSFGetNextLogToArchive",
    "NSFDoneArchivingLog",
    "NSFGetChangedDBs",
    "NSFDbOpen",
    "NSFDbOpenExtended",
    "NSFDbClose",
    "NSFDbReopen",
    "NSFDbPathGet",
    "NSFDbInfoGet",
    "NSFDbInfoSet",
    "NSFDbInfoParse",
    "NSFDbInfoModify",
    "NSFDbIDGet",
    "NSFDbReplicaInfoGet",
    "NSFDbModifiedTime",
    "NSFDbModeGet",
    "NSFDbIsLocallyEncrypted",
    "NSFDbIsRemote",
    "NSFDbGetBuildVersion",
    "NSFDbGetMajMinVersion",
    "NSFDbCreate",
    "NSFDbDelete",
    "NSFSearch",
    "NSFGetServerStats",
    "NSFRemoteConsole",
    "SECKFMGetUserName",
    "OSLoadString",
    "OSPathNetConstruct",
    "OSPathNetParse",
    "OSGetDataDirectory",
    "OSGetExecutableDirectory",
    "OSGetEnvironmentString",
    "OSGetEnvironmentLong",
    "OSTranslate",
    "OSMemAlloc",
    "OSMemFree",
    "OSLockObject",
    "OSUnlockObject",
    "OSCurrentTIMEDATE",
    "TimeGMToLocal",
    "TimeLocalToGM",
    "TimeDateCompare",
    "ConvertTIMEDATEToText",
});

inline constexpr std::size_t kFunctionCount = kFunctionNames.size();

inline constexpr std::size_t indexOf(Function function) {
    return static_cast<std::size_t>(function);
}

inline constexpr std::string_view nameOf(Function function) {
    return kFunctionNames[indexOf(function)];
}

inline constexpr std::optional<Function> findFunction(std::string_view name) {
    for (std::size_t i = 0; i < kFunctionCount; ++i) {
        if (kFunctionNames[i] == name) {
            return static_cast<Function>(i);
        }
    }
    return std::nullopt;
}

/** `"NSFDbOpen"_function`; an unknown name does not compile. */
consteval Function operator""_function(const char* name, std::size_t length) {
    return findFunction({name, length}).value();
}

}  // namespace domino_sim
