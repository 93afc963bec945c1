#pragma once
// The contents of a directory, as the C API sees them.

#include <functional>
#include <string>

#include "environment.h"

namespace domino_sim {

enum class EntryKind { database, directory, databaseLink, directoryLink, other };

struct DirectoryEntry {
    EntryKind kind;
    std::string name;       // file name, UTF-8
    std::string canonical;  // relative to the data directory, through links
    std::string expanded;   // the actual location; for a link, its target
    std::string physical;   // the file in the directory itself
};

/** `.nsf`, `.ntf`, `.box`, case-insensitively. */
bool hasDatabaseExtension(const std::string& name);

/** Visits a directory in the order of names, without subdirectories. */
void forEachEntry(const std::string& canonicalDirectory, const std::string& expandedDirectory,
                  const std::function<void(const DirectoryEntry&)>& visit);

/** Visits every database below the data directory, following links. */
void forEachDatabase(const Environment& environment, const std::function<void(const DirectoryEntry&)>& visit);

}  // namespace domino_sim
