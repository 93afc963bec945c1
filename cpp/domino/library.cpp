#include "domino/library.h"

#include <set>
#include <string>
#include <type_traits>

#include "system/failure.h"

namespace domino_vss::domino {

namespace {

std::set<const void*>& ownHandles() {
    static std::set<const void*> handles;
    return handles;
}

}  // namespace

void Library::requireOwn(const void* present, const std::string& file) {
    if (present == nullptr || ownHandles().contains(present)) return;
    throw Failure(code::kDominoRuntimeBusy, Phase::runtime,
                  "another copy of this package or other code in this process uses the Domino runtime", file);
}

void Library::own(const void* handle) {
    ownHandles().insert(handle);
}

void Library::resolve(const Find& findFunction, const std::string& file) {
    std::string missingRequired;
    const auto find = [&](const char* name, auto& function) {
        function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(findFunction(name));
        return function != nullptr;
    };
    const auto required = [&](const char* name, auto& function) {
        if (!find(name, function)) missingRequired += (missingRequired.empty() ? "" : ", ") + std::string(name);
    };
    const auto optional = [&](const char* name, auto& function) {
        if (!find(name, function)) missing_.emplace_back(name);
    };
    required("NotesInitExtended", api_.NotesInitExtended);
    required("NotesTerm", api_.NotesTerm);
    required("NotesInitThread", api_.NotesInitThread);
    required("NotesTermThread", api_.NotesTermThread);
    required("NSFDbOpen", api_.NSFDbOpen);
    required("NSFDbClose", api_.NSFDbClose);
    required("NSFDbReplicaInfoGet", api_.NSFDbReplicaInfoGet);
    required("NSFDbGetLogInfo", api_.NSFDbGetLogInfo);
    required("NSFBackupStart", api_.NSFBackupStart);
    required("NSFBackupStop", api_.NSFBackupStop);
    required("NSFBackupEnd", api_.NSFBackupEnd);
    required("NSFBackupSetHighWaterMark", api_.NSFBackupSetHighWaterMark);
    required("NSFBackupGetChangeInfoSize", api_.NSFBackupGetChangeInfoSize);
    required("NSFBackupGetNextChangeInfo", api_.NSFBackupGetNextChangeInfo);
    required("NSFBackupStartApplyChangeInfo", api_.NSFBackupStartApplyChangeInfo);
    required("NSFBackupApplyNextChangeInfo", api_.NSFBackupApplyNextChangeInfo);
    required("NSFBackupEndApplyChangeInfo", api_.NSFBackupEndApplyChangeInfo);
    required("NSFTakeDatabaseOffline", api_.NSFTakeDatabaseOffline);
    required("NSFBringDatabaseOnline", api_.NSFBringDatabaseOnline);
    required("NSFRecoverDatabases", api_.NSFRecoverDatabases);
    required("NSFGetTransLogStyle", api_.NSFGetTransLogStyle);
    required("OSLoadString", api_.OSLoadString);
    required("OSPathNetConstruct", api_.OSPathNetConstruct);
    required("OSGetDataDirectory", api_.OSGetDataDirectory);
    required("OSGetEnvironmentString", api_.OSGetEnvironmentString);
    required("OSTranslate", api_.OSTranslate);
    required("OSCurrentTIMEDATE", api_.OSCurrentTIMEDATE);
    optional("NSFDbModifiedTime", api_.NSFDbModifiedTime);
    optional("NSFBeginArchivingLogs", api_.NSFBeginArchivingLogs);
    optional("NSFEndArchivingLogs", api_.NSFEndArchivingLogs);
    optional("NSFGetFirstLogToArchive", api_.NSFGetFirstLogToArchive);
    optional("NSFGetNextLogToArchive", api_.NSFGetNextLogToArchive);
    optional("NSFDoneArchivingLog", api_.NSFDoneArchivingLog);
    optional("SECKFMGetUserName", api_.SECKFMGetUserName);
    optional("NSFDbCreate", api_.NSFDbCreate);
    optional("NSFDbDelete", api_.NSFDbDelete);
    optional("NSFDbInfoGet", api_.NSFDbInfoGet);
    optional("NSFDbInfoSet", api_.NSFDbInfoSet);
    if (!missingRequired.empty())
        throw Failure(code::kDominoLibrary, Phase::runtime, "functions are missing: " + missingRequired, file);
}

}  // namespace domino_vss::domino
