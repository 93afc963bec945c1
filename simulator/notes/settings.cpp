#include "settings.h"

#include <charconv>
#include <cstdlib>

#include "ini_file.h"
#include "platform.h"

namespace domino_sim {

namespace {

constexpr std::string_view kLatencyPrefix = "SIM_LATENCY_";
constexpr std::string_view kLatencySuffix = "_US";
constexpr double kDefaultTimeoutMs = 15 * 60 * 1000;

double timeoutFromIni(const IniFile& ini) {
    if (ini.find("BACKUP_NO_TIMEOUT").value_or("0") == "1") {
        return 0;
    }
    const auto minutes = ini.find("BACKUP_TIMEOUT");
    return minutes ? std::strtod(minutes->c_str(), nullptr) * 60'000 : kDefaultTimeoutMs;
}

/** The value of `word` in `error|abort|allow`. */
std::optional<double> wordValue(std::string_view words, std::string_view word) {
    double value = 0;
    while (true) {
        const auto bar = words.find('|');
        if (equalIgnoringCase(words.substr(0, bar), word)) {
            return value;
        }
        if (bar == std::string_view::npos) {
            return std::nullopt;
        }
        words.remove_prefix(bar + 1);
        value += 1;
    }
}

}  // namespace

std::optional<Setting> findSetting(std::string_view name) {
    for (std::size_t i = 0; i < kSettingSlots; ++i) {
        if (equalIgnoringCase(settingName(static_cast<Setting>(i)), name)) {
            return static_cast<Setting>(i);
        }
    }
    return std::nullopt;
}

std::string settingName(Setting setting) {
    const auto index = static_cast<std::size_t>(setting);
    if (index < kSettingCount) {
        return std::string(kSettingRows[index].name);
    }
    return std::string(kLatencyPrefix) + std::string(kFunctionNames[index - kSettingCount]) +
           std::string(kLatencySuffix);
}

std::optional<double> parseSetting(Setting setting, std::string_view text) {
    const auto index = static_cast<std::size_t>(setting);
    if (index < kSettingCount && !kSettingRows[index].words.empty()) {
        return wordValue(kSettingRows[index].words, text);
    }
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

Settings::Settings(const IniFile& ini) {
    for (std::size_t i = 0; i < kSettingSlots; ++i) {
        const auto setting = static_cast<Setting>(i);
        const std::string name = settingName(setting);
        own_[i] = i < kSettingCount ? kSettingRows[i].defaultValue : 0;
        if (const auto text = ini.find(name)) {
            own_[i] = parseSetting(setting, *text).value_or(own_[i]);
        }
        if (const auto text = platform::environmentVariable(name)) {
            own_[i] = parseSetting(setting, *text).value_or(own_[i]);
        }
    }
    double& timeout = own_[static_cast<std::size_t>("SIM_BACKUP_TIMEOUT_MS"_setting)];
    timeout = timeout < 0 ? timeoutFromIni(ini) : timeout;
}

double Settings::operator[](Setting setting) const {
    const auto index = static_cast<std::size_t>(setting);
    if (live_ != nullptr && live_->isSet[index].load(std::memory_order_relaxed) != 0) {
        return live_->value[index].load(std::memory_order_relaxed);
    }
    return own_[index];
}

bool Settings::is(Setting setting, std::string_view word) const {
    return wordValue(kSettingRows[static_cast<std::size_t>(setting)].words, word) == (*this)[setting];
}

}  // namespace domino_sim
