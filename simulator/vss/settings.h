#pragma once
// `name=value` lines, read once per process from the file that VSS_SIM_SETTINGS names, otherwise from kDefaultFile.
// README.md lists them.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vss_simulator {

inline constexpr std::string_view kDefaultFile = R"(C:\ProgramData\domino-vss-simulator\vss.ini)";
inline constexpr std::string_view kDefaultState = R"(C:\ProgramData\domino-vss-simulator\state)";

class Settings {
public:
    /** Names are case-insensitive. Throws for a line that is neither empty, a comment (#) nor `name=value`. */
    explicit Settings(std::string_view text);

    std::string text(std::string_view name, std::string_view otherwise) const;
    std::int64_t number(std::string_view name, std::int64_t otherwise) const;
    bool flag(std::string_view name, bool otherwise) const { return number(name, otherwise ? 1 : 0) != 0; }
    std::vector<std::string> list(std::string_view name, std::string_view otherwise) const;

private:
    std::map<std::string, std::string, std::less<>> values_;
};

const Settings& settings();

}  // namespace vss_simulator
