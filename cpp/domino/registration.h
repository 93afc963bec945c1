#pragma once

#include <string>
#include <vector>

namespace domino_vss::domino {

/// What the installer of Domino has written to the registry; empty where it has not. Windows only.
struct Registration {
    std::string programDirectory;  ///< HKLM\SOFTWARE\Lotus\Domino, Path
    std::string dataDirectory;     ///< the same, DataPath
    /// Names of the services of Domino servers: one for each partition.
    std::vector<std::string> services;
};

/// Throws Failure ERR_DOMINO_LIBRARY when the registry cannot be read.
[[nodiscard]] Registration readRegistration();

}  // namespace domino_vss::domino
