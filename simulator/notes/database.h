#pragma once
// An open database: the file, the partition's data about it, and its header page.

#include <functional>

#include "change_info.h"
#include "environment.h"
#include "page.h"
#include "paths.h"

namespace domino_sim {

enum class OpenPurpose {
    user,      // NSFDbOpen: a copy opened this way is no longer a backup
    recovery,  // NSFRecoverDatabases: leaves the file unchanged
};

class Database {
public:
    Database(Environment& environment, const ResolvedPath& path, OpenPurpose purpose);
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    Environment& environment() const { return *environment_; }
    const std::string& canonicalPath() const { return path_.canonical; }
    const std::string& expandedPath() const { return path_.expanded; }
    const platform::File& file() const { return file_; }
    Slot& slot() const { return *slot_; }

    /** Returns a header page that is not torn. */
    HeaderPage readHeader() const;

    /** Like readHeader, for callers that hold the state lock. */
    HeaderPage readHeaderLocked() const;

    /** Changes the header page. A backup in progress gets its before-image. */
    void changeHeader(const std::function<void(HeaderPage&)>& change);

    /** Like changeHeader, for callers that hold the state lock. */
    void writeHeaderLocked(HeaderPage& header);

    Superblock readSuperblock() const;

    /** Closes the file, so that another one can take its name. Nothing else may be done with it afterwards. */
    void closeFile() { file_ = platform::File(); }

    /** Writes a page; saves its before-image first if a backup needs it. */
    void writePage(std::uint32_t number, std::span<const std::byte> page);

    /** Whether transaction logging applies: the server logs, the database does, and it is in the data directory. */
    bool isLogged(const HeaderPage& header) const;

private:
    void admit(OpenPurpose purpose);

    Environment* environment_;
    ResolvedPath path_;
    platform::File file_;
    Slot* slot_ = nullptr;
    bool isCounted_ = false;
};

/** Returns true if another file with this instance id is or was in use, still exists and is not offline. */
bool isInstanceOnline(Environment& environment, const Unid& instanceId, const Slot* except);

/** Holds the database's transaction lock. Completes the transaction of a writer that died. */
class TransactionLock {
public:
    explicit TransactionLock(Database& database);

private:
    platform::RobustLock lock_;
};

}  // namespace domino_sim
