#pragma once

#include <string>
#include <vector>

namespace domino_vss::vss {

struct CabinetFile {
    std::string file;  ///< absolute path
    std::string name;  ///< inside the cabinet
};

/// Writes a cabinet file with the system's cabinet.dll. The new file is `<cabinet>.new` until it is complete, then
/// replaces an existing one. Throws Failure.
void writeCabinet(const std::string& cabinet, const std::vector<CabinetFile>& files);

/// Extracts all files into an existing directory and returns their names. Rejects names that contain a path. Throws
/// Failure.
[[nodiscard]] std::vector<std::string> readCabinet(const std::string& cabinet, const std::string& directory);

}  // namespace domino_vss::vss
