#pragma once

#include <map>
#include <optional>
#include <string>

namespace domino_sim {

bool equalIgnoringCase(std::string_view left, std::string_view right);
std::string upperCase(std::string_view text);

/** notes.ini: `Name=value` lines. Names are case-insensitive; the first of several entries wins. */
class IniFile {
public:
    IniFile() = default;

    /** nullopt if the file cannot be read. */
    static std::optional<IniFile> read(const std::string& path);

    std::optional<std::string> find(std::string_view name) const;
    const std::map<std::string, std::string>& entries() const { return entries_; }

private:
    std::map<std::string, std::string> entries_;  // keys in upper case
};

}  // namespace domino_sim
