#pragma once
// An open database: the file, what the partition knows about it, and its header page.

#include <functional>

#include "change_info.h"
#include "environment.h"
#include "page.h"
#include "paths.h"

namespace domino_sim {

enum class OpenPurpose {
    user,      // NSFDbOpen: a copy opened this way is no backup any more
    recovery,  // NSFRecoverDatabases: leaves the file as it is
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

    /** An untorn header page. */
    HeaderPage readHeader() const;

    /** As readHeader, for callers that hold the state lock. */
    HeaderPage readHeaderLocked() const;

    /** Changes the header page; a backup in progress gets its before-image. */
    void changeHeader(const std::function<void(HeaderPage&)>& change);

    /** As changeHeader, for callers that hold the state lock. */
    void writeHeaderLocked(HeaderPage& header);

    Superblock readSuperblock() const;

    /** Closes the file, so that another one can take its name. Nothing else may be done with it after that. */
    void closeFile() { file_ = platform::File(); }

    /** Writes one page, saving its before-image first if a backup needs it. */
    void writePage(std::uint32_t number, std::span<const std::byte> page);

    /** Transaction logging applies: the server logs, the database does, and it lies in the data directory. */
    bool isLogged(const HeaderPage& header) const;

private:
    void admit(OpenPurpose purpose);

    Environment* environment_;
    ResolvedPath path_;
    platform::File file_;
    Slot* slot_ = nullptr;
    bool isCounted_ = false;
};

/** True if another file with this instance id is in use or was, and still exists and is not offline. */
bool isInstanceOnline(Environment& environment, const Unid& instanceId, const Slot* except);

/** Holds the database's transaction lock; completes the transaction of a writer that died. */
class TransactionLock {
public:
    explicit TransactionLock(Database& database);

private:
    platform::RobustLock lock_;
};

}  // namespace domino_sim
