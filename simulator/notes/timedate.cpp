#include "timedate.h"

#include <atomic>
#include <cstdio>

#include "page.h"
#include "platform.h"

namespace domino_sim {

namespace {

constexpr std::int64_t kJulianOfEpoch = 2'440'588;  // 1 January 1970
constexpr std::uint32_t kJulianMask = 0x00ff'ffff;

}  // namespace

TimeDate timeDateOf(SystemTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const auto hundredths = (time - day).count() / 10;
    const auto julian = day.time_since_epoch().count() + kJulianOfEpoch;
    return {{static_cast<std::uint32_t>(hundredths), static_cast<std::uint32_t>(julian) & kJulianMask}};
}

TimeDate currentTimeDate() {
    return timeDateOf(std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()));
}

SystemTime systemTimeOf(const TimeDate& time) {
    const std::int64_t days = static_cast<std::int64_t>(time.innards[1] & kJulianMask) - kJulianOfEpoch;
    const std::int64_t hundredths = time.innards[0] == 0xffff'ffff ? 0 : time.innards[0];
    return SystemTime(std::chrono::days(days)) + std::chrono::milliseconds(hundredths * 10);
}

int compare(const TimeDate& left, const TimeDate& right) {
    const auto a = systemTimeOf(left);
    const auto b = systemTimeOf(right);
    return a < b ? -1 : (a > b ? 1 : 0);
}

TimeDate uniqueTimeDate() {
    static std::atomic<std::uint64_t> next{
        mix(static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()),
            platform::currentProcess().pid)};
    const std::uint64_t value = next.fetch_add(1);
    constexpr std::uint32_t kHundredthsPerDay = 8'640'000;
    // The counter also uses the zone bits: an id only needs to look like a time, and 100 000 of them must differ.
    return {{static_cast<std::uint32_t>(value % kHundredthsPerDay),
             (currentTimeDate().innards[1] & kJulianMask) |
                 (static_cast<std::uint32_t>(value / kHundredthsPerDay & 0xff) << 24)}};
}

Unid uniqueUnid() {
    Unid id{uniqueTimeDate(), uniqueTimeDate()};
    id.note.innards[1] ^= static_cast<std::uint32_t>(platform::monotonicNs());
    return id;
}

std::string isoText(const TimeDate& time) {
    const SystemTime instant = systemTimeOf(time);
    const auto day = std::chrono::floor<std::chrono::days>(instant);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(instant - day);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return text;
}

std::string idText(const TimeDate& id) {
    char text[24];
    std::snprintf(text, sizeof text, "%08X:%08X", id.innards[1], id.innards[0]);
    return text;
}

std::string idText(const Unid& id) {
    return idText(id.file) + "-" + idText(id.note);
}

}  // namespace domino_sim
