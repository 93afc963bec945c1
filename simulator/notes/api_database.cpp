// Opening databases and querying them.

#include <cstring>

#include "api.h"
#include "lmbcs.h"
#include "remote.h"

using namespace domino_sim;

namespace {

constexpr std::uint16_t kModeDatabase = 1;
constexpr std::uint16_t kModeDirectory = 2;
constexpr std::uint16_t kBuildVersion = 485;  // of release 14.0

std::shared_ptr<OpenDatabase> openPath(Environment& environment, const char* pathName) {
    auto open = std::make_shared<OpenDatabase>();
    open->thread = Runtime::get().currentThread();
    const std::string path = pathArgument(environment, pathName);
    open->remote = parseNetPath(path);
    if (!open->remote.server.empty()) {
        open->kind = OpenKind::remote;
        open->path = {PathKind::database, open->remote.file, ""};
        remoteOpen(environment, open->remote);
        return open;
    }
    open->path = resolvePath(environment, open->remote.file);
    open->kind = open->path.kind == PathKind::directory ? OpenKind::directory : OpenKind::database;
    if (open->kind == OpenKind::database) {
        open->database = std::make_shared<Database>(environment, open->path, OpenPurpose::user);
    }
    return open;
}

HeaderPage headerOf(Environment& environment, Handle handle) {
    const auto open = requireHandle(handle);
    switch (open->kind) {
        case OpenKind::directory: throw StatusError(kNotNsf);
        case OpenKind::remote: return remoteHeader(environment, open->remote);
        case OpenKind::database: break;
    }
    return open->database->readHeader();
}

}  // namespace

NOTES_API std::uint64_t NSFDbOpen(const char* pathName, Handle* rethDb) {
    return call("NSFDbOpen"_function, {0, pathName}, [&](Environment& environment) -> Status {
        *rethDb = Runtime::get().databases.add(openPath(environment, pathName));
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbOpenExtended(const char* pathName, std::uint16_t, Handle, const TimeDate*, Handle* rethDb,
                                          TimeDate* retDataModified, TimeDate* retNonDataModified) {
    return call("NSFDbOpenExtended"_function, {0, pathName}, [&](Environment& environment) -> Status {
        auto open = openPath(environment, pathName);
        if (open->database != nullptr) {
            const HeaderPage header = open->database->readHeader();
            for (TimeDate* target : {retDataModified, retNonDataModified}) {
                if (target != nullptr) {
                    *target = header.modified;
                }
            }
        }
        *rethDb = Runtime::get().databases.add(std::move(open));
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbReopen(Handle hDb, Handle* rethDb) {
    // The only call that accepts another thread's handle: a thread uses it to get its own.
    return call("NSFDbReopen"_function, {hDb}, [&](Environment&) -> Status {
        Runtime& runtime = Runtime::get();
        const auto open = runtime.databases.find(hDb);
        auto twin = std::make_shared<OpenDatabase>(open == nullptr ? *requireHandle(hDb) : *open);
        twin->thread = runtime.currentThread();
        *rethDb = runtime.databases.add(std::move(twin));
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbClose(Handle hDb) {
    return call("NSFDbClose"_function, {hDb}, [&](Environment& environment) -> Status {
        Runtime& runtime = Runtime::get();
        const auto open = runtime.databases.find(hDb);
        if (open != nullptr && open->thread != runtime.currentThread() &&
            !environment.settings.is("SIM_FOREIGN_THREAD"_setting, "allow")) {
            environment.partition->accounting().foreignThreadHandles.fetch_add(1);
            return kClosedOnOtherThread;
        }
        requireHandle(hDb);
        closeHandle(environment, hDb);
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbPathGet(Handle hDb, char* retCanonical, char* retExpanded) {
    return call("NSFDbPathGet"_function, {hDb}, [&](Environment& environment) -> Status {
        const auto open = requireHandle(hDb);
        const bool isRemote = open->kind == OpenKind::remote;
        const std::string canonical = isRemote ? constructNetPath(open->remote) : open->path.canonical;
        if (retCanonical != nullptr) {
            storePath(environment, retCanonical, canonical);
        }
        if (retExpanded != nullptr) {
            storePath(environment, retExpanded, isRemote ? canonical : open->path.expanded);
        }
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbInfoGet(Handle hDb, char* retBuffer) {
    return call("NSFDbInfoGet"_function, {hDb}, [&](Environment& environment) -> Status {
        const HeaderPage header = headerOf(environment, hDb);
        std::memcpy(retBuffer, header.info, kInfoBytes);
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbIDGet(Handle hDb, TimeDate* retId) {
    return call("NSFDbIDGet"_function, {hDb}, [&](Environment& environment) -> Status {
        *retId = headerOf(environment, hDb).databaseId;
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbReplicaInfoGet(Handle hDb, ReplicaInfo* retInfo) {
    return call("NSFDbReplicaInfoGet"_function, {hDb}, [&](Environment& environment) -> Status {
        *retInfo = {headerOf(environment, hDb).replicaId, 0, 90, {}};
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbModifiedTime(Handle hDb, TimeDate* retDataModified, TimeDate* retNonDataModified) {
    return call("NSFDbModifiedTime"_function, {hDb}, [&](Environment& environment) -> Status {
        const HeaderPage header = headerOf(environment, hDb);
        const auto open = requireHandle(hDb);
        if (retDataModified != nullptr) {
            // The workload only writes documents; all other changes to a database are in its header.
            *retDataModified = open->database == nullptr ? header.modified : open->database->readSuperblock().committed;
        }
        if (retNonDataModified != nullptr) {
            *retNonDataModified = header.modified;
        }
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbModeGet(Handle hDb, std::uint16_t* retMode) {
    return call("NSFDbModeGet"_function, {hDb}, [&](Environment&) -> Status {
        *retMode = requireHandle(hDb)->kind == OpenKind::directory ? kModeDirectory : kModeDatabase;
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbIsLocallyEncrypted(Handle hDb, int* retIsEncrypted) {
    return call("NSFDbIsLocallyEncrypted"_function, {hDb}, [&](Environment&) -> Status {
        requireHandle(hDb);
        *retIsEncrypted = 0;
        return kNoError;
    });
}

NOTES_API int NSFDbIsRemote(Handle hDb) {
    return callFor("NSFDbIsRemote"_function, 0,
                   [&](Environment&) { return requireHandle(hDb)->kind == OpenKind::remote ? 1 : 0; });
}

NOTES_API std::uint64_t NSFDbGetBuildVersion(Handle hDb, std::uint16_t* retVersion) {
    return call("NSFDbGetBuildVersion"_function, {hDb}, [&](Environment&) -> Status {
        requireHandle(hDb);
        *retVersion = kBuildVersion;
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbGetMajMinVersion(Handle hDb, BuildVersion* retVersion) {
    return call("NSFDbGetMajMinVersion"_function, {hDb}, [&](Environment&) -> Status {
        requireHandle(hDb);
        *retVersion = {14, 0, 0, 0, 0, 0, 0, {}};
        return kNoError;
    });
}
