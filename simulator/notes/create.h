#pragma once
// Creating, changing and deleting databases.

#include <string>

#include "database.h"

namespace domino_sim {

struct NewDatabase {
    TimeDate databaseId{};
    TimeDate replicaId{};
    std::uint64_t seed = 0;
    std::uint32_t pages = kMinimumPages;
    bool isLogged = false;
    Unid logId{};
    std::string title;  // UTF-8
};

/** Writes a new database file. Fails if it exists. */
void writeDatabaseFile(const std::string& path, const NewDatabase& database);

/** NSFDbCreate. `path` is UTF-8, absolute or relative to the data directory. */
void createDatabase(Environment& environment, const std::string& path, bool force);

/** NSFDbDelete. Throws StatusError(kDatabaseInUse) while it is open in any process. */
void deleteDatabase(Environment& environment, const std::string& path);

/** NSFDbInfoSet: 128 bytes, LMBCS. */
void setInfo(Database& database, const char* info);

}  // namespace domino_sim
