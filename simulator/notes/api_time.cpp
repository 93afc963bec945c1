// Times.

#include <cstdio>
#include <cstring>

#include "api.h"
#include "timedate.h"

using namespace domino_sim;

namespace {

constexpr std::uint32_t kDaylightBit = 1u << 31;
constexpr std::uint32_t kEastBit = 1u << 30;

/**
 * The last two digits are hours, the leading ones minutes: 5 is five hours west, -3005 is five and a half hours east.
 */
std::chrono::minutes westOfGmt(int zone, int daylight) {
    return std::chrono::minutes(zone % 100 * 60 + zone / 100 - (daylight != 0 ? 60 : 0));
}

void spread(Time& time, SystemTime local) {
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(local - day);
    time.year = static_cast<int>(date.year());
    time.month = static_cast<int>(static_cast<unsigned>(date.month()));
    time.day = static_cast<int>(static_cast<unsigned>(date.day()));
    time.weekday = static_cast<int>(std::chrono::weekday(day).c_encoding()) + 1;  // 1 = Sunday
    time.hour = static_cast<int>(clock.hours().count());
    time.minute = static_cast<int>(clock.minutes().count());
    time.second = static_cast<int>(clock.seconds().count());
    time.hundredth = static_cast<int>(clock.subseconds().count() / 10);
}

std::uint32_t zoneBits(int zone, int daylight) {
    const int size = zone < 0 ? -zone : zone;
    return (static_cast<std::uint32_t>(size % 100) << 24) | (static_cast<std::uint32_t>(size / 100 / 15) << 28) |
           (zone < 0 ? kEastBit : 0u) | (daylight != 0 ? kDaylightBit : 0u);
}

}  // namespace

NOTES_API void OSCurrentTIMEDATE(TimeDate* retTime) {
    callFor("OSCurrentTIMEDATE"_function, 0, [&](Environment&) {
        *retTime = currentTimeDate();
        return 0;
    });
}

NOTES_API int TimeGMToLocal(Time* time) {
    return callFor("TimeGMToLocal"_function, 1, [&](Environment&) {
        TimeDate gmt;
        std::memcpy(&gmt, &time->gmt, sizeof gmt);
        spread(*time, systemTimeOf(gmt) - westOfGmt(time->zone, time->dst));
        return 0;  // FALSE means success
    });
}

NOTES_API int TimeLocalToGM(Time* time) {
    return callFor("TimeLocalToGM"_function, 1, [&](Environment&) {
        const std::chrono::year_month_day date(std::chrono::year(time->year),
                                               std::chrono::month(static_cast<unsigned>(time->month)),
                                               std::chrono::day(static_cast<unsigned>(time->day)));
        if (!date.ok()) {
            return 1;
        }
        const SystemTime local = SystemTime(std::chrono::sys_days(date)) + std::chrono::hours(time->hour) +
                                 std::chrono::minutes(time->minute) + std::chrono::seconds(time->second) +
                                 std::chrono::milliseconds(time->hundredth * 10);
        TimeDate gmt = timeDateOf(local + westOfGmt(time->zone, time->dst));
        gmt.innards[1] |= zoneBits(time->zone, time->dst);
        time->gmt = gmt;
        time->weekday = static_cast<int>(std::chrono::weekday(std::chrono::sys_days(date)).c_encoding()) + 1;
        return 0;
    });
}

NOTES_API int TimeDateCompare(const TimeDate* left, const TimeDate* right) {
    return callFor("TimeDateCompare"_function, 0, [&](Environment&) { return compare(*left, *right); });
}

NOTES_API std::uint64_t ConvertTIMEDATEToText(const void*, const void*, const TimeDate* time, char* retText,
                                              std::uint16_t textBytes, std::uint16_t* retLength) {
    return call("ConvertTIMEDATEToText"_function, {}, [&](Environment&) -> Status {
        Time parts{};
        spread(parts, systemTimeOf(*time));
        char text[96];
        const int hour = parts.hour % 12 == 0 ? 12 : parts.hour % 12;
        const int length =
            std::snprintf(text, sizeof text, "%02d/%02d/%04d %02d:%02d:%02d %s GMT", parts.month, parts.day, parts.year,
                          hour, parts.minute, parts.second, parts.hour < 12 ? "AM" : "PM");
        // Not NUL-terminated: the caller uses the length.
        *retLength = static_cast<std::uint16_t>(std::min<int>(length, textBytes));
        std::memcpy(retText, text, *retLength);
        return kNoError;
    });
}
