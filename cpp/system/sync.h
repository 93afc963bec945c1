#pragma once

#include <filesystem>
#include <string>

#include "system/failure.h"

namespace domino_vss {

/// Makes the names of new files in a directory durable. Throws Failure.
void syncDirectory(const std::filesystem::path& directory, const char* code, Phase phase);

/// Flushes the file system that contains a directory. On Windows, this requires administrator rights. Throws Failure.
void syncVolume(const std::string& directory, Phase phase);

/// Makes the files below a directory durable. Throws Failure.
void syncTree(const std::string& directory, Phase phase);

}  // namespace domino_vss
