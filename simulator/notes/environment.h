#pragma once
// What a process finds out when it starts: its notes.ini, its directories, its settings and its partition.

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
    std::string dataDirectory;     // absolute, without a closing slash
    std::string programDirectory;  // empty when it could not be found
    IniFile ini;
    Settings settings;
    std::unique_ptr<Partition> partition;

    std::string serverName() const;

    bool isOn(Setting setting) const { return settings.isOn(setting); }
    double operator[](Setting setting) const { return settings[setting]; }

    /** True for a path inside the data directory. */
    bool isInDataDirectory(const std::string& expandedPath) const;
};

/** Finds notes.ini by the rules of NotesInitExtended and enrolls the process. Throws StatusError. */
std::unique_ptr<Environment> openEnvironment(std::span<const std::string> arguments, ProcessRole role);

}  // namespace domino_sim
