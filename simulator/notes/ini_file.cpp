#include "ini_file.h"

#include <algorithm>
#include <fstream>
#include <string_view>

#include "utf8_path.h"

namespace domino_sim {

namespace {

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    const auto last = text.find_last_not_of(" \t\r");
    return first == std::string_view::npos ? std::string_view() : text.substr(first, last - first + 1);
}

}  // namespace

std::string upperCase(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), upper);
    return result;
}

bool equalIgnoringCase(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, upper, upper);
}

std::optional<IniFile> IniFile::read(const std::string& path) {
    std::ifstream stream(pathOf(path));
    if (!stream) {
        return std::nullopt;
    }
    IniFile ini;
    for (std::string line; std::getline(stream, line);) {
        const auto equals = line.find('=');
        if (equals != std::string::npos) {
            ini.entries_.try_emplace(upperCase(trimmed(std::string_view(line).substr(0, equals))),
                                     trimmed(std::string_view(line).substr(equals + 1)));
        }
    }
    return ini;
}

std::optional<std::string> IniFile::find(std::string_view name) const {
    const auto found = entries_.find(upperCase(name));
    return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace domino_sim
