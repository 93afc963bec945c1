#pragma once

// The part of the HCL Domino C API that this project calls, declared by hand, with HCL's names. Both 64-bit targets use
// the platform's standard calling convention and natural alignment; handles are 32 bits wide on both.

#include <cstdint>

namespace domino_vss::domino {

// NOLINTBEGIN(readability-identifier-naming): these are HCL's names

using WORD = std::uint16_t;
using DWORD = std::uint32_t;
using BOOL = int;
/// The upper bits of the register are undefined, so the compiler must see 16 bits. errorCode() masks the flags.
using STATUS = std::uint16_t;
using DHANDLE = std::uint32_t;
using DBHANDLE = DHANDLE;
/// Always passed as 0. Pointer-sized on Windows, 32 bits on Linux.
using HMODULE = void*;

struct TIMEDATE {
    DWORD Innards[2];
};
struct UNID {
    TIMEDATE File;
    TIMEDATE Note;
};
struct DBREPLICAINFO {
    TIMEDATE ID;
    WORD Flags;
    WORD CutoffInterval;
    TIMEDATE Cutoff;
};
static_assert(sizeof(TIMEDATE) == 8 && sizeof(UNID) == 16 && sizeof(DBREPLICAINFO) == 20);

inline constexpr WORD kMaxWord = 0xFFFF;
/// HCL's MAXPATH is 256, but releases differ, so every path buffer has this size.
inline constexpr std::size_t kPathBufferBytes = 4096;

inline constexpr DWORD kBackupEndAbort = 0x00000001;
inline constexpr DWORD kApplyEndAbort = 0x00000001;
/// Without this flag, NSFTakeDatabaseOffline deletes the file.
inline constexpr DWORD kOfflineNoDelete = 0x00000001;
inline constexpr DWORD kRecoverZapId = 0x0002;
inline constexpr DWORD kRecoverWait = 0x0001;
inline constexpr DWORD kRecoverPointInTime = 0x0008;
inline constexpr DWORD kRecoverZapReplicaId = 0x0010;
/// Archived extents are restored to the directory TRANSLOG_RECOVER_PATH of notes.ini instead of the log directory.
inline constexpr DWORD kRecoverAltRetrievePath = 0x0040;

inline constexpr WORD kTranslateNativeToLmbcs = 0;
inline constexpr WORD kTranslateLmbcsToUtf8 = 22;
inline constexpr WORD kTranslateUtf8ToLmbcs = 24;

inline constexpr WORD kTranslogCircular = 0;
inline constexpr WORD kTranslogArchive = 1;
inline constexpr WORD kTranslogLinear = 2;

inline constexpr WORD kDbClassNoteFile = 0xFF01;

using LOGRESTORECALLBACKFUNCTION = STATUS (*)(UNID* LogID, DWORD LogNumber, char* LogSegmentPathName);

/// All functions of the runtime that are called, resolved by name. Members have the names of the C API.
struct Api {
    STATUS (*NotesInitExtended)(int argc, char** argv);
    void (*NotesTerm)();
    STATUS (*NotesInitThread)();
    void (*NotesTermThread)();

    STATUS (*NSFDbOpen)(const char* PathName, DBHANDLE* rethDB);
    STATUS (*NSFDbClose)(DBHANDLE hDB);
    STATUS (*NSFDbReplicaInfoGet)(DBHANDLE hDB, DBREPLICAINFO* retReplicationInfo);
    STATUS (*NSFDbModifiedTime)(DBHANDLE hDB, TIMEDATE* retDataModified, TIMEDATE* retNonDataModified);
    STATUS (*NSFDbGetLogInfo)(DBHANDLE hDb, DWORD Flags, BOOL* LOGGED, UNID* LogID, UNID* Dbiid, DWORD* LogExtent);

    STATUS(*NSFBackupStart)
    (DBHANDLE hDB, DWORD Flags, DHANDLE* BackupContext, DWORD* FileSizeLow, DWORD* FileSizeHigh);
    STATUS (*NSFBackupStop)(DBHANDLE hDB, DHANDLE BackupContext);
    STATUS (*NSFBackupEnd)(DBHANDLE hDB, DHANDLE BackupContext, DWORD Options);
    STATUS (*NSFBackupSetHighWaterMark)(DBHANDLE hDB, DHANDLE BackupContext, DWORD MarkLow, DWORD MarkHigh);
    STATUS (*NSFBackupGetChangeInfoSize)(DBHANDLE hDB, DHANDLE Context, DWORD Flags, DWORD* SizeLow, DWORD* SizeHigh);
    STATUS(*NSFBackupGetNextChangeInfo)
    (DBHANDLE hDB, DHANDLE Context, DWORD Flags, char* Buffer, DWORD BufferSize, DWORD* FilledSize);
    STATUS(*NSFBackupStartApplyChangeInfo)
    (DHANDLE* Context, char* CopyFilePath, DWORD Flags, DWORD SizeLow, DWORD SizeHigh);
    STATUS (*NSFBackupApplyNextChangeInfo)(DHANDLE Context, DWORD Flags, char* Buffer, DWORD BufferSize);
    STATUS (*NSFBackupEndApplyChangeInfo)(DHANDLE Context, DWORD Flags);

    STATUS (*NSFTakeDatabaseOffline)(const char* dbPath, DWORD WaitTime, DWORD options);
    STATUS (*NSFBringDatabaseOnline)(const char* dbPath, DWORD options);
    STATUS(*NSFRecoverDatabases)
    (const char* dbNames, LOGRESTORECALLBACKFUNCTION restoreCB, DWORD Flags, WORD* errDbIndex, TIMEDATE* recoveryTime);
    STATUS (*NSFGetTransLogStyle)(WORD* LogType);

    WORD (*OSLoadString)(HMODULE hModule, STATUS StringCode, char* retBuffer, WORD BufferLength);
    STATUS (*OSPathNetConstruct)(const char* PortName, const char* ServerName, const char* FileName, char* retPathName);
    WORD (*OSGetDataDirectory)(char* retPathName);
    BOOL (*OSGetEnvironmentString)(const char* VariableName, char* retValueBuffer, WORD BufferLength);
    WORD (*OSTranslate)(WORD TranslateMode, const char* In, WORD InLength, char* Out, WORD OutLength);
    void (*OSCurrentTIMEDATE)(TIMEDATE* retTimeDate);

    // Only needed to archive the transaction log. Unless all of them exist, archiving is not offered.
    STATUS (*NSFBeginArchivingLogs)();
    STATUS (*NSFEndArchivingLogs)();
    STATUS (*NSFGetFirstLogToArchive)(UNID* LogID, DWORD* LogNumber, char* LogPath);
    STATUS (*NSFGetNextLogToArchive)(UNID* LogID, DWORD* LogNumber, char* LogPath);
    STATUS (*NSFDoneArchivingLog)(UNID* LogID, DWORD* LogSequenceNumber);

    // Only needed by the canary and to report the server's name. Backups work without them.
    STATUS (*SECKFMGetUserName)(char* retUserName);
    STATUS (*NSFDbCreate)(const char* PathName, WORD DbClass, BOOL ForceCreation);
    STATUS (*NSFDbDelete)(const char* PathName);
    STATUS (*NSFDbInfoGet)(DBHANDLE hDB, char* retBuffer);
    STATUS (*NSFDbInfoSet)(DBHANDLE hDB, char* Buffer);
};

// NOLINTEND(readability-identifier-naming)

}  // namespace domino_vss::domino
