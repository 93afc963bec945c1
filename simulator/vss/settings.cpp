#include "settings.h"

#include <windows.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "text.h"

namespace vss_simulator {

namespace {

std::string settingsText() {
    std::array<wchar_t, 1024> named{};
    const DWORD length = GetEnvironmentVariableW(L"VSS_SIM_SETTINGS", named.data(), static_cast<DWORD>(named.size()));
    const bool isNamed = length > 0 && length < named.size();
    std::ifstream file(std::filesystem::path(isNamed ? std::wstring(named.data(), length) : utf16(kDefaultFile)),
                       std::ios::binary);
    if (!file && isNamed) throw std::runtime_error("the file VSS_SIM_SETTINGS names cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Settings::Settings(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            throw std::invalid_argument("not a setting: " + std::string(line));
        }
        values_[lower(line.substr(0, equals))] = line.substr(equals + 1);
    }
}

std::string Settings::text(std::string_view name, std::string_view otherwise) const {
    const auto found = values_.find(lower(name));
    return found == values_.end() ? std::string(otherwise) : found->second;
}

std::int64_t Settings::number(std::string_view name, std::int64_t otherwise) const {
    const auto found = values_.find(lower(name));
    if (found == values_.end()) return otherwise;
    std::size_t used = 0;
    const std::int64_t value = std::stoll(found->second, &used, 0);
    if (used != found->second.size()) throw std::invalid_argument("not a number: " + std::string(name));
    return value;
}

std::vector<std::string> Settings::list(std::string_view name, std::string_view otherwise) const {
    return split(text(name, otherwise), ',');
}

const Settings& settings() {
    // never destroyed: another thread may still read them while the process ends
    static const Settings& instance = *std::make_unique<Settings>(settingsText()).release();
    return instance;
}

}  // namespace vss_simulator
