#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "system/failure.h"
#include "system/volume.h"

namespace domino_vss::domino {

struct CatalogEntry {
    std::string
        path;  ///< to open by: relative to the data directory; leads through a link only where nothing else does
    std::string file;  ///< resolved, absolute
    std::uint64_t sizeBytes = 0;
    std::uint64_t allocatedBytes = 0;
    double modifiedMs = 0;
    std::uint16_t volume = 0;  ///< index into Catalog::volumes
    std::string fileId;
};

/// A second name of a database, or of a directory: then both names end in a slash. The data directory's is empty.
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

/// Finds what the backup API must save: files with a database's extension and the NSF signature, anywhere under the
/// data directory and behind directory links (`x.dir`) and database links (`x.nsf`), which are small text files that
/// name their target in the first line, and behind links of the operating system. A database that can be reached
/// without a link has that name, whatever else leads to it; its other names are aliases. Among several links the first
/// one in the order of the alphabet counts. Reads the file system only; needs no runtime. Throws Failure when the data
/// directory itself cannot be read.
[[nodiscard]] Catalog findDatabases(const std::string& dataDirectory,
                                    const std::vector<std::string>& excludeDirectories);

}  // namespace domino_vss::domino
