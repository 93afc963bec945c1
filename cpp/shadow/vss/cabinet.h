#pragma once

#include <string>
#include <vector>

namespace domino_vss::vss {

struct CabinetFile {
    std::string file;  ///< absolute path
    std::string name;  ///< inside the cabinet
};

/// Writes a cabinet file with the system's own cabinet.dll. One of this name is replaced when the new one is whole,
/// which is `<cabinet>.new` until then. Throws Failure.
void writeCabinet(const std::string& cabinet, const std::vector<CabinetFile>& files);

/// Extracts everything into an existing directory and returns the names. Throws Failure; a name that is more than a
/// file name is refused.
[[nodiscard]] std::vector<std::string> readCabinet(const std::string& cabinet, const std::string& directory);

}  // namespace domino_vss::vss
