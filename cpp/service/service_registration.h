#pragma once

#include <string>

namespace domino_vss::service {

struct ServiceRegistration {
    std::string name;
    std::string displayName;
    std::string description;
    std::string command;  ///< with its arguments, quoted as Windows parses them
    /// One that needs no password; empty for LocalSystem.
    std::string account;
};

/// Registers a service that starts by itself after the others, and again some time after it has failed. An account of
/// its own is entered where VSS looks who may be a writer. All or nothing. Throws Failure.
void installService(const ServiceRegistration& registration);

/// A service that still runs is gone when it has stopped. What VSS was told of its account stays, for others may use
/// it. Throws Failure.
void uninstallService(const std::string& name);

}  // namespace domino_vss::service
