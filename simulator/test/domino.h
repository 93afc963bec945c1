/* The C API as an external program declares it by hand: plain C, 64-bit, without the toolkit. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint16_t STATUS;
typedef uint16_t WORD;
typedef uint32_t DWORD;
typedef uint32_t DHANDLE;
typedef int BOOL32;
typedef struct {
    DWORD Innards[2];
} TIMEDATE;
typedef struct {
    TIMEDATE File;
    TIMEDATE Note;
} UNID;
typedef struct {
    TIMEDATE ID;
    WORD Flags;
    WORD CutoffInterval;
    TIMEDATE Cutoff;
} DBREPLICAINFO;
typedef struct {
    int year, month, day, weekday, hour, minute, second, hundredth, dst, zone;
    TIMEDATE GM;
} TIME;

#define ERR(status) ((STATUS)((status)&0x3fff))
#define BACKUPEND_ABORT 1u
#define APPLYEND_ABORT 1u
#define OFFLINE_NODELETE 1u

STATUS NotesInitExtended(int argc, char** argv);
void NotesTerm(void);
STATUS NotesInitThread(void);
void NotesTermThread(void);

STATUS NSFDbOpen(const char* path, DHANDLE* db);
STATUS NSFDbClose(DHANDLE db);
STATUS NSFDbReopen(DHANDLE db, DHANDLE* twin);
STATUS NSFDbPathGet(DHANDLE db, char* canonical, char* expanded);
STATUS NSFDbInfoGet(DHANDLE db, char* buffer);
STATUS NSFDbInfoSet(DHANDLE db, const char* buffer);
void NSFDbInfoParse(const char* info, WORD what, char* buffer, WORD length);
void NSFDbInfoModify(char* info, WORD what, const char* buffer);
STATUS NSFDbIDGet(DHANDLE db, TIMEDATE* id);
STATUS NSFDbReplicaInfoGet(DHANDLE db, DBREPLICAINFO* info);
STATUS NSFDbModeGet(DHANDLE db, WORD* mode);
STATUS NSFDbCreate(const char* path, WORD dbClass, BOOL32 force);
STATUS NSFDbDelete(const char* path);

STATUS NSFBackupStart(DHANDLE db, DWORD flags, DHANDLE* context, DWORD* sizeLow, DWORD* sizeHigh);
STATUS NSFBackupStop(DHANDLE db, DHANDLE context);
STATUS NSFBackupEnd(DHANDLE db, DHANDLE context, DWORD options);
STATUS NSFBackupSetHighWaterMark(DHANDLE db, DHANDLE context, DWORD low, DWORD high);
STATUS NSFBackupGetChangeInfoSize(DHANDLE db, DHANDLE context, DWORD flags, DWORD* low, DWORD* high);
STATUS NSFBackupGetNextChangeInfo(DHANDLE db, DHANDLE context, DWORD flags, char* buffer, DWORD size, DWORD* filled);
STATUS NSFBackupStartApplyChangeInfo(DHANDLE* context, char* copyPath, DWORD flags, DWORD low, DWORD high);
STATUS NSFBackupStartApplyChangeInfoWithCallback(DHANDLE* context,
                                                 STATUS (*callback)(void*, DWORD high, DWORD low, DWORD size, char*),
                                                 void* parameter, DWORD flags, DWORD low, DWORD high);
STATUS NSFBackupApplyNextChangeInfo(DHANDLE context, DWORD flags, char* buffer, DWORD size);
STATUS NSFBackupEndApplyChangeInfo(DHANDLE context, DWORD flags);
STATUS NSFDbGetLogInfo(DHANDLE db, DWORD flags, BOOL32* logged, UNID* logId, UNID* dbiid, DWORD* extent);

STATUS NSFTakeDatabaseOffline(const char* path, DWORD waitMs, DWORD options);
STATUS NSFBringDatabaseOnline(const char* path, DWORD options);
STATUS NSFRecoverDatabases(const char* names, STATUS (*restore)(UNID* logId, DWORD number, char* path), DWORD flags,
                           WORD* errorIndex, TIMEDATE* recoveryTime);
STATUS NSFIsNewBackupNeeded(const char* name, DWORD comfortSpan, DWORD* needed);
STATUS NSFGetTransLogStyle(WORD* style);
STATUS NSFBeginArchivingLogs(void);
STATUS NSFEndArchivingLogs(void);
STATUS NSFGetFirstLogToArchive(UNID* logId, DWORD* number, char* path);
STATUS NSFGetNextLogToArchive(UNID* logId, DWORD* number, char* path);
STATUS NSFDoneArchivingLog(UNID* logId, DWORD* number);

WORD OSLoadString(void* module, STATUS code, char* buffer, WORD size);
WORD OSTranslate(WORD mode, const char* in, WORD inLength, char* out, WORD outLength);
STATUS OSPathNetConstruct(const char* port, const char* server, const char* file, char* path);
STATUS OSPathNetParse(const char* path, char* port, char* server, char* file);
WORD OSGetDataDirectory(char* path);
STATUS OSMemAlloc(WORD type, DWORD size, DHANDLE* handle);
STATUS OSMemFree(DHANDLE handle);
void* OSLockObject(DHANDLE handle);
BOOL32 OSUnlockObject(DHANDLE handle);
void OSCurrentTIMEDATE(TIMEDATE* time);

#ifdef __cplusplus
}
#endif
