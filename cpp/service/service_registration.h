#pragma once

#include <string>

namespace domino_vss::service {

struct ServiceRegistration {
    std::string name;
    std::string displayName;
    std::string description;
    std::string command;  ///< with arguments, quoted as Windows parses them
    /// An account that needs no password; empty for LocalSystem.
    std::string account;
};

/// Registers a service with delayed automatic start, restarted some time after a failure. An account other than
/// LocalSystem is registered as allowed for VSS writers. All or nothing. Throws Failure.
void installService(const ServiceRegistration& registration);

/// A running service is removed when it has stopped. The VSS registration of its account stays, because others may use
/// it. Throws Failure.
void uninstallService(const std::string& name);

}  // namespace domino_vss::service
