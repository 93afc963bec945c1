#pragma once
// What lies in a directory, as the C API sees it.

#include <functional>
#include <string>

#include "environment.h"

namespace domino_sim {

enum class EntryKind { database, directory, databaseLink, directoryLink, other };

struct DirectoryEntry {
    EntryKind kind;
    std::string name;       // file name, UTF-8
    std::string canonical;  // relative to the data directory, through links
    std::string expanded;   // where it really lies; for a link its destination
    std::string physical;   // the file in the directory itself
};

/** `.nsf`, `.ntf`, `.box`, in any case. */
bool hasDatabaseExtension(const std::string& name);

/** Visits one directory in the order of names, without its subdirectories. */
void forEachEntry(const std::string& canonicalDirectory, const std::string& expandedDirectory,
                  const std::function<void(const DirectoryEntry&)>& visit);

/** Visits every database below the data directory, through links too. */
void forEachDatabase(const Environment& environment, const std::function<void(const DirectoryEntry&)>& visit);

}  // namespace domino_sim
