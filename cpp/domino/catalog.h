#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "system/failure.h"
#include "system/volume.h"

namespace domino_vss::domino {

struct CatalogEntry {
    std::string
        path;  ///< path to open it, relative to the data directory; goes through a link only if no other path exists
    std::string file;  ///< resolved, absolute
    std::uint64_t sizeBytes = 0;
    std::uint64_t allocatedBytes = 0;
    double modifiedMs = 0;
    std::uint16_t volume = 0;  ///< index into Catalog::volumes
    std::string fileId;
};

/// A second name of a database or directory. For a directory, both names end in a slash; the name of the data directory
/// is empty.
struct CatalogAlias {
    std::string alias;
    std::string path;
};

struct Catalog {
    std::vector<CatalogEntry> entries;
    std::vector<CatalogAlias> aliases;
    std::vector<Volume> volumes;
    std::vector<Failure> problems;
};

/// Finds the databases that must be backed up through the backup API: files with a database extension and the NSF
/// signature, below the data directory, behind directory links (`x.dir`) and database links (`x.nsf`), and behind links
/// of the operating system. Domino's links are small text files with the target in the first line. A database that can
/// be reached without a link gets that name; its other names are aliases. Among several links, the alphabetically first
/// one counts. Reads only the file system and does not need the runtime. Throws Failure if the data directory cannot be
/// read.
[[nodiscard]] Catalog findDatabases(const std::string& dataDirectory,
                                    const std::vector<std::string>& excludeDirectories);

}  // namespace domino_vss::domino
