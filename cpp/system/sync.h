#pragma once

#include <filesystem>
#include <string>

#include "system/failure.h"

namespace domino_vss {

/// Makes the names of new files in a directory durable. Throws Failure.
void syncDirectory(const std::filesystem::path& directory, const char* code, Phase phase);

/// Writes everything that the file system of a directory still keeps in memory. On Windows only administrators may.
/// Throws Failure.
void syncVolume(const std::string& directory, Phase phase);

/// Makes the files below a directory durable. Throws Failure.
void syncTree(const std::string& directory, Phase phase);

}  // namespace domino_vss
