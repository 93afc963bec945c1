#pragma once

#include <string>
#include <vector>

namespace domino_vss::domino {

/// The registry entries of the Domino installer; empty if absent. Windows only.
struct Registration {
    std::string programDirectory;  ///< HKLM\SOFTWARE\Lotus\Domino, Path
    std::string dataDirectory;     ///< the same key, DataPath
    /// Names of the Windows services of Domino servers, one per partition.
    std::vector<std::string> services;
};

/// Throws Failure ERR_DOMINO_LIBRARY if the registry cannot be read.
[[nodiscard]] Registration readRegistration();

}  // namespace domino_vss::domino
