#pragma once
// What a process determines at its start: notes.ini, directories, settings and partition.

#include <memory>
#include <span>
#include <string>

#include "ini_file.h"
#include "partition.h"
#include "settings.h"
#include "status.h"

namespace domino_sim {

struct Environment {
    std::string iniPath;
    std::string dataDirectory;     // absolute, without a trailing slash
    std::string programDirectory;  // empty if not found
    IniFile ini;
    Settings settings;
    std::unique_ptr<Partition> partition;

    std::string serverName() const;

    bool isOn(Setting setting) const { return settings.isOn(setting); }
    double operator[](Setting setting) const { return settings[setting]; }

    /** Returns true for a path inside the data directory. */
    bool isInDataDirectory(const std::string& expandedPath) const;
};

/** Finds notes.ini by the rules of NotesInitExtended and registers the process. Throws StatusError. */
std::unique_ptr<Environment> openEnvironment(std::span<const std::string> arguments, ProcessRole role);

}  // namespace domino_sim
