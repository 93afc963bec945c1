// The server's name, statistics and console.

#include <cstring>
#include <filesystem>

#include "api.h"
#include "enumerate.h"
#include "lmbcs.h"
#include "remote.h"
#include "timedate.h"
#include "utf8_path.h"

using namespace domino_sim;

namespace {

Handle memoryOf(std::string_view text) {
    auto block = std::make_shared<MemoryBlock>();
    block->bytes.resize(text.size());
    std::memcpy(block->bytes.data(), text.data(), text.size());
    return Runtime::get().memory.add(std::move(block));
}

bool isLocal(const Environment& environment, const char* server) {
    return server == nullptr || server[0] == 0 || isSameServer(lmbcs::toUtf8(server), environment.serverName());
}

void requireServer(Environment& environment, const char* server) {
    if (!isLocal(environment, server) || !environment.partition->isServerRunning()) {
        throw StatusError(kServerNotResponding);
    }
}

std::string statistics(Environment& environment, std::string_view facility, std::string_view name) {
    const std::pair<std::string_view, std::string> rows[] = {
        {"Server.Name", environment.serverName()},
        {"Server.Path.Data", environment.dataDirectory},
        {"Server.Version.Notes", "Stand-in for release 14.0"},
        {"Server.Task", "Database Server"},
        {"Database.DbCache.CurrentEntries", std::to_string(environment.partition->layout().slotCount.load())},
    };
    std::string table;
    for (const auto& [full, value] : rows) {
        const auto dot = full.find('.');
        const bool isWanted = (facility.empty() || equalIgnoringCase(facility, full.substr(0, dot))) &&
                              (name.empty() || equalIgnoringCase(name, full.substr(dot + 1)));
        if (isWanted) {
            table += std::string(full) + "\t" + value + "\n";
        }
    }
    return lmbcs::fromUtf8(table);
}

std::string_view textOf(const char* argument) {
    return argument == nullptr ? std::string_view() : std::string_view(argument);
}

TimeDate modifiedTime(const std::string& path) {
    const auto time = std::filesystem::last_write_time(pathOf(path));
    const auto system = std::chrono::file_clock::to_sys(time);
    return timeDateOf(std::chrono::floor<std::chrono::milliseconds>(system));
}

}  // namespace

NOTES_API std::uint64_t SECKFMGetUserName(char* retName) {
    return call("SECKFMGetUserName"_function, {}, [&](Environment& environment) -> Status {
        storePath(environment, retName, environment.serverName());  // MAXUSERNAME is the size of a path buffer
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFGetServerStats(const char* server, const char* facility, const char* name, Handle* rethTable,
                                          std::uint32_t* retSize) {
    return call("NSFGetServerStats"_function, {}, [&](Environment& environment) -> Status {
        requireServer(environment, server);
        const std::string table = statistics(environment, textOf(facility), textOf(name));
        *rethTable = memoryOf(table);
        *retSize = static_cast<std::uint32_t>(table.size());
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFRemoteConsole(const char* server, const char* command, Handle* rethResponse) {
    return call("NSFRemoteConsole"_function, {}, [&](Environment& environment) -> Status {
        const std::string name =
            isLocal(environment, server) ? environment.serverName() : lmbcs::toUtf8(textOf(server));
        const std::string response = remoteConsole(environment, name, lmbcs::toUtf8(textOf(command)));
        *rethResponse = memoryOf(lmbcs::fromUtf8(response) + '\0');
        return kNoError;
    });
}

// The layout of the list is not documented. Here: relative paths, each terminated by a NUL.
NOTES_API std::uint64_t NSFGetChangedDBs(const char* server, const TimeDate* since, std::uint32_t* changesBytes,
                                         Handle* rethChanges, TimeDate* nextSince) {
    return call("NSFGetChangedDBs"_function, {}, [&](Environment& environment) -> Status {
        requireServer(environment, server);
        const TimeDate now = currentTimeDate();
        std::string list;
        forEachDatabase(environment, [&](const DirectoryEntry& entry) {
            if (compare(modifiedTime(entry.expanded), *since) >= 0) {
                list += lmbcs::fromUtf8(entry.canonical) + '\0';
            }
        });
        *changesBytes = static_cast<std::uint32_t>(list.size());
        *rethChanges = memoryOf(list);
        if (nextSince != nullptr) {
            *nextSince = now;
        }
        return kNoError;
    });
}
