// libnotes.so that does nothing, or waits: with it the whole package can be measured with more databases than a process
// may have files open. It keeps no rule of the C API; for tests there is the simulator.
//
//   IDLE_DATA                    the data directory
//   IDLE_START_US, IDLE_STOP_US  how long NSFBackupStart and NSFBackupStop take

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "domino/c_api.h"

using namespace domino_vss::domino;

namespace {

const char* setting(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

STATUS wait(long microseconds) {
    if (microseconds > 0) std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
    return 0;
}

WORD answer(const std::string& text, char* buffer) {
    std::memcpy(buffer, text.c_str(), text.size() + 1);
    return static_cast<WORD>(text.size());
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): these are HCL's names

extern "C" {

STATUS NotesInitExtended(int /*argc*/, char** /*argv*/) {
    return 0;
}
void NotesTerm() {}
STATUS NotesInitThread() {
    return 0;
}
void NotesTermThread() {}

STATUS NSFDbOpen(const char* /*PathName*/, DBHANDLE* rethDB) {
    static std::atomic<DBHANDLE> next = 1;
    *rethDB = next++;
    return 0;
}
STATUS NSFDbClose(DBHANDLE /*hDB*/) {
    return 0;
}
STATUS NSFDbReplicaInfoGet(DBHANDLE hDB, DBREPLICAINFO* info) {
    *info = {};
    info->ID.Innards[0] = hDB;
    return 0;
}
STATUS NSFDbGetLogInfo(DBHANDLE /*hDb*/, DWORD /*Flags*/, BOOL* LOGGED, UNID* /*LogID*/, UNID* /*Dbiid*/,
                       DWORD* /*LogExtent*/) {
    *LOGGED = 0;
    return 0;
}

STATUS NSFBackupStart(DBHANDLE hDB, DWORD /*Flags*/, DHANDLE* BackupContext, DWORD* SizeLow, DWORD* SizeHigh) {
    static const long kWaitUs = std::atol(setting("IDLE_START_US"));
    *BackupContext = hDB;
    *SizeLow = 512;
    *SizeHigh = 0;
    return wait(kWaitUs);
}
STATUS NSFBackupStop(DBHANDLE /*hDB*/, DHANDLE /*BackupContext*/) {
    static const long kWaitUs = std::atol(setting("IDLE_STOP_US"));
    return wait(kWaitUs);
}
STATUS NSFBackupEnd(DBHANDLE /*hDB*/, DHANDLE /*BackupContext*/, DWORD /*Options*/) {
    return 0;
}
STATUS NSFBackupGetChangeInfoSize(DBHANDLE /*hDB*/, DHANDLE /*Context*/, DWORD /*Flags*/, DWORD* SizeLow,
                                  DWORD* SizeHigh) {
    *SizeLow = *SizeHigh = 0;
    return 0;
}
STATUS NSFBackupGetNextChangeInfo(DBHANDLE /*hDB*/, DHANDLE /*Context*/, DWORD /*Flags*/, char* /*Buffer*/,
                                  DWORD /*BufferSize*/, DWORD* FilledSize) {
    *FilledSize = 0;
    return 0;
}

WORD OSGetDataDirectory(char* retPathName) {
    return answer(setting("IDLE_DATA"), retPathName);
}
WORD OSLoadString(HMODULE /*hModule*/, STATUS /*StringCode*/, char* retBuffer, WORD /*BufferLength*/) {
    return answer("", retBuffer);
}
BOOL OSGetEnvironmentString(const char* /*VariableName*/, char* retValueBuffer, WORD /*BufferLength*/) {
    *retValueBuffer = 0;
    return 0;
}
void OSCurrentTIMEDATE(TIMEDATE* retTimeDate) {
    *retTimeDate = {};
}
STATUS NSFGetTransLogStyle(WORD* LogType) {
    *LogType = kTranslogCircular;
    return 0;
}

// What a backup does not call: it must be there, and nothing more.
void NSFBackupSetHighWaterMark() {
    std::abort();
}
void NSFBackupStartApplyChangeInfo() {
    std::abort();
}
void NSFBackupApplyNextChangeInfo() {
    std::abort();
}
void NSFBackupEndApplyChangeInfo() {
    std::abort();
}
void NSFTakeDatabaseOffline() {
    std::abort();
}
void NSFBringDatabaseOnline() {
    std::abort();
}
void NSFRecoverDatabases() {
    std::abort();
}
void OSPathNetConstruct() {
    std::abort();
}
void OSTranslate() {
    std::abort();
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
